"""In the air: the feet of the collision diamond, and the platform being fallen through."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, latest, since
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.kernel.transition import ECB_LOCK_FRAMES
from envs.sim.layout import FEET_AGES


def rebuild_feet(out: NDArray[np.void], past: Past) -> None:
    """Feet stay at the root for a while after a jump, then follow the animation."""
    airborne = out["airborne"] == 1
    left = airborne & ~np.concatenate([[True], airborne[:-1]])
    jumped = np.isin(past.seen["action"], (Action.JUMPING_FORWARD.value, Action.JUMPING_BACKWARD.value))
    lock = np.where(airborne & latest(left, jumped), ECB_LOCK_FRAMES - since(left) - 1, 0)
    out["ecb_lock"] = np.maximum(lock, 0)
    ages = np.clip(out["age"].astype(np.int64), 0, FEET_AGES - 1)
    feet = past.character["feet"][past.state["feet_row"], ages]
    out["feet"] = np.where(airborne & (out["ecb_lock"] == 0), feet, 0.0)
    out["prev_feet"] = out["feet"]


def rebuild_drop(out: NDArray[np.void], past: Past) -> None:
    """The platform that a platform drop falls through; the tap that began it is spent."""
    dropping = past.seen["action"] == Action.PLATFORM_DROP.value
    last_floor = np.concatenate([[-1], out["line"][:-1]])
    out["drop_line"] = np.where(dropping, last_floor, -1)
    out["tap_y"] = np.where(dropping & (out["tap_y"] >= out["ticks"]), LONG_AGO, out["tap_y"])
