"""`sim measure` and `sim coverage`: what recorded games say of a character, and what of them is not modelled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from exphil_league.cli.command import Command, Outcome

Paths = Annotated[
    tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH", help=".slp files, or folders of them")
]


@dataclass(frozen=True, kw_only=True)
class SimCoverage(Command):
    """Count the inputs of replays that the simulator's present rules cannot answer, by reason."""

    paths: Paths

    def run(self) -> Outcome:
        return Outcome(run_coverage(self.paths))


@dataclass(frozen=True, kw_only=True)
class SimMeasure(Command):
    """Measure a character's attributes from replays, and say where the simulator's table disagrees."""

    paths: Paths
    character: str
    """whom to measure"""
    toml: bool = False
    """print a table that starts a new character's facts file"""
    half: Literal["tune", "report"] | None = None
    """only the games of this half of the committed split"""

    def run(self) -> Outcome:
        return Outcome(run_measure(self.paths, self.character, self.toml, self.half))


def run_coverage(paths: tuple[Path, ...]) -> dict[str, Any]:
    """{"games", "refused": {reason: files}, "inputs", "ignored_share", "reasons": {reason: share of all inputs}}.

    Inputs are frames of one seat. Raises UserError for a missing path.
    """
    from envs.sim.coverage import ignored_inputs
    from envs.sim.fidelity.measure import recorded_games
    from exphil_league.observe.console import say, table

    refused, reasons = Counter[str](), Counter[str]()
    games = total = 0
    for frames in recorded_games(_files(paths, None), refused):
        found = ignored_inputs(frames)
        games, total = games + 1, total + found.total
        reasons.update(found.reasons)
    shares = {reason: count / max(total, 1) for reason, count in reasons.most_common()}
    ignored = reasons.total() / max(total, 1)
    say(f"{games} games, {total} inputs, {ignored:.1%} of them ignored; files left out: {refused.total()}")
    table("Ignored", ("reason", "share"), [(reason, f"{share:.2%}") for reason, share in shares.items()])
    return {
        "games": games,
        "refused": dict(refused),
        "inputs": total,
        "ignored_share": ignored,
        "reasons": shares,
    }


def _files(paths: tuple[Path, ...], half: str | None) -> list[Path]:
    """The .slp files of all paths, of one half of the committed split only if it is named. Raises UserError."""
    from envs.sim.fidelity.split import half_of
    from exphil_league.replays.scan import replay_files

    files = [file for path in paths for file in replay_files(path)]
    return files if half is None else [file for file in files if half_of(file.name) == half]


def run_measure(paths: tuple[Path, ...], character: str, toml: bool = False, half: str | None = None) -> dict[str, Any]:
    """Measure a character; a table to standard error, or with `toml` the text of a facts file to standard output.

    {"character", "frames", "attributes", ..., "refused": {reason: files}, "disagreements": [{"name", "table",
    "measured", "samples"}] or None where the simulator lacks the character}. Raises UserError for a missing path.
    """
    from envs.game import character_id
    from envs.sim.fidelity.measure import measure, recorded_games
    from envs.sim.fidelity.measure_toml import as_toml

    refused = Counter[str]()
    wanted = character_id(character)
    found = measure(recorded_games(_files(paths, half), refused, wanted), wanted)
    if toml:
        print(as_toml(found))
    result = found.summary() | {"refused": dict(refused), "disagreements": _disagreements(found)}
    if not toml:
        _show(result)
    return result


def _disagreements(found: Any) -> list[dict[str, Any]] | None:
    from envs.sim.compile import tables
    from envs.sim.fidelity.measure import disagreements

    known = tables()[0]["characters"]
    row = {int(character): row for row, character in enumerate(known["character"])}.get(found.character)
    if row is None:
        return None
    return [vars(found) for found in disagreements(found, known[row])]


def _show(result: dict[str, Any]) -> None:
    from exphil_league.observe.console import say, table

    left_out = ", ".join(f"{count} {reason}" for reason, count in result["refused"].items())
    say(f"{result['character']}: {result['frames']} frames; files left out: {left_out or 'none'}")
    for group in ("attributes", "body", "lengths", "turns", "landing_lags"):
        rows = [(name, fact["value"], fact["samples"], f"{fact['share']:.0%}") for name, fact in result[group].items()]
        table(group.replace("_", " ").capitalize(), ("name", "value", "samples", "agree"), rows)
    windows = [(name, *window.values()) for name, window in result["intangible"].items()]
    table("Intangible", ("state", "first age", "last age", "samples"), windows)
    wrong = result["disagreements"]
    if wrong is None:
        say(f"the simulator has no {result['character']} to compare with")
    elif wrong:
        table("The table disagrees", ("number", "table", "measured", "samples"), [tuple(row.values()) for row in wrong])
    else:
        say("the simulator's table agrees")
