"""Writing a game's state as a FRAME record, as a replay would record it."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.sim.hold_layout import HELD
from envs.sim.jit import kernel
from envs.sim.stage_layout import Motion
from envs.sim.states import Flag, Physics

RAW_STICK = 80.0
"""Raw stick value of a full deflection."""
REFLECTING, FAST_FALLING, IN_HITLAG, SHIELDING, IN_HITSTUN, DEAD = 0x10, 0x08, 0x20, 0x80, 0x02, 0x10
"""Bits of Slippi's five state-flag bytes: bytes 0, 1, 1, 2, 3 and 4 (replay file specification)."""
NO_GROUND = 65535
"""Slippi's ground id of a fighter that has stood nowhere yet."""
WIND_LEFT, WIND_RIGHT = 1, 2
_FOUNTAIN, _WIND = int(Motion.FOUNTAIN), int(Motion.WIND)
HURT, INVINCIBLE, INTANGIBLE = 0, 1, 2
FACE_UP, FACE_DOWN = Action.TECH_MISS_UP.value, Action.TECH_MISS_DOWN.value


@kernel
def _flags(me: Any, state: Any, out: Any) -> None:
    out.state_flags[0] = REFLECTING if me.reflecting else 0
    out.state_flags[1] = (FAST_FALLING if me.fast_fall else 0) | (IN_HITLAG if me.hitlag > 0.0 else 0)
    out.state_flags[2] = SHIELDING if state.flags & Flag.SHIELDED else 0
    out.state_flags[3] = IN_HITSTUN if me.hitstun > 0.0 else 0
    out.state_flags[4] = DEAD if me.stocks <= 0 else 0


@kernel
def is_lifted(me: Any, char: Any) -> bool:
    """Whether a knockdown's animation has lifted the body off its floor, which then slides as in the air."""
    if me.action != FACE_UP and me.action != FACE_DOWN:
        return False
    side = 0 if me.action == FACE_UP else 1
    return char.combat.lift_age[side] <= me.age < char.combat.lift_end[side]


@kernel
def hurtbox_state(me: Any, state: Any) -> int:
    """0 vulnerable, 1 invincible, 2 intangible."""
    if me.intangible > 0 or state.intangible_from <= me.age <= state.intangible_to:
        return INTANGIBLE
    return INVINCIBLE if me.invincible > 0 else HURT


@kernel
def _player(me: Any, char: Any, stage: Any, out: Any) -> None:
    state = char.states[me.action]
    out.action = me.action
    out.state_age = me.age
    out.x = me.x
    out.y = me.y
    out.facing = me.facing
    out.percent = me.percent
    out.shield = me.shield
    out.stocks = me.stocks
    out.last_attack = me.last_attack
    out.combo_count = me.combo_count
    out.last_hit_by = me.last_hit_by
    out.misc_timer = me.held_frames if me.grip == HELD else me.hitstun
    out.airborne = 1 if is_lifted(me, char) else me.airborne
    out.ground_id = stage.lines[me.line].ground if me.line >= 0 else NO_GROUND
    out.jumps_left = me.jumps_left
    out.l_cancel = me.l_cancel
    out.hurtbox = hurtbox_state(me, state)
    out.speed_air_x = 0.0 if state.physics == Physics.LEDGE else me.vx
    out.speed_y = me.vy
    out.speed_x_attack = me.kb_x if me.airborne else me.ground_kb
    out.speed_y_attack = me.kb_y
    out.speed_ground_x = 0.0 if me.airborne else me.ground_v
    out.hitlag = me.hitlag
    out.animation = me.action
    _flags(me, state, out)


@kernel
def _controller(me: Any, out: Any) -> None:
    pad = out.controller
    pad.buttons = me.buttons
    pad.stick_x = me.stick_x
    pad.stick_y = me.stick_y
    pad.c_x = me.c_x
    pad.c_y = me.c_y
    pad.shoulder = me.shoulder
    out.buttons_processed = me.buttons
    out.raw_x = round(me.stick_x * RAW_STICK)
    out.raw_y = round(me.stick_y * RAW_STICK)
    out.trigger_l = me.shoulder
    out.trigger_r = 0.0


@kernel
def _stage(game: Any, stage: Any, out: Any) -> None:
    """The stage's state as Slippi's events tell it: heights in the Fountain's own scale, wind 1 left, 2 right."""
    if stage.motion == _FOUNTAIN:
        out.fod_left = game.lifts[0].y / stage.fountain.scale
        out.fod_right = game.lifts[1].y / stage.fountain.scale
    elif stage.motion == _WIND:
        out.whispy = WIND_RIGHT if game.wind > 0 else (WIND_LEFT if game.wind < 0 else 0)


@kernel
def publish(game: Any, tables: Any, out: Any) -> None:
    """Overwrite what changes from frame to frame; the rest stands since the reset."""
    out.frame = game.frame
    out.frames_left = game.frames_left
    _stage(game, tables.stages[game.stage], out)
    for seat in range(2):
        me = game.fighters[seat]
        _player(me, tables.characters[me.row], tables.stages[game.stage], out.players[seat, 0])
        _controller(me, out.players[seat, 0])
