"""Where the body is: ledge paths and grab box, the width that pushes, displacement by animation."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.measure_states import name_of
from envs.sim.fidelity.measure_track import Fact, Track, ledge_corner, mode
from envs.sim.states import COMMON_STATES, Kind, Physics

Facts = dict[str, Fact]


class Path(NamedTuple):
    """Median place of the root by age 0, 1, 2, ... [A, 2]; NaN where no age was recorded."""

    points: NDArray[np.float64]
    samples: NDArray[np.int64]  # [A]
    spread: NDArray[np.float64]  # [A] median distance of a sample from the point, units


_LEDGE_STATES: Final = tuple(a for a, row in COMMON_STATES.items() if row.physics is Physics.LEDGE)
_MOVED_STATES: Final = tuple(
    a for a, row in COMMON_STATES.items() if row.kind in (Kind.DODGE, Kind.GETUP) and row.physics is Physics.ANIMATION
)
_LEDGE_LEAPS: Final = (Action.EDGE_JUMP_2_SLOW.value, Action.EDGE_JUMP_2_QUICK.value)
PUSH: Final = 0.3
"""Displacement of a pushed body, units a frame: facts/common.toml."""
_MIN_PUSHED: Final = 8


def ledge_paths(track: Track) -> dict[str, Path]:
    """Offset of the root from the ledge at facing +1, by state and age."""
    seen = track.seen
    offset = _from_ledge(track)
    return {
        name_of(action): _path(seen["state_age"][here], offset[here])
        for action in _LEDGE_STATES
        if (here := (seen["action"] == action) & np.isfinite(offset).all(axis=1)).any()
    }


def _from_ledge(track: Track) -> NDArray[np.float64]:
    """[R, 2]: the ledge's place from the fighter's, mirrored to facing +1."""
    seen = track.seen
    corner = ledge_corner(track.stage, seen["x"] > 0)
    return np.stack([(seen["x"] - corner[:, 0]) * seen["facing"], seen["y"] - corner[:, 1]], axis=1)


def _path(ages: NDArray[np.floating], points: NDArray[np.float64]) -> Path:
    whole = np.floor(ages).astype(np.int64)
    count = int(whole.max(initial=0)) + 1
    path = Path(np.full((count, 2), np.nan), np.zeros(count, np.int64), np.full(count, np.nan))
    for age in range(count):
        here = points[whole == age]
        if len(here):
            path.points[age] = np.median(here, axis=0)
            path.samples[age] = len(here)
            path.spread[age] = np.median(np.hypot(*(here - path.points[age]).T))
    return path


def displacements(track: Track) -> dict[str, Path]:
    """Displacement along the facing by state and age, of rolls, techs and getups."""
    follows = track.follows
    a, b = track.seen[:-1][follows], track.seen[1:][follows]
    same = (b["airborne"] == 0) & ((a["action"] != b["action"]) | (a["state_age"] < b["state_age"]))
    moved = np.stack([b["speed_ground_x"] * b["facing"], np.zeros(len(b))], axis=1)
    return {
        name_of(action): _path(b["state_age"][here], moved[here])
        for action in _MOVED_STATES
        if (here := same & (b["action"] == action)).any()
    }


def hanging(track: Track) -> Facts:
    """`hang_x`, `hang_y`: the root from the ledge while hanging."""
    here = track.seen["action"] == Action.EDGE_HANGING.value
    offset = _from_ledge(track)[here]
    offset = offset[np.isfinite(offset).all(axis=1)]
    if not len(offset):
        return {}
    place = np.median(offset, axis=0)
    near = np.hypot(*(offset - place).T) < 0.01
    return {
        name: Fact(round(float(place[axis]), 4), int(near.sum()), float(near.mean()))
        for axis, name in enumerate(("hang_x", "hang_y"))
    }


def ledge_jump(track: Track) -> Facts:
    """`ledge_jump_x`, `ledge_jump_y`: the first speed of the second half of a ledge jump."""
    begins = track.starts & np.isin(track.seen["action"], _LEDGE_LEAPS)
    first = track.seen[begins]
    found = {"ledge_jump_x": mode(first["speed_air_x"] * first["facing"]), "ledge_jump_y": mode(first["speed_y"])}
    return {name: fact for name, fact in found.items() if fact is not None}


def grab_box(track: Track) -> Facts:
    """The farthest places from which a ledge was caught: bounds of `ledge_x`, `ledge_y` and `ledge_below`.

    The place is the one the fighter would have had without the ledge: the last one plus its speed.
    """
    action = track.seen["action"]
    caught = track.follows & (action[1:] == Action.EDGE_CATCHING.value) & (action[:-1] != Action.EDGE_CATCHING.value)
    before = track.seen[:-1][caught]
    corner = ledge_corner(track.stage[:-1][caught], before["x"] > 0)
    ahead = np.abs(before["x"] + before["speed_air_x"]) - np.abs(corner[:, 0])
    below = corner[:, 1] - (before["y"] + before["speed_y"])
    known = np.isfinite(ahead) & (before["speed_y"] <= 0)
    ahead, below = ahead[known], below[known]
    if not ahead.size:
        return {}
    farthest = (ahead.max(), below.max(), below.min())
    names = ("ledge_x", "ledge_y", "ledge_below")
    return {name: Fact(round(float(value), 2), ahead.size) for name, value in zip(names, farthest, strict=True)}


def width(track: Track) -> Fact | None:
    """Half the distance within which two of this character standing still push each other.

    Only dittos tell it of one character alone: the distance that best parts pushed frames from others.
    """
    follows = track.follows
    a, b, foe = track.seen[:-1][follows], track.seen[1:][follows], track.foe[:-1][follows]
    stands = (a["airborne"] == 0) & (b["airborne"] == 0) & (foe["airborne"] == 0) & (a["character"] == foe["character"])
    stands &= (a["action"] == b["action"]) & (foe["hitlag"] == 0)
    gap = np.abs(a["x"] - foe["x"])
    moved = np.abs((b["x"] - a["x"]) - b["speed_ground_x"] - b["speed_x_attack"])
    near = stands & (gap < 20) & (np.abs(a["y"] - foe["y"]) < 1)
    pushed = np.abs(moved - PUSH) < 0.01
    free = moved < 0.01
    inside, outside = gap[near & pushed], gap[near & free]
    if len(inside) < _MIN_PUSHED or not len(outside):
        return None
    tried = np.unique(inside)
    right = [(inside <= edge).sum() + (outside > edge).sum() for edge in tried]
    best = int(np.argmax(right))
    return Fact(
        round(float(tried[best]) / 2, 2), len(inside) + len(outside), right[best] / (len(inside) + len(outside))
    )
