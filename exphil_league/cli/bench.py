"""`bench ...`: the figures this project is judged by, each within about a minute on an idle core."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from exphil_league.cli.command import Command, Outcome


def check(option: str, given: int, least: int) -> None:
    """Raises UserError for a number that is too small."""
    from exphil_league.errors import UserError

    if given < least:
        raise UserError(f"{option} is {given}; it must be at least {least}")


def shown(result: dict[str, Any]) -> Outcome:
    """Print the figures for people; the same object goes to `--json`."""
    from exphil_league.observe.console import say

    say(*(f"{name}: {value}" for name, value in result.items()))
    return Outcome(result)


@dataclass(frozen=True)
class BenchTrain(Command):
    """Training frames per CPU-second: ours, a hand-written PPO loop and stock RLlib on the same task."""

    iterations: int = 5
    """interleaved iterations of each; medians are reported"""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """where networks learn and play; auto: on a GPU if there is one. With a GPU frames are counted by wall time"""
    width: Annotated[int, tyro.conf.arg(metavar="UNITS")] = 128
    """hidden units of the GRU"""

    def run(self) -> Outcome:
        from exphil_league.ray_session import require_train_extra

        check("--iterations", self.iterations, 1)
        check("--width", self.width, 8)
        require_train_extra("bench train")
        from exphil_league.bench.train import choose_device, default_task, measure_train

        task = default_task(width=self.width, device=choose_device(self.device))
        return shown(measure_train(task, self.iterations))


@dataclass(frozen=True)
class BenchRollout(Command):
    """Sampled frames per CPU-second, by the number of frozen opponents met at once and by the size of their pool."""

    games: int = 256
    """games at once, half of them with a frozen opponent in one seat"""

    def run(self) -> Outcome:
        from exphil_league.ray_session import require_train_extra

        check("--games", self.games, 2)
        require_train_extra("bench rollout")
        from exphil_league.bench.rollout import measure_rollout

        return shown(measure_rollout(games=self.games))


@dataclass(frozen=True)
class BenchSim(Command):
    """Simulated game frames per CPU-second on one core: the step only, inputs prepared, respawns included."""

    games: int = 1024
    """games stepped at once"""

    def run(self) -> Outcome:
        from exphil_league.bench.sim import measure

        check("--games", self.games, 1)
        return shown(measure(self.games))


@dataclass(frozen=True)
class BenchReplays(Command):
    """Replay files per CPU-second, against peppi alone."""

    replays: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """folder of .slp files; default: synthetic games"""

    def run(self) -> Outcome:
        from exphil_league.bench.replays import measure_replays

        return shown(measure_replays(self.replays))


@dataclass(frozen=True)
class BenchDolphin(Command):
    """What we cost beside an emulator per frame, and games in lock-step; a parser of our own against libmelee's."""

    dolphin: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """Slippi Dolphin's executable for the games in lock-step; without it they are played on stand-ins"""
    iso: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """ISO of Melee (NTSC 1.02)"""

    def run(self) -> Outcome:
        from envs.dolphin.config import DolphinConfig
        from exphil_league.bench.dolphin import measure_dolphin

        config = None if self.dolphin is None else DolphinConfig(path=self.dolphin, iso=self.iso)
        return shown(measure_dolphin(config))


@dataclass(frozen=True)
class BenchLeague(Command):
    """Decisions and durable results per second, what the ratings are worth, the league's share of a run's CPU."""

    def run(self) -> Outcome:
        from exphil_league.ray_session import require_train_extra

        require_train_extra("bench league")
        from exphil_league.bench.league import measure_league

        return shown(measure_league())
