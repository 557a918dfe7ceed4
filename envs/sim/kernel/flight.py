"""Hitlag, launch influence (SDI, ASDI, DI), and the flight of a fighter that was hit."""

from __future__ import annotations

import math
from typing import Any, Final

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.guard import shift_shield
from envs.sim.kernel.inputs import LONG_AGO, jump_pressed
from envs.sim.kernel.jump import double_jump
from envs.sim.kernel.physics import toward_zero
from envs.sim.kernel.publish import is_lifted
from envs.sim.kernel.tech import falls_hard
from envs.sim.kernel.transition import clamp_drift, enter, stand_or_fall

FREE: Final = 0
FROZEN: Final = 1
RELEASED: Final = 2
AWAY: Final = 3
"""Values of FIGHTER.phase: whether hitlag lasts, or whether the fighter is dead or entering."""
_RESTS: Final = 1e-6
_SHIELD_STUN: Final = int(Action.SHIELD_STUN.value)
_TUMBLING: Final = int(Action.TUMBLING.value)
_FLY_ROLL: Final = int(Action.DAMAGE_FLY_ROLL.value)


@kernel
def count_hitlag(me: Any) -> int:
    """Count hitlag down: FROZEN while it lasts, RELEASED on the first frame after it, FREE without any."""
    if me.hitlag <= 0:
        return FREE
    me.hitlag -= 1.0
    return FROZEN if me.hitlag > 0 else RELEASED


@kernel
def influence_frozen(me: Any, common: Any) -> None:
    """SDI: a frozen victim shifts itself on every fresh stick input, a frozen shield only along the ground."""
    if me.action == _SHIELD_STUN:
        if me.tap_x < common.sdi_window and shift_shield(me, common, common.sdi_step):
            me.tap_x = LONG_AGO
        return
    if not me.di_pending:
        return
    fresh = me.tap_x < common.sdi_window or me.tap_y < common.sdi_window
    if fresh and math.hypot(me.stick_x, me.stick_y) >= common.sdi_radius:
        _shift(me, me.stick_x, me.stick_y, common.sdi_step)
        me.tap_x = me.tap_y = LONG_AGO


@kernel
def influence_released(me: Any, common: Any) -> None:
    """On the first free frame a held stick shifts the victim once more (ASDI) and turns its launch (DI)."""
    if me.action == _SHIELD_STUN:
        shift_shield(me, common, common.asdi_step)
        return
    if not me.di_pending:
        return
    me.di_pending = 0
    if math.hypot(me.c_x, me.c_y) >= common.sdi_radius:
        _shift(me, me.c_x, me.c_y, common.asdi_step)
    elif math.hypot(me.stick_x, me.stick_y) >= common.sdi_radius:
        _shift(me, me.stick_x, me.stick_y, common.asdi_step)
    turn_launch(me, common)


@kernel
def _shift(me: Any, x: float, y: float, step: float) -> None:
    me.x += x * step
    if me.airborne:
        me.y += y * step


@kernel
def turn_launch(me: Any, common: Any) -> None:
    """The part of the stick across the launch, squared, turns it by up to `di_degrees`; the speed stays."""
    speed = math.hypot(me.kb_x, me.kb_y)
    if not me.airborne or speed < _RESTS:
        return
    across = (me.kb_x * me.stick_y - me.kb_y * me.stick_x) / speed
    turn = math.radians(common.di_degrees) * min(across * across, 1.0)
    turn = math.copysign(turn, across)
    cos, sin = math.cos(turn), math.sin(turn)
    me.kb_x, me.kb_y = me.kb_x * cos - me.kb_y * sin, me.kb_x * sin + me.kb_y * cos


@kernel
def tick(me: Any) -> None:
    """One unfrozen frame of hitstun and of the memory of the last hit."""
    me.flash_timer = min(me.flash_timer + 1, LONG_AGO)
    if me.jump_buffer > 0:
        me.jump_buffer -= 1
    if me.hitstun > 0:
        me.hitstun -= 1.0


@kernel
def buffer_jump(me: Any, common: Any) -> None:
    """A jump pressed in the last frames of hitstun is made when it ends."""
    if jump_pressed(me, common):
        me.jump_buffer = int(common.hurt_jump_buffer)


@kernel
def take_buffered_jump(me: Any, char: Any, common: Any) -> bool:
    """Make the jump that was pressed in hitstun, if it is recent and a jump is left."""
    if me.jump_buffer <= 0 or me.jumps_left <= 0:
        return False
    me.jump_buffer = 0
    double_jump(me, char, common)
    return True


@kernel
def decay_knockback(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Slow what is left of a launch by one frame: along its direction in the air, by traction on the ground."""
    if me.pushback != 0.0:
        me.pushback = toward_zero(me.pushback, char.traction * common.attacker_push_decay)
    lifted = is_lifted(me, char)
    if lifted:
        me.ground_v = 0.0
    if me.ground_kb != 0.0:
        grip = char.traction * stage.lines[me.line].grip
        me.ground_kb = toward_zero(me.ground_kb, common.kb_decay if lifted else grip)
    if me.kb_x != 0.0 or me.kb_y != 0.0:
        speed = math.hypot(me.kb_x, me.kb_y)
        left = max(speed - common.kb_decay, 0.0) / speed
        me.kb_x *= left
        me.kb_y *= left


@kernel
def finish_damage(me: Any, char: Any, common: Any) -> None:
    """The damage animation is over: hold or repeat it while the hitstun lasts, then jump, tumble, stand or fall."""
    state = char.states[me.action]
    if me.hitstun > 0:
        me.age = state.age_start if state.next == me.action else state.length - 1.0
    elif me.airborne and me.action != _FLY_ROLL and take_buffered_jump(me, char, common):
        pass
    elif falls_hard(me.action):
        enter(me, char.states, _TUMBLING)
        clamp_drift(me, char)
    else:
        stand_or_fall(me, char)


@kernel
def forget_hits(me: Any) -> None:
    """What a new stock forgets: the last hit, the tech window, the queue of landed attacks."""
    me.pushback = 0.0
    me.flash_timer = LONG_AGO
    me.jump_buffer = 0
    me.tech_buffer = 0
    me.tech_lockout = 0
    me.stale_head = 0
    for slot in range(me.stale_ids.shape[0]):
        me.stale_ids[slot] = 0
