"""Operations of specials that set the speed: what a sword's specials need. See envs.sim.specials.Op."""

from __future__ import annotations

import math
from typing import Any, Final

from envs.sim.jit import kernel
from envs.sim.kernel.physics import approach
from envs.sim.specials import Op

_GRAVITY, _STOP_FALL, _FLOAT = int(Op.GRAVITY), int(Op.STOP_FALL), int(Op.FLOAT)
_STRIDE, _SOAR, _STEER = int(Op.STRIDE), int(Op.SOAR), int(Op.STEER)
_FIRST_OF_ALL: Final = _GRAVITY
FALLS: Final = 4
"""Bit of `script_flags`: a leap has begun to fall. Its first such frame catches no ledge (decompiled game, public)."""


@kernel
def speed_of(me: Any) -> float:
    """Sideways speed in the air or along the ground."""
    return me.vx if me.airborne else me.ground_v


@kernel
def set_speed(me: Any, speed: float) -> None:
    """Set the sideways speed in the air or along the ground."""
    if me.airborne:
        me.vx = speed
    else:
        me.ground_v = speed


@kernel
def sword_speed(me: Any, char: Any, op: Any) -> None:
    """One operation on the speed, if it is one of these."""
    code = op.code
    if code < _FIRST_OF_ALL:
        return
    if code == _GRAVITY:
        me.vy = max(me.vy - op.a, -op.b)
    elif code == _STOP_FALL and me.ticks == 0:
        me.vy = max(me.vy, 0.0)
        me.fast_fall = 0
    elif code == _FLOAT and me.ticks == 0:
        me.vy = op.b if me.float_spent else op.a
        me.float_spent = 1
        me.fast_fall = 0
    elif code == _STRIDE:
        set_speed(me, _displacement(me, char, 0) * me.facing)
    elif code == _SOAR:
        _soar(me, char, op)
    elif code == _STEER:
        push = me.stick_x * char.drift_stick * op.a
        me.vx = approach(me.vx, push, me.stick_x * char.air_max * op.a, char.air_friction)


@kernel
def _displacement(me: Any, char: Any, axis: int) -> float:
    """The animation's own displacement at this age along the facing (axis 0) or upwards (1)."""
    state = char.states[me.action]
    age = int(me.age)
    if state.locomotion < 0 or age > state.locomotion_last:
        return 0.0
    return char.locomotion[state.locomotion + age, axis]


@kernel
def _soar(me: Any, char: Any, op: Any) -> None:
    """Turn the animation's way to the side that the stick was held to; it never leads backwards."""
    turn = 0.0
    held = abs(me.script_x)
    if held > op.b:
        turn = -math.copysign(math.radians(op.a * (held - op.b) / (1.0 - op.b)), me.script_x)
    x, y = _displacement(me, char, 0) * me.facing, _displacement(me, char, 1)
    along = x * math.cos(turn) - y * math.sin(turn)
    me.vx = abs(along) * me.facing
    me.vy = x * math.sin(turn) + y * math.cos(turn)
    if me.vy < 0.0 and not me.script_flags & FALLS:
        me.script_flags |= FALLS
        me.ledge_cooldown = max(me.ledge_cooldown, 1)
