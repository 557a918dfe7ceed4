"""Scores of a series of matches: win rate with draws as half, and its Wilson interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from exphil_league.league.model import Job, MatchResult

Z_95: Final = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(points: float, games: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson score interval of a rate of `points` in `games` (Wilson 1927); (0, 1) without games.

    A draw counts half a point; the interval is then slightly too wide, never too narrow.
    """
    if games == 0:
        return 0.0, 1.0
    rate, slack = points / games, z * z / games
    centre = (rate + slack / 2) / (1 + slack)
    half = z / (1 + slack) * math.sqrt(rate * (1 - rate) / games + slack / (4 * games))
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Score:
    """What one player made of its games. Rates are points (win 1, draw 1/2) per finished game."""

    games: int
    wins: int
    draws: int
    losses: int
    aborted: int
    rate: float
    low: float
    high: float
    """Bounds of the 95 % interval of `rate`."""
    stocks_per_game: float
    """Mean of own minus opponent's stocks left."""
    frames: int

    def row(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def score_of(player: str, games: Iterable[tuple[Job, MatchResult]]) -> Score:
    """Score of `player` in games it took part in. A game against itself counts for seat 0."""
    wins = draws = losses = aborted = stocks = frames = 0
    for job, result in games:
        seat = job.players.index(player)
        points = result.points
        frames += result.frames
        if points is None:
            aborted += 1
            continue
        own = points if seat == 0 else 1.0 - points
        wins, draws, losses = wins + (own == 1.0), draws + (own == 0.5), losses + (own == 0.0)
        stocks += result.stocks[seat] - result.stocks[1 - seat]
    finished = wins + draws + losses
    low, high = wilson(wins + draws / 2, finished)
    rate = (wins + draws / 2) / finished if finished else 0.5
    mean_stocks = stocks / finished if finished else 0.0
    return Score(finished, wins, draws, losses, aborted, rate, low, high, mean_stocks, frames)
