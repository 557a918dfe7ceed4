"""Items that a character makes: facts (TOML) into the rows that envs.sim.kernel.items flies and hits with.

`[projectile.NAME]` of facts/characters/<character>_specials.toml is one kind of item; operations fire it by its
name. Values named `full_...` are those at full charge and default to the uncharged ones.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.sim.combat_layout import CHARACTER_COMBAT, MAX_PROJECTILES, PROJECTILE
from envs.sim.moves import Element

_CHARGED: Final = ("speed", "first_step", "damage", "size")


class Effect(IntEnum):
    """What an item does to the fighter it hits, beside the damage."""

    NONE = 0  # percent only, no hitlag
    LAUNCH = 1  # as an attack
    BIND = 2  # a standing fighter that faces it is bound, any other is launched


class BadProjectileFacts(ValueError):
    """An item's facts have an unknown key or are too many; the message names file and table."""


def projectile_rows(known: dict[str, Any]) -> dict[str, int]:
    """Row of each named item in CHARACTER_COMBAT.projectiles."""
    return {name: row for row, name in enumerate(known)}


def compile_projectiles(where: str, known: dict[str, Any], combat: NDArray[np.void]) -> None:
    """Fill `projectiles` of a CHARACTER_COMBAT record; `where` names the file. Raises BadProjectileFacts."""
    assert combat.dtype == CHARACTER_COMBAT
    if len(known) > MAX_PROJECTILES:
        raise BadProjectileFacts(f"{where}: {len(known)} kinds of item, the table holds {MAX_PROJECTILES}")
    for row, (name, values) in enumerate(known.items()):
        _compile(f"{where}: [projectile.{name}]", values, combat["projectiles"][row])


def _compile(where: str, values: Any, out: NDArray[np.void]) -> None:
    if not isinstance(values, dict):
        raise BadProjectileFacts(f"{where} is a value; items are tables, [projectile.NAME]")
    for key, value in values.items():
        if key not in (PROJECTILE.names or ()):
            raise BadProjectileFacts(f"{where} has the unknown key {key!r}")
        out[key] = _number(key, value)
    for key in _CHARGED:
        if f"full_{key}" not in values:
            out[f"full_{key}"] = out[key]


def _number(key: str, value: Any) -> Any:
    if key == "element":
        return Element[value.upper()]
    return Effect[value.upper()] if key == "effect" else value
