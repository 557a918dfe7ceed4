"""Specials: what a special has noted of B, and how much of its gravity's delay is used up."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.game import Button
from envs.sim.combat_layout import MAX_OPERATIONS
from envs.sim.fidelity.seed.history import Past, before
from envs.sim.kernel.script_flow import LET_GO_SEEN, REPEAT_PRESSED
from envs.sim.specials import Op
from envs.sim.states import Kind

_B: Final = int(Button.B)


def rebuild_notes(out: NDArray[np.void], past: Past) -> None:
    """Whether B was let go since the special began, whether it was pressed anew since its last shot began."""
    special = past.state["kind"] == Kind.SPECIAL
    begun = special & (before(special) == 0)
    first = np.maximum.accumulate(np.where(begun, np.arange(len(special)), 0))
    moved = special & (before(out["hitlag"]) <= 1)  # the last frame of hitlag is free
    out["sink_wait"] = np.where(special, _count(_runs(Op.SINK, past) & moved, first), 0)
    later = np.arange(len(first)) > first
    free = later & ((before(out["buttons"]) & _B) == 0) & (_runs(Op.LET_GO, past) | _runs(Op.RELEASE, past))
    notes = np.where(special & (_count(free, first) > 0), LET_GO_SEEN, 0)
    pressed = np.cumsum(later & ((out["pressed"] & _B) != 0))
    again = pressed - pressed[_shot_start(past, first)] > 0
    notes |= np.where(_runs(Op.REPEAT, past) & again, REPEAT_PRESSED, 0)
    out["script_flags"] |= notes


def _count(event: NDArray[np.bool_], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """[T] how often the event happened since the frame `first`, that one included."""
    count = np.cumsum(event)
    return (count - count[first] + event[first]).astype(np.int64)


def _runs(code: Op, past: Past) -> NDArray[np.bool_]:
    """[T] whether the script of the frame's action state has such an operation."""
    combat = past.character["combat"]
    rows = np.arange(MAX_OPERATIONS)
    first, last = combat["script_first"][:, None], combat["script_last"][:, None]
    having = ((rows >= first) & (rows < last) & (combat["operations"]["code"] == code)).any(axis=1)
    return having[np.clip(past.seen["action"], 0, len(having) - 1)]


def _shot_start(past: Past, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """[T] frame from which presses count: the special's start for its first shot, else the present shot's."""
    previous = past.seen["action"][np.maximum(past.start - 1, 0)]
    again = (past.start > first) & (previous == past.seen["action"])
    return np.where(again, past.start, first)
