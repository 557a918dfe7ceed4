"""Leaving the ground at will: jump squat, jump, double jump, dropping through a platform."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.inputs import jump_pressed, spend_tap
from envs.sim.kernel.transition import ECB_LOCK_FRAMES, clamp_drift, enter, leave_ground


@kernel
def try_jump_squat(me: Any, char: Any, common: Any) -> bool:
    """Start the jump squat by button or stick; it takes no more speed along than the run's."""
    source = jump_pressed(me, common)
    if source == 0:
        return False
    me.ground_v = min(max(me.ground_v, -char.run_max), char.run_max)
    enter(me, char.states, Action.KNEE_BEND.value)
    me.jump_input = source
    me.short_hop = 0
    spend_tap(me)
    return True


@kernel
def jump(me: Any, char: Any, common: Any) -> None:
    """Leave the ground at the end of the squat; the stick read here is the previous frame's."""
    speed = me.ground_v * char.ground_to_air + me.stick_x * char.jump_h
    leave_ground(me, char)
    spend_tap(me)
    me.vx = min(max(speed, -char.jump_h_max), char.jump_h_max)
    me.vy = char.hop_v if me.short_hop else char.jump_v
    back = me.stick_x * me.facing <= -common.back_jump
    enter(me, char.states, Action.JUMPING_BACKWARD.value if back else Action.JUMPING_FORWARD.value)


@kernel
def try_double_jump(me: Any, char: Any, common: Any) -> bool:
    """Spend a jump in the air: the stick sets the horizontal speed afresh."""
    if me.jumps_left <= 0 or jump_pressed(me, common) == 0:
        return False
    double_jump(me, char, common)
    return True


@kernel
def can_drop(me: Any, stage: Any, common: Any) -> bool:
    """Whether the stick has just been tapped down on a platform."""
    tapped = me.stick_y <= -common.platform_drop and me.tap_y < common.platform_drop_window
    return tapped and stage.lines[me.line].platform != 0


@kernel
def drop(me: Any, char: Any, common: Any) -> None:
    """Fall through the platform that the fighter stands on."""
    _leave_downwards(me, char, common)
    enter(me, char.states, Action.PLATFORM_DROP.value)


@kernel
def try_drop(me: Any, char: Any, stage: Any, common: Any) -> bool:
    """Fall through a platform at once if the input means it."""
    if not can_drop(me, stage, common):
        return False
    drop(me, char, common)
    return True


@kernel
def pass_through(me: Any, char: Any, stage: Any, common: Any) -> bool:
    """Leave the platform underfoot downwards if the stick was tapped down; the action state is the caller's."""
    if not can_drop(me, stage, common):
        return False
    _leave_downwards(me, char, common)
    return True


@kernel
def _leave_downwards(me: Any, char: Any, common: Any) -> None:
    line = me.line
    leave_ground(me, char)
    me.vy = common.drop_speed
    clamp_drift(me, char)
    me.drop_line = line
    spend_tap(me)


@kernel
def double_jump(me: Any, char: Any, common: Any) -> None:
    """The jump in the air itself; the caller has seen that one is left."""
    spend_tap(me)
    me.jumps_left -= 1
    me.ecb_lock = ECB_LOCK_FRAMES
    me.vx = me.stick_x * char.double_h
    me.vy = char.double_v
    me.fast_fall = 0
    back = me.stick_x * me.facing <= -common.back_jump
    enter(me, char.states, Action.JUMPING_ARIAL_BACKWARD.value if back else Action.JUMPING_ARIAL_FORWARD.value)
