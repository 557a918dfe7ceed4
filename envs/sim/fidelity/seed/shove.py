"""The speed at which a shield that was struck still pushes its attacker away, which no recorded field holds."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, before, since
from envs.sim.states import Flag

_LONGEST_FRAMES: Final = 40
"""Frames after which no recorded push off a shield was left."""
_LEVEL: Final = 1.0
"""Fighters on one floor differ less in height, units."""
_FELT: Final = 0.01
"""Displacement that counts as a push, units."""


def rebuild_shove(out: NDArray[np.void], past: Past) -> None:
    """What of the last frame's displacement neither speed nor the other fighter's body explains, after a shield hit."""
    seen, other = past.seen, past.other
    shields = past.character["states"]["flags"][np.clip(other["action"], 0, len(past.character["states"]) - 1)]
    struck = (seen["hitlag"] > 0) & (other["hitlag"] > 0) & ((shields & Flag.SHIELDED) != 0)
    air = np.cumsum(seen["airborne"] != 0)
    last = np.maximum.accumulate(np.where(struck, np.arange(len(struck)), 0))
    stood = (air == air[last]) & (since(struck) < _LONGEST_FRAMES)
    moved = np.diff(seen["x"], prepend=0.0) - seen["speed_air_x"] - seen["speed_x_attack"]
    apart = before(seen["x"] - other["x"])
    near = before((np.abs(seen["y"] - other["y"]) < _LEVEL) & (other["airborne"] == 0)) != 0
    near &= np.abs(apart) < 2.0 * float(past.character["width"])
    moved = moved - np.where(near, np.sign(apart) * float(past.common["push_apart"]), 0.0)
    free = (seen["hitlag"] == 0) & (before(seen["hitlag"] > 1) == 0) & (np.abs(moved) > _FELT)
    out["pushback"] = np.where(stood & free, moved, 0.0)
