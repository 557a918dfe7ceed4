"""Items under way: the recorded items that the simulator knows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import ITEM_SLOTS as RECORDED_SLOTS
from envs.frame import LEADER
from envs.sim.combat_layout import ITEM_SLOTS, MAX_PROJECTILES, STALE_SLOTS
from envs.sim.fidelity.seed.history import latest_row
from envs.sim.holds import THROW_STATES
from envs.sim.kernel.knockback import STALE_PLACES

EMPTY: Final = -1
_FIRST_THROW: Final = 219
_STALE_STEP: Final = 0.01


def rebuild_items(games: NDArray[np.void], frames: NDArray[np.void], characters: NDArray[np.void]) -> None:
    """Fill the item slots of games [T] with the recorded items of the two seats' own kinds, first come first.

    Sway is not recorded: an item is taken as on its path. It is as stale as its attack is now.
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
                if kind == 0:
                    _mark_shots_of_throws(
                        games["items"], at, frames["players"]["action"][:, seat, LEADER], characters[row]
                    )
                games["items"]["damage"][at] *= freshness(
                    games["fighters"][at[0], seat], games["items"]["attack_id"][at]
                )
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
    slots["attack_id"][at] = facts["attack_id"]
    slots["first_step"][at] = facts["first_step"] + (facts["full_first_step"] - facts["first_step"]) * charge


def _mark_shots_of_throws(
    slots: NDArray[np.void],
    at: tuple[NDArray[np.intp], NDArray[np.int64]],
    actions: NDArray[np.int32],
    character: NDArray[np.void],
) -> None:
    """Shots that do not fly level were fired by the owner's last throw: its damage, its attack."""
    slot = actions - _FIRST_THROW
    last = latest_row((slot >= 0) & (slot < len(THROW_STATES)))[at[0]]
    throws = character["hold"]["throws"][np.clip(slot[np.maximum(last, 0)], 0, len(THROW_STATES) - 1)]
    fired = (last >= 0) & (slots["vy"][at] != 0.0) & (throws["shots"][:, 1] > throws["shots"][:, 0])
    shots, throws = (at[0][fired], at[1][fired]), throws[fired]
    slots["part_of_throw"][shots], slots["attack_id"][shots] = 1, throws["attack_id"]
    slots["damage"][shots] = slots["fresh_damage"][shots] = throws["shot_damage"]


def freshness(fighters: NDArray[np.void], attack_ids: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share [R] of its damage that each fighter's attack keeps; `envs.sim.kernel.knockback.freshness` over rows."""
    rows, kept = np.arange(len(fighters)), np.ones(len(fighters))
    for place in range(STALE_PLACES):
        landed = fighters["stale_ids"][rows, (fighters["stale_head"] - 1 - place) % STALE_SLOTS]
        kept -= np.where(landed == attack_ids, _STALE_STEP * (STALE_PLACES - place), 0.0)
    return kept
