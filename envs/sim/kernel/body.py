"""What of a fighter can be hit, against anything that sweeps along a segment."""

from __future__ import annotations

from typing import Any

from envs.sim.combat_layout import HURT_PARTS
from envs.sim.jit import kernel
from envs.sim.kernel.geometry import segments_squared


@kernel
def touches_body(
    foe: Any, character: Any, x0: float, y0: float, x1: float, y1: float, size: float, depth: float
) -> bool:
    """Whether a ball of radius `size` on its way from (x0, y0) to (x1, y1) touches the fighter.

    `character` is its CHARACTER record, `depth` how far the way lies off the fighters' plane.
    """
    side = foe.facing
    row = _row(foe, character)
    for part in range(HURT_PARTS):
        hurt = character.combat.hurt_frames[row, part]
        limit = hurt.radius + size
        squared = segments_squared(
            x0, y0, x1, y1, foe.x + side * hurt.x0, foe.y + hurt.y0, foe.x + side * hurt.x1, foe.y + hurt.y1
        )
        if squared + depth * depth <= limit * limit:
            return True
    return False


@kernel
def _row(foe: Any, character: Any) -> int:
    """Row of `hurt_frames` of the fighter's present frame."""
    pose = character.combat.poses[foe.action]
    frame = max(int(foe.age - character.states[foe.action].age_start), 0)
    return pose.row + (frame % pose.frames if pose.loops else min(frame, pose.frames - 1))
