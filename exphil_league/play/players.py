"""What both kinds of backend need to play: the players that a user named, a seed, a file name."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from exphil_league.errors import UserError
from exphil_league.evaluation.players import load_player
from exphil_league.observe.console import say
from exphil_league.play.seats import CAPACITY
from exphil_league.play.settings import PlaySettings
from exphil_league.run_folder import reopen
from policies.agent import Agent, Handling


def draw_seed(settings: PlaySettings) -> int:
    """The wanted seed, or another one each time."""
    return secrets.randbits(32) if settings.seed is None else settings.seed


def load_agent(settings: PlaySettings, seed: int) -> Agent:
    """AGENT, or the best of a run, handled as the settings say. Raises UserError, AgentFileError."""
    handling = Handling(settings.deterministic, settings.action_repeat)
    return load_player(_agent_name(settings), CAPACITY, seed, handling)


def load_opponent(name: str, seed: int) -> Agent:
    """A player of the other seat. Raises UserError, AgentFileError."""
    return load_player(name, CAPACITY, seed + 1)


def _agent_name(settings: PlaySettings) -> str:
    if settings.agent is not None:
        return settings.agent
    assert settings.run is not None
    run = reopen(settings.run)
    if not run.agent.is_file():
        raise UserError(
            f"{run.root} has no {run.agent.name} yet: write it with "
            f"`exphil-league export --run {settings.run} --out {settings.run / run.agent.name}`"
        )
    return str(run.agent)


def warn(warnings: Iterable[str | None]) -> list[str]:
    """Say what there is to say; returns it."""
    told = [text for text in warnings if text]
    say(*(f"warning: {text}" for text in told))
    return told


def output_file(settings: PlaySettings, agent: str, opponent: str) -> Path:
    """Where the game is saved; its folder is made. Raises UserError where that is not possible."""
    name = f"{_file_part(agent)}-vs-{_file_part(opponent)}-{datetime.now():%Y%m%d-%H%M%S}.slp"
    out = settings.out or Path(name)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out.parent} cannot be made ({error.strerror}): name another place with --out") from error
    if out.is_dir():
        raise UserError(f"{out} is a folder: name a file with --out")
    return out


def _file_part(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
