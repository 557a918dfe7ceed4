"""The games of a series that are worth showing: the best win, the worst loss, the longest; kept while it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exphil_league.evaluation.scripted_games import save_game
from exphil_league.league.model import Job, MatchResult

RECORDED_AT_ONCE = 8

Merit = tuple[float, ...]


class Telling(NamedTuple):
    """A kind of game worth showing."""

    name: str
    """Of its files."""
    title: str
    why: str


TELLING: Final = (
    Telling("best_game", "Best game", "the clearest win of the main player, the quicker of two equal ones"),
    Telling("worst_loss", "Worst loss", "the clearest defeat of the main player"),
    Telling("longest_game", "Longest game", "who stalls is seen here"),
)


class TellingGames:
    """Chooses among the recorded games of one player."""

    def __init__(self, player: str) -> None:
        self._player = player
        self._recording: set[str] = set()
        self._kept: dict[str, tuple[Merit, Job, MatchResult, NDArray[np.void]]] = {}

    def wants(self, job: Job) -> bool:
        """Should the frames of this game be kept? At most a few games at once are: a game is some megabytes."""
        wanted = self._player in job.players and len(self._recording) < RECORDED_AT_ONCE
        if wanted:
            self._recording.add(job.job_id)
        return wanted

    def offer(self, job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
        """A finished game; `frames` [T] FRAME, empty when it was not recorded."""
        self._recording.discard(job.job_id)
        if not len(frames) or result.points is None:
            return
        for name, merit in self._merits(job, result).items():
            if name not in self._kept or merit > self._kept[name][0]:
                self._kept[name] = (merit, job, result, frames)

    def save(self, folder: Path) -> None:
        """Write FOLDER/NAME.slp of each kind there was a game of."""
        for name, (_, job, result, frames) in self._kept.items():
            save_game(folder / f"{name}.slp", job, result, frames)

    def _merits(self, job: Job, result: MatchResult) -> dict[str, Merit]:
        """How well a game fits each kind: a win before its margin, the margin before its speed."""
        seat = job.players.index(self._player)
        sign = 1 if seat == 0 else -1
        points = result.points or 0.0
        points = points if seat == 0 else 1 - points
        margin = sign * (result.stocks[0] - result.stocks[1])
        dealt = sign * (result.percent[1] - result.percent[0])
        merits: dict[str, Merit] = {
            "best_game": (points, margin, dealt, -result.frames),
            "longest_game": (result.frames,),
        }
        if points < 0.5:
            merits["worst_loss"] = (-margin, -dealt, -result.frames)
        return merits
