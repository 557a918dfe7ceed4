"""`play` and `watch` from what a user typed to a result: players, backend, file names, messages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from envs.backend import Matchup
from envs.backends import make_backend
from envs.slippi.read import read_game
from exphil_league.errors import UserError
from exphil_league.observe.console import say
from exphil_league.play.delays import arrange_delay
from exphil_league.play.game import Played, play_game
from exphil_league.play.pace import FRAMES_PER_S, Pacer
from exphil_league.play.players import draw_seed, load_agent, load_opponent, output_file, warn
from exphil_league.play.settings import Opponent, PlaySettings, check_settings
from exphil_league.play.terminal import TerminalView
from policies.agent import Agent

__all__ = ["PlaySettings", "play", "watch"]


def play(settings: PlaySettings) -> dict[str, Any]:
    """Play and say how it went. Raises UserError for players, stages or paths that are none, and what cannot be.

    On the simulator, one game: {"agent", "opponent", "winner" name or None, "stocks", "percent", "frames",
    "ended_by", "seconds", "late_frames", "fps", "seed", "slp", "console_delay_frames", "delay_frames", "warnings"}.
    On emulators see `exphil_league.play.emulated.play_emulated`.
    """
    opponent = check_settings(settings)
    if settings.backend == "sim":
        return _play_sim(settings, opponent)
    from exphil_league.play.emulated import play_emulated

    return play_emulated(settings, opponent)


def _play_sim(settings: PlaySettings, opponent: Opponent) -> dict[str, Any]:
    seed = draw_seed(settings)
    agents = (load_agent(settings, seed), load_opponent(opponent.name, seed))
    console = settings.console_frames
    delays = (arrange_delay(agents[0], console, settings.delay_frames), arrange_delay(agents[1], console, None))
    warnings = warn(delay.warning for delay in delays)
    matchup = Matchup(
        characters=settings.characters,
        stage=settings.stage,
        stocks=settings.stocks,
        time_limit_s=settings.time_limit_s,
    )
    out = output_file(settings, agents[0].name, agents[1].name)
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
            hold_frames=(delays[0].hold_frames + console, delays[1].hold_frames + console),
        )
    finally:
        backend.close()
    _report(played, agents, out)
    return _result(played, agents, seed, out) | {
        "console_delay_frames": console,
        "delay_frames": delays[0].total_frames,
        "warnings": warnings,
    }


def _report(played: Played, agents: tuple[Agent, Agent], out: Path) -> None:
    say(verdict(played, (agents[0].name, agents[1].name)))
    pace = f"{played.frames / max(played.seconds, 1e-9):.0f} frames a second, {played.late_frames} late"
    say(f"{pace}", f"saved: {out}", f"look:  exphil-league watch {out} --html {out.with_suffix('.html')}")


def verdict(played: Played, names: tuple[str, str]) -> str:
    """How a game went, in a line."""
    who = "a draw" if played.winner is None else f"{names[played.winner]} wins"
    score = f"{played.stocks[0]}:{played.stocks[1]} stocks, {played.percent[0]:.0f} % and {played.percent[1]:.0f} %"
    return f"{who} by {played.ended_by} after {played.frames / FRAMES_PER_S:.0f} s of the game: {score}"


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
