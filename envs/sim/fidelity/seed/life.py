"""Dead, respawning, entering: the timers of a stock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.states import Kind

_DEAD_FRAMES, _LONGEST_WAIT = 60, 240


def rebuild_life(out: NDArray[np.void], past: Past) -> None:
    """Frames until a dead fighter comes back or one on its platform must leave it."""
    dead = past.state["kind"] == Kind.DEAD
    out["life_timer"] = np.where(dead, _DEAD_FRAMES, _LONGEST_WAIT) - out["ticks"]
