"""Looking back in a recording: what every rebuilt field is made of. Nothing here reads a later frame."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.sim.kernel.inputs import LONG_AGO


class Past(NamedTuple):
    """One seat of a recorded game as the rebuilding functions see it. Arrays are [T], row t one frame."""

    seen: NDArray[np.void]  # PLAYER of this seat
    other: NDArray[np.void]  # PLAYER of the other seat
    ids: NDArray[np.int32]  # frame ids
    seat: int
    row: int  # of the character table
    character: NDArray[np.void]  # the seat's CHARACTER record
    common: NDArray[np.void]  # TABLES.common
    stage: NDArray[np.void]  # STAGE record
    state: NDArray[np.void]  # STATE row of each frame's action state
    start: NDArray[np.int64]  # row at which the present action state began


def look_back(
    players: NDArray[np.void], seat: int, ids: NDArray[np.int32], row: int, stage_row: int, constants: NDArray[np.void]
) -> Past:
    """The `Past` of a seat from the leaders [T, P] of a recorded game; rows are of the TABLES record `constants`."""
    seen = players[:, seat]
    character, stage = constants["characters"][row], constants["stages"][stage_row]
    states = character["states"]
    state = states[np.clip(seen["action"], 0, len(states) - 1)]
    start = state_start(seen)
    return Past(seen, players[:, 1 - seat], ids, seat, row, character, constants["common"], stage, state, start)


def state_start(seen: NDArray[np.void]) -> NDArray[np.int64]:
    """Row [T] at which each frame's action state began: its id changed, or its animation started over."""
    changed = np.ones(len(seen), np.bool_)
    changed[1:] = (seen["action"][1:] != seen["action"][:-1]) | (seen["state_age"][1:] < seen["state_age"][:-1])
    return np.maximum.accumulate(np.where(changed, np.arange(len(seen)), 0))


def before(values: NDArray[Any]) -> NDArray[Any]:
    """Each row's value one frame ago; 0 before the first."""
    return np.concatenate([values[:1] * 0, values[:-1]])


def since(event: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Frames since the last event, 0 on the event itself; a long time before the first."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -LONG_AGO))
    return index - last


def latest_row(event: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Row of the last event, this row included; -1 before the first."""
    return np.maximum.accumulate(np.where(event, np.arange(len(event)), -1))


def latest(event: NDArray[np.bool_], value: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`value` as it was at the last event; False before the first."""
    index = latest_row(event)
    return np.where(index >= 0, value[index], False)


def count_in_state(event: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often the event happened in the present action state, its first frame left out."""
    later = np.arange(len(event)) > start
    total = np.cumsum(event & later)
    return total - total[start]
