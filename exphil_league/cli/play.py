"""`play` and `watch`: one game between two players, and looking at one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from exphil_league.cli.command import Command, Outcome


@dataclass(frozen=True, kw_only=True)
class Play(Command):
    """Play one game of an agent against another and save it as a .slp file."""

    agent: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="AGENT")] = None
    """agent file, scripted player, or module:factory; or give --run"""
    folder: Annotated[Path | None, tyro.conf.arg(name="run", metavar="RUN")] = None
    """play the best agent of this run folder"""
    opponent: Annotated[str, tyro.conf.arg(metavar="NAME")] = "fighter"
    """whom it meets, named like the agent"""
    backend: str = "sim"
    """what plays the game"""
    character: str = "FOX"
    """whom the agent plays"""
    opponent_character: str = "FOX"
    """whom the opponent plays"""
    stage: str = "FINAL_DESTINATION"
    """name of the stage"""
    stocks: int = 4
    """lives of each player"""
    time_limit_s: float = 480.0
    """seconds until the timer ends the game"""
    speed: float = 1.0
    """times real time; 0: as fast as it goes"""
    seed: int | None = None
    """the same seed plays the same game; default: another each time"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.slp")] = None
    """where the game is saved; default: a new file here"""
    view: bool = False
    """show the game in the terminal"""
    console_delay: int = 0
    """frames that the console adds between a press and its effect; agents press so much earlier, as far as they can"""

    def run(self) -> Outcome:
        from exphil_league.play.session import PlaySettings, play

        settings = PlaySettings(
            agent=self.agent,
            run=self.folder,
            opponent=self.opponent,
            backend=self.backend,
            stage=self.stage,
            characters=(self.character, self.opponent_character),
            stocks=self.stocks,
            time_limit_s=self.time_limit_s,
            speed=self.speed,
            seed=self.seed,
            out=self.out,
            view=self.view,
            console_delay=self.console_delay,
        )
        return Outcome(play(settings))


@dataclass(frozen=True, kw_only=True)
class Watch(Command):
    """Look at a .slp file: as one offline HTML page, or in the terminal."""

    replay: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.slp")]
    """any two-player game"""
    html: Annotated[Path | None, tyro.conf.arg(metavar="PAGE")] = None
    """write a page here instead of playing in the terminal"""
    speed: float = 1.0
    """of the terminal, times real time; 0: as fast as it goes"""

    def run(self) -> Outcome:
        from exphil_league.play.session import watch

        return Outcome(watch(self.replay, self.html, self.speed))
