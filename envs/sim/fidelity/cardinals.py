"""Sticks as the game reads them: newer recordings snap a nearly full push along one axis to a full one.

From Slippi 3.17 on (UCF 0.84, "1.0 cardinals") a raw stick past the rim on one axis and near the middle on the
other counts as 1.0, though the recording still says 0.9875: measured, top air speeds in recorded games.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FIRST_VERSION: Final = (3, 17)
RIM: Final = 80
"""Raw value of a full push."""
MIDDLE: Final = 6
"""Raw values of the other axis up to this are snapped: measured, 7 never is."""


def snap_cardinals(frames: NDArray[np.void]) -> NDArray[np.void]:
    """Copy of FRAMEs [T] in which such pushes of the main sticks are full ones."""
    snapped = frames.copy()
    players = snapped["players"]
    raw = {"stick_x": np.abs(frames["players"]["raw_x"]), "stick_y": np.abs(frames["players"]["raw_y"])}
    for axis, other in (("stick_x", "stick_y"), ("stick_y", "stick_x")):
        stick = players["controller"][axis]
        full = (raw[axis] >= RIM) & (raw[other] <= MIDDLE)
        players["controller"][axis] = np.where(full, np.sign(stick), stick)
    return snapped
