"""A character at walls and ceilings: facts (TOML) into the CHARACTER_WALLS record."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.stage_layout import SIDE_AGES, SIDE_ROWS


class TooManySides(ValueError):
    """The table of half widths is full; the message names the file."""


def compile_walls(character: str, out: NDArray[np.void]) -> None:
    """Fill a CHARACTER_WALLS record: facts/walls.toml, and over it the character's own, if any. Raises TooManySides."""
    shared, name = facts.load("walls"), f"characters/{character}_walls"
    own = facts.load(name) if facts.exists(name) else {}
    for key, value in (shared["body"] | own.get("body", {})).items():
        out[key] = value
    sides = dict(shared["sides"] | own.get("sides", {}))
    if len(sides) > SIDE_ROWS:
        raise TooManySides(f"facts/characters/{character}_walls.toml: more than {SIDE_ROWS} rows of [sides]")
    _fill_row(out, 0, sides.pop("default"))
    for row, (name, steps) in enumerate(sides.items(), start=1):
        _fill_row(out, row, steps)
        out["side_row"][Action[name].value] = row


def _fill_row(out: NDArray[np.void], row: int, steps: list[list[float]]) -> None:
    for age, width in steps:
        out["sides"][row, int(age) : SIDE_AGES] = width
