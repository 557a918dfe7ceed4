"""Techs, knockdowns and getting up: what a launched fighter does when it meets the ground."""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.game import Button
from envs.sim.combat_layout import FIRST_FLY, FLY_STATES
from envs.sim.jit import kernel
from envs.sim.kernel.attacks import TILT_SLOPE
from envs.sim.kernel.inputs import TRIGGERS
from envs.sim.kernel.transition import enter, enter_landing, stand_or_fall

_TUMBLING: Final = int(Action.TUMBLING.value)
_LANDING: Final = int(Action.LANDING.value)
_TECH, _TECH_FORWARD, _TECH_BACK = (
    int(a.value) for a in (Action.NEUTRAL_TECH, Action.FORWARD_TECH, Action.BACKWARD_TECH)
)
_BOUNCE_WALL, _BOUNCE_CEILING = int(Action.BOUNCE_WALL.value), int(Action.BOUNCE_CEILING.value)
_FACE_UP: Final = int(Action.TECH_MISS_UP.value)
_FACE_DOWN: Final = int(Action.TECH_MISS_DOWN.value)
_LAST_FACE_UP: Final = int(Action.GROUND_SPOT_UP.value)
"""States of lying on the back are TECH_MISS_UP..this; the same in the same order follow for the front."""
_LAST_LYING: Final = int(Action.GROUND_ROLL_SPOT_DOWN.value)
_TO_STAND: Final = int(Action.GROUND_GETUP.value) - _FACE_UP
_TO_ATTACK: Final = int(Action.GROUND_ATTACK_UP.value) - _FACE_UP
_TO_FORWARD: Final = int(Action.GROUND_ROLL_FORWARD_UP.value) - _FACE_UP
_TO_BACK: Final = int(Action.GROUND_ROLL_BACKWARD_UP.value) - _FACE_UP
_ATTACK_BUTTONS: Final = int(Button.A | Button.B)


@kernel
def track(me: Any, common: Any) -> None:
    """Count the tech window down and open it on a fresh trigger press; a press soon after another shuts it.

    Runs every frame, frozen ones too, after the input is read.
    """
    if me.tech_buffer > 0:
        me.tech_buffer -= 1
    if me.tech_lockout > 0:
        me.tech_lockout -= 1
    if me.pressed & TRIGGERS:
        me.tech_buffer = int(common.tech_window) if me.tech_lockout == 0 else 0
        me.tech_lockout = int(common.tech_lockout)


@kernel
def falls_hard(action: int) -> bool:
    """Whether touching the ground in this state is a knockdown unless teched."""
    return action in (_TUMBLING, _BOUNCE_WALL, _BOUNCE_CEILING) or _flies(action)


@kernel
def _flies(action: int) -> bool:
    return FIRST_FLY <= action < FIRST_FLY + FLY_STATES


@kernel
def touch_down(me: Any, char: Any, common: Any, flight: float) -> None:
    """A fighter in a damage state has just landed with `flight` of knockback speed left.

    Out of a launch: tech or be knocked down. Out of a lighter hit: slide on, land or be knocked down by the speed.
    """
    if falls_hard(me.action):
        if me.tech_buffer > 0:
            _tech(me, char, common)
        else:
            _knock_down(me, char)
    elif flight >= common.hurt_bounces:
        _knock_down(me, char)
    elif flight >= common.hurt_lands:
        enter_landing(me, char.states, _LANDING, 0.0)
    else:
        return
    me.in_tumble = 0
    me.hitstun = 0.0


@kernel
def _knock_down(me: Any, char: Any) -> None:
    up = _flies(me.action) and me.age <= char.combat.face_up[me.action - FIRST_FLY]
    enter(me, char.states, _FACE_UP if up else _FACE_DOWN)


@kernel
def _tech(me: Any, char: Any, common: Any) -> None:
    """In place or along the stick; the launch goes on as a slide."""
    me.tech_buffer = 0
    towards = me.stick_x * me.facing
    if towards >= common.tech_roll:
        enter(me, char.states, _TECH_FORWARD)
    elif towards <= -common.tech_roll:
        enter(me, char.states, _TECH_BACK)
    else:
        enter(me, char.states, _TECH)


@kernel
def remember_attack(me: Any) -> None:
    """A or B pressed while the knockdown bounces is a getup attack at its end."""
    if me.pressed & _ATTACK_BUTTONS:
        me.script_flags = 1


@kernel
def finish_bound(me: Any, char: Any, common: Any) -> None:
    """The bounce of a knockdown is over: the attack remembered, a roll along the held stick, or lie still.

    Such a roll is the one for lying on the front, however the fighter lies (decompiled game, public).
    """
    first = _FACE_UP if me.action <= _LAST_FACE_UP else _FACE_DOWN
    following = int(char.states[me.action].next)
    bounced = me.action == _FACE_UP or me.action == _FACE_DOWN
    if bounced and me.script_flags:
        following = first + _TO_ATTACK
    elif bounced and _rolls(me, common):
        following = _FACE_DOWN + (_TO_FORWARD if me.stick_x * me.facing >= 0.0 else _TO_BACK)
    enter(me, char.states, following)


@kernel
def _rolls(me: Any, common: Any) -> bool:
    return abs(me.stick_x) >= common.down_roll and me.stick_y < abs(me.stick_x) * TILT_SLOPE


@kernel
def finish_down_hurt(me: Any, char: Any) -> None:
    """After a hit on the floor: fall if in the air, lie on while the hitstun lasts, else stand up."""
    if me.airborne:
        stand_or_fall(me, char)
        return
    following = int(char.states[me.action].next)
    left = me.hitstun
    me.hitstun = 0.0
    if left > 0.0:
        enter(me, char.states, following)
        me.script_timer = left
    else:
        enter(me, char.states, (_FACE_UP if me.action <= _LAST_FACE_UP else _FACE_DOWN) + _TO_STAND)


@kernel
def _lain_enough(me: Any, common: Any) -> bool:
    """Whether the time on the floor is over, which a hit there has set anew."""
    if me.script_timer > 0.0:
        me.script_timer -= 1.0
        return me.script_timer == 0.0
    return me.ticks >= common.down_lie


@kernel
def lying_input(me: Any, char: Any, common: Any) -> bool:
    """What input does to a fighter on the floor; True if it gets up. Lying too long, it stands up by itself."""
    first = _FACE_UP if me.action <= _LAST_FACE_UP else _FACE_DOWN
    expired = _lain_enough(me, common)
    if me.pressed & _ATTACK_BUTTONS:
        option = _TO_ATTACK
    elif _rolls(me, common):
        option = _TO_FORWARD if me.stick_x * me.facing >= 0.0 else _TO_BACK
    elif me.stick_y >= common.down_stand or me.pressed & TRIGGERS or expired:
        option = _TO_STAND
    else:
        return False
    enter(me, char.states, first + option)
    return True


@kernel
def try_wiggle(me: Any, char: Any, common: Any) -> None:
    """Tapping the stick sideways turns a tumble, or a launch whose hitstun is over, into an ordinary fall."""
    if falls_hard(me.action) and abs(me.stick_x) >= common.dash and me.tap_x < common.dash_window:
        stand_or_fall(me, char)
