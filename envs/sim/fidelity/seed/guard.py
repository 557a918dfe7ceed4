"""The shield: how hard it is held and how long it must be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.states import Flag


def rebuild_guard(out: NDArray[np.void], past: Past) -> None:
    """Frames that a raised shield must still be held."""
    shielded = (past.state["flags"] & Flag.SHIELDED) != 0
    hold = np.maximum(int(past.common["shield_hold"]) - out["ticks"], 0)
    out["shield_hold"] = np.where(shielded, hold, 0)
    out["shield_amount"] = 1.0
