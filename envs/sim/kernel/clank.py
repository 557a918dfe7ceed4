"""Clanks: hitboxes of two attacks on the ground that meet before either meets a body.

An attack whose damage the other's does not exceed by the margin wins nothing: it freezes and, if it is of the kind,
its owner bounces back. Rules: decompiled game, public; figures: measured on recorded clanks.
"""

from __future__ import annotations

import math
from typing import Any, Final

from melee.enums import Action

from envs.sim.combat_layout import BOXES, LINKED
from envs.sim.jit import kernel
from envs.sim.kernel.damage import charged
from envs.sim.kernel.geometry import segments_squared
from envs.sim.kernel.knockback import freshness, hitlag
from envs.sim.kernel.transition import enter
from envs.sim.moves import Clank

_REBOUND_STOP: Final = int(Action.REBOUND_STOP.value)
_REBOUND: Final = int(Action.REBOUND.value)
_NONE, _REBOUNDS = int(Clank.NONE), int(Clank.REBOUNDS)
_NO_ROW: Final = -1


@kernel
def resolve_clanks(game: Any, tables: Any) -> None:
    """Let the first two hitboxes of the two fighters that meet clank."""
    first, second = game.fighters[0], game.fighters[1]
    if first.move < 0 or second.move < 0 or first.airborne or second.airborne:
        return
    row_a, row_b = _live_row(first, tables), _live_row(second, tables)
    if row_a == _NO_ROW or row_b == _NO_ROW:
        return
    boxes_a = tables.characters[first.row].combat.hit_frames
    boxes_b = tables.characters[second.row].combat.hit_frames
    for column_a in range(BOXES):
        for column_b in range(BOXES):
            a, b = boxes_a[row_a, column_a], boxes_b[row_b, column_b]
            if _is_live(first, a) and _is_live(second, b):
                before_a = boxes_a[row_a - 1, column_a] if a.linked == LINKED else a
                before_b = boxes_b[row_b - 1, column_b] if b.linked == LINKED else b
                if _meet(first, before_a, a, second, before_b, b):
                    _clank(first, a, second, b, tables)
                    return


@kernel
def _live_row(me: Any, tables: Any) -> int:
    """Row of `hit_frames` of a clanking move's present frame."""
    move = tables.characters[me.row].combat.moves[me.move]
    frame = int(me.age)
    if move.clank == _NONE or me.hitlag > 0 or frame < move.first_frame or frame > move.last_frame:
        return _NO_ROW
    return move.row + frame - move.first_frame


@kernel
def _is_live(me: Any, box: Any) -> bool:
    return box.active != 0 and not box.group & me.hit_mask


@kernel
def _meet(first: Any, before_a: Any, a: Any, second: Any, before_b: Any, b: Any) -> bool:
    """Whether two boxes touch on their way from where they were a frame ago."""
    ax, ay = first.x + first.facing * a.x, first.y + a.y
    bx, by = second.x + second.facing * b.x, second.y + b.y
    ax0, ay0, bx0, by0 = ax, ay, bx, by
    if a.linked:
        ax0, ay0 = first.prev_x + first.facing * before_a.x, first.prev_y + before_a.y
    if b.linked:
        bx0, by0 = second.prev_x + second.facing * before_b.x, second.prev_y + before_b.y
    limit = a.size + b.size
    return segments_squared(ax0, ay0, ax, ay, bx0, by0, bx, by) <= limit * limit


@kernel
def _clank(first: Any, a: Any, second: Any, b: Any, tables: Any) -> None:
    dealt_a, dealt_b = _dealt(first, a, tables), _dealt(second, b, tables)
    margin = tables.common.clank_margin
    if math.floor(dealt_a) - margin < math.floor(dealt_b):
        _stop(first, second, a, dealt_a, tables)
    if math.floor(dealt_b) - margin < math.floor(dealt_a):
        _stop(second, first, b, dealt_b, tables)


@kernel
def _dealt(me: Any, box: Any, tables: Any) -> float:
    move = tables.characters[me.row].combat.moves[me.move]
    return charged(me, tables, box.damage) * freshness(me, move.attack_id)


@kernel
def _stop(me: Any, foe: Any, box: Any, dealt: float, tables: Any) -> None:
    """The attack is spent; one that rebounds ends, and its owner bounces away after the freeze."""
    common, char = tables.common, tables.characters[me.row]
    rebounds = char.combat.moves[me.move].clank == _REBOUNDS
    me.hit_mask |= box.group
    me.hitlag = hitlag(common, dealt, 0, 0)
    if rebounds:
        me.rebound_frames = common.rebound_per_damage * math.floor(dealt) + common.rebound_base
        away = -1.0 if me.x < foe.x else 1.0
        enter(me, char.states, _REBOUND_STOP)
        me.dash_impulse = away * (common.rebound_speed_per_frame * me.rebound_frames + common.rebound_speed)


@kernel
def start_rebound(me: Any, char: Any, common: Any) -> None:
    """After the freeze: the bounce, whose length the damage of the spent attack set."""
    impulse = me.dash_impulse
    enter(me, char.states, _REBOUND)
    me.rate = common.rebound_length / max(me.rebound_frames, common.rebound_base)
    me.dash_impulse = impulse
