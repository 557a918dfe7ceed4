"""In the air: the feet of the collision diamond, and the platform being fallen through."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.kernel.transition import ECB_LOCK_FRAMES
from envs.sim.layout import FEET_AGES
from envs.sim.states import Kind

_SECOND_JUMPS = (Action.JUMPING_ARIAL_FORWARD.value, Action.JUMPING_ARIAL_BACKWARD.value)
_EDGE_STATES = (Action.FALLING.value, Action.TUMBLING.value, Action.SLIDING_OFF_EDGE.value)


def rebuild_feet(out: NDArray[np.void], past: Past) -> None:
    """Feet follow the animation, but stay where they were for a while after leaving the ground or a second jump."""
    action, airborne = past.seen["action"], out["airborne"] == 1
    left = airborne & ~np.concatenate([[True], airborne[:-1]])
    again = np.isin(action, _SECOND_JUMPS) & (past.start == np.arange(len(action))) & ~left
    # Edges and hits come after the frame's own count of the lock, jumps before it.
    late = left & (np.isin(action, _EDGE_STATES) | (past.state["kind"] == Kind.DAMAGE))
    ages = np.clip(out["age"].astype(np.int64), 0, FEET_AGES - 1)
    feet = np.where(airborne, past.character["feet"][past.state["feet_row"], ages], 0.0)
    lock = np.zeros(len(action), np.int64)
    for begin in np.flatnonzero(left | again).tolist():
        frames = ECB_LOCK_FRAMES if late[begin] else ECB_LOCK_FRAMES - 1
        rows = np.arange(begin, min(begin + frames, len(action)))
        lock[rows] = frames - (rows - begin)
        feet[rows] = feet[begin - 1] if again[begin] else 0.0
    out["ecb_lock"] = np.where(airborne, lock, 0)
    out["feet"] = np.where(airborne, feet, 0.0)
    out["prev_feet"] = out["feet"]


def rebuild_drop(out: NDArray[np.void], past: Past) -> None:
    """The platform that a platform drop falls through; the tap that began it is spent."""
    dropping = past.seen["action"] == Action.PLATFORM_DROP.value
    last_floor = np.concatenate([[-1], out["line"][:-1]])
    out["drop_line"] = np.where(dropping, last_floor, -1)
    out["tap_y"] = np.where(dropping & (out["tap_y"] >= out["ticks"]), LONG_AGO, out["tap_y"])
