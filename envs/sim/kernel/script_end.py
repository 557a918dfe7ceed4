"""The ends of a special's state: its animation is over, the ground comes or goes, a wall is in the way."""

from __future__ import annotations

import math
from typing import Any, Final

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.script_flow import REPEAT_PRESSED, go_on, may_end
from envs.sim.kernel.transition import enter, enter_landing, has, leave_ground, stand_or_fall
from envs.sim.specials import Op
from envs.sim.states import Flag, Physics

_SCRIPT: Final = int(Physics.SCRIPT)
_AIRBORNE: Final = int(Flag.AIRBORNE)
_FALLING: Final = int(Action.FALLING.value)
_STANDING: Final = int(Action.STANDING.value)
_LAG, _REPEAT, _AIM, _LAND, _FALL = int(Op.LAG), int(Op.REPEAT), int(Op.AIM), int(Op.LAND), int(Op.FALL)
_LET_GO, _SKID, _OPEN_LANDING = int(Op.LET_GO), int(Op.SKID), int(Op.OPEN_LANDING)
_CHARGED, _POINT, _BUMP, _REFRESH = int(Op.CHARGED), int(Op.POINT), int(Op.BUMP), int(Op.REFRESH)
_SCALE: Final = int(Op.SCALE)


@kernel
def finish(me: Any, char: Any) -> None:
    """The animation is over: on to the state that follows."""
    combat = char.combat
    following = char.states[me.action].next
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _REPEAT and op.target >= 0 and me.script_flags & REPEAT_PRESSED:
            following = op.target
            me.script_flags &= ~REPEAT_PRESSED
        elif op.code == _LET_GO and op.target >= 0 and may_end(me, op):
            following = op.target
        elif op.code == _AIM:
            following = _aim(me, char, op)
        elif op.code == _POINT:
            following = _point(me, char, op)
        elif op.code == _CHARGED and me.stored_charge >= op.a:
            following = op.target
    if following < 0:
        stand_or_fall(me, char)
    elif char.states[following].physics == _SCRIPT:
        go_on(me, char.states, following, False)
    else:
        _fall_special(me, char, following)


@kernel
def _fall_special(me: Any, char: Any, following: int) -> None:
    """Enter a state that is no special; how it lands is for the special to say."""
    combat = char.combat
    first, last = combat.script_first[me.action], combat.script_last[me.action]
    enter(me, char.states, following)
    me.landing_lag, me.fall_share, me.open_landing = 0.0, 0.0, 0
    for row in range(first, last):
        op = combat.operations[row]
        if op.code == _LAG:
            me.landing_lag, me.fall_share = op.a, op.b
        elif op.code == _OPEN_LANDING:
            me.open_landing = 1


@kernel
def _aim(me: Any, char: Any, op: Any) -> int:
    """Aim along the stick, straight up with the stick within b; an aim that does not point up stays on the ground."""
    length = math.hypot(me.stick_x, me.stick_y)
    aims = abs(me.stick_x) + abs(me.stick_y) >= op.b and length > 0.0
    me.script_x, me.script_y = 0.0, 1.0
    if aims:
        me.script_x, me.script_y = me.stick_x / length, me.stick_y / length
        if me.stick_x != 0:
            me.facing = 1.0 if me.stick_x > 0 else -1.0
    if me.airborne:
        return op.target
    if me.script_y <= 0.0:
        me.script_x, me.script_y = me.facing, 0.0
        return int(op.a)
    leave_ground(me, char)
    return op.target


@kernel
def _point(me: Any, char: Any, op: Any) -> int:
    """Aim along the stick and keep its length; only a stick that points up leaves the ground."""
    length = math.hypot(me.stick_x, me.stick_y)
    me.script_x, me.script_y = 0.0, 1.0
    if length > op.b:
        share = 1.0 / max(length, 1.0)
        me.script_x, me.script_y = me.stick_x * share, me.stick_y * share
        if me.stick_x != 0:
            me.facing = 1.0 if me.stick_x > 0 else -1.0
    if me.airborne:
        return op.target
    if me.script_y <= 0.0:
        return int(op.a)
    leave_ground(me, char)
    return op.target


@kernel
def skids(me: Any, char: Any) -> bool:
    """Whether a special that has just reached the ground slides over it and goes on."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _SKID:
            return -me.vy <= math.sin(math.radians(op.a)) * math.hypot(me.vx, me.vy)
    return False


@kernel
def touch_down(me: Any, char: Any, common: Any) -> None:
    """A special in the air has just touched the ground."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _REFRESH:
            me.float_spent = 0
        elif op.code == _LAND:
            if char.states[op.target].physics == _SCRIPT:
                go_on(me, char.states, op.target, op.a > 0)
                if op.b > 0:
                    me.age = op.b
                if has(char.states[me.action], _AIRBORNE):
                    _bounce(me, char)
            else:
                _land_on(me, char.states, common, op.target, op.b)
            return
    stand_or_fall(me, char)


@kernel
def _bounce(me: Any, char: Any) -> None:
    """Off the floor again, into a state of the air: its scale turns the fall into a rise."""
    combat = char.combat
    fall = me.vy
    leave_ground(me, char)
    me.vy = fall
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _SCALE:
            me.vx *= op.a
            me.vy *= op.b


@kernel
def _land_on(me: Any, states: Any, common: Any, action: int, lag: float) -> None:
    """A landing without lag that is slow enough is none."""
    if lag == 0.0 and me.vy > -common.soft_landing:
        enter(me, states, _STANDING)
    else:
        enter_landing(me, states, action, lag)


@kernel
def leave_floor(me: Any, char: Any) -> None:
    """A special on the ground has just left it."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _FALL:
            if char.states[op.target].physics == _SCRIPT:
                go_on(me, char.states, op.target, op.a > 0)
            else:
                _fall_special(me, char, op.target)
            return
    enter(me, char.states, _FALLING)


@kernel
def bump(me: Any, char: Any) -> None:
    """A special in the air has just been stopped by a wall or a ceiling."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _BUMP:
            into = max(-me.vx * me.wall, me.vy if me.ceiling else 0.0)
            if into > op.b * math.hypot(me.vx, me.vy):
                go_on(me, char.states, op.target, False)
                me.vx *= op.a
                me.vy *= op.a
            return
