"""Moving against the stage: floors, edges, platforms and the stage's body."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.jit import kernel
from envs.sim.kernel import script
from envs.sim.kernel.ledge import FLOOR_GAP, ground_under
from envs.sim.kernel.tech import touch_down
from envs.sim.kernel.transition import enter, enter_landing, leave_ground, touch_ground
from envs.sim.layout import FEET_AGES
from envs.sim.states import Flag, Kind, Physics

EDGE_SLACK = 0.001
"""A root this far beyond an edge still stands on it, units: float rounding."""
WALL_GAP = 2.0333
"""Half width of the body against a wall, units: measured, recorded wall contacts."""
WALL_HEIGHT = 6.0
"""Height of the body's widest point over the root, units (approximate)."""
SIDE_DEPTH = 12.0
"""How far inside the stage's outline a fighter is pushed out sideways and not down, units."""


@kernel
def collide(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Keep a moved fighter on its floor, or let it land, or push it out of the stage's body."""
    physics = char.states[me.action].physics
    if physics == Physics.FROZEN or physics == Physics.HALO:
        return
    if me.airborne:
        _update_feet(me, char)
        if me.y + me.feet <= me.prev_y + me.prev_feet:
            _fall_onto(me, char, stage, common)
        below = max(me.y + me.feet, me.prev_y + me.prev_feet) < stage.ledge_y
        if me.airborne and below:
            _body(me, char, stage, common)
    else:
        _walk_on(me, char, stage)


@kernel
def _update_feet(me: Any, char: Any) -> None:
    if me.ecb_lock > 0:
        me.ecb_lock -= 1
        me.feet = 0.0
    else:
        me.feet = char.feet[char.states[me.action].feet_row, min(max(int(me.age), 0), FEET_AGES - 1)]


@kernel
def floor_height(line: Any, x: float) -> float:
    """Height of a floor line at x."""
    if line.y0 == line.y1:
        return line.y0
    return line.y0 + (line.y1 - line.y0) * (x - line.x0) / (line.x1 - line.x0)


@kernel
def _walk_on(me: Any, char: Any, stage: Any) -> None:
    line = stage.lines[me.line]
    if me.x > line.x1 and line.right >= 0:
        me.line = line.right
    elif me.x < line.x0 and line.left >= 0:
        me.line = line.left
    line = stage.lines[me.line]
    if line.x0 - EDGE_SLACK <= me.x <= line.x1 + EDGE_SLACK:
        me.y = floor_height(line, me.x) + FLOOR_GAP
        return
    edge = line.x1 if me.x > line.x1 else line.x0
    _over_the_edge(me, char, stage, edge, 1.0 if me.x > line.x1 else -1.0)


@kernel
def _over_the_edge(me: Any, char: Any, stage: Any, edge: float, side: float) -> None:
    state = char.states[me.action]
    teeters = state.flags & Flag.TEETER and me.facing == side
    if teeters or state.flags & Flag.STAYS:
        me.x = edge
        me.y = floor_height(stage.lines[me.line], edge) + FLOOR_GAP
        me.ground_v, me.vx, me.ground_kb = 0.0, 0.0, 0.0
        if teeters:
            enter(me, char.states, Action.EDGE_TEETERING_START.value)
        return
    speed = me.vx
    leave_ground(me, char)
    me.vx = speed
    me.ecb_lock = 0
    if state.kind == Kind.SPECIAL:
        script.leave_floor(me, char)
    elif state.kind != Kind.DAMAGE or me.hitstun <= 0.0:
        enter(me, char.states, Action.FALLING.value)


@kernel
def _floor_crossed(me: Any, stage: Any, before: float, now: float, passing: bool) -> int:
    """The highest floor line between two heights of the feet at the fighter's x, -1 for none.

    `passing`: platforms do not hold.
    """
    best = -1
    best_height = -1e9
    for row in range(stage.lines_used):
        line = stage.lines[row]
        if me.x < line.x0 or me.x > line.x1:
            continue
        if line.platform and (passing or row == me.drop_line):
            continue
        height = floor_height(line, me.x)
        if before >= height and now <= height and height > best_height:
            best, best_height = row, height
    return best


@kernel
def _fall_onto(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Land on the highest floor that the feet crossed this frame."""
    passing = bool(char.states[me.action].flags & Flag.PASS) and me.stick_y <= -common.platform_drop
    line = _floor_crossed(me, stage, me.prev_y + me.prev_feet, me.y + me.feet, passing)
    if line >= 0:
        me.y = floor_height(stage.lines[line], me.x) + FLOOR_GAP
        land(me, char, common, line)


@kernel
def rest_on_floor(me: Any, stage: Any, before_y: float) -> None:
    """A frozen fighter that shifts itself down from `before_y` stops on the floor; it lands once it is free."""
    if me.airborne and me.y < before_y:
        line = _floor_crossed(me, stage, before_y + me.feet, me.y + me.feet, False)
        if line >= 0:
            me.y = floor_height(stage.lines[line], me.x) + FLOOR_GAP


@kernel
def land(me: Any, char: Any, common: Any, line: int) -> None:
    """Touch the ground in the landing state that the present state asks for."""
    state = char.states[me.action]
    states = char.states
    age = me.age
    touch_ground(me, char, line)
    if state.kind == Kind.DAMAGE or state.kind == Kind.TUMBLE or state.kind == Kind.DOWN_BOUND:
        touch_down(me, char, common)
        return
    if state.kind == Kind.SPECIAL:
        script.touch_down(me, char)
        return
    if state.kind == Kind.SPECIAL_FALL or me.action == Action.AIRDODGE.value:
        lag = me.landing_lag if me.landing_lag > 0.0 else common.special_fall_lag
        enter_landing(me, states, state.landing, lag)
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


@kernel
def _outline(stage: Any, y: float) -> float:
    """Half width of the stage's body at a height below the ledge; 0 under it."""
    if y >= stage.lip_y:
        share = (stage.ledge_y - y) / (stage.ledge_y - stage.lip_y)
        return stage.ledge_x + (stage.lip_x - stage.ledge_x) * share
    if y >= stage.body_y:
        share = (stage.lip_y - y) / (stage.lip_y - stage.body_y)
        return stage.lip_x + (stage.body_x - stage.lip_x) * share
    return 0.0


@kernel
def _body(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Push a fighter beside or below the stage out of its body; one that got inside from above stands on it."""
    middle = me.y + WALL_HEIGHT
    width = _outline(stage, min(middle, stage.ledge_y))
    if width == 0.0 or abs(me.x) >= width + WALL_GAP:
        return
    side = 1.0 if me.x > 0.0 else -1.0
    if abs(me.x) >= width - SIDE_DEPTH:
        me.x = side * (width + WALL_GAP)
    elif me.prev_y + WALL_HEIGHT <= stage.body_y:
        me.y = stage.body_y - WALL_HEIGHT
        me.vy = min(me.vy, 0.0)
        me.kb_y = min(me.kb_y, 0.0)
    elif me.vy <= 0.0:
        me.y = stage.ledge_y + FLOOR_GAP
        land(me, char, common, ground_under(stage, me.x, me.line))
