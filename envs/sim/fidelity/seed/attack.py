"""An attack under way: what it has hit already, how long a smash was charged, and the queue of landed attacks."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.combat_layout import STALE_SLOTS
from envs.sim.fidelity.bodies import harness_tables
from envs.sim.fidelity.events import melee_hits
from envs.sim.fidelity.seed.history import Past, count_in_state
from envs.sim.states import Kind

_THROWS = (219, 220, 221, 222)


def rebuild_landed(out: NDArray[np.void], past: Past) -> None:
    """Hit groups of the present move that have hit, and whether it has entered the queue of landed attacks."""
    landed = melee_hits(past.seen, past.other)
    groups = np.where(landed | _clanked(past), active_groups(past.seen, past.row), 0)
    for bit in np.unique(groups[groups != 0]):
        spent = _count_since_start((groups & bit) != 0, past.start) > 0
        out["hit_mask"] |= np.where(spent, bit, 0)
    out["staled"] = _count_since_start(landed & _hurt(past), past.start) > 0


def _clanked(past: Past) -> NDArray[np.bool_]:
    """[T] whether a clank froze this fighter and made the other one rebound."""
    froze = np.diff(past.seen["hitlag"], prepend=0.0) > 0
    return froze & np.asarray(past.other["action"] == Action.REBOUND_STOP.value)


def active_groups(seen: NDArray[np.void], row: int) -> NDArray[np.int32]:
    """[T] bits of the hit groups that are active at each frame of PLAYERs [T], by row of the character table."""
    character = harness_tables()[0]["characters"][row]
    states, combat = character["states"], character["combat"]
    index = states["move"][np.clip(seen["action"], 0, len(states) - 1)]
    move = combat["moves"][np.maximum(index, 0)]
    age = seen["state_age"].astype(np.int64)
    active = (index >= 0) & (age >= move["first_frame"]) & (age <= move["last_frame"])
    boxes = combat["hit_frames"][np.where(active, move["row"] + age - move["first_frame"], 0)]
    groups = np.where(boxes["active"] != 0, boxes["group"], 0)
    return np.where(active, np.bitwise_or.reduce(groups, axis=1), 0)


def _hurt(past: Past) -> NDArray[np.bool_]:
    """[T] whether the other fighter's percent rose."""
    percent = past.other["percent"]
    return np.concatenate([[False], percent[1:] > percent[:-1]])


def _count_since_start(event: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    return count_in_state(event, start) + event[start]


def rebuild_charge(out: NDArray[np.void], past: Past) -> None:
    """Frames for which a smash was held: its animation stood still though nothing froze the fighter."""
    age = past.seen["state_age"]
    held = np.concatenate([[False], (age[1:] == age[:-1]) & (past.seen["hitlag"][:-1] <= 1)])
    smash = past.state["kind"] == Kind.SMASH
    out["charge"] = np.where(smash, count_in_state(held, past.start), 0)


def rebuild_stale_queue(out: NDArray[np.void], past: Past) -> None:
    """The ring of last landed attacks: one entry for each move that landed, forgotten with the stock."""
    fresh = np.concatenate([[True], past.seen["stocks"][1:] < past.seen["stocks"][:-1]])
    events = np.flatnonzero(_queue_entries(past) | fresh)
    queue = np.zeros(STALE_SLOTS, np.int32)
    head = 0
    for event, end in zip(events, [*events[1:], len(out)], strict=True):
        if fresh[event]:
            queue, head = np.zeros(STALE_SLOTS, np.int32), 0
        else:
            queue[head] = past.seen["last_attack"][event]
            head = (head + 1) % STALE_SLOTS
        out["stale_ids"][event:end] = queue
        out["stale_head"][event:end] = head


def _queue_entries(past: Past) -> NDArray[np.bool_]:
    """[T] frames at which an attack enters the queue: the first body hit of a move, every projectile and throw."""
    hurt = _hurt(past)
    by_body = melee_hits(past.seen, past.other) & hurt
    first = by_body & (_count_since_start(by_body, past.start) == 1)
    otherwise = hurt & ~by_body  # projectiles and throws: both do not freeze together
    throwing = np.isin(past.seen["action"], _THROWS)
    return first | otherwise & (~throwing | (_count_since_start(otherwise, past.start) == 1))
