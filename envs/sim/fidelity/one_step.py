"""One-step predictions of a recorded game: error of place and of action state, by class of state."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import FIRST_PLAYABLE_FRAME, LEADER, empty_frames
from envs.sim.compile import tables
from envs.sim.fidelity.seed import seed_games
from envs.sim.kernel.step import step_batch

EXACT_UNITS: Final = 0.01
"""An error below this is a right prediction; float rounding is far below it."""

PUSH_REACH: Final = 16.0
"""No two fighters push each other from farther apart, units."""


class Rows(NamedTuple):
    """Predictions of one seat: [R] each."""

    frame: NDArray[np.int32]  # id of the frame predicted from
    before: NDArray[np.int32]  # action state predicted from
    after: NDArray[np.int32]  # recorded action state
    predicted: NDArray[np.int32]
    error_x: NDArray[np.float32]  # predicted - recorded, units
    error_y: NDArray[np.float32]

    @property
    def exact(self) -> NDArray[np.bool_]:
        """[R] whether the place was predicted."""
        return np.hypot(self.error_x, self.error_y) < EXACT_UNITS

    @property
    def action_right(self) -> NDArray[np.bool_]:
        """[R] whether the action state was predicted."""
        return self.predicted == self.after


def one_step(frames: NDArray[np.void], seat: int) -> Rows:
    """Predict each frame of a recorded game [T] from the one before; rows with a hit or a death are left out.

    The seat's character and the stage must be ones the simulator plays.
    """
    games = seed_games(frames)[:-1].copy()
    out = empty_frames(len(games))
    pads = np.ascontiguousarray(frames["players"]["controller"][1:, :, LEADER])
    step_batch(games, tables(), pads, np.zeros(1, CONTROLLER), out, np.zeros(len(games), np.bool_))
    before = frames["players"][:-1, seat, LEADER]
    after = frames["players"][1:, seat, LEADER]
    predicted = out["players"][:, seat, LEADER]
    keep = _undisturbed(before, after) & (frames["frame"][:-1] >= FIRST_PLAYABLE_FRAME)
    keep &= _unpushed(before, frames["players"][:-1, 1 - seat, LEADER])
    return Rows(
        frames["frame"][:-1][keep],
        before["action"][keep],
        after["action"][keep],
        predicted["action"][keep],
        (predicted["x"] - after["x"])[keep],
        (predicted["y"] - after["y"])[keep],
    )


def _undisturbed(before: NDArray[np.void], after: NDArray[np.void]) -> NDArray[np.bool_]:
    """Rows in which nothing but the fighter's own input acted: no hitlag, no damage, no death."""
    calm = (before["hitlag"] == 0) & (after["hitlag"] == 0) & (before["percent"] == after["percent"])
    return calm & (before["stocks"] == after["stocks"])


def _unpushed(me: NDArray[np.void], foe: NDArray[np.void]) -> NDArray[np.bool_]:
    """Rows in which no fighter that the simulator lacks could push this one."""
    known = np.isin(foe["character"], tables()[0]["characters"]["character"])
    near = (np.abs(me["x"] - foe["x"]) < PUSH_REACH) & (me["airborne"] == 0) & (foe["airborne"] == 0)
    return known | ~near


def modelled(actions: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether the simulator plays each action state."""
    states = tables()[0]["characters"][0]["states"]
    return states["modelled"][np.clip(actions, 0, len(states) - 1)] == 1
