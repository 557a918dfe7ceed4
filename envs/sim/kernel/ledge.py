"""Catching a ledge, hanging from it and getting up."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.game import Button
from envs.sim.jit import kernel
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
    if me.vy >= 0.0 or me.ledge_cooldown > 0 or me.stick_y <= -common.ledge_drop:
        return False
    side = RIGHT if me.x > 0.0 else LEFT
    outward = 1.0 if side == RIGHT else -1.0
    gap_x = me.x * outward - stage.ledge_x
    gap_y = stage.ledge_y - me.y
    if gap_x < 0.0 or gap_x > char.ledge_x or gap_y < char.ledge_below or gap_y > char.ledge_y:
        return False
    behind = char.states[me.action].flags & Flag.LEDGE_BEHIND
    if (me.facing == outward and not behind) or foe.ledge == side:
        return False
    _hang_on(me, char, stage, side, outward)
    return True


@kernel
def _hang_on(me: Any, char: Any, stage: Any, side: int, outward: float) -> None:
    me.ledge = side
    me.facing = -outward
    me.jumps_left = char.jumps
    me.fast_fall = 0
    me.vx, me.vy, me.kb_x, me.kb_y = 0.0, 0.0, 0.0, 0.0
    me.ledge_timer = 0
    me.intangible = LEDGE_INTANGIBLE_FRAMES
    enter(me, char.states, Action.EDGE_CATCHING.value)
    place(me, char, stage)


@kernel
def place(me: Any, char: Any, stage: Any) -> None:
    """Root of a fighter at the ledge: its animation's offset from the ledge, which ends as the last."""
    state = char.states[me.action]
    ledge_x = stage.ledge_x if me.ledge == RIGHT else -stage.ledge_x
    row = state.locomotion + min(int(me.age), state.locomotion_last)
    x = ledge_x + char.locomotion[row, 0] * me.facing
    me.y = stage.ledge_y + char.locomotion[row, 1]
    if me.y >= stage.ledge_y - FLOOR_GAP and state.kind == Kind.LEDGE_OPTION:
        me.airborne = 0
        me.ground_v = x - me.x
        me.line = ground_under(stage, x, 0 if me.ledge == LEFT else stage.grounds_used - 1)
        me.y = slope_height(stage.lines[me.line], x) + FLOOR_GAP
    me.x = x


@kernel
def ledge_input(me: Any, char: Any, common: Any) -> None:
    """Hanging: drop, climb, attack, roll or jump."""
    me.ledge_timer += 1
    states = char.states
    hurt = me.percent >= common.ledge_hurt_percent
    outward = -me.stick_x * me.facing
    tired = common.ledge_hang_hurt if hurt else common.ledge_hang
    tapped = me.tap_x == 0 or me.tap_y == 0
    if jump_pressed(me, common):
        enter(me, states, Action.EDGE_JUMP_1_SLOW.value if hurt else Action.EDGE_JUMP_1_QUICK.value)
    elif me.pressed & (Button.A.value | Button.B.value):
        enter(me, states, Action.EDGE_ATTACK_SLOW.value if hurt else Action.EDGE_ATTACK_QUICK.value)
    elif me.pressed & TRIGGERS:
        enter(me, states, Action.EDGE_ROLL_SLOW.value if hurt else Action.EDGE_ROLL_QUICK.value)
    elif me.ledge_timer >= tired or (tapped and (outward >= common.ledge_option or me.stick_y <= -common.ledge_option)):
        let_go(me, common)
        enter(me, states, Action.FALLING.value)
    elif tapped and (outward <= -common.ledge_option or me.stick_y >= common.ledge_option):
        enter(me, states, Action.EDGE_GETUP_SLOW.value if hurt else Action.EDGE_GETUP_QUICK.value)


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
