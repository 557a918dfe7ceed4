"""What input does in the air, in the game's order of precedence."""

from __future__ import annotations

import math
from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.attacks import try_aerial, try_special
from envs.sim.kernel.inputs import LONG_AGO, TRIGGERS
from envs.sim.kernel.jump import try_double_jump
from envs.sim.kernel.physics import AIR_DODGE_STEERED_UNTIL
from envs.sim.kernel.transition import enter
from envs.sim.states import Can, Physics


@kernel
def air_input(me: Any, char: Any, common: Any) -> None:
    """Interrupt the present airborne state as its row allows; whatever follows may fall fast at once."""
    state = char.states[me.action]
    can = state.interrupts
    if state.iasa > 0.0 and me.age >= state.iasa:
        can = _ANY
    _interrupt(me, char, common, can)
    state = char.states[me.action]
    steered = state.physics == Physics.AIR_DODGE and me.age < AIR_DODGE_STEERED_UNTIL
    if state.interrupts & Can.FAST_FALL and not steered:
        try_fast_fall(me, common)


@kernel
def _interrupt(me: Any, char: Any, common: Any, can: int) -> None:
    if can & Can.AIR_SPECIAL and try_special(me, char, common):
        return
    if can & Can.AIR_DODGE and me.pressed & TRIGGERS:
        start_air_dodge(me, char, common)
        return
    if can & Can.AERIAL and try_aerial(me, char.states, common):
        return
    if can & Can.DOUBLE_JUMP:
        try_double_jump(me, char, common)


_ANY = int(Can.AERIAL | Can.AIR_DODGE | Can.DOUBLE_JUMP | Can.AIR_SPECIAL | Can.FAST_FALL)


@kernel
def start_air_dodge(me: Any, char: Any, common: Any) -> None:
    """A burst of speed along the stick, none with the stick in the middle."""
    x, y = me.stick_x, me.stick_y
    length = math.sqrt(x * x + y * y)
    me.vx, me.vy = 0.0, 0.0
    if length >= common.dodge_zone:
        me.vx = x / length * common.dodge_speed
        me.vy = y / length * common.dodge_speed
    me.fast_fall = 0
    me.landing_lag, me.fall_share = 0.0, 0.0
    me.open_landing = 0
    enter(me, char.states, Action.AIRDODGE.value)


@kernel
def try_fast_fall(me: Any, common: Any) -> None:
    """Falling and tapping down: fall at the fast-fall speed from this frame on."""
    tapped = me.stick_y <= -common.fast_fall and me.tap_y < common.fast_fall_window
    if me.vy < 0.0 and tapped and not me.fast_fall:
        me.fast_fall = 1
        me.tap_y = LONG_AGO
