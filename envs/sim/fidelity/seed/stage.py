"""The stage's own state at each frame of a recording: the Fountain's platforms, the wind, which floor is which.

Stage events tell the first two from Slippi 3.18 on; older recordings show them by what fighters stand on and by
how they are pushed. Nothing is known of what a stage will decide next: until it shows, all goes on as it is.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.fidelity.seed.wind import rebuild_wind
from envs.sim.kernel.stage_motion import MOVES, WAITS
from envs.sim.stage_layout import Motion
from envs.sim.stages import FLOOR_GAP

UNDECIDED: Final = 1 << 20
"""Frames until a stage decides anything by itself: longer than any game."""
_EVENTS: Final = ("fod_left", "fod_right")
"""Fields of a FRAME with the heights of the Fountain's platforms, by lift."""
_STILL: Final = 0.01
"""A platform that moved less in a frame rests, units."""


def rebuild_stage(games: NDArray[np.void], frames: NDArray[np.void], row: int, stage: NDArray[np.void]) -> None:
    """Set the stage [T] of games by its row in the tables, and what moves on it."""
    games["stage"] = row
    games["frame"] = frames["frame"]
    games["frames_left"] = -1
    games["wind_timer"] = UNDECIDED
    games["lifts"]["timer"], games["lifts"]["solid"] = UNDECIDED, 1
    if stage["motion"] == Motion.FOUNTAIN:
        for lift, field in enumerate(_EVENTS):
            seen = _seen_heights(frames, field, lift, stage)
            _follow(games["lifts"][:, lift], seen, stage["fountain"], float(stage["fountain"]["start"][lift]))
    elif stage["motion"] == Motion.WIND:
        rebuild_wind(games, frames, stage["wind"])


def _seen_heights(frames: NDArray[np.void], field: str, lift: int, stage: NDArray[np.void]) -> NDArray[np.float32]:
    """[T] y of a lift from the recording's events, else from who stands on it; NaN where neither tells."""
    lines = stage["lines"][: stage["lines_used"]]
    line = lines[lines["lift"] == lift][0]
    heights = frames[field] * stage["fountain"]["scale"]
    players = frames["players"][:, :, LEADER]
    for seat in range(players.shape[1]):
        seen = players[:, seat]
        stands = (seen["airborne"] == 0) & (seen["ground_id"] == line["ground"]) & np.isnan(frames[field])
        heights[stands] = seen["y"][stands] - FLOOR_GAP - line["y0"]
    return heights


def _follow(lifts: NDArray[np.void], seen: NDArray[np.float32], fountain: NDArray[np.void], start: float) -> None:
    """Fill one lift [T]: seen heights, and between them the last movement carried on as far as it can lead."""
    y, phase, target = start, WAITS, start
    for t in range(len(seen)):
        if not np.isnan(seen[t]):
            moved = float(seen[t]) - y if t and not np.isnan(seen[t - 1]) else 0.0
            y = float(seen[t])
            phase = MOVES if abs(moved) > _STILL else WAITS
            target = _goal(y, moved, fountain)
        elif phase == MOVES:
            step = fountain["rise"] if target > y else -fountain["sink"]
            y = target if abs(target - y) <= abs(step) else y + float(step)
            phase = WAITS if y == target else MOVES
        lifts[t]["y"], lifts[t]["phase"], lifts[t]["target"] = y, phase, target


def _goal(y: float, moved: float, fountain: NDArray[np.void]) -> float:
    """Where a lift that moves goes: from under the lowest resting place to the middle or under water."""
    low: Any = fountain["low"]
    if moved > 0:
        return float(fountain["middle"] if y < low else fountain["high"])
    return float(fountain["under"] if y < low else low)


def floor_rows(ground_ids: NDArray[np.int32], stage: NDArray[np.void]) -> NDArray[np.int32]:
    """Row of the stage's floor line with each recorded ground id, -1 for none."""
    rows = np.full(len(ground_ids), -1, np.int32)
    for row, ground in enumerate(stage["lines"]["ground"][: stage["lines_used"]]):
        rows[ground_ids == ground] = row
    return rows
