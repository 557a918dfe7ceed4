"""Projectiles under way: the recorded items that the simulator knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.frame import ITEM_SLOTS as RECORDED_SLOTS
from envs.sim.combat_layout import ITEM_SLOTS

EMPTY = -1


def rebuild_items(games: NDArray[np.void], frames: NDArray[np.void], characters: NDArray[np.void]) -> None:
    """Fill the item slots of games [T] with the recorded items of the two seats' own kinds, first come first."""
    games["items"]["kind"] = EMPTY
    used = np.zeros(len(games), np.int64)
    for recorded in range(RECORDED_SLOTS):
        items = frames["items"][:, recorded]
        for seat in range(2):
            row = games["fighters"]["row"][:, seat]
            kind = characters["combat"]["projectile"]["kind"][row]
            mine = (items["owner"] == frames["ports"][:, seat]) & (items["kind"] == kind) & (items["kind"] > 0)
            mine &= used < ITEM_SLOTS
            _place(games, items, np.flatnonzero(mine), used, seat, row)
            used += mine
    games["items_live"] = used


def _place(
    games: NDArray[np.void],
    items: NDArray[np.void],
    where: NDArray[np.intp],
    used: NDArray[np.int64],
    seat: int,
    row: NDArray[np.int32],
) -> None:
    slots = games["items"]
    at = (where, used[where])
    for ours, theirs in (("kind", "kind"), ("x", "x"), ("y", "y"), ("vx", "speed_x"), ("vy", "speed_y")):
        slots[ours][at] = items[theirs][where]
    for name in ("facing", "timer", "spawn_id", "state", "damage"):
        slots[name][at] = items[name][where]
    slots["owner"][at] = seat
    slots["row"][at] = row[where]
