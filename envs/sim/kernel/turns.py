"""Turning round: the slow turn, the smash turn that becomes a dash, and the turn out of a run."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.kernel.transition import enter, stand_or_fall

SMASH = 1
WANTS_DASH = 2
"""Bits of `turn_dash`: the turn takes one frame; a tap during it asks for a dash at its end."""
JUST_TURNED = 1
"""Bit of `script_flags` in the frame in which a turn faces the other way."""
FLICK = 75.5 / 80.0
"""A stick moved this far within two frames turns a slow turn into a dash: UCF's 75 raw steps, recorded turns agree."""
STANDS = 0.01
"""A run counts as stopped below this speed, units per frame (decompiled game, public)."""


@kernel
def start_dash(me: Any, char: Any) -> None:
    """Enter Dash; its impulse acts after this frame's displacement and makes up for a speed the same way."""
    enter(me, char.states, Action.DASHING.value)
    me.tap_x = LONG_AGO
    me.dash_impulse = me.facing * char.dash_speed
    if me.ground_v * me.facing > 0.0:
        me.dash_impulse -= me.ground_v


@kernel
def start_turn(me: Any, char: Any, common: Any) -> None:
    """Enter Turn, away from the present facing; a tapped stick makes it a smash turn."""
    enter(me, char.states, Action.TURNING.value)
    me.turn_facing = -me.facing
    me.turn_from = me.prev_stick_x
    tapped = abs(me.stick_x) >= common.dash and me.tap_x < common.dash_window
    me.turn_dash = SMASH | WANTS_DASH if tapped else 0


@kernel
def animate_turn(me: Any, char: Any) -> None:
    """A smash turn faces the other way on its second frame, a slow one after `turn_frames`."""
    if me.facing != me.turn_facing and (me.turn_dash & SMASH or me.age > char.turn_frames):
        me.facing = me.turn_facing
        me.script_flags = JUST_TURNED


@kernel
def continue_turn(me: Any, char: Any, common: Any) -> None:
    """A dash starts when the turn is made, if it was asked for, or at once when the stick is flicked."""
    ahead = me.stick_x * me.turn_facing
    if ahead >= common.dash and me.tap_x < common.dash_window:
        me.turn_dash |= WANTS_DASH
    made = me.script_flags & JUST_TURNED and me.turn_dash & WANTS_DASH
    me.script_flags = 0
    flicked = me.ticks == 1 and (me.stick_x - me.turn_from) * me.turn_facing >= FLICK
    if ahead >= common.dash and (made or flicked):
        me.facing = me.turn_facing
        start_dash(me, char)


@kernel
def start_turn_run(me: Any, char: Any, age: float) -> None:
    """Turn out of a run, or out of its brake at the age that the brake had."""
    enter(me, char.states, Action.TURNING_RUN.value)
    me.age = age
    me.turn_facing = -me.facing


@kernel
def animate_turn_run(me: Any, common: Any) -> None:
    """The animation waits half-way until the run has been stopped; then it faces the other way."""
    if me.facing == me.turn_facing or me.age < common.turn_run_waits:
        return
    if me.rate > 0.0:
        me.rate = 0.0
    elif me.ground_v * me.facing <= STANDS:
        me.facing = me.turn_facing
        me.rate = 1.0


@kernel
def finish_turn_run(me: Any, char: Any, common: Any) -> None:
    """Run on the new way if the stick is held, else stand."""
    if me.stick_x * me.facing >= common.run:
        enter(me, char.states, Action.RUNNING.value)
    else:
        stand_or_fall(me, char)
