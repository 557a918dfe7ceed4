"""Self-induced speed of each physics class; see states.Physics."""

from __future__ import annotations

from typing import Any

from envs.sim.jit import kernel
from envs.sim.kernel.publish import is_lifted
from envs.sim.kernel.transition import facing_of
from envs.sim.states import Kind, Physics

AIR_DODGE_STEERED_UNTIL = 30.0
"""Age from which an air dodge falls freely: its last intangible frame plus one."""


@kernel
def toward_zero(speed: float, friction: float) -> float:
    """Speed after friction; it does not change sign."""
    if speed > 0.0:
        return max(speed - friction, 0.0)
    return min(speed + friction, 0.0)


@kernel
def approach(speed: float, acceleration: float, target: float, friction: float) -> float:
    """Accelerate to the target without passing it; a speed beyond the target decays to it by friction."""
    if acceleration > 0.0:
        if speed > target:
            return max(speed - friction, target)
        return min(speed + acceleration, target)
    if acceleration < 0.0:
        if speed < target:
            return min(speed + friction, target)
        return max(speed + acceleration, target)
    return toward_zero(speed, friction)


@kernel
def ground_friction(me: Any, char: Any, common: Any) -> None:
    """Traction, stronger above the walking speed."""
    friction = char.traction
    if abs(me.ground_v) > char.walk_max:
        friction *= common.fast_traction
    me.ground_v = toward_zero(me.ground_v, friction)


@kernel
def _gain(speed: float, push: float, target: float, scale: float, friction: float) -> float:
    """Walking and running gain speed ever more slowly on the way to the target."""
    if push * speed > 0.0:
        share = 1.0 - speed / target
        if share <= 0.0:
            return approach(speed, push, target, friction)
        push *= scale * share
    return approach(speed, push, target, friction)


@kernel
def _walk(me: Any, char: Any, common: Any) -> None:
    push = facing_of(me.stick_x, 0.0) * char.walk_base + me.stick_x * char.walk_stick
    me.ground_v = _gain(me.ground_v, push, me.stick_x * char.walk_max, common.walk_acceleration, char.traction)


@kernel
def _dash(me: Any, char: Any) -> None:
    """The first frame of a dash only carries the old speed; the impulse is added after the displacement."""
    if me.ticks == 0:
        return
    push = facing_of(me.stick_x, 0.0) * char.dash_base + me.stick_x * char.dash_stick
    me.ground_v = approach(me.ground_v, push, me.stick_x * char.run_max, char.traction)


@kernel
def _run(me: Any, char: Any, common: Any) -> None:
    push = facing_of(me.stick_x, 0.0) * char.dash_base + me.stick_x * char.dash_stick
    me.ground_v = _gain(me.ground_v, push, me.stick_x * char.run_max, common.run_acceleration, char.traction)


@kernel
def _turn_run(me: Any, char: Any) -> None:
    """Friction, until the stick points away from the old run; then the dash's acceleration, eased by friction."""
    push = facing_of(me.stick_x, 0.0) * char.dash_base + me.stick_x * char.dash_stick
    target = me.stick_x * char.run_max
    if push * me.turn_facing <= 0.0:
        me.ground_v = toward_zero(me.ground_v, char.traction)
    elif (me.ground_v + push - target) * push <= 0.0:
        me.ground_v += push
    else:
        eased = me.ground_v + push - facing_of(push, 0.0) * char.traction
        me.ground_v = max(eased, target) if push > 0.0 else min(eased, target)


@kernel
def drift(me: Any, char: Any) -> None:
    """Steering in the air."""
    push = facing_of(me.stick_x, 0.0) * char.drift_base + me.stick_x * char.drift_stick
    me.vx = approach(me.vx, push, me.stick_x * char.air_max, char.air_friction)


@kernel
def fall(me: Any, char: Any) -> None:
    """Gravity up to the terminal speed, or the fast fall's fixed speed."""
    if me.fast_fall:
        me.vy = -char.fast_fall
    else:
        me.vy = max(me.vy - char.gravity, -char.terminal)


@kernel
def _fall_limited(me: Any, char: Any) -> None:
    """A special fall that allows a share of the drift; it falls as fast as a fast fall (recorded Marth games)."""
    limit = char.air_max * me.fall_share
    me.vx = min(max(me.vx, -limit), limit)
    me.vy = -char.fast_fall if me.fast_fall else max(me.vy - char.gravity, -char.fast_fall)


@kernel
def _air_dodge(me: Any, char: Any, common: Any) -> None:
    if me.age < AIR_DODGE_STEERED_UNTIL:
        me.vx *= common.dodge_decay
        me.vy *= common.dodge_decay
    else:
        drift(me, char)
        fall(me, char)


@kernel
def _animation(me: Any, char: Any, state: Any) -> None:
    """The animation moves the body: its displacement is this frame's ground speed."""
    frame = int(me.age)
    if frame > state.locomotion_last:
        me.ground_v = 0.0
    elif me.rate > 0.0:
        me.ground_v = char.locomotion[state.locomotion + frame, 0] * me.facing


@kernel
def _ground(me: Any, char: Any, state: Any, common: Any) -> None:
    me.vy = 0.0
    physics = state.physics
    if physics == Physics.GROUND:
        ground_friction(me, char, common)
    elif physics == Physics.DASH:
        _dash(me, char)
    elif physics == Physics.WALK:
        _walk(me, char, common)
    elif physics == Physics.RUN:
        _run(me, char, common)
    elif physics == Physics.TURN_RUN:
        _turn_run(me, char)
    elif physics == Physics.BRAKE:
        me.ground_v = toward_zero(me.ground_v, char.traction)
    elif physics == Physics.ANIMATION:
        _animation(me, char, state)
    elif physics == Physics.SCRIPT or physics == Physics.THROW:
        pass  # its operations, or the throw's own way, have set the speed
    else:
        ground_friction(me, char, common)


@kernel
def _air(me: Any, char: Any, state: Any, common: Any) -> None:
    physics = state.physics
    if physics == Physics.SCRIPT:
        return  # its operations have set the speed
    steered = physics == Physics.FLIGHT and me.hitstun <= 0.0
    if physics == Physics.AIR or (physics == Physics.AIR_JUMP and me.ticks > 0) or steered:
        drift(me, char)
        if state.kind == Kind.SPECIAL_FALL and me.fall_share > 0.0:
            _fall_limited(me, char)
        else:
            fall(me, char)
    elif physics == Physics.AIR_CURVE:
        drift(me, char)
        me.vy = char.locomotion[state.locomotion + min(int(me.age), state.locomotion_last), 1]
    elif physics == Physics.AIR_DODGE:
        _air_dodge(me, char, common)
    elif physics == Physics.HALO:
        pass  # the platform descends at the speed it was given
    elif physics == Physics.CLING and me.ticks < common.cling:
        me.vx, me.vy = 0.0, 0.0
    elif physics == Physics.AIR_JUMP:
        pass  # the first frame of a jump keeps its speed
    else:
        me.vx = toward_zero(me.vx, char.air_friction)
        fall(me, char)


@kernel
def displace(me: Any, char: Any, state: Any, stage: Any, common: Any) -> None:
    """Set this frame's speed and move the fighter by it, knockback included."""
    if state.physics == Physics.FROZEN or state.physics == Physics.LEDGE or state.physics == Physics.HELD:
        me.vx, me.vy, me.ground_v = 0.0, 0.0, 0.0
        return
    if me.airborne:
        _air(me, char, state, common)
        me.x += me.vx + me.kb_x
        me.y += me.vy + me.kb_y
        return
    _ground(me, char, state, common)
    line = stage.lines[me.line]
    along = 1.0 if is_lifted(me, char) else line.along
    me.x += (me.ground_v + me.ground_kb + me.pushback) * along + me.push
    me.vx, me.vy = me.ground_v * along, me.ground_v * line.rise
    me.ground_v += me.dash_impulse
    me.dash_impulse = 0.0
