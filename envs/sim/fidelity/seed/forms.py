"""Stages that have turned into something else: which form a recorded frame shows, and on which of its floors one is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.fidelity.seed.stage import floor_rows

_EVENT_BITS = 8
"""`stadium` of a FRAME is the type of the transformation over the event, which is 0 once it is done."""


def rebuild_forms(games: NDArray[np.void], frames: NDArray[np.void], stages: NDArray[np.void], row: int) -> None:
    """Put games [T] of the stage `row` whose frames show a finished form onto that form's row of `stages`."""
    for form, stage in enumerate(stages):
        if stage["form"] == 0 or stage["stage"] != stages["stage"][row]:
            continue
        shown = frames["stadium"] == int(stage["form"]) << _EVENT_BITS
        games["stage"][shown] = form
        for seat in range(games["fighters"].shape[1]):
            ground = frames["players"]["ground_id"][shown, seat, LEADER]
            games["fighters"]["line"][shown, seat] = floor_rows(ground, stage)
