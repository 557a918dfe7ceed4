"""Throws: the pair's animation at a speed set by the victim's weight, blows on the way, shots, and the release.

Rules: decompiled game, public (a throw's knockback knows one weight for all); numbers:
facts/characters/*_throws.toml.
"""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.sim.hold_layout import FREE, HOLDS
from envs.sim.jit import kernel
from envs.sim.kernel.damage import launch
from envs.sim.kernel.flight import turn_launch
from envs.sim.kernel.held import along, carry
from envs.sim.kernel.items import shoot
from envs.sim.kernel.knockback import enter_queue, freshness, hitlag, knockback
from envs.sim.kernel.transition import enter, leave_ground

_FIRST_THROW: Final = int(Action.THROW_FORWARD.value)
_FIRST_THROWN: Final = int(Action.THROWN_FORWARD.value)
_FLY_TOP: Final = int(Action.DAMAGE_FLY_TOP.value)
_FLY_MIDDLE: Final = int(Action.DAMAGE_FLY_NEUTRAL.value)
_DOWN: Final = 3
_MIDDLE_HEIGHT: Final = 7.0
"""Height over the victim's root that counts as a contact in the middle of the body, units."""
_BACKWARD_ANGLES: Final = (90.0, 270.0)


@kernel
def start_throw(me: Any, foe: Any, tables: Any, slot: int) -> None:
    """Begin a throw (0 forward, 1 back, 2 up, 3 down): both animations at one speed, slower for the heavy."""
    common, char, victim = tables.common, tables.characters[me.row], tables.characters[foe.row]
    rate = 1.0
    if char.hold.throws[slot].weighted:
        rate = common.throw_weight / victim.weight
    enter(me, char.states, _FIRST_THROW + slot)
    enter(foe, victim.states, _FIRST_THROWN + slot)
    me.age = me.rate = foe.age = foe.rate = rate
    _walk_root(me, char.hold)
    foe.facing = me.facing
    foe.grab_timer = 0.0
    me.invincible = int(common.throw_invincible)


@kernel
def _walk_root(me: Any, hold: Any) -> None:
    """Ground speed of the throw's own way."""
    me.ground_v = 0.0
    first, end = hold.throws[me.action - _FIRST_THROW].root
    if end > first:
        now, _ = along(hold, first, end, me.age)
        before, _ = along(hold, first, end, me.age - me.rate)
        me.ground_v = (now - before) * me.facing


@kernel
def run_throw(game: Any, me: Any, foe: Any, tables: Any) -> None:
    """A thrower's frame after its animation has advanced: its way, shots, then the release."""
    char = tables.characters[me.row]
    _walk_root(me, char.hold)
    throw = char.hold.throws[me.action - _FIRST_THROW]
    for row in range(throw.shots[0], throw.shots[1]):
        shot = char.hold.shots[row]
        if me.age - me.rate < shot.age <= me.age:
            slot = shoot(game, me, char, 0, shot.x, shot.y)
            if slot >= 0:
                item = game.items[slot]
                item.vx, item.vy = me.facing * shot.vx, shot.vy
                item.attack_id, item.part_of_throw = throw.attack_id, 1
                item.fresh_damage = throw.shot_damage
                item.damage = throw.shot_damage * freshness(me, throw.attack_id)
    if me.grip == HOLDS and me.age >= throw.release:
        _release(game, me, foe, tables, me.action - _FIRST_THROW)


@kernel
def strike_held(me: Any, foe: Any, tables: Any) -> None:
    """Contact phase of a throw under way: blows that the throw's animation deals to its victim."""
    hold = tables.characters[me.row].hold
    throw = hold.throws[me.action - _FIRST_THROW]
    for row in range(throw.hits[0], throw.hits[1]):
        hit, bit = hold.throw_hits[row], 1 << (row - throw.hits[0])
        if me.age >= hit.age and not me.hit_mask & bit:
            me.hit_mask |= bit
            frames = deal(me, foe, tables, hit.damage, throw.attack_id)
            me.hitlag = frames if hit.freezes else frames - 1.0
            foe.hitlag = frames


@kernel
def deal(me: Any, foe: Any, tables: Any, damage: float, attack_id: int) -> float:
    """Percent of a blow that needs no hitbox, staled; returns the frames that it freezes."""
    dealt = damage * freshness(me, attack_id)
    if not me.staled:
        me.staled = 1
        enter_queue(me, attack_id)
    me.last_attack = attack_id
    foe.last_hit_by = me.seat
    foe.percent = min(foe.percent + dealt, tables.common.percent_cap)
    return hitlag(tables.common, dealt, 0, 0)


@kernel
def _release(game: Any, me: Any, foe: Any, tables: Any, slot: int) -> None:
    """Let the victim fly from where the animation has it; its stick turns the launch at once."""
    common, char = tables.common, tables.characters[me.row]
    throw = char.hold.throws[slot]
    carry(game, me, foe, tables)
    foe.y = max(foe.y, me.y)
    me.grip = foe.grip = FREE
    if throw.turns:
        me.facing = -me.facing
    dealt = throw.box.damage * freshness(me, throw.attack_id)
    strength = knockback(common, throw.box, throw.box.damage, dealt, foe.percent, common.throw_weight)
    deal(me, foe, tables, throw.box.damage, throw.attack_id)
    if not foe.airborne:
        leave_ground(foe, tables.characters[foe.row])
        foe.ecb_lock = 0
    launch(game, foe, tables, strength, throw.box.angle, me.facing, _MIDDLE_HEIGHT)
    if slot == _DOWN and foe.action == _FLY_MIDDLE:
        enter(foe, tables.characters[foe.row].states, _FLY_TOP)
    if _BACKWARD_ANGLES[0] < throw.box.angle < _BACKWARD_ANGLES[1]:
        foe.facing = me.facing
    foe.di_pending = 0
    turn_launch(foe, common)
