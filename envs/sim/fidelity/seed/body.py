"""What a recording says outright of a fighter: place, speed, action state, percent, stocks."""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.fidelity.seed.stage import floor_rows
from envs.sim.kernel.publish import FAST_FALLING

KNOCKDOWNS: Final = (Action.TECH_MISS_UP.value, Action.TECH_MISS_DOWN.value)
_SAME_NAME: Final = (
    *("x", "y", "facing", "percent", "shield", "stocks", "hitlag", "action", "last_hit_by"),
    *("jumps_left", "last_attack", "combo_count"),
)


def copy_body(out: NDArray[np.void], past: Past) -> None:
    """Fields that the recording holds under the same name, and place and speed."""
    seen = past.seen
    for name in _SAME_NAME:
        out[name] = seen[name]
    out["prev_x"], out["prev_y"] = seen["x"], seen["y"]
    out["age"] = seen["state_age"]
    out["move"] = past.state["move"]
    out["fast_fall"] = (seen["state_flags"][:, 1] & FAST_FALLING) != 0
    out["line"] = floor_rows(seen["ground_id"], past.stage)
    _copy_speeds(out, seen)


def _copy_speeds(out: NDArray[np.void], seen: NDArray[np.void]) -> None:
    # A knockdown's animation leaves the floor for a while; the simulator keeps it on its line.
    grounded = (seen["airborne"] == 0) | np.isin(seen["action"], KNOCKDOWNS)
    out["airborne"] = ~grounded
    out["vx"], out["vy"] = seen["speed_air_x"], seen["speed_y"]
    out["ground_v"] = np.where(grounded, seen["speed_ground_x"], 0.0)
    out["ground_kb"] = np.where(grounded, _along_the_floor(seen), 0.0)
    out["kb_x"] = np.where(grounded, 0.0, seen["speed_x_attack"])
    out["kb_y"] = np.where(grounded, 0.0, seen["speed_y_attack"])


def _along_the_floor(seen: NDArray[np.void]) -> NDArray[np.float32]:
    """Knockback along the floor: on a slope both parts of it, but on the frame of a landing x alone counts."""
    x, y = seen["speed_x_attack"], seen["speed_y_attack"]
    stood = np.concatenate([[False], seen["airborne"][:-1] == 0])
    return np.where(stood, np.copysign(np.hypot(x, y), x), x)
