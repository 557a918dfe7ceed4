"""After a hit: hitstun, tumble, lying on the floor."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.states import Kind


def rebuild_damage(out: NDArray[np.void], past: Past) -> None:
    """Hitstun left, which the recording holds in damage states only, and whether the fighter tumbles."""
    hurt = np.isin(past.state["kind"], (Kind.DAMAGE, Kind.TUMBLE))
    out["hitstun"] = np.where(hurt, np.nan_to_num(past.seen["misc_timer"]), 0.0)
    out["in_tumble"] = past.seen["action"] == Action.TUMBLING.value
    lying = np.isin(past.state["kind"], (Kind.DOWN_BOUND, Kind.DOWN_WAIT))
    out["airborne"] = (out["airborne"] == 1) & ~lying
