"""Who beats whom: decayed results of every pair of players, draws worth half.

Each game of a pair first multiplies that pair's counts by the decay, so a pair holds at most 1 / (1 - decay)
games (100 at 0.99). As an estimate of a win rate such a pair is worth (1 + decay) / (1 - decay) = 199
games, which the interval uses (Kish's effective sample size: squared sum over sum of squares).
Every pair starts with a few games of prior: drawn ones, and for a new snapshot games as the learner played that it
was frozen from. With decay 1 this is a plain tally: the rating's book of evaluation games.
`exphil_league.league.matchup_book` has the same pairs by characters and stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exphil_league.rating.bradley_terry import Z_95
from exphil_league.rating.win_rate import beta_interval, rate_difference, rate_interval

_GROWTH = 2
_COUNTS = ("home_games", "home_points", "draws", "aborted")
_EMPTY = dict.fromkeys(("points", "games", "squares", *_COUNTS), 0.0) | {"prior": 0.5}
"""What a pair holds before its first game; `prior` is the win rate of its prior games."""


class Payoff:
    """Symmetric book of results; rows and columns in the order the players were added."""

    def __init__(self, decay: float = 0.99, prior_games: float = 2.0) -> None:
        self.decay = decay
        self.prior_games = prior_games
        self.players: list[str] = []
        self._index: dict[str, int] = {}
        self._arrays: dict[str, NDArray[np.float64]] = {name: np.full((8, 8), value) for name, value in _EMPTY.items()}

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
                grown = np.full((size * _GROWTH, size * _GROWTH), _EMPTY[name])
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
        won, games, squares = (self._arrays[name] for name in ("points", "games", "squares"))
        for a, b, share in ((i, j, points), (j, i, 1.0 - points)):
            won[a, b] = won[a, b] * self.decay + share
            games[a, b] = games[a, b] * self.decay + 1.0
            squares[a, b] = squares[a, b] * self.decay**2 + 1.0
        self._arrays["home_games"][i, j] += 1
        self._arrays["home_points"][i, j] += points
        self._arrays["draws"][i, j] += points == 0.5

    def clear(self, player: str) -> None:
        """Forget a player's win rates (it was reset: it is somebody else now). Plain counts stay."""
        i = self._index[player]
        for name in ("points", "games", "squares", "prior"):
            self._arrays[name][i, :] = _EMPTY[name]
            self._arrays[name][:, i] = _EMPTY[name]

    def inherit(self, child: str, parent: str) -> None:
        """The prior games of `child` go as `parent` does against everybody else: it is `parent` as it is now."""
        rates = self.win_rates(parent, self.players)
        c, p = self._index[child], self._index[parent]
        rates[[c, p]] = 0.5
        prior = self._used("prior")
        prior[c, :], prior[:, c] = rates, 1.0 - rates

    def win_rates(self, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        """[len(opponents)] posterior mean of P(player beats opponent), draws as half; 0.5 without games and prior."""
        points, games = self._pairs("points", player, opponents), self._pairs("games", player, opponents)
        weight = games + self.prior_games
        prior = self.prior_games * self._pairs("prior", player, opponents)
        return np.where(weight > 0, (points + prior) / np.where(weight > 0, weight, 1.0), 0.5)

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
        """([n] low, [n] high): the Beta posterior's bounds z standard deviations from its middle, over effective games.

        z = 0 gives the mean twice. Either side's prior is half a game at least (Jeffreys), so that inherited win rates
        and clean sweeps alone prove little.
        """
        mean = self.win_rates(player, opponents)
        if z == 0.0:
            return mean, mean
        games = self._pairs("games", player, opponents)
        share = np.where(games > 0, self._pairs("points", player, opponents) / np.where(games > 0, games, 1.0), 0.5)
        prior = np.where(self.prior_games > 0, self._pairs("prior", player, opponents), 0.5)
        n = self.effective_games(player, opponents)
        wins, losses = (np.maximum(self.prior_games * side, 0.5) for side in (prior, 1.0 - prior))
        low, high = beta_interval(n * share + wins, n * (1.0 - share) + losses, z)
        return np.minimum(low, mean), np.maximum(high, mean)

    def places(self, players: Sequence[str]) -> list[int]:
        """Row numbers of these players in the matrices."""
        return [self._index[player] for player in players]

    def points_matrix(self) -> NDArray[np.float64]:
        """[N, N] (decayed) points of row against column, in the order of `players`."""
        return self._used("points").copy()

    def games_played(self) -> NDArray[np.float64]:
        """[N, N] games ever finished by the pair, both seat orders together, never decayed."""
        home = self._used("home_games")
        return home + home.T

    def rows(self, z: float = Z_95) -> list[dict[str, Any]]:
        """One row per pair that ever met: win rate of `player` with interval, and the effect of the seat."""
        aborted = self._used("aborted")
        met = np.triu(self.games_played() + aborted + aborted.T, 1) > 0
        return [row for i in range(len(self.players)) for row in self._rows_of(i, np.flatnonzero(met[i]), z)]

    def rows_of(self, player: str, z: float = Z_95) -> list[dict[str, Any]]:
        """One row per opponent that `player` ever met, from its view."""
        i, aborted = self._index[player], self._used("aborted")
        home = self._used("home_games")
        met = home[i] + home[:, i] + aborted[i] + aborted[:, i] > 0
        return self._rows_of(i, np.flatnonzero(met), z)

    def _rows_of(self, i: int, columns: NDArray[np.intp], z: float) -> list[dict[str, Any]]:
        player, opponents = self.players[i], [self.players[j] for j in columns]
        low, high = self.interval(player, opponents, z)
        rates, worths = self.win_rates(player, opponents), self.effective_games(player, opponents)
        home, points = self._used("home_games"), self._used("home_points")
        draws, aborted = self._used("draws"), self._used("aborted")
        sides = rate_difference(points[i, columns], home[i, columns], (home - points).T[i, columns], home.T[i, columns])
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
                "seat_effect": effect,
                "seat_effect_low": effect_low,
                "seat_effect_high": effect_high,
            }
            for j, opponent, rate, least, most, worth, (effect, effect_low, effect_high) in zip(
                columns, opponents, rates, low, high, worths, np.transpose(sides).tolist(), strict=True
            )
        ]

    def seat_0(self) -> dict[str, float]:
        """What a seat is worth: the win rate of seat 0 over all games, with its 95 % interval, and the games."""
        points, games = float(self._used("home_points").sum()), float(self._used("home_games").sum())
        rate, low, high = rate_interval(points, games)
        return {"win_rate": rate, "low": low, "high": high, "games": int(games)}

    def _pairs(self, name: str, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
        index = self._index
        columns = np.fromiter((index[o] for o in opponents), np.intp, len(opponents))
        return self._arrays[name][index[player], columns]

    def _used(self, name: str) -> NDArray[np.float64]:
        n = len(self.players)
        return self._arrays[name][:n, :n]
