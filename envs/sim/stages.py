"""Stages: facts (TOML) into the STAGE records of the tables, and the course of the cloud."""

from __future__ import annotations

from math import hypot
from typing import Any, Final

import numpy as np
from melee.stages import randall_position
from numpy.typing import NDArray

from envs.game import stage_id
from envs.sim import facts
from envs.sim.stage_layout import CLOUD_CYCLE, LIFTS, Motion

FLOOR_GAP: Final = 0.0001
"""Height over a floor line that a standing fighter's root has: measured, recorded frames."""

_PLACES: Final = ("blast_left", "blast_right", "blast_top", "blast_bottom")
_SEGMENTS: Final = ("left_walls", "right_walls", "ceilings")


class BadStageFacts(ValueError):
    """The facts of a stage do not fit the tables; the message names the file and key."""


def compile_stage(name: str, out: NDArray[np.void]) -> None:
    """Fill one STAGE record from `facts/stages/<name>.toml`. Raises BadStageFacts."""
    known = facts.load(f"stages/{name.lower()}")
    whole = known.get("of", name)
    if "of" in known:
        known = _form(facts.load(f"stages/{whole}"), known)
    out["stage"], out["form"] = stage_id(whole.upper()), known.get("form", 0)
    out["motion"] = Motion[known.get("motion", "none").upper()]
    for field, value in zip(_PLACES, known["blast"], strict=True):
        out[field] = value
    out["ledge_x"], out["ledge_y"] = known["ledge"]
    for place in ("start", "respawn"):
        out[f"{place}_x"], out[f"{place}_y"] = known[place][0::2], known[place][1::2]
    out["halo_speed"], out["star_y"] = known["halo_speed"], known["star_y"]
    for key in _SEGMENTS:
        _check_room(name, key, known[key], len(out[key]))
        out[f"{key}_used"] = len(known[key])
        for row, ends in enumerate(known[key]):
            out[key][row] = tuple(ends)
    walls = [*known["left_walls"], *known["right_walls"]]
    out["walls_top"] = max([known["ledge"][1], *(wall[3] for wall in walls)])
    for motion in ("fountain", "wind"):
        for key, value in known.get(motion, {}).items():
            out[motion][key] = value
    _compile_floors(name, known, out)


def _form(base: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Facts of what a stage turns into: its own floors and platforms, walls beside those of the stage."""
    walls = {key: base[key] + known[key] for key in ("left_walls", "right_walls")}
    return base | known | walls


def _check_room(name: str, key: str, rows: list[Any], room: int) -> None:
    if len(rows) > room:
        raise BadStageFacts(f"facts/stages/{name.lower()}.toml: {len(rows)} {key}, the table holds {room}")


def _compile_floors(name: str, known: dict[str, Any], out: NDArray[np.void]) -> None:
    """Ground, then platforms, then platforms that move; the ground from the left."""
    grounds = sorted(known["floors"], key=lambda floor: floor[1])
    moving = known.get("moving", [])
    grips = dict(known.get("grips", ()))
    floors = [*grounds, *known["platforms"], *moving]
    _check_room(name, "floors and platforms", floors, len(out["lines"]))
    _check_room(name, "moving", moving, LIFTS)
    out["grounds_used"], out["lines_used"] = len(grounds), len(floors)
    out["lines"]["along"], out["lines"]["grip"] = 1.0, 1.0
    first_moving = len(floors) - len(moving)
    for row, (ground, *ends) in enumerate(floors):
        line = out["lines"][row]
        line["ground"] = ground
        for field, value in zip(("x0", "y0", "x1", "y1"), ends, strict=True):
            line[field] = value
        x0, y0, x1, y1 = ends
        line["along"] = (x1 - x0) / hypot(x1 - x0, y1 - y0)
        line["rise"] = (y1 - y0) / hypot(x1 - x0, y1 - y0)
        line["grip"] = grips.get(ground, 1.0)
        line["platform"] = row >= len(grounds)
        line["lift"] = row - first_moving if row >= first_moving else -1
        line["left"] = _joined(grounds, x0, y0, end=3) if row < len(grounds) else -1
        line["right"] = _joined(grounds, x1, y1, end=1) if row < len(grounds) else -1


def _joined(grounds: list[list[float]], x: float, y: float, end: int) -> int:
    """Row whose other end (index 1 or 3) is the point, -1 none."""
    for row, ground in enumerate(grounds):
        if ground[end] == x and ground[end + 1] == y:
            return row
    return -1


def cloud_course() -> NDArray[np.float32]:
    """Left end (x, y) of the cloud's floor line by frame of its round [CLOUD_CYCLE, 2]."""
    places = [randall_position(frame) for frame in range(CLOUD_CYCLE)]
    return np.array([(left, top - FLOOR_GAP) for top, left, _ in places], np.float32)
