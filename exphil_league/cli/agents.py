"""`promote`, `export` and `eval`: which agent a run stands for, agent files, and how good an agent is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from exphil_league.cli.command import MET, SHORT_OF_THRESHOLD, Command, Outcome


@dataclass(frozen=True, kw_only=True)
class Export(Command):
    """Write a player of a run as one agent file that plays without ray and torch."""

    folder: Annotated[Path, tyro.conf.arg(name="run", metavar="RUN", help="run folder")]
    player: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """a player of the ladder; default: the top-rated one that is no scripted player"""
    out: Annotated[Path, tyro.conf.arg(metavar="AGENT")]
    """file to write"""

    def run(self) -> Outcome:
        from exphil_league.export import export_player
        from exphil_league.observe.console import say
        from exphil_league.ray_session import require_train_extra

        require_train_extra("export")
        result = export_player(self.folder, self.player, self.out)
        say(f"{result['player']} ({result['digest']}) written to {self.out}")
        return Outcome(result)


@dataclass(frozen=True, kw_only=True)
class Promote(Command):
    """Judge the newest main player by the recipe's suite. If it passes, `play --run` plays it; status 1: refused."""

    folder: Annotated[Path, tyro.conf.arg(name="run", metavar="RUN", help="run folder")]
    player: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """a frozen player of the run; default: the main player's newest snapshot"""

    def run(self) -> Outcome:
        from exphil_league.promotion.gate import promote
        from exphil_league.ray_session import require_train_extra

        require_train_extra("promote")
        found = promote(self.folder, self.player)
        return Outcome(found, MET if found["promoted"] else SHORT_OF_THRESHOLD)


@dataclass(frozen=True, kw_only=True)
class Eval(Command):
    """Play agents against opponents, seats balanced, and print win rates with 95 % intervals."""

    agents: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="AGENT ...")]
    """agent files, scripted players by name, or module:factory"""
    opponent: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")] = ()
    """whom they meet, named like agents; default: all scripted players but idle"""
    games: int = 100
    """games of each pair"""
    character: str = "FOX"
    """whom the agents play"""
    opponent_character: str = "FOX"
    """whom their opponents play"""
    stage: tuple[str, ...] = ("FINAL_DESTINATION", "BATTLEFIELD")
    """stages, in turn"""
    seed: int = 1
    """the same seed plays the same games"""

    def run(self) -> Outcome:
        from exphil_league.errors import UserError
        from exphil_league.evaluation.gauntlet import DEFAULT_OPPONENTS, matchups_on, run_eval
        from exphil_league.observe.console import table
        from exphil_league.observe.recovery_table import show_recoveries

        if not self.agents:
            raise UserError("name at least one AGENT: an agent file, a scripted player, or module:factory")
        matchups = matchups_on(self.stage, (self.character, self.opponent_character))
        opponents = self.opponent or DEFAULT_OPPONENTS
        result = run_eval(self.agents, opponents, self.games, matchups=matchups, seed=self.seed)
        rows = [
            (m["agent"], m["opponent"], f"{m['rate']:.3f}", f"{m['low']:.3f} to {m['high']:.3f}", m["games"])
            for m in result["matches"]
        ]
        table("win rates, draws as half", ("agent", "opponent", "win rate", "95 %", "games"), rows)
        show_recoveries([(f"{m['agent']} against {m['opponent']}", m["recovery"]["agent"]) for m in result["matches"]])
        return Outcome(result)
