"""Fighters standing in the same place push each other apart."""

from __future__ import annotations

from typing import Any

from envs.sim.jit import kernel
from envs.sim.kernel.publish import is_lifted
from envs.sim.states import Flag


@kernel
def overlap_push(me: Any, foe: Any, tables: Any, stage: Any) -> float:
    """This frame's displacement of a fighter by the other, where both stand a frame ago on the same or joined floors.

    A fighter that dodges or climbs is not pushed but still pushes; a held one and its holder do neither.
    """
    if me.airborne or foe.airborne or is_lifted(me, tables.characters[me.row]):
        return 0.0
    if is_lifted(foe, tables.characters[foe.row]):
        return 0.0
    mine = tables.characters[me.row].states[me.action].flags
    theirs = tables.characters[foe.row].states[foe.action].flags
    if mine & (Flag.OVERLAPS | Flag.GRIPS) or theirs & Flag.GRIPS or not _same_floor(me, foe, stage):
        return 0.0
    apart = me.x - foe.x
    if abs(apart) >= tables.characters[me.row].width + tables.characters[foe.row].width:
        return 0.0
    if apart == 0.0:
        return -tables.common.push_apart if me.seat == 0 else tables.common.push_apart
    return tables.common.push_apart if apart > 0.0 else -tables.common.push_apart


@kernel
def _same_floor(me: Any, foe: Any, stage: Any) -> bool:
    if me.line == foe.line or me.line < 0:
        return me.line == foe.line
    line = stage.lines[me.line]
    return foe.line >= 0 and (foe.line == line.left or foe.line == line.right)
