"""The wind of Dream Land at each frame of a recording: told by events, else shown by fighters that drift."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.fidelity.seed.history import since
from envs.sim.kernel.publish import WIND_LEFT, WIND_RIGHT

_ROUNDING: Final = 0.003
"""A displacement this near to what the speed says, with or without wind, tells which, units."""
_STREAK: Final = 2
"""Frames in a row that must show the same before it counts."""


def rebuild_wind(games: NDArray[np.void], frames: NDArray[np.void], wind: NDArray[np.void]) -> None:
    """Fill `wind` and `wind_timer` of games [T] from frames [T] and the stage's WIND record."""
    if (frames["whispy"] >= 0).any():
        blows = {side: frames["whispy"] == code for side, code in ((-1, WIND_LEFT), (1, WIND_RIGHT))}
        calm = {side: ~blows[side] for side in blows}
    else:
        pushed = _pushed(frames, wind)
        blows = {side: _lasting(pushed[side][0]) for side in pushed}
        calm = {side: _lasting(pushed[side][1]) for side in pushed}
    left = int(wind["blow"])
    now, began = 0, 0
    for t in range(len(frames)):
        for side in (-1, 1):
            if blows[side][t] and now != side:
                now, began = side, t
        if now and (calm[now][t] or t - began >= left):
            now = 0
        games["wind"][t] = now
        if now:
            games["wind_timer"][t] = left - (t - began)


def _lasting(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where something has shown for `_STREAK` frames on end."""
    return since(~shown) >= _STREAK


def _pushed(frames: NDArray[np.void], wind: NDArray[np.void]) -> dict[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """By side: frames [T] in which a fighter drifted with such a wind, and in which one within its reach did not."""
    shown = {side: (np.zeros(len(frames), np.bool_), np.zeros(len(frames), np.bool_)) for side in (-1, 1)}
    for seat in range(frames["players"].shape[1]):
        seen = frames["players"][:, seat, LEADER]
        speed = np.where(seen["airborne"] == 1, seen["speed_air_x"], seen["speed_ground_x"]) + seen["speed_x_attack"]
        drift = np.diff(seen["x"], prepend=seen["x"][:1]) - speed
        free = (seen["hitlag"] == 0) & (np.concatenate([[1.0], seen["hitlag"][:-1]]) == 0)
        for side, (blows, calm) in shown.items():
            blows |= free & (np.abs(drift - side * wind["push"]) < _ROUNDING)
            calm |= free & (np.abs(drift) < _ROUNDING) & _within(seen, wind, side)
    return shown


def _within(seen: NDArray[np.void], wind: NDArray[np.void], side: int) -> NDArray[np.bool_]:
    """Where wind to a side pushes."""
    left, right = ("right_from", "right_to") if side > 0 else ("left_from", "left_to")
    inside = (seen["x"] > wind[left]) & (seen["x"] < wind[right])
    return inside & (seen["y"] > wind["bottom"]) & (seen["y"] < wind["top"])
