"""Games on one emulator, one after the other, and whatever comes between: no process is left, and no replay is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from envs.backend import BackendLost
from envs.dolphin.errors import FaultKind
from envs.dolphin.live import LiveMatch
from envs.dolphin.menu import GameOrder
from envs.game import UnknownName, stage_name
from exphil_league.errors import UserError
from exphil_league.observe.console import say
from exphil_league.play.game import Played, played_of
from exphil_league.play.loop import play_live
from exphil_league.play.meter import Meter, together
from exphil_league.play.readout import Readout
from exphil_league.play.saved import collect
from exphil_league.play.seats import Holds, Seats
from exphil_league.play.session import verdict
from exphil_league.play.settings import LoopName, Opponent, PlaySettings

_WARM_UP_FRAMES: Final = 3
_CLOSED: Final = {str(FaultKind.EXITED): 1}
"""What happened to an emulator whose window a person has closed."""


@dataclass
class LiveGame:
    """One game of a session."""

    meter: Meter
    played: Played | None = None
    """None: it was broken off."""
    stage: str = ""
    slp: Path | None = None

    def result(self) -> dict[str, Any]:
        """As `play --json` has it; of a game that was played to its end."""
        assert self.played is not None
        winner = None if self.played.winner is None else ("agent", "opponent")[self.played.winner]
        slp = None if self.slp is None else str(self.slp)
        return {**asdict(self.played), **self.meter.figures(), "winner": winner, "stage": self.stage, "slp": slp}


@dataclass
class LiveSession:
    """An emulator with its players, and the games that they have played."""

    settings: PlaySettings
    opponent: Opponent
    match: LiveMatch
    seats: Seats
    order: GameOrder
    loop: LoopName
    holds: Holds
    names: tuple[str, str]
    games: list[LiveGame] = field(default_factory=list)

    def run(self, out: Path) -> None:
        """Play all games, save them at `out`, and say how it went, also after Ctrl-C.

        Raises UserError for an emulator that is lost, DolphinSetupError, and what agents raise.
        """
        try:
            self._play()
        except BackendLost as error:
            if not self._was_closed:
                hint = f"`exphil-league doctor --backend {self.settings.backend}` looks for the cause"
                raise UserError(f"{error}\n{hint}") from error
            say("Dolphin was closed")
        finally:
            self.match.close()
            self._report(self._saved(out))

    def _play(self) -> None:
        # A person's game ends by the game's own clock.
        limit_s = 0.0 if self.opponent.is_person else self.settings.time_limit_s
        with Readout(self.seats, self.names) as screen:
            for screen.game in self._numbers():
                game = LiveGame(Meter(self.settings.speed))
                self.match.begin(self.order, self.settings.stocks, round(limit_s * 60))
                self.games.append(game)
                if screen.game == 1:
                    self._warm_up(screen)
                play_live(self.loop, self.match, self.seats, self.holds, game.meter, screen)
                game.played = played_of(self.match.result, game.meter.seconds, game.meter.late_frames)
                game.stage = _stage(int(self.match.frames[0]["stage"]))

    def _numbers(self) -> Iterator[int]:
        """Of the games to be played, from 1."""
        if self.settings.games is not None:
            return iter(range(1, self.settings.games + 1))
        return count(1) if self.settings.on_game_end == "restart" else iter((1,))

    def _warm_up(self, screen: Readout) -> None:
        """What compiles or loads at an agent's first decision does so before Dolphin is started, which waits for us."""
        screen.warming("loading the players")
        for _ in range(_WARM_UP_FRAMES):
            self.seats.decide(self.match.frames)

    @property
    def _was_closed(self) -> bool:
        return self.opponent.is_person and self.match.faults == _CLOSED and self.games[0].meter.frames > 0

    def _saved(self, out: Path) -> list[Path]:
        replays = collect(self.match.replay_folders, out)
        begun = [game for game in self.games if game.meter.frames]
        if len(replays) == len(begun):
            for game, replay in zip(begun, replays, strict=True):
                game.slp = replay
        return replays

    def _report(self, replays: list[Path]) -> None:
        for number, game in enumerate(self.games, 1):
            if game.played is not None:
                say(f"game {number}: {verdict(game.played, self.names)}")
            elif game.meter.frames:
                say(f"game {number} was broken off after {game.meter.frames} frames")
        whole = together(game.meter for game in self.games)
        if whole.frames:
            told = ", ".join(f"{name} {value:.1f} ms" for name, value in (whole.inference_ms() or {}).items())
            say(
                f"{whole.fps:.1f} frames a second, {whole.late_frames} of {whole.frames} late, "
                f"{whole.repeated_actions} actions repeated, inference {told}"
            )
        say(*(f"saved: {replay}" for replay in replays))


def _stage(slippi_id: int) -> str:
    """Name of a stage; a person may pick one that has none here."""
    try:
        return stage_name(slippi_id)
    except UnknownName:
        return f"stage {slippi_id}"
