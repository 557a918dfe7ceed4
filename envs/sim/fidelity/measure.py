"""A character's attributes measured from recorded games, and where the simulator's table says otherwise.

What is measured needs no table: every number is read off one-frame differences, stays in states and places at
the ledge. `disagreements` holds it against a compiled CHARACTER record, `as_toml` starts a new character's file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.game import character_name
from envs.sim.fidelity.measure_body import (
    Path,
    displacements,
    grab_box,
    hanging,
    ledge_jump,
    ledge_paths,
    width,
)
from envs.sim.fidelity.measure_feet import Steps, feet
from envs.sim.fidelity.measure_speeds import speeds
from envs.sim.fidelity.measure_states import (
    intangible,
    jumps,
    landing_frames,
    landing_lags,
    lengths,
    stays,
    turn_frames,
    turns,
    walk_thresholds,
)
from envs.sim.fidelity.measure_track import Fact, track_of
from envs.sim.fidelity.recording import FIRST_VERSION
from envs.slippi.errors import ReplayError
from envs.slippi.read import read_game

BOUNDS: Final = ("ledge_x", "ledge_y", "ledge_below")
"""Measured numbers that the true one is at least (at most, for the last) as far out as."""


@dataclass(frozen=True)
class Measured:
    """What recorded games say of one character; a number without evidence is absent."""

    character: int  # internal id
    frames: int
    attributes: dict[str, Fact]
    body: dict[str, Fact]
    lengths: dict[str, Fact]
    longest: dict[str, Fact]
    turns: dict[str, Fact]
    intangible: dict[str, tuple[Fact, Fact]]
    landing_lags: dict[str, Fact]
    feet: dict[str, Steps]
    feet_default: float
    ledge_paths: dict[str, Path] = field(repr=False)
    displacements: dict[str, Path] = field(repr=False)

    def summary(self) -> dict[str, Any]:
        """Everything as plain numbers, for `--json`."""
        numbers = {
            group: {name: fact._asdict() for name, fact in getattr(self, group).items()}
            for group in ("attributes", "body", "lengths", "longest", "turns", "landing_lags")
        }
        windows = {
            name: {"first": first.value, "last": last.value, "samples": min(first.samples, last.samples)}
            for name, (first, last) in self.intangible.items()
        }
        paths = {
            group: {name: _plain_path(path) for name, path in getattr(self, group).items()}
            for group in ("ledge_paths", "displacements")
        }
        name = character_name(self.character)
        heights = {"default": self.feet_default if self.feet else None, "states": self.feet}
        return {"character": name, "frames": self.frames, **numbers, "intangible": windows, "feet": heights, **paths}


def _plain_path(path: Path) -> dict[str, Any]:
    points = [None if np.isnan(x) else [round(float(x), 4), round(float(y), 4)] for x, y in path.points]
    return {"points": points, "samples": path.samples.tolist()}


def measure(games: Iterable[NDArray[np.void]], character: int) -> Measured:
    """Measure a character (internal id) over the frames [T] FRAME of games in which it plays.

    Raises NothingRecorded if it plays in none.
    """
    track = track_of(games, character)
    if not len(track.seen):
        raise NothingRecorded(f"nobody plays {character_name(character)} in these games")
    found = stays(track)
    state_lengths = lengths(track, found)
    attributes = speeds(track) | walk_thresholds(track) | {"jumps": jumps(track)}
    _add(attributes, turn_frames=turn_frames(track, found), landing_lag=landing_frames(track, found))
    body = grab_box(track) | hanging(track) | ledge_jump(track)
    _add(body, width=width(track))
    return Measured(
        character,
        len(track.seen),
        attributes,
        body,
        state_lengths.ended,
        state_lengths.longest,
        turns(track, found),
        intangible(track),
        landing_lags(track, found),
        *feet(track),
        ledge_paths(track),
        displacements(track),
    )


def _add(facts: dict[str, Fact], **more: Fact | None) -> None:
    facts.update({name: fact for name, fact in more.items() if fact is not None})


class NothingRecorded(ValueError):
    """No game has the character; the message names it."""


def recorded_games(
    paths: Iterable[File], refused: Counter[str], character: int | None = None
) -> Iterator[NDArray[np.void]]:
    """Frames [T] FRAME of the games among files; of those that `character` plays in, if it is given.

    Why a file was left out is counted in `refused` by reason.
    """
    for path in paths:
        try:
            game = read_game(path)
        except ReplayError as error:
            reason = error.reason.value
        else:
            if game.meta.version[:2] < FIRST_VERSION:
                reason = "version"
            elif character is not None and character not in game.frames["players"]["character"][0, :, LEADER]:
                reason = "character"
            else:
                yield game.frames
                continue
        refused[reason] += 1


@dataclass(frozen=True)
class Disagreement:
    """A number of the table that the recordings contradict."""

    name: str  # "attributes.gravity", "lengths.KNEE_BEND"
    table: float
    measured: float
    samples: int


CLOSE: Final = 2e-3
"""A speed or place that differs by less is rounding."""
NEAR_BOUND: Final = 0.5
"""Reach past a bound of the ledge-grab box that a place guessed from the last speed may have, units."""
_TOLERANCE: Final = {"width": 0.25, "walk_mid": 0.006, "walk_fast": 0.006}
"""How well thresholds between recorded frames are known, units."""
ENOUGH: Final = 3
"""Samples under which a number proves nothing."""


def disagreements(found: Measured, record: NDArray[np.void]) -> list[Disagreement]:
    """Where a compiled CHARACTER record says otherwise, the best-supported first."""
    several = [*_of_numbers(found, record), *_of_ages(found, record["states"]), *_of_paths(found, record)]
    rows = [*_of_lengths(found, record["states"]), *(row for row in several if row.samples >= ENOUGH)]
    return sorted(rows, key=lambda row: -row.samples)


def _of_numbers(found: Measured, record: NDArray[np.void]) -> Iterator[Disagreement]:
    for group, facts in (("attributes", found.attributes), ("body", found.body)):
        for name, fact in facts.items():
            table, wrong = float(record[name]), abs(fact.value - float(record[name])) > CLOSE
            if name in BOUNDS:
                beyond = table - fact.value if name == "ledge_below" else fact.value - table
                wrong = beyond > NEAR_BOUND
            elif name in _TOLERANCE:
                wrong = abs(fact.value - table) > _TOLERANCE[name]
            if wrong:
                yield Disagreement(f"{group}.{name}", round(table, 5), fact.value, fact.samples)


def _of_lengths(found: Measured, states: NDArray[np.void]) -> Iterator[Disagreement]:
    """A state that ends by itself at another age, or that was held longer than it lasts."""
    for name, longest in found.longest.items():
        table = float(states[_id(name)]["length"])
        ended = found.lengths.get(name)
        if table > 0 and ended is not None and ended.value != table and longest.value <= ended.value:
            yield Disagreement(f"lengths.{name}", table, ended.value, ended.samples)
        elif 0 < table < longest.value:
            yield Disagreement(f"lengths.{name}", table, longest.value, longest.samples)


def _of_ages(found: Measured, states: NDArray[np.void]) -> Iterator[Disagreement]:
    for name, fact in found.turns.items():
        table = float(states[_id(name)]["turn_age"])
        if states[_id(name)]["modelled"] and table != fact.value:
            yield Disagreement(f"turns.{name}", table, fact.value, fact.samples)
    for name, fact in found.landing_lags.items():
        table = float(states[_id(name)]["landing_lag"])
        if table != fact.value:
            yield Disagreement(f"landing_lags.{name}", table, fact.value, fact.samples)
    for name, window in found.intangible.items():
        for column, fact in zip(("intangible_from", "intangible_to"), window, strict=True):
            table = float(states[_id(name)][column])
            if states[_id(name)]["modelled"] and table != fact.value:
                yield Disagreement(f"intangible.{name}.{column[11:]}", table, fact.value, fact.samples)


def _of_paths(found: Measured, record: NDArray[np.void]) -> Iterator[Disagreement]:
    """The age of each path at which the table's is farthest off."""
    for group, paths in (("ledge_paths", found.ledge_paths), ("displacements", found.displacements)):
        for name, path in paths.items():
            state = record["states"][_id(name)]
            row, last = int(state["locomotion"]), int(state["locomotion_last"])
            ages = np.arange(len(path.points))
            table = np.zeros((len(ages), 2))
            if row >= 0:
                table = record["locomotion"][row + np.minimum(ages, last)].astype(np.float64)
                if group == "displacements":
                    table[:, 1] = 0.0
                    table[ages > last] = 0.0
            off = np.where(path.samples >= ENOUGH, np.hypot(*(path.points - table).T), 0.0)
            worst = int(np.nanargmax(off))
            if off[worst] > 10 * CLOSE:
                axis = int(np.argmax(np.abs(path.points[worst] - table[worst])))
                place = (round(float(table[worst, axis]), 4), round(float(path.points[worst, axis]), 4))
                yield Disagreement(f"{group}.{name}[{worst}].{'xy'[axis]}", *place, int(path.samples[worst]))


def _id(name: str) -> int:
    return int(name) if name.isdigit() else int(Action[name].value)
