"""Walls and ceilings: keeping a fighter's collision diamond out of the stage's body.

The diamond of a fighter stands on its feet, reaches up to its top and out to both sides half way between. A wall
pushes it straight sideways, a ceiling straight down, by as much as it reaches in (decompiled game, public).
"""

from __future__ import annotations

import math
from typing import Any

from envs.sim.jit import kernel
from envs.sim.kernel.floors import height_between
from envs.sim.stage_layout import SIDE_AGES

_TINY = 1e-9
_INSIDE = 0.01
"""A root this far behind a wall a frame ago still counts as in front of it, units: float rounding."""


@kernel
def _reach(height: float, middle: float, half: float, side: float) -> float:
    """Half width of the diamond at a height."""
    return side * max(1.0 - abs(height - middle) / half, 0.0)


@kernel
def _wall_x(wall: Any, y: float) -> float:
    height = min(max(y, wall.y0), wall.y1)
    return wall.x0 + (wall.x1 - wall.x0) * (height - wall.y0) / (wall.y1 - wall.y0 + _TINY)


@kernel
def _depth(wall: Any, outward: float, x: float, bottom: float, top: float, side: float) -> float:
    """How far the diamond with its root at x reaches behind a wall, at the height where it reaches farthest."""
    low, high = max(bottom, wall.y0), min(top, wall.y1)
    if low > high:
        return 0.0
    middle, half = (bottom + top) / 2.0, (top - bottom) / 2.0 + _TINY
    edge = x * outward
    depth = _wall_x(wall, low) * outward - edge + _reach(low, middle, half, side)
    depth = max(depth, _wall_x(wall, high) * outward - edge + _reach(high, middle, half, side))
    if low < middle < high:
        depth = max(depth, _wall_x(wall, middle) * outward - edge + side)
    return depth


@kernel
def half_width(me: Any, char: Any) -> float:
    """Half width of a fighter's collision diamond."""
    age = min(max(int(me.age), 0), SIDE_AGES - 1)
    return char.walls.sides[char.walls.side_row[me.action], age]


@kernel
def _push_out(me: Any, char: Any, walls: Any, used: int, outward: float) -> None:
    """Push a fighter that was in front of the walls of one side back there."""
    bottom, top = me.y + me.feet, me.y + char.walls.top
    middle = me.prev_y + (me.prev_feet + char.walls.top) / 2.0
    side = half_width(me, char)
    deepest, touched = 0.0, -1
    for row in range(used):
        wall = walls[row]
        if (me.prev_x - _wall_x(wall, middle)) * outward >= -_INSIDE:
            depth = _depth(wall, outward, me.x, bottom, top, side)
            if depth > deepest:
                deepest, touched = depth, row
    if touched >= 0:
        wall = walls[touched]
        me.x += deepest * outward
        me.wall = int(outward)
        _face(me, wall.y1 - wall.y0, wall.x0 - wall.x1, outward)


@kernel
def _face(me: Any, x: float, y: float, outward: float) -> None:
    """Remember the normal of a touched line: (x, y) or its opposite, whichever `outward` says, at length 1."""
    length = math.hypot(x, y)
    me.normal_x, me.normal_y = x / length * outward, y / length * outward


@kernel
def _stop_at_ceiling(me: Any, char: Any, stage: Any) -> None:
    """Stop a rising head at the lowest ceiling that it went through."""
    for row in range(stage.ceilings_used):
        ceiling = stage.ceilings[row]
        if not ceiling.x0 <= me.x <= ceiling.x1:
            continue
        now = height_between(ceiling.x0, ceiling.y0, ceiling.x1, ceiling.y1, me.x)
        before = height_between(ceiling.x0, ceiling.y0, ceiling.x1, ceiling.y1, me.prev_x)
        top = char.walls.top
        if me.prev_y + top <= before + _INSIDE and me.y + top > now:
            me.y = now - top
            me.ceiling = 1
            _face(me, ceiling.y1 - ceiling.y0, ceiling.x0 - ceiling.x1, 1.0)


@kernel
def keep_out(me: Any, char: Any, stage: Any) -> None:
    """Push a moved fighter out of walls and ceilings; `wall` and `ceiling` tell what it touched."""
    me.wall = 0
    me.ceiling = 0
    if min(me.y + me.feet, me.prev_y + me.prev_feet) >= stage.walls_top:
        return
    _push_out(me, char, stage.right_walls, stage.right_walls_used, 1.0)
    if me.wall == 0:
        _push_out(me, char, stage.left_walls, stage.left_walls_used, -1.0)
    if me.y > me.prev_y:
        _stop_at_ceiling(me, char, stage)
