"""Specials: the clock and the aim of the script under way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, before
from envs.sim.states import Physics


def rebuild_special(out: NDArray[np.void], past: Past) -> None:
    """Frames spent in the present special, frozen ones apart, and its aim, which is the way it moves."""
    special = past.state["physics"] == Physics.SCRIPT
    begun = special & (before(special) == 0)
    first = np.maximum.accumulate(np.where(begun, np.arange(len(special)), 0))
    run = special & (out["hitlag"] == 0)
    count = np.cumsum(run)
    out["script_timer"] = np.where(special, count - count[first] + run[first], 0)
    speed_x = np.where(out["airborne"] == 1, out["vx"], out["ground_v"])
    speed_y = np.where(out["airborne"] == 1, out["vy"], 0.0)
    speed = np.hypot(speed_x, speed_y)
    moves = special & (speed > 0)
    out["script_x"] = np.where(moves, speed_x / np.where(moves, speed, 1.0), 0.0)
    out["script_y"] = np.where(moves, speed_y / np.where(moves, speed, 1.0), 1.0)
