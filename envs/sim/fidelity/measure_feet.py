"""Height of the lowest point of the collision diamond over the root, from recorded landings.

A landing is the frame on which that point reaches the floor: it was at most the floor's height over the place
that the last speed led to, and more than that over the root on the frames before. Each landing so bounds the
height at a few ages of the animation from above and below; a step function of the age is fitted between the bounds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.measure_states import name_of
from envs.sim.fidelity.measure_track import Track
from envs.sim.kernel.transition import ECB_LOCK_FRAMES

_LOOKED_BACK: Final = 6
"""Frames before a landing whose root may already be below the floor."""
_AGES_PER_STEP: Final = 3
_ENOUGH: Final = 4
"""Bounds of an action state under which it is left to the default."""
_SAME_HEIGHT: Final = 0.3
"""Steps that differ by less are one, units."""

Steps = list[tuple[int, float]]
"""(first age, height in units), ..."""


class Bounds(NamedTuple):
    """What landings say of the height: [K] each."""

    action: NDArray[np.int32]
    age: NDArray[np.float64]
    height: NDArray[np.float64]
    upper: NDArray[np.bool_]  # the true height is at most this; else more than this


def feet(track: Track) -> tuple[dict[str, Steps], float]:
    """Steps by action state, and the one height that suits all bounds best; NaN without any landing."""
    found = bounds(track)
    if not len(found.action):
        return {}, float("nan")
    everywhere = _best(found.height, found.upper)
    steps: dict[str, Steps] = {}
    for action in np.unique(found.action):
        here = found.action == action
        if found.upper[here].sum() >= _ENOUGH and (~found.upper[here]).any():
            steps[name_of(int(action))] = _fit(found.age[here], found.height[here], found.upper[here])
    return steps, everywhere


def bounds(track: Track) -> Bounds:
    """Every bound that recorded landings give; the frames in which the diamond is locked are left out."""
    seen = track.seen
    airborne = seen["airborne"] == 1
    landed = np.flatnonzero(track.follows & airborne[:-1] & ~airborne[1:]) + 1
    rows = np.arange(len(seen))
    left = airborne & ~np.concatenate([[False], airborne[:-1]])
    since = rows - np.maximum.accumulate(np.where(left | track.begins, rows, 0))
    calm = (seen["speed_x_attack"] == 0) & (seen["speed_y_attack"] == 0) & (seen["hitlag"] == 0)
    parts: list[tuple[int, float, float, bool]] = []
    for row in landed:
        floor = float(seen["y"][row])
        for back in range(1, _LOOKED_BACK + 1):
            at = row - back
            if track.begins[at + 1] or not airborne[at] or not calm[at] or since[at] <= ECB_LOCK_FRAMES:
                break
            action, age, height = int(seen["action"][at]), float(seen["state_age"][at]), floor - float(seen["y"][at])
            if back == 1:
                parts.append((action, age + 1, height - float(seen["speed_y"][row]), True))
            if height <= 0 or seen["speed_y"][at] > 0:
                break
            parts.append((action, age, height, False))
    columns = np.array(parts, np.float64).reshape(-1, 4).T
    return Bounds(columns[0].astype(np.int32), columns[1], columns[2], columns[3] > 0)


def _fit(age: NDArray[np.float64], height: NDArray[np.float64], upper: NDArray[np.bool_]) -> Steps:
    """A height for every few ages with bounds on both sides, neighbours that agree joined."""
    step = (np.maximum(age, 0) // _AGES_PER_STEP).astype(np.int64)
    steps: Steps = []
    for cell in np.unique(step):
        here = step == cell
        if upper[here].any() and not upper[here].all():
            value = _best(height[here], upper[here])
            if not steps or abs(steps[-1][1] - value) >= _SAME_HEIGHT:
                steps.append((int(cell) * _AGES_PER_STEP if steps else 0, value))
    return steps or [(0, _best(height, upper))]


def _best(height: NDArray[np.float64], upper: NDArray[np.bool_]) -> float:
    """The middle of the heights that break the fewest bounds."""
    edges = np.unique(height)
    tried = np.concatenate([(edges[:-1] + edges[1:]) / 2, edges[:1], edges[-1:]])
    kept = np.array([((height >= value) == upper).sum() for value in tried])
    best = tried[kept == kept.max()]
    return round(float(np.clip(np.median(best), 0.0, None)), 2)
