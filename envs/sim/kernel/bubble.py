"""The shield bubble: where it is and how large, by the fighter's place, stick, shield health and trigger."""

from __future__ import annotations

from typing import Any

from envs.sim.jit import kernel


@kernel
def bubble(foe: Any, tables: Any) -> tuple[float, float, float]:
    """Centre and radius of a raised shield. The facts hold the radius of a full shield, pressed hard."""
    common, combat = tables.common, tables.characters[foe.row].combat
    x = foe.x + foe.facing * combat.shield_x + common.shield_tilt * foe.stick_x
    y = foe.y + combat.shield_y + common.shield_tilt * foe.stick_y
    least = common.shield_size_minimum
    pressed = 1.0 - common.shield_size_hard * foe.shield_amount
    share = least + (1.0 - least) * pressed * foe.shield / common.shield_health
    full = least + (1.0 - least) * (1.0 - common.shield_size_hard)
    return x, y, combat.shield_radius * share / full
