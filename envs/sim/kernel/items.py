"""Items: fired, moved, published. A game holds as many as a frame can show; with every slot taken none is fired.

What an item does to a fighter that it touches is in envs.sim.kernel.item_hits.
"""

from __future__ import annotations

import math
from typing import Any, Final

from envs.sim.combat_layout import ITEM_SLOTS
from envs.sim.jit import kernel
from envs.sim.kernel import rng
from envs.sim.kernel.item_hits import meet
from envs.sim.kernel.knockback import freshness

EMPTY: Final = -1
_QUARTER: Final = math.pi / 2.0


@kernel
def shoot(game: Any, me: Any, char: Any, row: int, ahead: float, up: float) -> int:
    """Fire the character's item `row` from `ahead` and `up` of the root; spends the charge. Its slot, -1 if none is."""
    facts = char.combat.projectiles[row]
    charge = 0.0
    level = 0
    if facts.charges > 0:
        level = me.stored_charge
        charge = level / facts.charges
        me.stored_charge = 0
    for slot in range(ITEM_SLOTS):
        item = game.items[slot]
        if item.kind == EMPTY:
            item.kind, item.owner, item.row, item.projectile = facts.kind, me.seat, me.row, row
            item.state = facts.state + level
            item.x, item.y, item.facing = me.x + me.facing * ahead, me.y + up, me.facing
            item.timer = facts.life + 1.0
            item.attack_id, item.part_of_throw = facts.attack_id, 0
            item.charge = charge
            _aim(item, facts, charge)
            item.fresh_damage = math.floor(_charged(facts.damage, facts.full_damage, charge))
            item.damage = item.fresh_damage * freshness(me, facts.attack_id)
            _start_sway(game, me, item, facts)
            item.spawn_id = game.next_spawn_id
            game.next_spawn_id += 1
            game.items_live += 1
            return slot
    return -1


@kernel
def _charged(least: float, full: float, charge: float) -> float:
    return least + (full - least) * charge


@kernel
def _aim(item: Any, facts: Any, charge: float) -> None:
    item.vx, item.vy = item.facing * _charged(facts.speed, facts.full_speed, charge), 0.0
    item.first_step = _charged(facts.first_step, facts.full_first_step, charge)


@kernel
def _start_sway(game: Any, me: Any, item: Any, facts: Any) -> None:
    item.sway_y, item.sway_z = 0.0, 0.0
    item.sway_timer = facts.sway_frames
    chance = rng.uniform(game.seed, game.frame, rng.SWAY_SPEED, me.seat)
    item.sway_speed = facts.sway_speed + facts.sway_spread * (chance - 0.5)
    item.sway_angle = 2.0 * math.pi * rng.uniform(game.seed, game.frame, rng.SWAY_ANGLE, me.seat)


@kernel
def step_items(game: Any, tables: Any) -> None:
    """Move every item a frame and let it touch the other fighter."""
    if game.items_live == 0:
        return
    for slot in range(ITEM_SLOTS):
        item = game.items[slot]
        if item.kind != EMPTY:
            item.timer -= 1.0
            if item.timer <= 0 or not _fly(game, item, tables):
                item.kind = EMPTY
                game.items_live -= 1


@kernel
def _fly(game: Any, item: Any, tables: Any) -> bool:
    """One frame of an item's way; False once it is gone."""
    facts = tables.characters[item.row].combat.projectiles[item.projectile]
    share = item.first_step if item.timer >= facts.life else 1.0
    from_x, from_y, from_z = item.x, item.y + item.sway_y, item.sway_z
    item.x += item.vx * share
    item.y += item.vy * share
    if facts.sway_frames > 0:
        _sway(game, item, facts)
    size = _charged(facts.size, facts.full_size, item.charge)
    return not meet(game, item, tables, from_x, from_y, from_z, size)


@kernel
def _sway(game: Any, item: Any, facts: Any) -> None:
    """Swing across the path, out and back, in a direction drawn anew for every swing (decompiled game, public)."""
    item.sway_timer += 1
    if item.sway_timer >= facts.sway_frames:
        item.sway_timer = 0
        chance = rng.uniform(game.seed, game.frame, rng.SWAY_ANGLE, item.owner)
        item.sway_angle += (chance - 0.5) * _QUARTER
        item.sway_pull = -2.0 * item.sway_speed / facts.sway_frames
    item.sway_speed += item.sway_pull
    item.sway_y += item.sway_speed * item.first_step * math.sin(item.sway_angle)
    item.sway_z += item.sway_speed * item.first_step * math.cos(item.sway_angle)


@kernel
def publish_items(game: Any, out: Any) -> None:
    """Write the items into the frame's first item slots; a slot that has become empty is absent again."""
    shown = 0
    for slot in range(ITEM_SLOTS):
        item = game.items[slot]
        if item.kind != EMPTY:
            _publish(item, out.items[shown], out.ports[item.owner])
            shown += 1
    while shown < ITEM_SLOTS and out.items[shown].kind != EMPTY:
        _clear(out.items[shown])
        shown += 1


@kernel
def _publish(item: Any, place: Any, port: int) -> None:
    place.kind, place.state, place.facing = item.kind, item.state, item.facing
    place.speed_x, place.speed_y = item.vx, item.vy
    place.x, place.y = item.x, item.y
    place.damage, place.timer = 0, item.timer
    place.spawn_id, place.owner = item.spawn_id, port
    for byte in range(place.misc.shape[0]):
        place.misc[byte] = 0


@kernel
def _clear(place: Any) -> None:
    place.kind = place.state = place.damage = place.spawn_id = place.owner = EMPTY
    place.facing = place.speed_x = place.speed_y = place.x = place.y = place.timer = math.nan
    for byte in range(place.misc.shape[0]):
        place.misc[byte] = EMPTY
