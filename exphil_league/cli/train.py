"""`train` and `bc`: from a recipe to a league, and from replays to a warm start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from exphil_league.cli.command import Command, Outcome

Recipe = Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
Sets = Annotated[tuple[tuple[str, ...], ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE ...")]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]


@dataclass(frozen=True)
class Train(Command):
    """Train a league: warm start, self-play, rating, report."""

    recipe: Recipe = None
    """a YAML file, or a packaged recipe by name: smoke, demo, laptop, league, pbt, play18"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """run folder to make; default: runs/NAME-DATE"""
    replays: Folder = None
    """folder of .slp files to imitate first; without it scripted players play the games to learn from"""
    set: Sets = ()
    """change recipe keys, for example --set ppo.games=32 run.max_minutes=5"""
    serial: bool = False
    """run everything in this process, reproducibly, without Tune"""
    dry_run: bool = False
    """print the resolved recipe and the stages, do nothing"""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """go on with a stopped or killed run"""
    if_exists: Literal["fail", "resume", "restart"] = "fail"
    """when --out holds a run already: refuse, go on with it, or move it aside and begin anew"""

    def run(self) -> Outcome:
        from exphil_league.train import TrainRequest, train

        request = TrainRequest(
            recipe=self.recipe,
            sets=tuple(pair for group in self.set for pair in group),
            out=self.out,
            replays=self.replays,
            serial=self.serial,
            dry_run=self.dry_run,
            resume=self.resume,
            if_exists=self.if_exists,
        )
        return Outcome(train(request))


@dataclass(frozen=True)
class Bc(Command):
    """Behavioural cloning only: the imitation part of a recipe."""

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")] = "bc"
    """a YAML file, or a packaged recipe by name"""
    replays: Folder = None
    """folder of .slp files; without it scripted players play the games to learn from"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """run folder to make; default: runs/NAME-DATE"""
    set: Sets = ()
    """change recipe keys, for example --set imitation.epochs=5"""

    def run(self) -> Outcome:
        from exphil_league.train import clone

        sets = tuple(pair for group in self.set for pair in group)
        return Outcome(clone(self.recipe, sets, self.replays, self.out))
