"""The charge that a special stores between its uses: counted over the recorded frames that charged it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, before
from envs.sim.specials import Op
from envs.sim.states import Kind


def rebuild_stored_charge(out: NDArray[np.void], past: Past) -> None:
    """`stored_charge` and, within a level, `charge`; firing, being struck in a special and dying lose them."""
    frames_per_level, levels = _charging(past)
    if not levels.any():
        return
    fires = _has(past, Op.SHOOT) & _has(past, Op.RECOIL)
    special = past.state["kind"] == Kind.SPECIAL
    struck = ~special & (before(special) == 1) & np.isin(past.state["kind"], (Kind.DAMAGE, Kind.TUMBLE))
    lost = struck | (past.state["kind"] == Kind.DEAD) | (fires & (past.seen["state_age"] >= _shot_age(past)))
    charges = levels > 0
    running = charges & np.concatenate([[False], charges[:-1]]) & (out["hitlag"] == 0)
    stored, within = 0, 0
    for row in range(len(out)):
        if lost[row]:
            stored = 0
        within = within + 1 if running[row] else (within if levels[row] else 0)
        if levels[row] and within >= frames_per_level[row]:
            stored, within = stored + 1, 0
        out["stored_charge"][row] = stored
        if levels[row]:
            out["charge"][row] = within


def _operations(past: Past) -> NDArray[np.void]:
    return past.character["combat"]["operations"]


def _has(past: Past, code: Op) -> NDArray[np.bool_]:
    """[T] whether the action state has an operation."""
    combat = past.character["combat"]
    states = [
        action
        for action, (first, last) in enumerate(zip(combat["script_first"], combat["script_last"], strict=True))
        if (combat["operations"]["code"][first:last] == code).any()
    ]
    return np.isin(past.seen["action"], states)


def _shot_age(past: Past) -> float:
    operations = _operations(past)
    return float(operations["first"][operations["code"] == Op.SHOOT][0])


def _charging(past: Past) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[T] frames a level takes and levels there are, 0 in states that do not charge."""
    operations = _operations(past)
    row = operations[operations["code"] == Op.CHARGE]
    if not len(row):
        return np.zeros(len(past.seen), np.float32), np.zeros(len(past.seen), np.float32)
    charges = _has(past, Op.CHARGE)
    return np.where(charges, row["a"][0], 0.0), np.where(charges, row["b"][0], 0.0)
