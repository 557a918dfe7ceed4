"""What meeting a wall or a ceiling does: techs, rebounds, wall jumps, bumped heads.

envs.sim.kernel.walls has pushed the fighter out and left in `wall`, `ceiling` and `normal_x, normal_y` what it
touched. The rules are the game's (decompiled, public).
"""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.sim.combat_layout import FIRST_FLY, FLY_STATES
from envs.sim.jit import kernel
from envs.sim.kernel.inputs import LONG_AGO, jump_pressed
from envs.sim.kernel.transition import enter
from envs.sim.kernel.walls import half_width
from envs.sim.states import Flag, Kind

_WALL_TECH: Final = int(Action.WALL_TECH.value)
_WALL_JUMP: Final = int(Action.WALL_TECH_JUMP.value)
_CEILING_TECH: Final = int(Action.CEILING_TECH.value)
_BOUNCE_WALL: Final = int(Action.BOUNCE_WALL.value)
_BOUNCE_CEILING: Final = int(Action.BOUNCE_CEILING.value)
_BUMP: Final = int(Action.BUMP_CIELING.value)
_FIRST_JUMP: Final = int(Action.JUMPING_FORWARD.value)
_LAST_JUMP: Final = int(Action.JUMPING_ARIAL_BACKWARD.value)


@kernel
def meet(me: Any, char: Any, common: Any) -> None:
    """Let a fighter in the air answer to the wall or ceiling that it has just touched."""
    if me.wall == 0 and me.ceiling == 0:
        return
    state = char.states[me.action]
    if _is_launched(me.action):
        if not tech(me, char, common):
            _rebound(me, char, common)
    elif me.ceiling and _FIRST_JUMP <= me.action <= _LAST_JUMP:
        enter(me, char.states, _BUMP)
        me.vy = 0.0
    elif me.wall != 0 and state.flags & Flag.LEDGE_GRAB and _may_wall_jump(me, char, state, common):
        _cling(me, char, common, _WALL_JUMP)


@kernel
def _is_launched(action: int) -> bool:
    fly = FIRST_FLY <= action < FIRST_FLY + FLY_STATES
    return fly or action in (_BOUNCE_WALL, _BOUNCE_CEILING)


@kernel
def tech(me: Any, char: Any, common: Any) -> bool:
    """Tech the wall or the ceiling, if a launched fighter touches one within its tech window; hitlag allows it too."""
    if me.tech_buffer <= 0 or not _is_launched(me.action):
        return False
    if me.wall != 0:
        jumps = me.stick_y >= common.tap_jump or jump_pressed(me, common) != 0
        _cling(me, char, common, _WALL_JUMP if jumps else _WALL_TECH)
        return True
    if me.ceiling:
        me.y += char.walls.top - char.walls.ceiling_gap
        _stop(me, common)
        enter(me, char.states, _CEILING_TECH)
        return True
    return False


@kernel
def _stop(me: Any, common: Any) -> None:
    """What every tech off the ground ends: speed, hitstun, the tech window."""
    me.vx, me.vy, me.kb_x, me.kb_y = 0.0, 0.0, 0.0, 0.0
    me.hitstun = 0.0
    me.in_tumble, me.di_pending = 0, 0
    me.fast_fall = 0
    me.tech_buffer = 0
    me.intangible = int(common.tech_intangible)


@kernel
def _cling(me: Any, char: Any, common: Any, action: int) -> None:
    """Hold on to the touched wall, facing away from it."""
    gap = char.walls.jump_gap if action == _WALL_JUMP else char.walls.tech_gap
    me.x += (gap - half_width(me, char)) * me.wall
    me.facing = float(me.wall)
    me.tap_x, me.tap_y = LONG_AGO, LONG_AGO
    _stop(me, common)
    enter(me, char.states, action)
    me.rate = 0.0


@kernel
def _may_wall_jump(me: Any, char: Any, state: Any, common: Any) -> bool:
    """Whether the stick has just been tapped away from the wall in a state that lets go of nothing for it."""
    kind = state.kind
    free = kind == Kind.AIR or kind == Kind.TUMBLE or kind == Kind.PLATFORM_DROP or kind == Kind.CLING
    tapped = me.stick_x * me.wall >= common.wall_jump_stick and me.tap_x < common.wall_jump_tap
    return bool(char.walls.can_wall_jump) and free and tapped


@kernel
def hold_on(me: Any, char: Any, common: Any) -> bool:
    """Input of a fighter on a wall: True while it holds on. A jump asked for meanwhile makes a tech one that jumps."""
    if me.ticks < common.cling:
        if jump_pressed(me, common) != 0 or me.stick_y >= common.tap_jump:
            me.script_flags = 1
        return True
    if me.ticks == common.cling:
        if me.script_flags and me.action == _WALL_TECH:
            ticks = me.ticks
            enter(me, char.states, _WALL_JUMP)
            me.ticks = ticks
        me.rate = 1.0
        jumps = me.action == _WALL_JUMP
        me.vx = me.facing * (char.walls.jump_x if jumps else char.walls.tech_x)
        me.vy = char.walls.jump_y if jumps else 0.0
    return False


@kernel
def _rebound(me: Any, char: Any, common: Any) -> None:
    """A launch into a wall or ceiling that is not teched is thrown back, but not twice in a row by the same kind."""
    into_wall = me.wall != 0 and -me.kb_x * me.wall > common.bounce_speed and me.action != _BOUNCE_WALL
    into_ceiling = me.ceiling and me.kb_y > common.bounce_speed and me.action != _BOUNCE_CEILING
    if not into_wall and not into_ceiling:
        return
    x, y = me.vx + me.kb_x, me.vy + me.kb_y
    across = 2.0 * (x * me.normal_x + y * me.normal_y)
    me.kb_x = (x - across * me.normal_x) * common.bounce_keep
    me.kb_y = (y - across * me.normal_y) * common.bounce_keep
    me.vx, me.vy = 0.0, 0.0
    if into_wall:
        me.x += (char.walls.bounce_gap - half_width(me, char)) * me.wall
    me.facing = -1.0 if me.kb_x < 0.0 else 1.0
    enter(me, char.states, _BOUNCE_WALL if into_wall else _BOUNCE_CEILING)
    me.intangible = int(common.bounce_intangible)
