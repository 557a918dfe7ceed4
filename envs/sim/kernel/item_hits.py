"""What an item does to the fighter it meets: thrown back, taken on the shield, percent, launch or a bind."""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel import damage
from envs.sim.kernel.body import touches_body
from envs.sim.kernel.bubble import bubble
from envs.sim.kernel.geometry import point_segment_squared
from envs.sim.kernel.knockback import enter_queue, hitlag, knockback
from envs.sim.kernel.publish import HURT, hurtbox_state
from envs.sim.kernel.transition import enter
from envs.sim.moves import Element
from envs.sim.projectiles import Effect
from envs.sim.states import Flag

OWNS: Final = 1
"""Value of `reflecting`: what is thrown back belongs to who threw it back ..."""
TURNS: Final = 2
"""... or only turns round and stays its maker's."""
REFLECTED_DAMAGE: Final = 1.5
"""A thrown-back item's damage over its own (meleelight, MIT)."""
_SHIELDED: Final = int(Flag.SHIELDED)
_NO_CONTACT: Final = int(Flag.NO_CONTACT)
_ELECTRIC: Final = int(Element.ELECTRIC)
_NONE, _BIND = int(Effect.NONE), int(Effect.BIND)
_BOUND: Final = int(Action.DAMAGE_BIND.value)


@kernel
def meet(game: Any, item: Any, tables: Any, from_x: float, from_y: float, from_z: float, size: float) -> bool:
    """Let an item that came from a place a frame ago touch the other fighter; True if that ends it."""
    foe = game.fighters[1 - item.owner]
    state = tables.characters[foe.row].states[foe.action]
    if state.flags & _NO_CONTACT or not _touches(item, foe, tables, from_x, from_y, from_z, size):
        return False
    if foe.reflecting:
        if item.vx * (foe.x - item.x) >= 0.0:
            _reflect(item, foe.reflecting)
            if foe.reflect_into >= 0:
                _recoil(item, foe, tables)
        return False
    if foe.shield_reflect > 0:
        _reflect_off_shield(item, tables.common)
        return False
    if hurtbox_state(foe, state) != HURT:
        return False
    if foe.counter_state > 0:
        damage.answer(foe, tables, -1.0 if item.vx > 0.0 else 1.0)
        return True
    _hit(game, item, foe, tables, state.flags & _SHIELDED)
    return True


@kernel
def _touches(item: Any, foe: Any, tables: Any, from_x: float, from_y: float, from_z: float, size: float) -> bool:
    at_y = item.y + item.sway_y
    if foe.reflecting and foe.reflect_radius > 0.0:
        limit = foe.reflect_radius + size
        centre = foe.y + foe.reflect_height
        return point_segment_squared(foe.x, centre, from_x, from_y, item.x, at_y) <= limit * limit
    depth = min(abs(from_z), abs(item.sway_z))
    if tables.characters[foe.row].states[foe.action].flags & _SHIELDED:
        x, y, radius = bubble(foe, tables)
        squared = point_segment_squared(x, y, from_x, from_y, item.x, at_y)
        if squared + depth * depth <= (radius + size) * (radius + size):
            return True
    return touches_body(foe, tables.characters[foe.row], from_x, from_y, item.x, at_y, size, depth)


@kernel
def _reflect(item: Any, how: int) -> None:
    if how == OWNS:
        item.owner = 1 - item.owner
        item.damage *= REFLECTED_DAMAGE
        item.fresh_damage *= REFLECTED_DAMAGE
    item.vx, item.vy, item.facing = -item.vx, -item.vy, -item.facing


@kernel
def _recoil(item: Any, foe: Any, tables: Any) -> None:
    """The special that threw the item back shows it, towards where the item came from."""
    timer, flags, wait = foe.script_timer, foe.script_flags, foe.sink_wait
    enter(foe, tables.characters[foe.row].states, foe.reflect_into)
    foe.facing = 1.0 if item.vx > 0.0 else -1.0
    foe.script_timer, foe.script_flags, foe.sink_wait = timer, flags, wait


@kernel
def _reflect_off_shield(item: Any, common: Any) -> None:
    """A fresh shield throws a projectile back weaker and slower, as its owner's."""
    item.owner = 1 - item.owner
    item.damage *= common.powershield_damage
    item.fresh_damage *= common.powershield_damage
    item.vx, item.vy, item.facing = (
        -item.vx * common.powershield_speed,
        -item.vy * common.powershield_speed,
        -item.facing,
    )


@kernel
def _hit(game: Any, item: Any, foe: Any, tables: Any, shielded: int) -> None:
    facts = tables.characters[item.row].combat.projectiles[item.projectile]
    owner = game.fighters[item.owner]
    if shielded:
        _hit_shield(item, foe, facts, tables)
        return
    foe.last_hit_by = owner.seat
    owner.last_attack = item.attack_id
    if not item.part_of_throw:
        enter_queue(owner, item.attack_id)
    if facts.effect == _NONE:
        foe.percent = min(foe.percent + item.damage, damage.MAX_PERCENT)
    elif facts.effect == _BIND and not foe.airborne and foe.facing * item.vx < 0.0:
        _bind(item, foe, facts, tables)
    else:
        _launch(game, item, foe, facts, tables)


@kernel
def _hit_shield(item: Any, foe: Any, facts: Any, tables: Any) -> None:
    if facts.effect == _NONE:
        foe.shield = max(foe.shield - item.damage * tables.common.shield_damage_scale, 1.0)
        return
    foe.hitlag = hitlag(tables.common, item.damage, 0, 0)
    away = 1.0 if item.vx > 0.0 else -1.0
    damage.hit_shield(foe, tables, item.damage, facts.shield_damage, away)


@kernel
def _launch(game: Any, item: Any, foe: Any, facts: Any, tables: Any) -> None:
    common = tables.common
    weight = tables.characters[foe.row].weight
    strength = knockback(common, facts, item.fresh_damage, item.damage, foe.percent, weight)
    away = 1.0 if item.vx > 0.0 else -1.0
    _hurt(item, foe, facts, common)
    damage.launch(game, foe, tables, strength, facts.angle, away, item.y - foe.y)


@kernel
def _hurt(item: Any, foe: Any, facts: Any, common: Any) -> None:
    foe.percent = min(foe.percent + item.damage, damage.MAX_PERCENT)
    foe.taken = item.damage
    foe.hitlag = hitlag(common, item.damage, facts.element == _ELECTRIC, 0)


@kernel
def _bind(item: Any, foe: Any, facts: Any, tables: Any) -> None:
    """The victim can't act for a time that grows with its percent."""
    _hurt(item, foe, facts, tables.common)
    enter(foe, tables.characters[foe.row].states, _BOUND)
    foe.script_timer = facts.bind_base + facts.bind_per_percent * foe.percent
