"""Dead, respawning, entering: the timers of a stock."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, before, since
from envs.sim.kernel.ledge import LEDGE_INTANGIBLE_FRAMES
from envs.sim.kernel.publish import INTANGIBLE, INVINCIBLE
from envs.sim.states import Kind

_LONGEST_WAIT = 240


def rebuild_life(out: NDArray[np.void], past: Past) -> None:
    """Frames until a dead fighter comes back or one on its platform must leave it."""
    star = past.seen["action"] == Action.DEAD_FLY_STAR.value
    dead = np.where(star, past.common["star_time"], past.common["dead_time"])
    # A looped animation starts over, a death does not.
    dead = dead - since(past.seen["action"] != before(past.seen["action"]))
    out["life_timer"] = np.where(past.state["kind"] == Kind.DEAD, dead, _LONGEST_WAIT - out["ticks"])


def rebuild_safety(out: NDArray[np.void], past: Past) -> None:
    """Frames left of a ledge's intangibility and of a new stock's invincibility."""
    caught = past.start == np.arange(len(past.seen))
    caught &= past.seen["action"] == Action.EDGE_CATCHING.value
    left = LEDGE_INTANGIBLE_FRAMES - since(caught)
    out["intangible"] = np.where(past.seen["hurtbox"] == INTANGIBLE, np.maximum(left, 0), 0)
    on_halo = np.isin(past.state["kind"], (Kind.HALO, Kind.HALO_WAIT))
    stepped_off = ~on_halo & np.concatenate([[False], on_halo[:-1]])
    left = int(past.common["respawn_invincible"]) - since(stepped_off)
    out["invincible"] = np.where(past.seen["hurtbox"] == INVINCIBLE, np.maximum(left, 0), 0)
