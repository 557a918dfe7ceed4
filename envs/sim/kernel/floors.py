"""Floor lines of a stage: where they are this frame and which one a fighter meets."""

from __future__ import annotations

from typing import Any

from envs.sim.jit import kernel
from envs.sim.stages import FLOOR_GAP

_TINY = 1e-9


@kernel
def shift_x(game: Any, line: Any) -> float:
    """What this frame's place of a moving line adds to the x of its ends; 0 for others."""
    return game.lifts[line.lift].x if line.lift >= 0 else 0.0


@kernel
def height_between(x0: float, y0: float, x1: float, y1: float, x: float) -> float:
    """Height at x of the line through two points; the mirrored line gives the same to the last bit."""
    if y0 == y1:
        return y0
    return (y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)


@kernel
def slope_height(line: Any, x: float) -> float:
    """Height at x of a floor line that does not move."""
    return height_between(line.x0, line.y0, line.x1, line.y1, x)


@kernel
def floor_height(game: Any, line: Any, x: float) -> float:
    """Height of a floor line at x, this frame; beyond an end that of the end."""
    if line.lift >= 0:
        return line.y0 + game.lifts[line.lift].y
    return slope_height(line, min(max(x, line.x0), line.x1))


@kernel
def crossed(game: Any, stage: Any, me: Any, before: float, now: float, passing: bool) -> int:
    """The highest floor line between the feet's heights a frame ago and now, -1 for none.

    The feet went straight from (prev_x, before) to (x, now). `passing`: platforms do not hold.
    """
    best = -1
    best_height = -1e9
    for row in range(stage.lines_used):
        line = stage.lines[row]
        if line.platform and (passing or row == me.drop_line):
            continue
        if line.lift >= 0:
            if not game.lifts[line.lift].solid:
                continue
            over = before - (line.y0 + game.lifts[line.lift].y - game.lifts[line.lift].dy)
        else:
            over = before - slope_height(line, me.prev_x)
        under = floor_height(game, line, me.x) - now
        if over < -FLOOR_GAP or under < 0.0:
            continue
        x = me.x - (me.x - me.prev_x) * under / (over + under + _TINY) - shift_x(game, line)
        if line.x0 <= x <= line.x1 and floor_height(game, line, me.x) > best_height:
            best, best_height = row, floor_height(game, line, me.x)
    return best


@kernel
def ground_under(stage: Any, x: float, otherwise: int) -> int:
    """The ground line, no platform, at x; `otherwise` beyond the stage."""
    for row in range(stage.grounds_used):
        line = stage.lines[row]
        if line.x0 <= x <= line.x1:
            return row
    return otherwise
