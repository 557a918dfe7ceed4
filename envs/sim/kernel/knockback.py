"""Formulas of a hit: staled damage, knockback, launch angle, hitlag, hitstun. They change nothing.

Sources: public formula tables, checked on recorded hits (facts/common.toml). `common` is TABLES.common; damage
is in percent, knockback in the game's units, angles in radians unless the name says degrees.
"""

from __future__ import annotations

import math
from typing import Any, Final

from envs.sim.combat_layout import STALE_SLOTS
from envs.sim.jit import kernel

SAKURAI_ANGLE: Final = 361
"""The angle that depends on the knockback and on whether the victim stands."""
STALE_PLACES: Final = 9
"""Hits that weaken a move. The newest takes .09 off its damage, each older one .01 less (recorded hits)."""
_STEP: Final = 0.01


@kernel
def freshness(me: Any, attack_id: int) -> Any:
    """Share of its damage that an attack keeps, 1 - .45, by its places in the queue of last hits."""
    kept = 1.0
    slot = me.stale_head
    for place in range(STALE_PLACES):
        slot = (slot + STALE_SLOTS - 1) % STALE_SLOTS
        if me.stale_ids[slot] == attack_id:
            kept -= _STEP * (STALE_PLACES - place)
    return kept


@kernel
def enter_queue(me: Any, attack_id: int) -> None:
    """Record a landed attack in the ring of last hits."""
    me.stale_ids[me.stale_head] = attack_id
    me.stale_head = (me.stale_head + 1) % STALE_SLOTS


@kernel
def knockback(common: Any, box: Any, damage: float, dealt: float, percent: float, weight: float) -> float:
    """Knockback of a hit: `damage` before staling, `dealt` after, `percent` of the victim before the hit."""
    if box.set_knockback > 0:
        scale = common.kb_percent_damage * common.kb_set_damage * box.set_knockback
        scale += common.kb_percent * common.kb_set_damage
    else:
        after = math.floor(percent) + dealt
        scale = common.kb_percent * after + common.kb_percent_damage * after * damage
    scale *= common.kb_weight_numerator / (weight + common.kb_weight_addend) * common.kb_growth
    strength = (scale + common.kb_addend) * box.growth * _STEP + box.base_knockback
    return min(strength, common.kb_cap)


@kernel
def launch_angle(common: Any, degrees: float, strength: float, airborne: int) -> float:
    """Launch angle in radians from the hitbox's angle, away from the attacker at 0."""
    if degrees == SAKURAI_ANGLE:
        if airborne:
            degrees = common.sakurai_air_degrees
        elif strength < common.sakurai_low:
            degrees = 0.0
        else:
            rise = (strength - common.sakurai_low) / (common.sakurai_high - common.sakurai_low)
            degrees = common.sakurai_ground_degrees * min(rise, 1.0)
    return math.radians(degrees)


@kernel
def hitlag(common: Any, dealt: float, electric: int, crouched: int) -> float:
    """Frames that a hit freezes a fighter."""
    frames = math.floor(dealt * common.hitlag_per_damage + common.hitlag_base)
    if electric:
        frames = math.floor(frames * common.hitlag_electric)
    if crouched:
        frames = math.floor(frames * common.hitlag_crouch)
    return min(frames, common.hitlag_cap)


@kernel
def merged(old: float, new: float) -> float:
    """Speed along one axis when an earlier launch is still felt: opposite ones add, else the larger stays."""
    if old * new < 0:
        return old + new
    return new if abs(new) > abs(old) else old
