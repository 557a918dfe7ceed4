"""The interpreter of specials: runs the operations of an action state. See envs.sim.specials.Op.

Three moments of a frame ask it: animation (`wind_up`), input (`special_input`) and physics (`run`); how a state ends
is in envs.sim.kernel.script_end. States of one special follow each other by `script_flow.go_on`, which keeps the
special's own counters; anything else enters a state afresh.
"""

from __future__ import annotations

import math
from typing import Any, Final

from envs.game import Button
from envs.sim.jit import kernel
from envs.sim.kernel.air import try_fast_fall
from envs.sim.kernel.guard import try_roll
from envs.sim.kernel.item_hits import OWNS, TURNS
from envs.sim.kernel.items import shoot
from envs.sim.kernel.jump import pass_through, try_double_jump, try_jump_squat
from envs.sim.kernel.physics import drift, fall, ground_friction, toward_zero
from envs.sim.kernel.script_end import finish
from envs.sim.kernel.script_flow import LET_GO_SEEN, REPEAT_PRESSED, go_on, may_end
from envs.sim.kernel.script_speed import set_speed, speed_of, sword_speed
from envs.sim.kernel.transition import leave_ground
from envs.sim.specials import Op

_CHAIN_MISSED: Final = 2
"""A bit of `script_flags` beside those of script_flow."""
_B: Final = int(Button.B)
_SWORD_BUTTONS: Final = int(Button.A | Button.B)
_SCALE, _BRAKE, _TRACTION, _SINK, _DRIFT = (
    int(Op.SCALE),
    int(Op.BRAKE),
    int(Op.TRACTION),
    int(Op.SINK),
    int(Op.DRIFT),
)
_SPEED, _THRUST, _REFLECT, _SHOOT = int(Op.SPEED), int(Op.THRUST), int(Op.REFLECT), int(Op.SHOOT)
_JUMP, _REVERSE, _RELEASE, _SHORTEN = int(Op.JUMP), int(Op.REVERSE), int(Op.RELEASE), int(Op.SHORTEN)
_REPEAT, _LET_GO, _DROP = int(Op.REPEAT), int(Op.LET_GO), int(Op.DROP)
_PRESS, _ROLL, _CHARGE = int(Op.PRESS), int(Op.ROLL), int(Op.CHARGE)
_RECOIL, _LIFT, _FREEZE = int(Op.RECOIL), int(Op.LIFT), int(Op.FREEZE)
_WARP, _DECAY, _CLAMP, _SPIN_BACK = int(Op.WARP), int(Op.DECAY), int(Op.CLAMP), int(Op.SPIN_BACK)
_TILT, _FACE, _TAKE_OFF, _CHAIN = int(Op.TILT), int(Op.FACE), int(Op.TAKE_OFF), int(Op.CHAIN)
_HOLD, _STANCE = int(Op.HOLD), int(Op.STANCE)


@kernel
def wind_up(me: Any, char: Any) -> bool:
    """Charge, or hold the animation still, before this frame's input; True if that ended the state."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _FREEZE:
            me.rate = 0.0
            if me.ticks >= op.a:
                finish(me, char)
                return True
        elif op.code == _CHARGE:
            me.charge += 1.0
            if me.charge >= op.a:
                me.charge = 0.0
                me.stored_charge += 1
                if me.stored_charge >= op.b:
                    go_on(me, char.states, op.target, True)
                    return False
    return False


@kernel
def special_input(me: Any, char: Any, stage: Any, common: Any) -> None:
    """What input does to a state of a special."""
    combat = char.combat
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.code == _DROP:
            if _drop(me, char, stage, common, op.target):
                return
        elif _act(me, char, common, op):
            return


@kernel
def _act(me: Any, char: Any, common: Any, op: Any) -> bool:
    """One input operation; True if it led to another state."""
    code = op.code
    if code == _JUMP:
        return try_double_jump(me, char, common) if me.airborne else try_jump_squat(me, char, common)
    if code == _REVERSE and me.stick_x * me.facing <= -op.a:
        me.facing = -me.facing
        go_on(me, char.states, op.target, False)
        return True
    if code in (_RELEASE, _LET_GO):
        if not me.prev_buttons & _B:
            me.script_flags |= LET_GO_SEEN
        if code == _RELEASE and me.ticks > 0 and may_end(me, op):
            go_on(me, char.states, op.target, False)
            return True
    if code == _SHORTEN and me.pressed & _B:
        go_on(me, char.states, op.target, False)
        return True
    if code == _PRESS and me.pressed & op.mask:
        go_on(me, char.states, op.target, False)
        return True
    if code == _ROLL:
        return try_roll(me, char, common)
    if code == _REPEAT and me.pressed & _B:
        me.script_flags |= REPEAT_PRESSED
    if code == _CHAIN:
        return _chain(me, char, common, op)
    if code == _HOLD:
        return _hold(me, char, op)
    if code == _TILT and op.first <= me.age <= op.last and abs(me.stick_x) > abs(me.script_x):
        me.script_x = me.stick_x
    elif code == _FACE and me.age == op.first and abs(me.stick_x) > op.a:
        me.facing = 1.0 if me.stick_x > 0.0 else -1.0
    elif code == _TAKE_OFF and me.age == op.first and not me.airborne:
        leave_ground(me, char)
    return False


@kernel
def _chain(me: Any, char: Any, common: Any, op: Any) -> bool:
    """The next swing of a combination, by the stick's height. All its swings stale as one attack."""
    if not me.pressed & _SWORD_BUTTONS or me.script_flags & _CHAIN_MISSED or me.age > op.last:
        return False
    if me.age < op.first:
        me.script_flags |= _CHAIN_MISSED
        return False
    following = int(op.b)
    if me.stick_y > common.vertical_special:
        following = op.target
    elif me.stick_y < -common.vertical_special:
        following = int(op.a)
    staled = me.staled
    go_on(me, char.states, following, False)
    me.staled = staled
    return True


@kernel
def _hold(me: Any, char: Any, op: Any) -> bool:
    """One more frame of charge, but not in the frame that begins it."""
    if me.ticks > 0 or me.charge > 0.0:
        me.charge += 1.0
    if me.charge <= op.a:
        return False
    go_on(me, char.states, op.target, False)
    return True


@kernel
def _drop(me: Any, char: Any, stage: Any, common: Any, action: int) -> bool:
    """Drop through the platform under the fighter, the special going on in the air."""
    if me.airborne or not pass_through(me, char, stage, common):
        return False
    go_on(me, char.states, action, True)
    return True


@kernel
def run(game: Any, me: Any, char: Any, common: Any) -> None:
    """Set this frame's speed, and do what else the state does on its own."""
    combat = char.combat
    me.script_timer += 1.0
    me.reflecting = 0
    me.counter_state = 0
    for row in range(combat.script_first[me.action], combat.script_last[me.action]):
        op = combat.operations[row]
        if op.first <= me.age <= op.last:
            if me.ticks == 0:
                _set_off(me, op)
            _move(me, char, common, op)
            sword_speed(me, char, op)
            if op.code == _REFLECT:
                me.reflecting, me.reflect_into = OWNS, op.target
                me.reflect_radius, me.reflect_height = op.a, op.b
            elif op.code == _SPIN_BACK:
                me.reflecting, me.reflect_into, me.reflect_radius = TURNS, -1, 0.0
            elif op.code == _STANCE:
                me.counter_state, me.counter_radius, me.counter_height = op.target, op.a, op.b
            elif op.code == _SHOOT and me.rate > 0:
                shoot(game, me, char, op.mask, op.a, op.b)


@kernel
def _move(me: Any, char: Any, common: Any, op: Any) -> None:
    """One operation on the speed."""
    code = op.code
    if code == _BRAKE:
        set_speed(me, toward_zero(speed_of(me), op.a))
    elif code == _SINK:
        if me.sink_wait < op.b:
            me.sink_wait += 1.0
        else:
            me.vy = max(me.vy - op.a, -char.terminal)
    elif code == _TRACTION:
        ground_friction(me, char, common)
    elif code == _DRIFT:
        drift(me, char)
        try_fast_fall(me, common)
        fall(me, char)
    elif code == _SPEED:
        set_speed(me, op.a * me.facing)
        me.vy = op.b
    elif code == _THRUST:
        speed = op.a - op.b * (me.age - op.first + 1.0)
        set_speed(me, speed * me.script_x)
        me.vy = speed * me.script_y if me.airborne else 0.0
    elif code == _DECAY:
        me.vy -= me.vy * op.a
    elif code == _CLAMP:
        set_speed(me, min(max(speed_of(me), -op.a), op.a))
    elif code == _RECOIL:
        set_speed(me, (op.b if me.airborne else op.a) * me.facing * me.stored_charge)


@kernel
def _set_off(me: Any, op: Any) -> None:
    """One operation on the speed in the frame that enters the state."""
    code = op.code
    if code == _SCALE:
        set_speed(me, speed_of(me) * op.a)
        me.vy *= op.b
        me.fast_fall = 0
    elif code == _LIFT:
        if not me.float_spent:
            me.vy = op.a
        me.float_spent = 1
    elif code == _WARP:
        length = math.hypot(me.script_x, me.script_y)
        speed = op.a / length + op.b
        set_speed(me, me.script_x * speed)
        me.vy = me.script_y * speed if me.airborne else 0.0
