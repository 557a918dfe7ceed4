"""What `play` is asked for, whom it is against, and what is refused before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from envs.backends import known_backend
from envs.dolphin.config import DolphinConfig
from envs.dolphin.person import check_connect_code
from exphil_league.errors import UserError
from policies.cpu_player import CPU_PLAYERS, cpu_level

LoopName = Literal["sync", "async"]
"""What keeps the time on an emulator; see `exphil_league.play.loop`."""
DEFAULT_OPPONENT: Final = "fighter"
HUMAN: Final = "human"
_CPU: Final = "cpu"
_SEEDS: Final = 2**64 - 1
"""Seeds there are: unsigned 64-bit numbers, the last of them left for the opponent's, which is one more."""
MOST_ONLINE_DELAY_FRAMES: Final = 15
MOST_DELAY_FRAMES: Final = 60
_FOR_EMULATORS: Final = (
    *("dolphin", "iso", "controller", "loop", "on_game_end", "games", "headless", "connect_code", "user_json"),
    *("costume", "opponent_costume"),
)


@dataclass(frozen=True)
class PlaySettings:
    """What `play` is asked for."""

    agent: str | None = None
    """An agent file, a scripted player, a checkpoint folder or module:factory; None: the run's best player."""
    run: Path | None = None
    opponent: str | None = None
    """Named like the agent, or `human`, or `cpu:1` to `cpu:9`; None: the fighter, or whoever has the connect code."""
    backend: str = "sim"
    stage: str = "FINAL_DESTINATION"
    characters: tuple[str, str] = ("FOX", "FOX")
    costume: int | None = None
    opponent_costume: int | None = None
    stocks: int = 4
    time_limit_s: float = 480.0
    speed: float = 1.0
    seed: int | None = None
    out: Path | None = None
    view: bool = False
    console_delay: int | None = None
    """Frames from a press to the game's reading it that the console adds; None: 2 on line, as Slippi has it, else 0."""
    delay_frames: int | None = None
    """Frames from what the agent sees to what it does, the console's among them; None: as it was trained."""
    action_repeat: int | None = None
    deterministic: bool = False
    dolphin: Path | None = None
    iso: Path | None = None
    controller: str | None = None
    """`adapter` or a GCPadNew.ini, for `human`."""
    loop: LoopName | None = None
    """None: async where a person plays, else sync."""
    on_game_end: Literal["restart", "stop"] | None = None
    games: int | None = None
    headless: bool = False
    connect_code: str | None = None
    user_json: Path | None = None
    emulator: DolphinConfig = field(default_factory=DolphinConfig)
    """What a user of the command line leaves at its defaults: ports, folders, time limits."""

    @property
    def console_frames(self) -> int:
        """`console_delay` with its default."""
        if self.console_delay is not None:
            return self.console_delay
        return 2 if self.connect_code else 0


@dataclass(frozen=True)
class Opponent:
    """Who sits opposite."""

    kind: Literal["agent", "cpu", "human", "online"]
    name: str
    cpu_level: int = 0

    @property
    def is_person(self) -> bool:
        """Whether somebody is kept waiting when the game is."""
        return self.kind in ("human", "online")


def find_opponent(settings: PlaySettings) -> Opponent:
    """Whom the settings name. Raises UserError, DolphinSetupError."""
    name = settings.opponent
    if settings.connect_code is not None:
        if name is not None:
            raise UserError("--connect-code says whom to meet: leave --opponent out")
        return Opponent("online", check_connect_code(settings.connect_code))
    if name is None:
        return Opponent("agent", DEFAULT_OPPONENT)
    if name.lower() in ("ranked", "unranked", "teams"):
        check_connect_code(name)
    if name.lower() == HUMAN:
        return Opponent("human", HUMAN)
    if name.lower() == _CPU or name.lower().startswith(f"{_CPU}:"):
        return _cpu(name)
    return Opponent("agent", name)


def _cpu(name: str) -> Opponent:
    if name.lower() not in CPU_PLAYERS:
        raise UserError(f"--opponent {name}: the game's own players have levels 1 to 9: cpu:1 to cpu:9")
    return Opponent("cpu", name.lower(), cpu_level(name.lower()))


def check_settings(settings: PlaySettings) -> Opponent:
    """The opponent, if everything that can be said without starting anything is right. Raises UserError."""
    known_backend(settings.backend)
    if (settings.agent is None) == (settings.run is None):
        raise UserError("name either an AGENT or a run folder with --run")
    if settings.agent is not None and settings.agent.lower() == HUMAN:
        raise UserError("AGENT is the one of ours that plays; a person plays against it: AGENT --opponent human")
    if settings.agent in CPU_PLAYERS:
        raise UserError(
            f"AGENT is the one of ours that plays; the game's own player is met: --opponent {settings.agent}"
        )
    opponent = find_opponent(settings)
    _check_numbers(settings)
    if settings.backend == "sim":
        _check_sim(settings, opponent)
    else:
        _check_emulator(settings, opponent)
    return opponent


def _check_numbers(settings: PlaySettings) -> None:
    if not 1 <= settings.stocks <= 99:
        raise UserError(f"--stocks is {settings.stocks}; a game has 1 to 99")
    if settings.speed < 0:
        raise UserError(f"--speed is {settings.speed:g}; 1 is real time, 0 as fast as it goes")
    if settings.seed is not None and not 0 <= settings.seed < _SEEDS:
        raise UserError(f"--seed is {settings.seed}; it must be from 0 to 2**64 - 2")
    for flag, frames in (("--console-delay", settings.console_frames), ("--delay-frames", settings.delay_frames or 0)):
        if not 0 <= frames <= MOST_DELAY_FRAMES:
            raise UserError(f"{flag} is {frames}; it must be from 0 to {MOST_DELAY_FRAMES} frames")
    if settings.action_repeat is not None and not 1 <= settings.action_repeat <= 16:
        raise UserError(f"--action-repeat is {settings.action_repeat}; it must be from 1 to 16 frames")
    if not 0 < settings.time_limit_s <= 480:
        raise UserError(f"--time-limit-s is {settings.time_limit_s:g}; a game lasts at most 480 seconds")


def _check_sim(settings: PlaySettings, opponent: Opponent) -> None:
    if opponent.kind == "human":
        raise UserError("--opponent human needs the game itself, with a window and a controller: --backend dolphin")
    if opponent.kind == "cpu":
        raise UserError(
            f"--opponent {opponent.name} needs the game's own players: --backend dolphin, "
            "or --backend standin, whose CPU is a simple one of ours"
        )
    defaults = PlaySettings()
    for name in _FOR_EMULATORS:
        if getattr(settings, name) != getattr(defaults, name):
            raise UserError(f"--{name.replace('_', '-')} is for emulators: add --backend dolphin or --backend standin")


def _check_emulator(settings: PlaySettings, opponent: Opponent) -> None:
    if settings.backend == "standin" and opponent.kind == "human":
        raise UserError("the stand-in has no window and no controllers: a person needs --backend dolphin")
    if opponent.is_person and (settings.stocks, settings.time_limit_s) != (4, 480.0):
        raise UserError("a person's game has Slippi's stocks and clock: leave --stocks and --time-limit-s out")
    if opponent.is_person and settings.headless:
        raise UserError("--headless shows a person nothing: leave it out")
    if opponent.kind != "human" and settings.controller is not None:
        raise UserError("--controller is a person's: add --opponent human")
    if settings.user_json is not None and opponent.kind != "online":
        raise UserError("--user-json is for games on line: add --connect-code ABCD#123")
    if settings.view:
        raise UserError("--view draws games of the simulator; Dolphin has a window of its own")
    if settings.stocks > 4:
        raise UserError(f"--stocks is {settings.stocks}; Slippi's games have 4, or fewer")
    _check_pace(settings, opponent)
    _check_picks(settings, opponent)


def _check_pace(settings: PlaySettings, opponent: Opponent) -> None:
    if settings.console_frames > MOST_ONLINE_DELAY_FRAMES:
        most = MOST_ONLINE_DELAY_FRAMES
        raise UserError(
            f"--console-delay is {settings.console_frames}; Slippi holds inputs back for at most {most} frames"
        )
    if settings.loop == "sync" and opponent.kind == "online":
        raise UserError("--loop sync would stop the other side's game while the agent thinks: leave it out on line")
    if settings.speed != 1 and (opponent.is_person or settings.loop == "async"):
        raise UserError(f"--speed is {settings.speed:g}; a person, and --loop async, play in real time: leave it out")
    if settings.games is not None and settings.games < 1:
        raise UserError(f"--games is {settings.games}; play at least one")
    if settings.on_game_end == "stop" and (settings.games or 1) > 1:
        raise UserError("--on-game-end stop ends after the first game: leave it or --games out")


def _check_picks(settings: PlaySettings, opponent: Opponent) -> None:
    names = [name.upper() for name in settings.characters]
    if opponent.kind == "cpu" and names[1] == "SHEIK":
        raise UserError("Sheik cannot be picked for a CPU: take ZELDA, or another character")
    if opponent.kind == "online" and names[0] == "ZELDA":
        raise UserError("Zelda cannot be picked on line by libmelee's menus: take SHEIK, or another character")
    if opponent.is_person and settings.opponent_costume is not None:
        raise UserError("a person picks their own costume: leave --opponent-costume out")
