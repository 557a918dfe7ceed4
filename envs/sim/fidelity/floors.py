"""Floors of the figures, for each half of the split: a committed file whose numbers only rise.

A floor is named `CHARACTER/CLASS/FIGURE`, or `hits/CHARACTER/FIGURE`, `contact/...`, `combat/...`. Every one is a
share of which more is better (for contact, the active misses that stay misses). What is counted fewer than 300 times
has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import floor
from pathlib import Path
from typing import Any, Final

from envs.sim.fidelity.predictions import Predictions
from envs.sim.fidelity.report import report
from envs.sim.fidelity.score import FEWEST_ROWS
from envs.sim.fidelity.split import HALVES

FILE: Final = Path(__file__).with_name("floors.json")
_OF_CLASSES: Final = ("k1_within_0_01", "k1_within_0_1", "k1_action", "k10_within_0_01")
_OF_COMBAT: Final = {
    "hits": ("launch_within_0_2pct", "hitlag_exact", "hitstun_exact"),
    "contact": ("recall",),
    "combat": ("percent_exact", "victim_within_1"),
}
_STEPS: Final = 1000
"""Floors are rounded down to this part of one."""

Floors = dict[str, dict[str, float]]
"""half -> name -> share."""


def read_floors(file: Path = FILE) -> Floors:
    """The committed floors."""
    floors: Floors = json.loads(file.read_text(encoding="utf-8"))
    return floors


def reached(made: Predictions) -> Floors:
    """What the predictions reach, rounded down, of everything that may have a floor."""
    return {
        half: {name: floor(share * _STEPS) / _STEPS for name, share in sorted(_shares(report(made.of_half(half))))}
        for half in HALVES
    }


def fallen(now: Floors, floors: Floors) -> list[str]:
    """A line for every floor that is not reached; figures that were not measured now are no fall."""
    return [
        f"{half}: {name} is {now[half][name]:.3f}, its floor {least:.3f}"
        for half, of_half in floors.items()
        for name, least in of_half.items()
        if name in now.get(half, {}) and now[half][name] < least
    ]


def raise_floors(now: Floors, file: Path = FILE) -> int:
    """Raise the file's floors to what is reached now; none is lowered. Returns how many rose or are new."""
    old = read_floors(file) if file.exists() else {}
    new = {half: old.get(half, {}) | _higher(now[half], old.get(half, {})) for half in HALVES}
    ordered = {half: dict(sorted(of_half.items())) for half, of_half in new.items()}
    file.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    return sum(len(_higher(now[half], old.get(half, {}))) for half in HALVES)


def _higher(now: dict[str, float], old: dict[str, float]) -> dict[str, float]:
    return {name: share for name, share in now.items() if share > old.get(name, -1.0)}


def _shares(figures: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for character, classes in figures["characters"].items():
        for class_name, of_class in classes.items():
            if of_class["n"] >= FEWEST_ROWS:
                yield from (
                    (f"{character}/{class_name}/{key}", of_class[key]) for key in _OF_CLASSES if key in of_class
                )
    for part, keys in _OF_COMBAT.items():
        for character, found in {"all": figures[part], **figures[part]["characters"]}.items():
            if found["n"] >= FEWEST_ROWS:
                yield from ((f"{part}/{character}/{key}", found[key]) for key in keys if key in found)
                if "false_hits" in found:
                    yield f"{part}/{character}/no_false_hits", 1.0 - found["false_hits"]
