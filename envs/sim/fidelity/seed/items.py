"""Items under way: the recorded items that the simulator knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.frame import ITEM_SLOTS as RECORDED_SLOTS
from envs.sim.combat_layout import ITEM_SLOTS, MAX_PROJECTILES

EMPTY = -1


def rebuild_items(games: NDArray[np.void], frames: NDArray[np.void], characters: NDArray[np.void]) -> None:
    """Fill the item slots of games [T] with the recorded items of the two seats' own kinds, first come first.

    Staling and sway are not recorded: an item is taken as fresh and on its path.
    """
    games["items"]["kind"] = EMPTY
    used = np.zeros(len(games), np.int64)
    for recorded in range(RECORDED_SLOTS):
        items = frames["items"][:, recorded]
        for seat in range(2):
            row = int(games["fighters"]["row"][0, seat])
            for kind in range(MAX_PROJECTILES):
                facts = characters["combat"]["projectiles"][row, kind]
                mine = (items["owner"] == frames["ports"][:, seat]) & (items["kind"] == facts["kind"])
                mine &= (items["kind"] > 0) & (items["state"] >= facts["state"]) & (used < ITEM_SLOTS)
                at = (np.flatnonzero(mine), used[mine])
                _place(games["items"], items, at, facts)
                for name, value in (("owner", seat), ("row", row), ("projectile", kind)):
                    games["items"][name][at] = value
                used += mine
    games["items_live"] = used


def _place(
    slots: NDArray[np.void],
    items: NDArray[np.void],
    at: tuple[NDArray[np.intp], NDArray[np.int64]],
    facts: NDArray[np.void],
) -> None:
    where = at[0]
    for ours, theirs in (("kind", "kind"), ("x", "x"), ("y", "y"), ("vx", "speed_x"), ("vy", "speed_y")):
        slots[ours][at] = items[theirs][where]
    for name in ("facing", "timer", "spawn_id", "state"):
        slots[name][at] = items[name][where]
    charge = (items["state"][where] - facts["state"]) / max(int(facts["charges"]), 1)
    slots["charge"][at] = charge
    slots["damage"][at] = np.floor(facts["damage"] + (facts["full_damage"] - facts["damage"]) * charge)
    slots["fresh_damage"][at] = slots["damage"][at]
    slots["first_step"][at] = facts["first_step"] + (facts["full_first_step"] - facts["first_step"]) * charge
