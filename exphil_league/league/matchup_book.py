"""Who beats whom with which characters on which stage: decayed results of every pair in every matchup it played.

Sparse, since few pairs play many matchups. Counts decay as in `league.payoff`, each cell by its own games; what few
games say about a matchup is weighed by the hierarchical ratings of `exphil_league.rating.matchups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.backend import Matchup
from exphil_league.rating.bradley_terry import Z_95
from exphil_league.rating.win_rate import beta_interval

Key = tuple[str, str, str, str, str]
"""Players in name order, the character of each, the stage."""


@dataclass
class Cell:
    """One pair in one matchup, from its first player's view."""

    points: float = 0.0
    games: float = 0.0
    squares: float = 0.0
    finished: int = 0
    """Games ever finished, never decayed."""
    draws: int = 0
    aborted: int = 0


class MatchupBook:
    """Cells by key, in the order of their first games."""

    def __init__(self, decay: float = 0.99) -> None:
        self.decay = decay
        self.cells: dict[Key, Cell] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MatchupBook) and (self.decay, self.cells) == (other.decay, other.cells)

    __hash__ = None  # type: ignore[assignment]

    def record(self, players: tuple[str, str], matchup: Matchup, points: float | None) -> None:
        """A game by seat; `points` of seat 0, None for an aborted one. A player's games against itself are not kept."""
        if players[0] == players[1]:
            return
        (first, character), (second, other) = sorted(zip(players, matchup.characters, strict=True))
        cell = self.cells.setdefault((first, second, character, other, matchup.stage), Cell())
        if points is None:
            cell.aborted += 1
            return
        cell.points = cell.points * self.decay + (points if first == players[0] else 1.0 - points)
        cell.games = cell.games * self.decay + 1.0
        cell.squares = cell.squares * self.decay**2 + 1.0
        cell.finished += 1
        cell.draws += points == 0.5

    def clear(self, player: str) -> None:
        """Forget a player's win rates (it was reset). Plain counts stay."""
        for key, cell in self.cells.items():
            if player in key[:2]:
                cell.points = cell.games = cell.squares = 0.0

    def rows(self) -> list[dict[str, Any]]:
        """One row per cell: posterior mean and 95 % interval of `player`'s win rate under Jeffreys' prior."""
        cells = list(self.cells.values())
        points, games, squares = (
            np.array([getattr(c, name) for c in cells]) for name in ("points", "games", "squares")
        )
        worth = np.where(squares > 0, games**2 / np.where(squares > 0, squares, 1.0), 0.0)
        share = np.where(games > 0, points / np.where(games > 0, games, 1.0), 0.5)
        wins, losses = worth * share + 0.5, worth * (1.0 - share) + 0.5
        low, high = beta_interval(wins, losses, Z_95)
        return [
            {
                "player": first,
                "opponent": second,
                "character": character,
                "opponent_character": other,
                "stage": stage,
                "win_rate": float(wins[n] / (wins[n] + losses[n])),
                "low": float(low[n]),
                "high": float(high[n]),
                "games": cell.finished,
                "effective_games": float(worth[n]),
                "draws": cell.draws,
                "aborted": cell.aborted,
            }
            for n, ((first, second, character, other, stage), cell) in enumerate(self.cells.items())
        ]
