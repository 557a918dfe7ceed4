"""Distances between moving circles and capsules, in the plane.

A capsule is a segment with a radius; a hitbox that moved this frame is a capsule too, so one function
decides every contact.
"""

from __future__ import annotations

from envs.sim.jit import kernel

_TINY = 1e-9


@kernel
def _clamp01(value: float) -> float:
    return min(max(value, 0.0), 1.0)


@kernel
def point_segment_squared(px: float, py: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Squared distance of a point from a segment."""
    dx, dy = x1 - x0, y1 - y0
    along = _clamp01(((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy + _TINY))
    ex, ey = px - x0 - along * dx, py - y0 - along * dy
    return ex * ex + ey * ey


@kernel
def _cross(ax: float, ay: float, bx: float, by: float) -> float:
    return ax * by - ay * bx


@kernel
def segments_squared(
    ax0: float, ay0: float, ax1: float, ay1: float, bx0: float, by0: float, bx1: float, by1: float
) -> float:
    """Squared distance of two segments, 0 where they cross."""
    dx, dy, ex, ey = ax1 - ax0, ay1 - ay0, bx1 - bx0, by1 - by0
    side_b0, side_b1 = _cross(dx, dy, bx0 - ax0, by0 - ay0), _cross(dx, dy, bx1 - ax0, by1 - ay0)
    side_a0, side_a1 = _cross(ex, ey, ax0 - bx0, ay0 - by0), _cross(ex, ey, ax1 - bx0, ay1 - by0)
    if side_b0 * side_b1 < 0 and side_a0 * side_a1 < 0:
        return 0.0
    nearest = point_segment_squared(ax0, ay0, bx0, by0, bx1, by1)
    nearest = min(nearest, point_segment_squared(ax1, ay1, bx0, by0, bx1, by1))
    nearest = min(nearest, point_segment_squared(bx0, by0, ax0, ay0, ax1, ay1))
    return min(nearest, point_segment_squared(bx1, by1, ax0, ay0, ax1, ay1))
