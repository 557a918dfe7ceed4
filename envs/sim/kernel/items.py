"""Projectiles: fired, moved, hitting, thrown back. A game holds a few; with every slot taken none is fired.

The first floor's projectile (a blaster shot) only adds percent: no knockback, no hitlag.
"""

from __future__ import annotations

import math
from typing import Any, Final

from envs.sim.combat_layout import ITEM_SLOTS
from envs.sim.jit import kernel
from envs.sim.kernel.geometry import segments_squared
from envs.sim.kernel.knockback import enter_queue, freshness
from envs.sim.kernel.publish import HURT, hurtbox_state
from envs.sim.states import Flag

EMPTY: Final = -1
_SHIELDED: Final = int(Flag.SHIELDED)
_NO_CONTACT: Final = int(Flag.NO_CONTACT)
REFLECTED_DAMAGE: Final = 1.5
"""A thrown-back projectile's damage over its own (meleelight, MIT)."""


@kernel
def shoot(game: Any, me: Any, char: Any, ahead: float, up: float) -> None:
    """Fire the character's projectile from `ahead` and `up` of the root, if a slot is free."""
    facts = char.combat.projectile
    for slot in range(ITEM_SLOTS):
        item = game.items[slot]
        if item.kind == EMPTY:
            item.kind, item.owner, item.row = facts.kind, me.seat, me.row
            item.x, item.y = me.x + me.facing * ahead, me.y + up
            item.vx, item.vy = me.facing * facts.speed, 0.0
            item.facing = me.facing
            item.timer = facts.life + 1.0
            item.damage = facts.damage * freshness(me, facts.attack_id)
            item.spawn_id = game.next_spawn_id
            game.next_spawn_id += 1
            game.items_live += 1
            return


@kernel
def step_items(game: Any, tables: Any) -> None:
    """Move every projectile a frame and let it touch the other fighter."""
    if game.items_live == 0:
        return
    for slot in range(ITEM_SLOTS):
        item = game.items[slot]
        if item.kind != EMPTY:
            item.timer -= 1.0
            if item.timer <= 0:
                _remove(game, item)
            else:
                _fly(game, item, tables)


@kernel
def _remove(game: Any, item: Any) -> None:
    item.kind = EMPTY
    game.items_live -= 1


@kernel
def _fly(game: Any, item: Any, tables: Any) -> None:
    combat = tables.characters[item.row].combat
    fresh = item.timer >= combat.projectile.life
    from_x, from_y = item.x, item.y
    if not fresh:
        item.x += item.vx
        item.y += item.vy
    foe = game.fighters[1 - item.owner]
    state = tables.characters[foe.row].states[foe.action]
    if state.flags & _NO_CONTACT or not _touches(item, foe, from_x, from_y, tables, combat.projectile.size):
        return
    if foe.reflecting:
        _reflect(item)
    elif hurtbox_state(foe, state) == HURT:
        _hit(game, item, foe, tables, combat.projectile.attack_id, state.flags & _SHIELDED)


@kernel
def _touches(item: Any, foe: Any, from_x: float, from_y: float, tables: Any, size: float) -> bool:
    combat = tables.characters[foe.row].combat
    hurt = combat.hurt[foe.action]
    side = foe.facing
    limit = hurt.radius + size
    squared = segments_squared(
        from_x,
        from_y,
        item.x,
        item.y,
        foe.x + side * hurt.x0,
        foe.y + hurt.y0,
        foe.x + side * hurt.x1,
        foe.y + hurt.y1,
    )
    return squared <= limit * limit


@kernel
def _reflect(item: Any) -> None:
    item.owner = 1 - item.owner
    item.vx, item.vy, item.facing = -item.vx, -item.vy, -item.facing
    item.damage *= REFLECTED_DAMAGE


@kernel
def _hit(game: Any, item: Any, foe: Any, tables: Any, attack_id: int, shielded: int) -> None:
    owner = game.fighters[item.owner]
    if shielded:
        foe.shield = max(foe.shield - item.damage * tables.common.shield_damage_scale, 1.0)
    else:
        foe.percent += item.damage
        foe.last_hit_by = owner.seat
        owner.last_attack = attack_id
        enter_queue(owner, attack_id)
    _remove(game, item)


@kernel
def publish_items(game: Any, out: Any) -> None:
    """Write the projectiles into the frame's item slots; a slot that has become empty is absent again."""
    for slot in range(ITEM_SLOTS):
        item, place = game.items[slot], out.items[slot]
        if item.kind != EMPTY:
            _publish(item, place, out.ports[item.owner])
        elif place.kind != EMPTY:
            _clear(place)


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
