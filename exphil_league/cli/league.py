"""`league ladder | payoff | lineage | status | export | compare | ...`: what leagues know; is a core right?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from exphil_league.cli.command import MET, SHORT_OF_THRESHOLD, Command, Outcome

RunPath = Annotated[Path, tyro.conf.arg(name="run", metavar="RUN", help="run folder; the run may be going on")]


@dataclass(frozen=True, kw_only=True)
class Ladder(Command):
    """Elo of the frozen players with 95 % intervals, from the rating games."""

    folder: RunPath

    def run(self) -> Outcome:
        from exphil_league.observe.league_tables import ladder

        return Outcome(ladder(self.folder))


@dataclass(frozen=True, kw_only=True)
class Payoff(Command):
    """Win rates of every pair that met, in training and in rating games."""

    folder: RunPath

    def run(self) -> Outcome:
        from exphil_league.observe.league_tables import payoff

        return Outcome(payoff(self.folder))


@dataclass(frozen=True, kw_only=True)
class Lineage(Command):
    """Who grew from whom."""

    folder: RunPath

    def run(self) -> Outcome:
        from exphil_league.observe.league_tables import lineage

        return Outcome(lineage(self.folder))


@dataclass(frozen=True, kw_only=True)
class Status(Command):
    """Learners, work in flight, counters."""

    folder: RunPath

    def run(self) -> Outcome:
        from exphil_league.observe.league_tables import status

        return Outcome(status(self.folder))


@dataclass(frozen=True, kw_only=True)
class ExportLeague(Command):
    """Matches, events and players as Parquet files, for analysis."""

    folder: RunPath
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """folder for matches.parquet, events.parquet, players.parquet"""

    def run(self) -> Outcome:
        from exphil_league.league.export import export_league
        from exphil_league.observe.console import say

        found = export_league(self.folder, self.out)
        say(f"{found['matches']} matches, {found['events']} events, {found['players']} players in {self.out}")
        return Outcome(found)


@dataclass(frozen=True, kw_only=True)
class Verify(Command):
    """Prove a league core: its rules over random histories, its draws, its effect in games that can be solved."""

    full: Annotated[bool, tyro.conf.arg(help="V3 over ten seeds, and the trapdoor game (V4): minutes more")] = False
    core: Annotated[str, tyro.conf.arg(help="the core to verify, as module:Class or path/to/file.py:Class")] = (
        "exphil_league.league.core:League"
    )

    def run(self) -> Outcome:
        from exphil_league.verification.contract import load_core
        from exphil_league.verification.suite import verify

        found = verify(load_core(self.core), self.full)
        return Outcome(found, MET if all(check["ok"] for check in found["checks"]) else SHORT_OF_THRESHOLD)


@dataclass(frozen=True, kw_only=True)
class Probe(Command):
    """Train fresh exploiters against the frozen main player and say how often they win. Goes on where it stopped."""

    folder: RunPath
    styles: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")] = ()
    """where they start: warm_start or styles of the run; default: all of these"""
    starts_from: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """run folder whose warm start and styles are used; runs to be compared need the same"""
    frames: int = 2_000_000
    """game frames that each exploiter is trained for"""
    games: int = 400
    """rating games that each is then measured by"""
    seeds: int = 1
    """exploiters for each start"""
    player: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """frozen player to probe; default: the main player's newest snapshot"""
    serial: bool = False
    """train in this process, reproducibly, without Tune"""

    def run(self) -> Outcome:
        from exphil_league.errors import UserError
        from exphil_league.probe import ProbeRequest, probe

        if min(self.frames, self.games, self.seeds) < 1:
            raise UserError("--frames, --games and --seeds must be at least 1")
        request = ProbeRequest(
            run=self.folder,
            starts=self.styles,
            starts_from=self.starts_from,
            frames=self.frames,
            games=self.games,
            seeds=self.seeds,
            player=self.player,
            serial=self.serial,
        )
        return Outcome(probe(request))


@dataclass(frozen=True, kw_only=True)
class Compare(Command):
    """Say which run is better, if 95 % intervals are disjoint, else how many games would decide; exit status 1 then."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN RUN ...")]
    """run folders rated against the same anchors on the same backend"""
    games: int = 200
    """fresh games of each two main players, and of each main player against anchors; 0: the ladders alone. Games are
    kept in the run folders, and only what is missing is played"""
    seed: int = 1
    """the same seed plays the same games"""
    at_frames: int | None = None
    """compare the runs as they were after so many game frames of all their learners; default: as they are"""

    def run(self) -> Outcome:
        from exphil_league.compare import compare
        from exphil_league.errors import UserError
        from exphil_league.ray_session import require_train_extra

        if self.games < 0:
            raise UserError(f"--games is {self.games}; it must not be negative")
        if self.at_frames is not None and self.at_frames < 1:
            raise UserError(f"--at-frames is {self.at_frames}; it must be at least 1")
        require_train_extra("league compare")
        found = compare(self.runs, self.games, self.seed, self.at_frames)
        return Outcome(found, MET if found["decided"] else SHORT_OF_THRESHOLD)
