"""Entering an action state, leaving the ground and landing."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel

ECB_LOCK_FRAMES = 10
"""Frames after leaving the ground or jumping again in which the feet stay where they were (decompiled game, public)."""
ANIMATION_TAIL = 0.1
"""A landing of n frames plays its animation at (length + 0.1) / n: measured, recorded landings."""


@kernel
def enter(me: Any, states: Any, action: int) -> None:
    """Start an action state at its first frame; what the old one kept is forgotten."""
    state = states[action]
    me.action = action
    me.age = state.age_start
    me.rate = 1.0
    me.ticks = 0
    me.move = state.move
    me.hit_mask = 0
    me.staled = 0
    me.charge = 0.0
    me.reflecting = 0
    me.script_timer = 0.0
    me.script_flags = 0
    me.counter_state = 0
    me.sink_wait = 0.0


@kernel
def stand_or_fall(me: Any, char: Any) -> None:
    """The neutral state of where the fighter is."""
    if me.airborne:
        enter(me, char.states, Action.FALLING.value)
        clamp_drift(me, char)
    else:
        enter(me, char.states, Action.STANDING.value)


@kernel
def clamp_drift(me: Any, char: Any) -> None:
    """A fall begins no faster than the character drifts (decompiled game, public)."""
    me.vx = min(max(me.vx, -char.air_max), char.air_max)


@kernel
def leave_ground(me: Any, char: Any) -> None:
    """From the ground into the air: ground speed becomes air speed, the ground jump is spent."""
    me.airborne = 1
    me.vx = me.ground_v
    me.vy = 0.0
    me.ground_v = 0.0
    me.kb_x += me.ground_kb
    me.ground_kb = 0.0
    me.dash_impulse = 0.0
    me.jumps_left = char.jumps
    me.fast_fall = 0
    me.ecb_lock = ECB_LOCK_FRAMES
    me.feet = 0.0


@kernel
def touch_ground(me: Any, char: Any, line: int) -> None:
    """From the air onto a floor line: air speed becomes ground speed; `vy` is kept for this frame's record."""
    me.airborne = 0
    me.line = line
    me.ground_v = me.vx
    me.ground_kb = me.kb_x
    me.kb_x = 0.0
    me.kb_y = 0.0
    me.jumps_left = char.jumps + 1
    me.fast_fall = 0
    me.ecb_lock = 0
    me.feet = 0.0
    me.drop_line = -1


@kernel
def enter_landing(me: Any, states: Any, action: int, lag: float) -> None:
    """A landing state whose animation takes `lag` frames. Ordinary landings give a floating special back."""
    enter(me, states, action)
    if action == Action.LANDING.value or action == Action.LANDING_SPECIAL.value:
        me.float_spent = 0
    me.landing_lag = lag
    me.open_landing = 0
    if lag > 0.0:
        me.rate = (states[action].length + ANIMATION_TAIL) / lag


@kernel
def has(state: Any, flag: int) -> bool:
    """Whether a state row carries a flag."""
    return state.flags & flag != 0


@kernel
def facing_of(speed: float, otherwise: float) -> float:
    """Sign of a stick or speed as a facing; `otherwise` when it is 0."""
    if speed > 0.0:
        return 1.0
    if speed < 0.0:
        return -1.0
    return otherwise
