"""The stage's own state: what moves on it, at each frame of a recording."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.stage_layout import Motion
from envs.sim.stages import FLOOR_GAP

_EVENTS: Final = ("fod_left", "fod_right")
"""Fields of a FRAME with the heights of the Fountain's platforms, by lift."""


def rebuild_stage(games: NDArray[np.void], frames: NDArray[np.void], row: int, stage: NDArray[np.void]) -> None:
    """Set the stage [T] of games by its row in the tables, and where its moving platforms are."""
    games["stage"] = row
    games["frame"] = frames["frame"]
    games["frames_left"] = -1
    if stage["motion"] == Motion.FOUNTAIN:
        for lift, field in enumerate(_EVENTS):
            games["lifts"]["y"][:, lift] = _platform_heights(frames, field, _lift_line(stage, lift))


def _lift_line(stage: NDArray[np.void], lift: int) -> NDArray[np.void]:
    lines = stage["lines"][: stage["lines_used"]]
    found: NDArray[np.void] = lines[lines["lift"] == lift][0]
    return found


def _platform_heights(frames: NDArray[np.void], field: str, line: NDArray[np.void]) -> NDArray[np.float32]:
    """[T] height of a platform: from the recording's events, else where somebody last stood on it."""
    heights = frames[field].copy()
    players = frames["players"][:, :, LEADER]
    for seat in range(players.shape[1]):
        seen = players[:, seat]
        stands = (seen["airborne"] == 0) & (seen["ground_id"] == line["ground"]) & np.isnan(frames[field])
        heights[stands] = seen["y"][stands] - FLOOR_GAP
    return _carried_on(heights, float(line["y0"]))


def _carried_on(values: NDArray[np.float32], first: float) -> NDArray[np.float32]:
    """Unknown values [T] replaced by the last known one, `first` before it."""
    index = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(index >= 0, values[index], np.float32(first))


def floor_rows(ground_ids: NDArray[np.int32], stage: NDArray[np.void]) -> NDArray[np.int32]:
    """Row of the stage's floor line with each recorded ground id, -1 for none."""
    rows = np.full(len(ground_ids), -1, np.int32)
    for row, ground in enumerate(stage["lines"]["ground"][: stage["lines_used"]]):
        rows[ground_ids == ground] = row
    return rows
