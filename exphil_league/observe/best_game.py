"""The best game of a series: the one worth showing, kept while the series goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exphil_league.evaluation.scripted_games import save_game
from exphil_league.league.model import Job, MatchResult

RECORDED_AT_ONCE = 8


class BestGame:
    """Chooses among the recorded games of one player: a win first, then the wider margin, then the quicker end."""

    def __init__(self, player: str) -> None:
        self._player = player
        self._recording: set[str] = set()
        self._best: tuple[tuple[float, ...], Job, MatchResult, NDArray[np.void]] | None = None

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
        merit = self._merit(job, result)
        if self._best is None or merit > self._best[0]:
            self._best = (merit, job, result, frames)

    def save(self, path: Path) -> None:
        """Write the best game as a .slp file, if any was recorded."""
        if self._best is not None:
            _, job, result, frames = self._best
            save_game(path, job, result, frames)

    def _merit(self, job: Job, result: MatchResult) -> tuple[float, ...]:
        seat = job.players.index(self._player)
        sign = 1 if seat == 0 else -1
        points = result.points or 0.0
        margin = sign * (result.stocks[0] - result.stocks[1])
        dealt = sign * (result.percent[1] - result.percent[0])
        return (points if seat == 0 else 1 - points, margin, dealt, -result.frames)
