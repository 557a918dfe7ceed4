"""`play` and `watch` from what a user typed to a result: players, backend, file names, messages."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from envs.backend import Matchup
from envs.backends import make_backend
from envs.slippi.read import read_game
from exphil_league.errors import UserError
from exphil_league.evaluation.players import load_player
from exphil_league.observe.console import say
from exphil_league.play.game import CAPACITY, Played, play_game
from exphil_league.play.pace import FRAMES_PER_S, Pacer
from exphil_league.play.terminal import TerminalView
from exphil_league.run_folder import reopen
from policies.agent import Agent, Delayed

DEFAULT_OPPONENT = "fighter"
_SEEDS = 2**64 - 1
"""Seeds there are: unsigned 64-bit numbers, the last of them left for the opponent's, which is one more."""


@dataclass(frozen=True)
class PlaySettings:
    """What `play` is asked for."""

    agent: str | None = None
    """An agent file, a scripted player, a checkpoint folder or module:factory; None: the run's best player."""
    run: Path | None = None
    opponent: str = DEFAULT_OPPONENT
    backend: str = "sim"
    stage: str = "FINAL_DESTINATION"
    characters: tuple[str, str] = ("FOX", "FOX")
    stocks: int = 4
    time_limit_s: float = 480.0
    speed: float = 1.0
    seed: int | None = None
    out: Path | None = None
    view: bool = False
    console_delay: int = 0
    """Frames from a press to the game's reading it that the console adds (online play: 2 and more)."""


def play(settings: PlaySettings) -> dict[str, Any]:
    """Play one game and say how it went. Raises UserError for players, stages or paths that are none.

    Returns {"agent", "opponent", "winner" name or None, "stocks", "percent", "frames", "ended_by", "seconds",
    "late_frames", "fps", "seed", "slp", "console_delay_frames", "warnings"}.
    """
    _check(settings)
    seed = secrets.randbits(32) if settings.seed is None else settings.seed
    agents = (
        load_player(_agent_name(settings), CAPACITY, seed),
        load_player(settings.opponent, CAPACITY, seed + 1),
    )
    warnings = [text for agent in agents for text in _delay_warnings(agent, settings.console_delay)]
    say(*(f"warning: {text}" for text in warnings))
    matchup = Matchup(
        characters=settings.characters,
        stage=settings.stage,
        stocks=settings.stocks,
        time_limit_s=settings.time_limit_s,
    )
    out = settings.out or Path(f"{_file_part(agents[0])}-vs-{_file_part(agents[1])}-{datetime.now():%Y%m%d-%H%M%S}.slp")
    _make_folder(out)
    backend = make_backend(settings.backend, num_games=1)
    try:
        say(f"{agents[0].name} against {agents[1].name}, {settings.stage.lower().replace('_', ' ')}, seed {seed}")
        played = play_game(
            backend,
            agents,
            matchup,
            seed,
            speed=settings.speed,
            out=out,
            view=settings.view,
            added_delay_frames=settings.console_delay if settings.backend == "sim" else 0,
        )
    finally:
        backend.close()
    _report(played, agents, out)
    return _result(played, agents, seed, out) | {
        "console_delay_frames": settings.console_delay,
        "warnings": warnings,
    }


def _delay_warnings(agent: Agent, console_delay: int) -> Iterator[str]:
    """Make room for the console's delay in the agent's; what is to be said where that is not possible."""
    if not isinstance(agent, Delayed):
        return
    timing, total = agent.timing, console_delay + agent.expect_console_delay(console_delay)
    if total > timing.delay_frames:
        least, most = timing.least_delay_frames, timing.delay_frames
        trained = f"{least} to {most}" if timing.delay_varies else f"{most}"
        yield (
            f"{agent.name} was trained with a delay of {trained} frames and plays with {total}, all of them the "
            f"console's: expect it to be worse; train with policy.delay_frames of {total} or more"
        )


def _check(settings: PlaySettings) -> None:
    if (settings.agent is None) == (settings.run is None):
        raise UserError("name either an AGENT or a run folder with --run")
    if not 1 <= settings.stocks <= 99:
        raise UserError(f"--stocks is {settings.stocks}; a game has 1 to 99")
    if settings.speed < 0:
        raise UserError(f"--speed is {settings.speed:g}; 1 is real time, 0 as fast as it goes")
    if settings.seed is not None and not 0 <= settings.seed < _SEEDS:
        raise UserError(f"--seed is {settings.seed}; it must be from 0 to 2**64 - 2")
    if not 0 <= settings.console_delay <= 60:
        raise UserError(f"--console-delay is {settings.console_delay}; it must be from 0 to 60 frames")
    if not 0 < settings.time_limit_s <= 480:
        raise UserError(f"--time-limit-s is {settings.time_limit_s:g}; a game lasts at most 480 seconds")


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


def _make_folder(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out.parent} cannot be made ({error.strerror}): name another place with --out") from error
    if out.is_dir():
        raise UserError(f"{out} is a folder: name a file with --out")


def _file_part(agent: Agent) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in agent.name)


def _report(played: Played, agents: tuple[Agent, Agent], out: Path) -> None:
    verdict = "a draw" if played.winner is None else f"{agents[played.winner].name} wins"
    score = f"{played.stocks[0]}:{played.stocks[1]} stocks, {played.percent[0]:.0f} % and {played.percent[1]:.0f} %"
    pace = f"{played.frames / max(played.seconds, 1e-9):.0f} frames a second, {played.late_frames} late"
    say(f"{verdict} by {played.ended_by} after {played.frames / FRAMES_PER_S:.0f} s of the game: {score}")
    say(f"{pace}", f"saved: {out}", f"look:  exphil-league watch {out} --html {out.with_suffix('.html')}")


def _result(played: Played, agents: tuple[Agent, Agent], seed: int, out: Path) -> dict[str, Any]:
    return {
        "agent": agents[0].name,
        "opponent": agents[1].name,
        **asdict(played),
        "winner": None if played.winner is None else ("agent", "opponent")[played.winner],
        "fps": played.frames / max(played.seconds, 1e-9),
        "seed": seed,
        "slp": str(out),
    }


def watch(replay: Path, page: Path | None, speed: float = 1.0) -> dict[str, Any]:
    """Show a .slp file: as an HTML page, or in the terminal. Raises ReplayError for a file that is no game."""
    from exphil_league.observe.watch_page import write_watch_page

    if page is not None:
        if page.is_dir():
            raise UserError(f"{page} is a folder: name a file with --html")
        result = write_watch_page(replay, page)
        say(f"{page}: {result['frames']} frames, {result['bytes'] / 1e6:.2f} MB; open it in a browser")
        return result
    if speed < 0:
        raise UserError(f"--speed is {speed:g}; 1 is real time, 0 as fast as it goes")
    game = read_game(replay)
    every = max(1, round(3 * speed)) if speed > 0 else 60
    with TerminalView() as view:
        pacer = Pacer(speed)
        for index, frame in enumerate(game.frames):
            if index % every == 0 or index == len(game.frames) - 1:
                view.draw(frame)
            pacer.wait()
    return {"frames": len(game.frames), "late_frames": pacer.late_frames}
