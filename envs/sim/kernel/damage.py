"""Resolve phase: what a contact does to the attacker (`land`) and to the fighter hit (`receive`)."""

from __future__ import annotations

import math
from typing import Any, Final

from melee.enums import Action

from envs.sim.combat_layout import BOXES, FIRST_FLY
from envs.sim.hold_layout import FREE
from envs.sim.jit import kernel
from envs.sim.kernel import rng
from envs.sim.kernel.guard import break_shield
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.kernel.knockback import enter_queue, freshness, hitlag, knockback, launch_angle, merged
from envs.sim.kernel.transition import enter, leave_ground
from envs.sim.moves import Element
from envs.sim.states import Flag, Kind

MAX_PERCENT: Final = 999.0
_RISES: Final = 1e-4
_CROUCHED: Final = int(Flag.CROUCHED)
_ELECTRIC: Final = int(Element.ELECTRIC)
_SMASH: Final = int(Kind.SMASH)
_SPECIAL: Final = int(Kind.SPECIAL)
_DOWN_BOUND, _DOWN_WAIT, _DOWN_HURT = int(Kind.DOWN_BOUND), int(Kind.DOWN_WAIT), int(Kind.DOWN_HURT)
_GROUND_HURT: Final = int(Action.DAMAGE_HIGH_1.value)
_AIR_HURT: Final = int(Action.DAMAGE_AIR_1.value)
_FLY_TOP: Final = int(Action.DAMAGE_FLY_TOP.value)
_FLY_ROLL: Final = int(Action.DAMAGE_FLY_ROLL.value)
_LYING_UP: Final = int(Action.LYING_GROUND_UP.value)
_LYING_UP_HIT: Final = int(Action.LYING_GROUND_UP_HIT.value)
_LYING_HIT: Final = int(Action.DAMAGE_GROUND.value)
_SHIELD_STUN: Final = int(Action.SHIELD_STUN.value)
_SEVERITIES: Final = 3


@kernel
def box_of(me: Any, tables: Any, contact: int) -> Any:
    """The hitbox record of a contact (see envs.sim.kernel.contact)."""
    return tables.characters[me.row].combat.hit_frames[contact // (2 * BOXES), contact % BOXES]


@kernel
def land(me: Any, tables: Any, contact: int) -> None:
    """What landing a hit does to the attacker: damage worked out, group spent, attack staled, hitlag."""
    box = box_of(me, tables, contact)
    attack_id = tables.characters[me.row].combat.moves[me.move].attack_id
    me.hit_damage = charged(me, tables, box.damage)
    me.hit_dealt = me.hit_damage * freshness(me, attack_id)
    me.hit_mask |= box.group
    if contact % (2 * BOXES) < BOXES:
        me.last_attack = attack_id
        if not me.staled:
            me.staled = 1
            enter_queue(me, attack_id)


@kernel
def charged(me: Any, tables: Any, damage: float) -> float:
    """Percent of a hit with the charge of the present move: smashes gain a share, specials whole steps."""
    common = tables.common
    move = tables.characters[me.row].combat.moves[me.move]
    if move.charge_step > 0.0:
        return damage + move.charge_gain * math.floor(me.charge / move.charge_step)
    if move.charge_frame > 0.0:
        return damage * (1.0 + common.charge_damage * me.charge / common.charge_time)
    return damage


@kernel
def receive(game: Any, me: Any, foe: Any, tables: Any, contact: int) -> None:
    """What the hit that I landed does to the other fighter; sets both fighters' hitlag."""
    common = tables.common
    me.hitlag = max(me.hitlag, hitlag(common, me.hit_dealt, 0, 0))
    if foe.invincible > 0:
        return
    if contact % (2 * BOXES) < BOXES:
        _receive_on_body(game, me, foe, tables, contact)
    elif foe.counter_state > 0:
        answer(foe, tables, -_away(me, foe))
    else:
        _receive_on_shield(me, foe, tables, contact)


@kernel
def answer(foe: Any, tables: Any, facing: float) -> None:
    """A fighter in a countering stance has been hit: it turns to `facing` and strikes back after a freeze."""
    enter(foe, tables.characters[foe.row].states, foe.counter_state)
    foe.facing = facing
    foe.hitlag = tables.common.counter_hitlag


@kernel
def _away(me: Any, foe: Any) -> float:
    """Side of me that the other fighter is on, as a facing."""
    if foe.x == me.x:
        return me.facing
    return 1.0 if foe.x > me.x else -1.0


@kernel
def _receive_on_body(game: Any, me: Any, foe: Any, tables: Any, contact: int) -> None:
    common = tables.common
    box = box_of(me, tables, contact)
    state = tables.characters[foe.row].states[foe.action]
    crouched = state.flags & _CROUCHED != 0 and not foe.airborne
    weight = tables.characters[foe.row].weight
    strength = knockback(common, box, me.hit_damage, me.hit_dealt, foe.percent, weight)
    if crouched:
        strength *= common.kb_crouch
    if _is_charging(foe, tables):
        strength *= common.kb_charge
    cancels = _v_cancels(foe, state, common)
    me.combo_count = me.combo_count + 1 if foe.hitstun > 0 else 1
    foe.last_hit_by = me.seat
    foe.percent = min(foe.percent + me.hit_dealt, MAX_PERCENT)
    foe.taken = me.hit_dealt
    foe.hitlag = hitlag(common, me.hit_dealt, box.element == _ELECTRIC, crouched)
    height = me.y + box.y - foe.y
    launch(game, foe, tables, strength, box.angle, _away(me, foe), height)
    if cancels:
        foe.kb_x *= common.v_cancel
        foe.kb_y *= common.v_cancel


@kernel
def _v_cancels(foe: Any, state: Any, common: Any) -> bool:
    """Whether a fighter in the air has just pressed a trigger, neither stunned nor attacking.

    It slows the launch and leaves the hitstun as it is (recorded hits).
    """
    if not foe.airborne or foe.hitstun > 0 or foe.move >= 0 or state.kind == _SPECIAL:
        return False
    return foe.tech_buffer > common.tech_window - common.v_cancel_window


@kernel
def _is_charging(foe: Any, tables: Any) -> bool:
    character = tables.characters[foe.row]
    if foe.move < 0 or character.states[foe.action].kind != _SMASH:
        return False
    return foe.charge > 0 and foe.age == character.combat.moves[foe.move].charge_frame


@kernel
def launch(game: Any, foe: Any, tables: Any, strength: float, degrees: float, away: float, height: float) -> None:
    """Send a fighter off: knockback speed, hitstun and the damage state.

    `strength` is the knockback, `degrees` the hitbox's angle, `away` the side it sends to (+1 right), `height`
    the height of the contact over the fighter's root, which picks the animation.
    """
    common = tables.common
    stands = not foe.airborne
    flies = strength >= common.tumble
    angle = launch_angle(common, degrees, strength, foe.airborne)
    speed = strength * common.kb_speed
    new_x, new_y = math.cos(angle) * speed * away, math.sin(angle) * speed
    if stands and new_y < 0:
        new_y = -new_y * common.spike_bounce if flies else 0.0
    action = _damage_action(game, foe, tables, strength, math.degrees(angle), height)
    _set_speeds(foe, tables, new_x, new_y, flies or new_y > _RISES)
    if tables.characters[foe.row].states[foe.action].kind == _SPECIAL:
        foe.stored_charge = 0
    enter(foe, tables.characters[foe.row].states, action)
    foe.hitstun = max(math.floor(strength * common.kb_hitstun), 1.0)
    foe.knockback = strength
    if action != _LYING_HIT and action != _LYING_UP_HIT:
        foe.facing = -away
    foe.in_tumble = 1 if flies else 0
    foe.di_pending = 1
    foe.tap_x = foe.tap_y = LONG_AGO
    foe.flash_timer = 0
    foe.prev_x, foe.prev_y, foe.prev_feet = foe.x, foe.y, foe.feet
    foe.fast_fall = 0
    if foe.ledge >= 0:
        foe.ledge_cooldown = int(common.ledge_regrab)
    foe.ledge = -1
    foe.grip = FREE
    foe.pushback = 0.0


@kernel
def _set_speeds(foe: Any, tables: Any, new_x: float, new_y: float, lifts: bool) -> None:
    """Replace a launch that is younger than the merge window, else merge with what is left of it."""
    if foe.flash_timer >= tables.common.kb_merge_window:
        new_x = merged(foe.kb_x + foe.ground_kb, new_x)
        new_y = merged(foe.kb_y, new_y)
    if not foe.airborne and lifts:
        leave_ground(foe, tables.characters[foe.row])
    foe.vx = foe.vy = foe.ground_v = foe.dash_impulse = 0.0
    foe.kb_x = foe.kb_y = foe.ground_kb = 0.0
    if foe.airborne:
        foe.kb_x, foe.kb_y = new_x, new_y
    else:
        foe.ground_kb = new_x


@kernel
def _damage_action(game: Any, foe: Any, tables: Any, strength: float, degrees: float, height: float) -> int:
    """The damage state by severity, contact height and whether the fighter stood."""
    common = tables.common
    kind = tables.characters[foe.row].states[foe.action].kind
    if _lies(kind) and foe.taken < common.lying_hit_damage:
        return _LYING_UP_HIT if foe.action == _LYING_UP else _LYING_HIT
    part = 0 if height > common.high_hit else (2 if height < common.low_hit else 1)
    if strength >= common.tumble:
        if common.fly_top_low <= degrees <= common.fly_top_high:
            return _FLY_TOP
        chance = rng.uniform(game.seed, game.frame, rng.ROLL_ANIMATION, foe.seat)
        if foe.percent >= common.fly_roll_percent and chance < common.fly_roll_chance:
            return _FLY_ROLL
        return FIRST_FLY + part
    stun = math.floor(strength * common.kb_hitstun)
    severity = 0 if stun < common.flinch_light else (1 if stun < common.flinch_medium else 2)
    return _AIR_HURT + severity if foe.airborne else _GROUND_HURT + _SEVERITIES * part + severity


@kernel
def _lies(kind: int) -> bool:
    return kind in (_DOWN_BOUND, _DOWN_WAIT, _DOWN_HURT)


@kernel
def _receive_on_shield(me: Any, foe: Any, tables: Any, contact: int) -> None:
    common = tables.common
    away = _away(me, foe)
    foe.hitlag = me.hitlag
    if not me.airborne:
        push = common.attacker_push_per_damage * foe.shield_amount * math.floor(me.hit_dealt)
        me.pushback = -away * (common.attacker_push_base + push)
    hit_shield(foe, tables, me.hit_dealt, box_of(me, tables, contact).shield_damage, away)


@kernel
def hit_shield(foe: Any, tables: Any, damage: float, extra: float, away: float) -> None:
    """What `damage` percent, and `extra` shield damage, do to a raised shield and to the fighter behind it.

    `away` is the side it is pushed to (+1 right).
    """
    common = tables.common
    dealt = math.floor(damage)
    light = 1.0 - foe.shield_amount
    if foe.powershield <= 0:
        foe.shield -= (dealt + extra) * (common.shield_damage_scale + common.shield_light_damage_scale * light)
    if foe.shield <= 0:
        break_shield(foe, tables.characters[foe.row], common)
        return
    push = common.push_base + dealt * (common.push_per_damage + common.push_per_damage_light * light)
    if foe.powershield > 0:
        push *= common.powershield_push
    foe.ground_v = away * min(push, common.shield_push_max)
    stun = dealt * (common.shieldstun_per_damage + common.stun_per_damage_light * light) + common.shieldstun_base
    foe.shieldstun = stun * common.stun_scale
    states = tables.characters[foe.row].states
    enter(foe, states, _SHIELD_STUN)
    foe.rate = states[_SHIELD_STUN].length / foe.shieldstun
    foe.tap_x = LONG_AGO
