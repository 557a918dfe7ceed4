"""Who beats whom: decayed results of every pair of players, draws worth half.

Each game of a pair first multiplies that pair's counts by the decay, so a pair holds at most 1 / (1 - decay)
games (100 at 0.99). As an estimate of a win rate such a pair is worth (1 + decay) / (1 - decay) = 199
games, which the interval uses (Kish's effective sample size: squared sum over sum of squares).
With decay 1 this is a plain tally: the rating's book of evaluation games.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GROWTH = 2
_COUNTS = ("home_games", "home_points", "draws", "aborted")


class Payoff:
    """Symmetric book of results; rows and columns in the order the players were added."""

    def __init__(self, decay: float = 0.99, prior_games: float = 2.0) -> None:
        self.decay = decay
        self.prior_games = prior_games
        self.players: list[str] = []
        self._index: dict[str, int] = {}
        self._arrays: dict[str, NDArray[np.float64]] = {
            name: np.zeros((8, 8)) for name in ("points", "games", "squares", *_COUNTS)
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payoff) or self.players != other.players:
            return False
        same_rule = (self.decay, self.prior_games) == (other.decay, other.prior_games)
        return same_rule and all(np.array_equal(self._used(k), other._used(k)) for k in self._arrays)

    __hash__ = None  # type: ignore[assignment]

    def add(self, player: str) -> None:
        """A new row and column without games; a known player is left as it is."""
        if player in self._index:
            return
        self._index[player] = len(self.players)
        self.players.append(player)
        size = len(next(iter(self._arrays.values())))
        if len(self.players) > size:
            for name, array in self._arrays.items():
                grown = np.zeros((size * _GROWTH, size * _GROWTH))
                grown[:size, :size] = array
                self._arrays[name] = grown

    def record(self, home: str, away: str, points: float | None) -> None:
        """A finished game: `home` (seat 0) made `points` (1, 0.5, 0) against `away`; None was aborted.

        An aborted game is counted and changes no win rate. A player's games against itself are not kept.
        """
        if home == away:
            return
        i, j = self._index[home], self._index[away]
        if points is None:
            self._arrays["aborted"][i, j] += 1
            return
        for a, b, share in ((i, j, points), (j, i, 1.0 - points)):
            self._decayed("points", a, b, share, self.decay)
            self._decayed("games", a, b, 1.0, self.decay)
            self._decayed("squares", a, b, 1.0, self.decay**2)
        self._arrays["home_games"][i, j] += 1
        self._arrays["home_points"][i, j] += points
        self._arrays["draws"][i, j] += points == 0.5

    def _decayed(self, name: str, a: int, b: int, share: float, decay: float) -> None:
        array = self._arrays[name]
        array[a, b] = array[a, b] * decay + share

    def clear(self, player: str) -> None:
        """Forget a player's win rates (it was reset: it is somebody else now). Plain counts stay."""
        i = self._index[player]
        for name in ("points", "games", "squares"):
            self._arrays[name][i, :] = 0.0
            self._arrays[name][:, i] = 0.0

    def win_rates(self, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        """[len(opponents)] estimate of P(player beats opponent), draws as half; 0.5 without games."""
        points, games = self._pairs("points", player, opponents), self._pairs("games", player, opponents)
        weight = games + self.prior_games
        return np.where(weight > 0, (points + self.prior_games / 2) / np.where(weight > 0, weight, 1.0), 0.5)

    def win_rate(self, player: str, opponent: str) -> float:
        """`win_rates` of one opponent; exactly 0.5 against itself."""
        return 0.5 if player == opponent else float(self.win_rates(player, [opponent])[0])

    def games_between(self, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        """[len(opponents)] games ever finished against each, both seat orders together."""
        columns = [self._index[opponent] for opponent in opponents]
        own = self._index[player]
        home = self._used("home_games")
        return home[own, columns] + home[columns, own]

    def effective_games(self, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        """[len(opponents)] independent games that the decayed counts are worth."""
        games, squares = self._pairs("games", player, opponents), self._pairs("squares", player, opponents)
        return np.where(squares > 0, games**2 / np.where(squares > 0, squares, 1.0), 0.0)

    def interval(
        self, player: str, opponents: Sequence[str], z: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """([n] low, [n] high): Wilson's interval, z standard deviations wide, over the effective games.

        (0, 1) without games. z = 0 gives the raw share twice, 0.5 without games.
        """
        games = self._pairs("games", player, opponents)
        share = np.where(games > 0, self._pairs("points", player, opponents) / np.where(games > 0, games, 1.0), 0.5)
        n = self.effective_games(player, opponents)
        scale = np.where(n + z * z > 0, n + z * z, 1.0)
        centre = np.where(n + z * z > 0, (n * share + z * z / 2) / scale, 0.5)
        half = z * np.sqrt(n * share * (1 - share) + z * z / 4) / scale
        return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)

    def points_matrix(self) -> NDArray[np.float64]:
        """[N, N] (decayed) points of row against column, in the order of `players`."""
        return self._used("points").copy()

    def games_played(self) -> NDArray[np.float64]:
        """[N, N] games ever finished by the pair, both seat orders together, never decayed."""
        home = self._used("home_games")
        return home + home.T

    def rows(self, z: float = 1.96) -> list[dict[str, Any]]:
        """One row per pair that ever met: win rate of `player` with interval, and the effect of the seat."""
        aborted = self._used("aborted")
        met = np.triu(self.games_played() + aborted + aborted.T, 1) > 0
        return [row for i in range(len(self.players)) for row in self._rows_of(i, np.flatnonzero(met[i]), z)]

    def _rows_of(self, i: int, columns: NDArray[np.intp], z: float) -> list[dict[str, Any]]:
        player, opponents = self.players[i], [self.players[j] for j in columns]
        low, high = self.interval(player, opponents, z)
        rates, worths = self.win_rates(player, opponents), self.effective_games(player, opponents)
        home, points = self._used("home_games"), self._used("home_points")
        draws, aborted = self._used("draws"), self._used("aborted")
        return [
            {
                "player": player,
                "opponent": opponent,
                "win_rate": float(rate),
                "low": float(least),
                "high": float(most),
                "games": int(home[i, j] + home[j, i]),
                "effective_games": float(worth),
                "draws": int(draws[i, j] + draws[j, i]),
                "aborted": int(aborted[i, j] + aborted[j, i]),
                "games_at_seat_0": int(home[i, j]),
                "points_at_seat_0": float(points[i, j]),
                "points_at_seat_1": float(home[j, i] - points[j, i]),
            }
            for j, opponent, rate, least, most, worth in zip(columns, opponents, rates, low, high, worths, strict=True)
        ]

    def _pairs(self, name: str, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        index = self._index
        columns = np.fromiter((index[o] for o in opponents), np.intp, len(opponents))
        return self._arrays[name][index[player], columns]

    def _used(self, name: str) -> NDArray[np.float64]:
        n = len(self.players)
        return self._arrays[name][:n, :n]
