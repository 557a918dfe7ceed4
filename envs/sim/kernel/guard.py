"""The shield: raising, holding, dropping it, and the dodges out of it."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.attacks import try_grab
from envs.sim.kernel.inputs import TRIGGERS, guard_held
from envs.sim.kernel.jump import try_drop, try_jump_squat
from envs.sim.kernel.transition import enter, leave_ground
from envs.sim.states import Flag, Kind


@kernel
def try_guard(me: Any, char: Any, common: Any) -> bool:
    """Raise the shield if a trigger is held; a fresh digital press may reflect at first."""
    if not guard_held(me, common) or me.shield <= 0.0:
        return False
    if me.pressed & TRIGGERS:
        enter(me, char.states, Action.SHIELD_REFLECT.value)
        me.powershield = int(common.powershield_window) + 1
    else:
        enter(me, char.states, Action.SHIELD_START.value)
    me.shield_hold = int(common.shield_hold)
    me.shield_amount = me.shoulder
    return True


@kernel
def guard_input(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Out of a held shield: jump, spot dodge, platform drop, roll; letting go drops it."""
    if try_jump_squat(me, char, common):
        return
    if try_grab(me, char.states, common, False):
        return
    if _try_dodge(me, char, common) or try_drop(me, char, stage, common):
        return
    released = not guard_held(me, common)
    if released and me.shield_hold <= 0 and char.states[me.action].kind == Kind.GUARD:
        enter(me, char.states, Action.SHIELD_RELEASE.value)


@kernel
def _try_dodge(me: Any, char: Any, common: Any) -> bool:
    c_down = me.c_y <= -common.spot_dodge and me.prev_c_y > -common.spot_dodge
    if (me.stick_y <= -common.spot_dodge and me.tap_y < common.spot_dodge_window) or c_down:
        enter(me, char.states, Action.SPOTDODGE.value)
        return True
    return try_roll(me, char, common)


@kernel
def try_roll(me: Any, char: Any, common: Any) -> bool:
    """Roll by a sideways tap of either stick."""
    c_side = abs(me.c_x) >= common.roll and abs(me.prev_c_x) < common.roll
    if (abs(me.stick_x) >= common.roll and me.tap_x < common.roll_window) or c_side:
        x = me.c_x if c_side else me.stick_x
        ahead = x * me.facing > 0.0
        enter(me, char.states, Action.ROLL_FORWARD.value if ahead else Action.ROLL_BACKWARD.value)
        return True
    return False


@kernel
def shield_health(me: Any, char: Any, common: Any) -> None:
    """Drain a raised shield, heal a lowered one; an empty one breaks. Also runs the guard's own timers."""
    state = char.states[me.action]
    if me.shield_hold > 0:
        me.shield_hold -= 1
    if state.flags & Flag.SHIELDED:
        if me.powershield > 0:
            me.powershield -= 1
        if guard_held(me, common):
            me.shield_amount = me.shoulder
        light = 1.0 - me.shield_amount
        me.shield -= common.shield_drain * (1.0 - light) + common.shield_drain_light * light
        if me.shield <= 0.0:
            break_shield(me, char, common)
    elif me.shield < common.shield_health:
        me.shield = min(me.shield + common.shield_regeneration, common.shield_health)


SHIELD_BREAK_SPEED = 2.5
"""Upward speed of a broken shield's owner, units per frame (approximate)."""


@kernel
def break_shield(me: Any, char: Any, common: Any) -> None:
    """The shield is gone: the fighter is thrown up and will be dazed."""
    me.shield = common.shield_break_health
    leave_ground(me, char)
    enter(me, char.states, Action.SHIELD_BREAK_FLY.value)
    me.vx = 0.0
    me.vy = SHIELD_BREAK_SPEED
