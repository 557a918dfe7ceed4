"""The shield: raising, holding, dropping it, and the dodges out of it."""

from __future__ import annotations

import math
from typing import Any, Final

from melee.enums import Action

from envs.game import Button
from envs.sim.jit import kernel
from envs.sim.kernel.attacks import try_grab
from envs.sim.kernel.inputs import LONG_AGO, TRIGGERS, guard_held
from envs.sim.kernel.jump import try_drop, try_jump_squat
from envs.sim.kernel.transition import enter, leave_ground
from envs.sim.states import Kind

_MASH_BUTTONS: Final = int(Button.A | Button.B | Button.X | Button.Y | Button.L | Button.R | Button.Z)
_REFLECT: Final = int(Action.SHIELD_REFLECT.value)


@kernel
def try_guard(me: Any, char: Any, common: Any) -> bool:
    """Raise the shield while a trigger is held; a digital press without analog before it reflects at first."""
    if me.pressed & TRIGGERS and me.trigger_age < common.powershield_window:
        enter(me, char.states, _REFLECT)
        _start_reflecting(me, common)
    elif guard_held(me, common) and me.shield > 0.0:
        enter(me, char.states, Action.SHIELD_START.value)
        me.powershield = me.shield_reflect = 0
    else:
        return False
    me.shield_hold = int(common.shield_hold)
    me.shield_amount = max(_amount(me, common), 0.0)
    me.shield_released = 0
    return True


@kernel
def _start_reflecting(me: Any, common: Any) -> None:
    me.powershield = int(common.powershield_frames)
    me.shield_reflect = int(common.powershield_reflect_frames)
    me.trigger_age = LONG_AGO


@kernel
def _amount(me: Any, common: Any) -> float:
    """How hard the trigger is pressed: 0 at the edge of its dead zone to 1; negative inside."""
    return (me.shoulder - common.trigger_dead_zone) / (1.0 - common.trigger_dead_zone)


@kernel
def guard_input(me: Any, char: Any, stage: Any, common: Any) -> None:
    """A raised shield: let go, reflect, spot dodge, roll, grab, jump, drop, in the game's order."""
    if not guard_held(me, common):
        me.shield_released = 1
    if me.shield_released and me.shield_hold <= 0:
        enter(me, char.states, Action.SHIELD_RELEASE.value)
        return
    fresh = me.pressed & TRIGGERS and me.trigger_age < common.powershield_window
    if fresh and me.action == Action.SHIELD_START.value and me.ticks < common.powershield_window:
        ticks = me.ticks
        enter(me, char.states, _REFLECT)
        me.ticks = ticks
        _start_reflecting(me, common)
        return
    if _try_spot_dodge(me, char, stage, common) or try_roll(me, char, common):
        return
    if try_grab(me, char.states, common, False) or try_jump_squat(me, char, common):
        return
    if guard_held(me, common):
        try_drop(me, char, stage, common)


@kernel
def guard_off_input(me: Any, char: Any, stage: Any, common: Any) -> None:
    """A shield going down: spot dodge or jump."""
    if not _try_spot_dodge(me, char, stage, common):
        try_jump_squat(me, char, common)


@kernel
def _try_spot_dodge(me: Any, char: Any, stage: Any, common: Any) -> bool:
    """Spot dodge by a downward tap; on a platform, at the stick's rim and not too low, UCF makes it a drop."""
    if me.c_y <= -common.spot_dodge and me.prev_c_y > -common.spot_dodge:
        enter(me, char.states, Action.SPOTDODGE.value)
        return True
    if me.stick_y > -common.spot_dodge or me.tap_y >= common.spot_dodge_window:
        return False
    at_rim = math.hypot(me.stick_x, me.stick_y) >= common.ucf_drop_rim
    if at_rim and me.stick_y > -common.ucf_drop_stick and stage.lines[me.line].platform:
        return False
    enter(me, char.states, Action.SPOTDODGE.value)
    return True


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
def tick_shield(me: Any, char: Any, common: Any) -> None:
    """A frame of the shield's health and windows, before this frame's input: up it drains, down it heals."""
    kind = char.states[me.action].kind
    me.powershield = max(me.powershield - 1, 0)
    me.shield_reflect = max(me.shield_reflect - 1, 0)
    if kind == Kind.GUARD_ON or kind == Kind.GUARD:
        amount = _amount(me, common)
        if amount >= 0.0:
            me.shield_amount = amount
        me.shield_hold = max(me.shield_hold - 1, 0)
        me.shield -= common.shield_drain_light + common.shield_drain * me.shield_amount
        if me.shield < 0.0:
            break_shield(me, char, common)
    elif kind == Kind.DAZED:
        _recover(me, char, common)
    elif me.shield < common.shield_health and kind != Kind.GUARD_STUN:
        me.shield = min(me.shield + common.shield_regeneration, common.shield_health)


@kernel
def _recover(me: Any, char: Any, common: Any) -> None:
    """A frame of being dazed; inputs shorten it."""
    me.shield = common.shield_break_health
    me.daze_timer -= 1.0
    if me.pressed & _MASH_BUTTONS or _fresh_side(me.stick_x, me.prev_stick_x, common):
        me.daze_timer -= common.daze_mash_frames
    if me.daze_timer <= 0.0:
        enter(me, char.states, Action.STANDING.value)


@kernel
def _fresh_side(now: float, before: float, common: Any) -> bool:
    """Whether a stick has just been pushed to a side that counts as mashing."""
    return abs(now) > common.mash_stick and (abs(before) <= common.mash_stick or now * before < 0.0)


@kernel
def shift_shield(me: Any, common: Any, step: float) -> bool:
    """A frozen shield's owner shifts along the ground by a stick pushed sideways; True if it does."""
    if abs(me.stick_x) < common.sdi_radius:
        return False
    me.x += me.stick_x * step * common.shield_shift
    return True


SHIELD_BREAK_SPEED = 2.5
"""Upward speed of a broken shield's owner, units per frame (approximate)."""


@kernel
def break_shield(me: Any, char: Any, common: Any) -> None:
    """The shield is gone: the fighter is thrown up and will be dazed."""
    me.shield = common.shield_break_health
    me.daze_timer = max(common.daze_percent - me.percent, 0.0) + common.daze_frames
    leave_ground(me, char)
    enter(me, char.states, Action.SHIELD_BREAK_FLY.value)
    me.vx = 0.0
    me.vy = SHIELD_BREAK_SPEED
