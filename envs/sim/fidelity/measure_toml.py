"""A measured character as the text of a facts file, ready to be completed by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from melee.enums import Action

from envs.game import character_name
from envs.sim import facts
from envs.sim.fidelity.measure import Measured
from envs.sim.fidelity.measure_body import Path
from envs.sim.fidelity.measure_track import Fact
from envs.sim.layout import CHARACTER
from envs.sim.states import COMMON_STATES, Flag, Physics

_ATTRIBUTES = CHARACTER.names[1 : CHARACTER.names.index("ledge_x")] if CHARACTER.names else ()
_BODY = ("ledge_x", "ledge_y", "ledge_below", "hang_x", "hang_y", "width", "ledge_jump_x", "ledge_jump_y")
_POINTS_PER_LINE = 5
_PATTERN = "fox"
"""Character whose file shows which lengths a file must have."""


def as_toml(found: Measured) -> str:
    """The text of `facts/characters/NAME.toml`. What the games do not show stands as a comment to be filled in."""
    name = character_name(found.character)
    source = f'source = "measured: recorded {name} games"'
    parts = [
        [f"# {name}: attributes, state lengths and body, measured on {found.frames} recorded frames."],
        ["[attributes]", source, *_numbers(found.attributes, _ATTRIBUTES)],
        ["[body]", source, *_numbers(found.body, _BODY)],
        ["[ledge_paths]                 # root from the ledge by age 1, 2, ..., facing +1", source, *_paths(found)],
        ["[lengths]", source, *_lengths(found)],
        ["[turns]                       # age from which the state faces the other way", source, *_turns(found)],
        ["[intangible]", source, *_windows(found)],
        ["[feet]                        # [[first age, height], ...]", source, *_feet(found)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _numbers(known: dict[str, Fact], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        fact = known.get(name)
        yield f"# {name} =  # not seen" if fact is None else f"{name} = {fact.value:g}{_doubt(fact)}"


def _doubt(fact: Fact) -> str:
    return f"  # {fact.samples} samples" if fact.samples < 5 else ""


def _lengths(found: Measured) -> Iterator[str]:
    """One line for every length that a character must have; what no game shows is taken over from another."""
    for name, usual in facts.load(f"characters/{_PATTERN}")["lengths"].items():
        ended, longest = found.lengths.get(name), found.longest.get(name)
        if ended is not None and longest is not None and ended.value >= longest.value:
            yield f"{name} = {ended.value:g}{_doubt(ended)}"
        elif longest is not None and longest.value > usual:
            yield f'{name} = {{ value = {longest.value:g}, source = "measured: the longest stay, cut short" }}'
        else:
            yield f'{name} = {{ value = {usual:g}, source = "as {_PATTERN}: no recorded stay ends by itself" }}'


def _feet(found: Measured) -> Iterator[str]:
    """States in the air that all characters have; the feet of specials stand with the specials."""
    yield f"default = [[0, {found.feet_default:g}]]"
    for name, steps in found.feet.items():
        row = None if name.isdigit() else COMMON_STATES.get(Action[name].value)
        if row is not None and row.flags & Flag.AIRBORNE and row.physics is not Physics.LEDGE:
            yield f"{name} = [" + ", ".join(f"[{age}, {height:g}]" for age, height in steps) + "]"


def _turns(found: Measured) -> Iterator[str]:
    for name, fact in found.turns.items():
        if not name.isdigit() and Action[name].value in COMMON_STATES:
            yield f"{name} = {fact.value:g}{_doubt(fact)}"


def _windows(found: Measured) -> Iterator[str]:
    for name, (first, last) in found.intangible.items():
        if not name.isdigit() and Action[name].value in COMMON_STATES:
            yield f"{name} = [{first.value:g}, {last.value:g}]{_doubt(last)}"


def _paths(found: Measured) -> Iterator[str]:
    for action, row in COMMON_STATES.items():
        path = found.ledge_paths.get(Action(action).name)
        if row.physics is Physics.LEDGE and path is not None:
            yield from _path(Action(action).name, path)


def _path(name: str, path: Path) -> Iterator[str]:
    """Points from age 1 on; one that was not recorded repeats the one before, as the last one does for good."""
    points: list[str] = []
    last = path.points[np.isfinite(path.points).all(axis=1)][0]
    for point in path.points[1:]:
        last = point if np.isfinite(point).all() else last
        points.append(f"[{last[0]:.4f}, {last[1]:.4f}]")
    while len(points) > 1 and points[-1] == points[-2]:
        points.pop()
    yield f"{name} = ["
    for first in range(0, len(points), _POINTS_PER_LINE):
        yield "    " + ", ".join(points[first : first + _POINTS_PER_LINE]) + ","
    yield "]"
