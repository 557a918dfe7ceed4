"""Random numbers as a function of (seed, frame, purpose, seat): nothing to store, nothing to restore."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.sim.jit import kernel

STAR_KO = 1
ROLL_ANIMATION = 2
SWAY_ANGLE, SWAY_SPEED = 3, 4
FOUNTAIN_TIME = 20
FOUNTAIN_CHOICE = 21
FOUNTAIN_SIDE = 22
FOUNTAIN_STEP = 23
WIND_TIME = 24
WIND_SIDE = 25

_MIX_1 = np.uint64(0x9E3779B97F4A7C15)
_MIX_2 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_3 = np.uint64(0x94D049BB133111EB)


@kernel
def _mix(word: Any) -> Any:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    word = (word ^ (word >> np.uint64(30))) * _MIX_2
    word = (word ^ (word >> np.uint64(27))) * _MIX_3
    return word ^ (word >> np.uint64(31))


@kernel
def draw(seed: int, frame: int, purpose: int, seat: int) -> Any:
    """64 random bits of one purpose and seat (0 or 1) in one frame."""
    counter = np.uint64(frame + 1024) * np.uint64(64) + np.uint64(purpose * 2 + seat)
    return _mix(np.uint64(seed) + (counter + np.uint64(1)) * _MIX_1)


@kernel
def uniform(seed: int, frame: int, purpose: int, seat: int) -> float:
    """A number in [0, 1)."""
    return float(draw(seed, frame, purpose, seat) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
