"""libmelee's `framedata.csv` of one character: hitbox positions and animation displacement, read at run time.

The table holds, per action state and frame, up to four hitboxes (status, size, offset from the fighter at
facing +1) and the displacement the animation itself makes. It is read from the installed package and never
copied into this one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

HITBOX_COLUMNS: Final = 4


@dataclass(frozen=True)
class HitboxAt:
    """One hitbox on one frame; offsets and radius in units, offsets at facing +1."""

    x: float
    y: float
    size: float


@dataclass(frozen=True)
class AnimationFrame:
    """One frame of one action state."""

    boxes: tuple[HitboxAt | None, ...]  # [HITBOX_COLUMNS]
    locomotion_x: float
    locomotion_y: float


Animations = dict[int, dict[int, AnimationFrame]]
"""action state id -> frame (first is 1) -> AnimationFrame"""


class MissingFrameData(ValueError):
    """The installed libmelee's table lacks the character; the message says which."""


@lru_cache(maxsize=4)
def animations(character: int) -> Animations:
    """Frame data of a character by internal id. Raises MissingFrameData."""
    table: Animations = {}
    path = resources.files("melee").joinpath("framedata.csv")
    with path.open(encoding="utf-8") as lines:
        own = (line for line in lines if line.startswith(('"character"', f"{character},")))  # one row in 27
        for row in csv.DictReader(own):
            table.setdefault(int(row["action"]), {})[int(row["frame"])] = _frame(row)
    if not table:
        raise MissingFrameData(f"libmelee's framedata.csv has no rows of character {character}; reinstall melee")
    return table


def _frame(row: dict[str, str]) -> AnimationFrame:
    boxes = tuple(_box(row, column) for column in range(1, HITBOX_COLUMNS + 1))
    return AnimationFrame(boxes, float(row["locomotion_x"]), float(row["locomotion_y"]))


def _box(row: dict[str, str], column: int) -> HitboxAt | None:
    if row[f"hitbox_{column}_status"] != "True":
        return None
    x, y, size = (float(row[f"hitbox_{column}_{name}"]) for name in ("x", "y", "size"))
    return HitboxAt(x, y, size)
