"""Contact phase: which active hitbox touches the other fighter's shield or body, and what follows.

Both directions are found before either takes effect, so that two attacks on the same frame trade. A hitbox
group touches a fighter once (`hit_mask`); a box that was active a frame ago sweeps the path between.
"""

from __future__ import annotations

from typing import Any, Final

from envs.sim.combat_layout import BOXES, LINKED, TOUCHES_AIR, TOUCHES_GROUND
from envs.sim.jit import kernel
from envs.sim.kernel import damage
from envs.sim.kernel.body import touches_body
from envs.sim.kernel.bubble import bubble
from envs.sim.kernel.clank import resolve_clanks
from envs.sim.kernel.geometry import segments_squared
from envs.sim.kernel.publish import INTANGIBLE, hurtbox_state
from envs.sim.states import Flag

NOTHING: Final = -1
ON_BODY: Final = 0
ON_SHIELD: Final = BOXES
"""A contact is the row of `hit_frames` times 2 BOXES, plus one of these, plus the hitbox column."""
_NO_CONTACT: Final = int(Flag.NO_CONTACT)
_SHIELDED: Final = int(Flag.SHIELDED)


@kernel
def resolve(game: Any, tables: Any) -> None:
    """Find and apply every hit between the two fighters of a game."""
    resolve_clanks(game, tables)
    first, second = game.fighters[0], game.fighters[1]
    if first.move < 0 and second.move < 0:
        return
    by_first = find(first, second, tables)
    by_second = find(second, first, tables)
    if by_first >= 0 or by_second >= 0:
        _apply(game, tables, by_first, by_second)


@kernel
def _apply(game: Any, tables: Any, by_first: int, by_second: int) -> None:
    first, second = game.fighters[0], game.fighters[1]
    if by_first >= 0:
        damage.land(first, tables, by_first)
    if by_second >= 0:
        damage.land(second, tables, by_second)
    if by_first >= 0:
        damage.receive(game, first, second, tables, by_first)
    if by_second >= 0:
        damage.receive(game, second, first, tables, by_second)


@kernel
def find(me: Any, foe: Any, tables: Any) -> int:
    """The contact that my present move makes with the other fighter this frame, or NOTHING."""
    if me.move < 0 or me.hitlag > 0:
        return NOTHING
    combat = tables.characters[me.row].combat
    move = combat.moves[me.move]
    frame = int(me.age)
    if frame < move.first_frame or frame > move.last_frame or not _in_reach(me, foe, tables, move.reach):
        return NOTHING
    state = tables.characters[foe.row].states[foe.action]
    if state.flags & _NO_CONTACT or hurtbox_state(foe, state) == INTANGIBLE:
        return NOTHING
    return _first_touching(me, foe, tables, move.row + frame - move.first_frame)


@kernel
def _in_reach(me: Any, foe: Any, tables: Any, reach: float) -> bool:
    theirs = tables.characters[foe.row].combat
    limit = reach + max(theirs.hurt_reach, theirs.shield_radius + theirs.shield_y)
    limit += abs(me.x - me.prev_x) + abs(me.y - me.prev_y)
    dx, dy = foe.x - me.x, foe.y - me.y
    return dx * dx + dy * dy <= limit * limit


@kernel
def _first_touching(me: Any, foe: Any, tables: Any, row: int) -> int:
    boxes = tables.characters[me.row].combat.hit_frames
    where = TOUCHES_AIR if foe.airborne else TOUCHES_GROUND
    shielded = tables.characters[foe.row].states[foe.action].flags & _SHIELDED
    for column in range(BOXES):
        box = boxes[row, column]
        if box.active and box.touches & where and not box.group & me.hit_mask:
            before = boxes[row - 1, column] if box.linked == LINKED else box
            if shielded and _touches_shield(me, foe, tables, before, box):
                return row * 2 * BOXES + ON_SHIELD + column
            if foe.counter_state > 0 and _touches_stance(me, foe, before, box):
                return row * 2 * BOXES + ON_SHIELD + column
            if _touches_body(me, foe, tables, before, box):
                return row * 2 * BOXES + ON_BODY + column
    return NOTHING


@kernel
def _touches_body(me: Any, foe: Any, tables: Any, before: Any, box: Any) -> bool:
    at_x, at_y = me.x + me.facing * box.x, me.y + box.y
    from_x, from_y = _swept_from(me, before, box, at_x, at_y)
    return touches_body(foe, tables.characters[foe.row], from_x, from_y, at_x, at_y, box.size, 0.0)


@kernel
def _touches_shield(me: Any, foe: Any, tables: Any, before: Any, box: Any) -> bool:
    x, y, radius = bubble(foe, tables)
    return _sweep_touches(me, before, box, x, y, x, y, radius)


@kernel
def _touches_stance(me: Any, foe: Any, before: Any, box: Any) -> bool:
    y = foe.y + foe.counter_height
    return _sweep_touches(me, before, box, foe.x, y, foe.x, y, foe.counter_radius)


@kernel
def _sweep_touches(me: Any, before: Any, box: Any, x0: float, y0: float, x1: float, y1: float, radius: float) -> bool:
    """Whether my hitbox, on its way from where it was a frame ago, touches a capsule."""
    at_x, at_y = me.x + me.facing * box.x, me.y + box.y
    from_x, from_y = _swept_from(me, before, box, at_x, at_y)
    limit = radius + box.size
    return segments_squared(from_x, from_y, at_x, at_y, x0, y0, x1, y1) <= limit * limit


@kernel
def _swept_from(me: Any, before: Any, box: Any, at_x: float, at_y: float) -> tuple[float, float]:
    """Where my hitbox was a frame ago; where it is, if it has just appeared."""
    if box.linked:
        return me.prev_x + me.facing * before.x, me.prev_y + before.y
    return at_x, at_y
