"""Advancing an action state by one frame and leaving it when its animation ends."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.attacks import holds_charge
from envs.sim.kernel.clank import start_rebound
from envs.sim.kernel.flight import finish_damage
from envs.sim.kernel.jump import jump
from envs.sim.kernel.ledge import finish_ledge_option, start_ledge_jump
from envs.sim.kernel.script import wind_up
from envs.sim.kernel.script_end import finish
from envs.sim.kernel.tech import finish_bound, finish_down_hurt
from envs.sim.kernel.transition import enter, stand_or_fall
from envs.sim.kernel.turns import animate_turn, animate_turn_run, finish_turn_run
from envs.sim.states import Kind


@kernel
def animate(me: Any, char: Any, stage: Any, common: Any) -> None:
    """One frame of the present state's animation, before this frame's input is read."""
    state = char.states[me.action]
    me.ticks += 1
    if state.kind == Kind.SMASH and holds_charge(me, char, common):
        return
    if state.kind == Kind.SPECIAL and wind_up(me, char):
        return
    if state.kind == Kind.BOUND:
        _strain(me, char)
        return
    if state.age_start >= 0.0:
        me.age += me.rate
        clock = me.age
    else:
        clock = float(me.ticks)
    if state.kind == Kind.TURN:
        animate_turn(me, char)
    elif state.kind == Kind.TURN_RUN:
        animate_turn_run(me, common)
    if state.turn_age > 0.0 and me.age - me.rate < state.turn_age <= me.age:
        me.facing = -me.facing
    if me.action == Action.DAMAGE_FLY_ROLL.value and me.hitstun <= 0.0:
        finish_damage(me, char, common)
    elif state.length > 0.0 and clock >= state.length:
        _finish(me, char, state, stage, common)


@kernel
def _strain(me: Any, char: Any) -> None:
    """A bound fighter is free once its time is over."""
    me.age += me.rate
    me.script_timer -= 1.0
    if me.script_timer <= 0.0:
        stand_or_fall(me, char)


@kernel
def _finish(me: Any, char: Any, state: Any, stage: Any, common: Any) -> None:
    kind = state.kind
    if kind == Kind.JUMP_SQUAT:
        jump(me, char, common)
    elif kind == Kind.TURN_RUN:
        finish_turn_run(me, char, common)
    elif kind == Kind.WALK:
        me.age -= state.length - state.age_start
    elif kind == Kind.LEDGE_OPTION:
        finish_ledge_option(me, char, stage)
    elif kind == Kind.LEDGE_JUMP:
        start_ledge_jump(me, char, state.next)
    elif kind == Kind.RAPID_JAB and me.script_flags:
        enter(me, char.states, me.action)
    elif kind == Kind.DAMAGE:
        finish_damage(me, char, common)
    elif kind == Kind.SPECIAL:
        finish(me, char)
    elif kind == Kind.REBOUND:
        start_rebound(me, char, common)
    elif kind == Kind.DODGE:
        me.ground_v = 0.0
        stand_or_fall(me, char)
    elif kind == Kind.GUARD_STUN:
        enter(me, char.states, Action.SHIELD.value)
    elif kind == Kind.DOWN_HURT:
        finish_down_hurt(me, char)
    elif kind == Kind.DOWN_BOUND and not me.airborne:
        finish_bound(me, char, common)
    elif state.next >= 0 and kind != Kind.DOWN_BOUND:
        enter(me, char.states, state.next)
    else:
        stand_or_fall(me, char)
