"""Moving against the stage: floors, edges, platforms; envs.sim.kernel.walls keeps a fighter out of its body."""

from __future__ import annotations

import math
from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel import script_end, surfaces
from envs.sim.kernel.floors import crossed, floor_height, shift_x
from envs.sim.kernel.tech import touch_down
from envs.sim.kernel.transition import ECB_LOCK_FRAMES, clamp_drift, enter, enter_landing, leave_ground, touch_ground
from envs.sim.kernel.walls import keep_out
from envs.sim.layout import FEET_AGES
from envs.sim.stages import FLOOR_GAP
from envs.sim.states import Flag, Kind, Physics

EDGE_SLACK = 0.1
"""A root this far beyond an edge still stands on it, units (decompiled game, public)."""


@kernel
def collide(game: Any, me: Any, char: Any, stage: Any, common: Any) -> None:
    """Keep a moved fighter on its floor, or let it land, or push it out of the stage's body."""
    physics = char.states[me.action].physics
    me.wall, me.ceiling = 0, 0
    if physics == Physics.FROZEN or physics == Physics.HALO or physics == Physics.HELD:
        return
    if physics == Physics.CLING and me.ticks < common.cling:
        return
    if me.airborne:
        _update_feet(me, char)
        keep_out(me, char, stage)
        if (me.wall != 0 or me.ceiling) and char.states[me.action].kind == Kind.SPECIAL:
            script_end.bump(me, char)
        _fall_onto(game, me, char, stage, common)
        if me.airborne:
            surfaces.meet(me, char, common)
    else:
        _walk_on(game, me, char, stage, common)


@kernel
def _update_feet(me: Any, char: Any) -> None:
    """Feet of the present animation, or as they were when the lock began."""
    if me.ecb_lock > 0:
        me.ecb_lock -= 1
    if me.ecb_lock == 0:
        me.feet = char.feet[char.states[me.action].feet_row, min(max(int(me.age), 0), FEET_AGES - 1)]


@kernel
def _walk_on(game: Any, me: Any, char: Any, stage: Any, common: Any) -> None:
    line = stage.lines[me.line]
    if line.lift >= 0:
        me.x += game.lifts[line.lift].dx
        keep_out(me, char, stage)
        if not game.lifts[line.lift].solid:
            _fall_off(me, char, False)
            return
        if me.wall * me.facing < 0.0 and abs(me.ground_v) > char.walk_max:
            me.ground_v = 0.0
            enter(me, char.states, Action.BUMP_WALL.value)
    while me.x > line.x1 and line.right >= 0:
        me.line = line.right
        line = stage.lines[me.line]
    while me.x < line.x0 and line.left >= 0:
        me.line = line.left
        line = stage.lines[me.line]
    left, right = line.x0 + shift_x(game, line), line.x1 + shift_x(game, line)
    if left - EDGE_SLACK <= me.x <= right + EDGE_SLACK:
        me.y = floor_height(game, line, me.x) + FLOOR_GAP
    elif me.x > right:
        _over_the_edge(game, me, char, stage, common, right, 1.0)
    else:
        _over_the_edge(game, me, char, stage, common, left, -1.0)


@kernel
def _over_the_edge(game: Any, me: Any, char: Any, stage: Any, common: Any, edge: float, side: float) -> None:
    """Stop at an edge, teeter on it or leave it; `side` is -1 at a left edge, +1 at a right one.

    A moving floor leaves behind whoever a wall holds back.
    """
    flags = char.states[me.action].flags
    teeters = flags & Flag.TEETER and me.facing == side
    pushed_back = me.push * me.facing < 0.0
    if me.wall != 0:
        _fall_off(me, char, False)
    elif flags & Flag.STAYS or (flags & Flag.TEETER and pushed_back):
        _stand_at(game, me, stage, edge)
    elif teeters and me.stick_x * side < common.teeter_leave:
        _stand_at(game, me, stage, edge)
        me.ground_v, me.vx = 0.0, 0.0
        enter(me, char.states, Action.EDGE_TEETERING_START.value)
    else:
        _fall_off(me, char, flags & Flag.MISSES_FOOT and me.facing == -side)


@kernel
def _stand_at(game: Any, me: Any, stage: Any, edge: float) -> None:
    me.x = edge
    me.y = floor_height(game, stage.lines[me.line], edge) + FLOOR_GAP


@kernel
def _fall_off(me: Any, char: Any, backwards: bool) -> None:
    """No floor under the feet any more; hitstun goes on in the air."""
    state = char.states[me.action]
    speed_x, speed_y = me.vx, me.vy
    leave_ground(me, char)
    me.vx, me.vy = speed_x, speed_y
    if state.kind == Kind.SPECIAL:
        script_end.leave_floor(me, char)
    elif backwards:
        me.kb_y = 0.0
        enter(me, char.states, Action.SLIDING_OFF_EDGE.value)
        clamp_drift(me, char)
    elif state.kind != Kind.DAMAGE:
        enter(me, char.states, Action.FALLING.value)
        clamp_drift(me, char)


@kernel
def _fall_onto(game: Any, me: Any, char: Any, stage: Any, common: Any) -> None:
    """Land on the highest floor that the feet crossed this frame."""
    passing = bool(char.states[me.action].flags & Flag.PASS) and me.stick_y <= -common.platform_drop
    line = crossed(game, stage, me, me.prev_y + me.prev_feet, me.y + me.feet, passing)
    if line >= 0:
        if me.action == Action.AIRDODGE.value and me.ticks == 0 and me.ecb_lock == ECB_LOCK_FRAMES - 1:
            me.x -= (me.x - me.prev_x) * char.dodge_cut
        me.y = floor_height(game, stage.lines[line], me.x) + FLOOR_GAP
        land(me, char, common, line)


@kernel
def hold_frozen(game: Any, me: Any, char: Any, stage: Any, common: Any, before_y: float) -> None:
    """A frozen fighter rides on. One that shifts itself from `before_y` stops on a floor, and techs walls."""
    if not me.airborne:
        line = stage.lines[me.line]
        if line.lift >= 0:
            me.x += game.lifts[line.lift].dx
            me.y = floor_height(game, line, me.x) + FLOOR_GAP
        return
    if me.di_pending:
        keep_out(me, char, stage)
        if surfaces.tech(me, char, common):
            return
    if me.y < before_y:
        line = crossed(game, stage, me, before_y + me.feet, me.y + me.feet, False)
        if line >= 0:
            me.y = floor_height(game, stage.lines[line], me.x) + FLOOR_GAP


@kernel
def land(me: Any, char: Any, common: Any, line: int) -> None:
    """Touch the ground in the landing state that the present state asks for."""
    state = char.states[me.action]
    states = char.states
    if state.kind == Kind.SPECIAL and script_end.skids(me, char):
        me.line = line
        return
    age = me.age
    flight = math.hypot(me.kb_x, me.kb_y)
    touch_ground(me, char, line)
    if state.kind == Kind.DAMAGE or state.kind == Kind.TUMBLE:
        touch_down(me, char, common, flight)
        return
    if state.kind == Kind.DOWN_HURT:
        return
    if state.kind == Kind.SPECIAL:
        script_end.touch_down(me, char, common)
        return
    if state.kind == Kind.SHIELD_BREAK:
        enter(me, states, state.landing)
        return
    if me.vy > -common.soft_landing and (state.kind == Kind.SPECIAL_FALL or state.landing < 0):
        enter(me, states, Action.STANDING.value)
        return
    if state.kind == Kind.SPECIAL_FALL or me.action == Action.AIRDODGE.value:
        lag = me.landing_lag if me.landing_lag > 0.0 else common.special_fall_lag
        interruptible = me.open_landing if state.kind == Kind.SPECIAL_FALL else 0
        enter_landing(me, states, state.landing, lag)
        me.open_landing = interruptible
        return
    lag = states[state.landing].landing_lag if state.landing >= 0 else 0.0
    if lag == 0.0 or age < state.autocancel_before or age >= state.autocancel_after:
        enter_landing(me, states, Action.LANDING.value, 0.0)
        return
    if me.guard_tap < common.l_cancel_window:
        me.l_cancel = 1
        lag = float(int(lag / common.l_cancel_divisor))
    else:
        me.l_cancel = 2
    enter_landing(me, states, state.landing, lag)
