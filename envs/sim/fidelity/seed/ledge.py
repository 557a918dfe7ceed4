"""At the ledge: which one, and how long until it can be caught again."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, since
from envs.sim.kernel.ledge import LEFT, RIGHT
from envs.sim.states import Kind

COOLDOWN_FRAMES: Final = 29
"""Frames after letting go of a ledge, less the one that let go, in which it cannot be caught."""


def rebuild_ledge(out: NDArray[np.void], past: Past) -> None:
    """The ledge held, by the side of the stage, and the time since one was let go."""
    kinds = (Kind.LEDGE_CATCH, Kind.LEDGE_HANG, Kind.LEDGE_OPTION, Kind.LEDGE_JUMP)
    holding = np.isin(past.state["kind"], kinds)
    out["ledge"] = np.where(holding, np.where(out["x"] > 0, RIGHT, LEFT), -1)
    let_go = ~holding & np.concatenate([[False], holding[:-1]])
    out["ledge_cooldown"] = np.maximum(COOLDOWN_FRAMES - since(let_go), 0)


def rebuild_hang(out: NDArray[np.void], past: Past) -> None:
    """Frames of hanging so far, and whether the stick has rested in them."""
    hangs = past.state["kind"] == Kind.LEDGE_HANG
    begun = hangs & ~np.concatenate([[False], hangs[:-1]])
    first = np.maximum.accumulate(np.where(begun, np.arange(len(hangs)), 0))
    out["ledge_timer"] = np.where(hangs, np.arange(len(hangs)) - first + 1, 0)
    zone = float(past.common["ledge_option"])
    sticks = np.stack([out[name] for name in ("stick_x", "stick_y", "c_x", "c_y")])
    rests = np.cumsum(hangs & (np.abs(sticks).max(axis=0) < zone))
    before_hang = np.where(first > 0, rests[np.maximum(first - 1, 0)], 0)
    out["ledge_free"] = hangs & (rests > before_hang)
