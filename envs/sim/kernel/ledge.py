"""Catching a ledge, hanging from it and getting up."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.game import Button
from envs.sim.jit import kernel
from envs.sim.kernel.attacks import TILT_SLOPE
from envs.sim.kernel.floors import ground_under, slope_height
from envs.sim.kernel.inputs import TRIGGERS, jump_pressed
from envs.sim.kernel.transition import enter
from envs.sim.stages import FLOOR_GAP
from envs.sim.states import Flag, Kind

LEFT, RIGHT = 0, 1
LEDGE_INTANGIBLE_FRAMES = 37
"""Frames from catching a ledge on: measured, recorded hurtbox states."""


@kernel
def try_catch(me: Any, foe: Any, char: Any, stage: Any, common: Any) -> bool:
    """Catch the ledge that the fighter falls past, facing it as most states must, unless the foe hangs there."""
    if me.y >= me.prev_y or me.ledge_cooldown > 0 or me.stick_y <= -common.ledge_drop:
        return False
    side = RIGHT if me.x > 0.0 else LEFT
    outward = 1.0 if side == RIGHT else -1.0
    if not _in_reach(me, char, stage, outward):
        return False
    behind = char.states[me.action].flags & Flag.LEDGE_BEHIND
    if (me.facing == outward and not behind) or foe.ledge == side:
        return False
    _hang_on(me, char, stage, side, outward)
    return True


@kernel
def _in_reach(me: Any, char: Any, stage: Any, outward: float) -> bool:
    """Whether the box that catches a ledge, swept from where the fighter was, meets the floor at the ledge.

    A floor that slopes down to its ledge is reached from its higher end on: measured, Yoshi's Story.
    """
    gap = me.x * outward - stage.ledge_x
    nearest = min(gap, me.prev_x * outward - stage.ledge_x)
    if gap < 0.0 or nearest > char.ledge_x or me.y + me.feet >= stage.ledge_y:
        return False
    line = stage.lines[stage.grounds_used - 1 if outward > 0.0 else 0]
    return max(line.y0, line.y1) - me.y >= char.ledge_below and stage.ledge_y - me.prev_y <= char.ledge_y


@kernel
def _hang_on(me: Any, char: Any, stage: Any, side: int, outward: float) -> None:
    me.ledge = side
    me.facing = -outward
    me.jumps_left = char.jumps
    me.fast_fall = 0
    me.vx, me.vy, me.kb_x, me.kb_y = 0.0, 0.0, 0.0, 0.0
    me.ledge_timer = 0
    me.ledge_free = 0
    me.intangible = LEDGE_INTANGIBLE_FRAMES
    enter(me, char.states, Action.EDGE_CATCHING.value)
    place(me, char, stage)


@kernel
def place(me: Any, char: Any, stage: Any) -> None:
    """Root of a fighter at the ledge: its animation's offset from the ledge; once on the floor, its way along that."""
    state = char.states[me.action]
    ledge_x = stage.ledge_x if me.ledge == RIGHT else -stage.ledge_x
    frame = min(int(me.age), state.locomotion_last)
    row = state.locomotion + frame
    x = ledge_x + char.locomotion[row, 0] * me.facing
    if not me.airborne and frame > 0:
        step = char.locomotion[row, 0] - char.locomotion[row - 1, 0]
        x = me.x + step * me.facing * stage.lines[me.line].along
    me.y = stage.ledge_y + char.locomotion[row, 1]
    if me.y >= stage.ledge_y - FLOOR_GAP and state.kind == Kind.LEDGE_OPTION:
        me.airborne = 0
        me.ground_v = x - me.x
        me.line = ground_under(stage, x, 0 if me.ledge == LEFT else stage.grounds_used - 1)
        me.y = slope_height(stage.lines[me.line], x) + FLOOR_GAP
    me.x = x


@kernel
def ledge_input(me: Any, char: Any, common: Any) -> None:
    """Hanging: attack, roll, jump, climb or drop; after too long a time the fighter slips off."""
    me.ledge_timer += 1
    states = char.states
    hurt = me.percent >= common.ledge_hurt_percent
    if me.pressed & (Button.A.value | Button.B.value):
        enter(me, states, Action.EDGE_ATTACK_SLOW.value if hurt else Action.EDGE_ATTACK_QUICK.value)
    elif me.pressed & TRIGGERS:
        enter(me, states, Action.EDGE_ROLL_SLOW.value if hurt else Action.EDGE_ROLL_QUICK.value)
    elif jump_pressed(me, common):
        enter(me, states, Action.EDGE_JUMP_1_SLOW.value if hurt else Action.EDGE_JUMP_1_QUICK.value)
    elif _climbs(me, common):
        enter(me, states, Action.EDGE_GETUP_SLOW.value if hurt else Action.EDGE_GETUP_QUICK.value)
    elif _drops(me, common):
        let_go(me, common)
        enter(me, states, Action.FALLING.value)
    elif me.ledge_timer > (common.ledge_hang_hurt if hurt else common.ledge_hang):
        let_go(me, common)
        enter(me, states, Action.TUMBLING.value)
    elif not _deflected(me.stick_x, me.stick_y, common) and not _deflected(me.c_x, me.c_y, common):
        me.ledge_free = 1


@kernel
def _deflected(x: float, y: float, common: Any) -> bool:
    return max(abs(x), abs(y)) >= common.ledge_option


@kernel
def _points_up(me: Any, x: float, y: float) -> bool:
    """Up, or level and towards the stage."""
    steep = abs(x) * TILT_SLOPE
    return y > steep or (y > -steep and x * me.facing >= 0.0)


@kernel
def _climbs(me: Any, common: Any) -> bool:
    """Only a stick that has rested since the fighter hangs counts."""
    moved = _deflected(me.stick_x, me.stick_y, common)
    return me.ledge_free != 0 and moved and _points_up(me, me.stick_x, me.stick_y)


@kernel
def _drops(me: Any, common: Any) -> bool:
    if me.ledge_free == 0:
        return False
    if _deflected(me.stick_x, me.stick_y, common):
        return not _points_up(me, me.stick_x, me.stick_y)
    return _deflected(me.c_x, me.c_y, common) and not _points_up(me, me.c_x, me.c_y)


@kernel
def let_go(me: Any, common: Any) -> None:
    """No longer at the ledge, which cannot be caught again for a while."""
    me.ledge = -1
    me.ledge_cooldown = int(common.ledge_regrab)
    me.vx, me.vy = 0.0, 0.0


@kernel
def finish_ledge_option(me: Any, char: Any, stage: Any) -> None:
    """End of a getup: stand on the stage at the ledge's end of it."""
    me.line = ground_under(stage, me.x, 0 if me.ledge == LEFT else stage.grounds_used - 1)
    me.ledge = -1
    me.airborne = 0
    me.jumps_left = char.jumps + 1
    me.y = slope_height(stage.lines[me.line], me.x) + FLOOR_GAP
    me.vx, me.vy, me.ground_v = 0.0, 0.0, 0.0
    enter(me, char.states, Action.STANDING.value)


@kernel
def start_ledge_jump(me: Any, char: Any, action: int) -> None:
    """Second half of a ledge jump: in the air, over the stage."""
    me.ledge = -1
    enter(me, char.states, action)
    me.vx = me.facing * char.ledge_jump_x
    me.vy = char.ledge_jump_y
    me.jumps_left = char.jumps
