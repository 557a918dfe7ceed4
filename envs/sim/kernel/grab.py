"""Grabs: reaching out, the catch, the hold and its options.

A catch is looked for before any hit of the same frame, as the game does. Rules: decompiled game, public.
"""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.game import Button
from envs.sim.hold_layout import FREE, HELD, HOLDS
from envs.sim.jit import kernel
from envs.sim.kernel.body import touches_body
from envs.sim.kernel.held import (
    HELD_HIGH,
    HELD_LOW,
    PULLED_HIGH,
    PULLED_LOW,
    STRUCK_HIGH,
    STRUCK_LOW,
    carry,
    seizes,
    struggle,
)
from envs.sim.kernel.publish import HURT, hurtbox_state
from envs.sim.kernel.throw import deal, run_throw, start_throw, strike_held
from envs.sim.kernel.transition import enter, leave_ground
from envs.sim.states import Flag, Kind

_RUNNING_GRAB: Final = int(Action.GRAB_RUNNING.value)
_PULL: Final = int(Action.GRAB_PULLING.value)
_RUNNING_PULL: Final = int(Action.GRAB_RUNNING_PULLING.value)
_WAIT: Final = int(Action.GRAB_WAIT.value)
_PUMMEL: Final = int(Action.GRAB_PUMMEL.value)
_SEIZED_LOW, _SEIZED_HIGH = int(Action.THROWN_MEWTWO.value), int(Action.THROWN_MEWTWO_AIR.value)
_TUMBLING: Final = int(Action.TUMBLING.value)
_PUMMEL_ID: Final = 52
_NO_CONTACT: Final = int(Flag.NO_CONTACT)
_A, _Z = int(Button.A), int(Button.Z)
_FORWARD_THROW, _BACK_THROW, _UP_THROW, _DOWN_THROW, _NO_THROW = 0, 1, 2, 3, -1


@kernel
def resolve_grabs(game: Any, tables: Any) -> None:
    """Contact phase of grabs: catches, pummels and the blows of throws."""
    for seat in range(2):
        me, foe = game.fighters[seat], game.fighters[1 - seat]
        kind = tables.characters[me.row].states[me.action].kind
        if kind == Kind.CATCH:
            grab = tables.characters[me.row].hold.grabs[1 if me.action == _RUNNING_GRAB else 0]
            if me.grip == FREE and _catches(me, foe, tables, grab):
                _seize(game, me, foe, tables)
        elif kind == Kind.SPECIAL and me.grip == FREE and seizes(me, tables.characters[me.row].hold):
            if _catches(me, foe, tables, tables.characters[me.row].hold.seizure.grab):
                _seize_by_special(me, foe, tables)
        elif me.grip == HOLDS and me.hitlag <= 0:
            if kind == Kind.PUMMEL:
                _strike(me, foe, tables)
            elif kind == Kind.THROW:
                strike_held(me, foe, tables)


@kernel
def _catches(me: Any, foe: Any, tables: Any, grab: Any) -> bool:
    """Whether one of my grab boxes reaches the other fighter's body."""
    if me.hitlag > 0 or me.age < grab.first or me.age > grab.last or not _can_be_caught(foe, tables):
        return False
    moved_x = me.x - me.prev_x if me.age > grab.first else 0.0
    for row in range(grab.used):
        x, y = me.x + me.facing * grab.x[row], me.y + grab.y[row]
        if touches_body(foe, tables.characters[foe.row], x - moved_x, y, x, y, grab.size[row], 0.0):
            return True
    return False


@kernel
def _can_be_caught(foe: Any, tables: Any) -> bool:
    """Not the intangible, the held, the lying or those at a ledge."""
    state = tables.characters[foe.row].states[foe.action]
    if foe.grip != FREE or state.flags & _NO_CONTACT or hurtbox_state(foe, state) != HURT:
        return False
    kind = state.kind
    lies = kind == Kind.DOWN_BOUND or kind == Kind.DOWN_WAIT or kind == Kind.DOWN_HURT
    return not lies and kind != Kind.LEDGE_CATCH and kind != Kind.LEDGE_HANG


@kernel
def _seize(game: Any, me: Any, foe: Any, tables: Any) -> None:
    """The catch: the victim turns to its holder and stops; in the air it is at the grip at once."""
    common = tables.common
    age = me.age
    enter(me, tables.characters[me.row].states, _RUNNING_PULL if me.action == _RUNNING_GRAB else _PULL)
    me.age = age
    me.ground_v = 0.0
    me.grip, foe.grip = HOLDS, HELD
    foe.facing = -me.facing
    foe.grab_timer = common.grab_frames + common.grab_frames_per_percent * foe.percent
    if foe.stocks < me.stocks:
        foe.grab_timer -= common.grab_frames_behind
    foe.held_frames = foe.mash_frames = 0.0
    foe.mash_x = foe.mash_y = foe.wants_jump = 0
    _stop(foe)
    enter(foe, tables.characters[foe.row].states, PULLED_HIGH if foe.airborne else PULLED_LOW)
    foe.age = 1.0
    if foe.airborne:
        carry(game, me, foe, tables)


@kernel
def _stop(foe: Any) -> None:
    """A caught fighter loses all speed."""
    foe.vx = foe.vy = foe.ground_v = foe.kb_x = foe.kb_y = foe.ground_kb = foe.pushback = foe.dash_impulse = 0.0
    foe.hitlag = foe.hitstun = 0.0
    foe.fast_fall = foe.di_pending = foe.in_tumble = 0


@kernel
def _seize_by_special(me: Any, foe: Any, tables: Any) -> None:
    """The victim turns its back and hangs in the air; a holder in the air stops falling for this frame."""
    char = tables.characters[foe.row]
    me.grip, foe.grip = HOLDS, HELD
    foe.facing = me.facing
    foe.grab_timer = 0.0
    if not foe.airborne:
        leave_ground(foe, char)
    _stop(foe)
    enter(foe, char.states, _SEIZED_HIGH if me.airborne else _SEIZED_LOW)
    foe.age = 1.0
    me.vy = 0.0


@kernel
def _drop_seized(game: Any, me: Any, foe: Any, tables: Any) -> None:
    """Let a seized fighter fall where the special has turned it to."""
    seizure = tables.characters[me.row].hold.seizure
    if me.age < seizure.release:
        return
    carry(game, me, foe, tables)
    foe.x, foe.y = foe.x + me.vx, foe.y + me.vy
    me.grip = foe.grip = FREE
    deal(me, foe, tables, seizure.damage, seizure.attack_id)
    enter(foe, tables.characters[foe.row].states, _TUMBLING)
    foe.in_tumble = 1


@kernel
def advance_hold(game: Any, me: Any, foe: Any, tables: Any) -> None:
    """A fighter's frame in a hold, after its animation has advanced and before input."""
    kind = tables.characters[me.row].states[me.action].kind
    if kind == Kind.THROW:
        run_throw(game, me, foe, tables)
    elif me.grip == FREE:
        return
    elif kind == Kind.SPECIAL and me.grip == HOLDS:
        _drop_seized(game, me, foe, tables)
    elif kind == Kind.HELD:
        struggle(me, foe, tables)
    elif kind == Kind.CATCH_PULL:
        _pull_in(me, foe, tables)


@kernel
def _pull_in(me: Any, foe: Any, tables: Any) -> None:
    """At the end of the pull both settle into the hold."""
    char = tables.characters[me.row]
    if me.age < char.hold.pulled[1 if me.action == _RUNNING_PULL else 0]:
        return
    me.ground_v = 0.0
    enter(me, char.states, _WAIT)
    enter(foe, tables.characters[foe.row].states, HELD_HIGH if foe.action == PULLED_HIGH else HELD_LOW)


@kernel
def hold_input(me: Any, foe: Any, tables: Any) -> None:
    """Holding: A pummels, a stick pushed out of the middle throws."""
    common = tables.common
    if me.pressed & (_A | _Z):
        me.ground_v = 0.0
        enter(me, tables.characters[me.row].states, _PUMMEL)
        return
    slot = _throw_meant(me.stick_x, me.stick_y, me.prev_stick_x, me.prev_stick_y, me.facing, common.tilt)
    if slot == _NO_THROW:
        slot = _throw_meant(me.c_x, me.c_y, me.prev_c_x, me.prev_c_y, me.facing, common.tilt)
    if slot != _NO_THROW:
        start_throw(me, foe, tables, slot)


@kernel
def _throw_meant(x: float, y: float, before_x: float, before_y: float, facing: float, zone: float) -> int:
    """The throw of a stick that has just left the zone along an axis, sideways first."""
    if abs(x) >= zone and (abs(before_x) < zone or x * before_x < 0.0):
        return _FORWARD_THROW if x * facing > 0.0 else _BACK_THROW
    if y >= zone and before_y < zone:
        return _UP_THROW
    if y <= -zone and before_y > -zone:
        return _DOWN_THROW
    return _NO_THROW


@kernel
def _strike(me: Any, foe: Any, tables: Any) -> None:
    """A pummel lands."""
    hold = tables.characters[me.row].hold
    if me.age < hold.pummel_age or me.staled:
        return
    frames = deal(me, foe, tables, hold.pummel_damage, _PUMMEL_ID)
    me.hitlag = foe.hitlag = frames
    high = foe.action == HELD_HIGH or foe.action == STRUCK_HIGH
    enter(foe, tables.characters[foe.row].states, STRUCK_HIGH if high else STRUCK_LOW)
