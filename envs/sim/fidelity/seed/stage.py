"""The stage's own state: what moves on it, at each frame of a recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rebuild_stage(games: NDArray[np.void], frames: NDArray[np.void], row: int) -> None:
    """Set the stage [T] of games by its row in the tables."""
    games["stage"] = row
    games["frame"] = frames["frame"]
    games["frames_left"] = -1
