"""The shield: how hard it is held, how long it must be, whether it has been let go, what it throws back."""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, since
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.states import Flag, Kind

_REFLECT: Final = Action.SHIELD_REFLECT.value


def rebuild_guard(out: NDArray[np.void], past: Past) -> None:
    """Hidden state of a raised shield, from the frames since it came up."""
    common, index = past.common, np.arange(len(out))
    dead = float(common["trigger_dead_zone"])
    held = out["shoulder"] >= dead
    pressed = held & (out["prev_shoulder"] < dead)
    out["trigger_age"] = np.where(held, np.minimum(since(pressed), LONG_AGO), LONG_AGO)
    up = (past.state["flags"] & Flag.SHIELDED) != 0
    raised = np.maximum.accumulate(np.where(~up, index, -1)) + 1
    drains = up & (past.state["kind"] != Kind.GUARD_STUN) & (past.seen["hitlag"] == 0)
    left = int(common["shield_hold"]) - _count_since(drains, raised) + 1
    out["shield_hold"] = np.where(up, np.maximum(left, 0), 0)
    out["shield_released"] = up & (_count_since(drains & ~held, raised) > 0)
    out["ticks"] = np.where(up & (past.state["kind"] == Kind.GUARD_ON), index - raised, out["ticks"])
    amount = np.where(held, (out["shoulder"] - dead) / (1.0 - dead), 0.0)
    out["shield_amount"] = np.where(up, amount[np.maximum.accumulate(np.where(held | ~up, index, 0))], 0.0)
    _rebuild_powershield(out, past, up)


def _rebuild_powershield(out: NDArray[np.void], past: Past, up: NDArray[np.bool_]) -> None:
    """Windows that a digital press opens."""
    index = np.arange(len(out))
    fresh = (past.seen["action"] == _REFLECT) & (past.start == index)
    for name, frames in (("powershield", "powershield_frames"), ("shield_reflect", "powershield_reflect_frames")):
        out[name] = np.where(up, np.maximum(int(past.common[frames]) - since(fresh), 0), 0)
    out["trigger_age"] = np.where(fresh, LONG_AGO, out["trigger_age"])


def _count_since(event: NDArray[np.bool_], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often the event happened from row `first` on, both ends counted."""
    total = np.concatenate([[0], np.cumsum(event)])
    return total[1:] - total[np.minimum(first, len(event))]
