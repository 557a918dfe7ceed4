"""The ladder: Elo of frozen players against one named anchor, with intervals from the joint posterior."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exphil_league.rating.bradley_terry import Z_95, Ratings, fit
from exphil_league.rating.meta_strategy import nash, pair_win_rates, worst_opponents


def anchor_digest(scripted_version: str, simulator_version: str, backend: str) -> str:
    """Digest of all that gives the anchors their strength; ladders of different digests are never compared."""
    text = "\n".join((f"scripted={scripted_version}", f"simulator={simulator_version}", f"backend={backend}"))
    return hashlib.sha256(text.encode()).hexdigest()


def ladder_rows(
    players: Sequence[str],
    kinds: Mapping[str, str],
    points: NDArray[np.float64],
    *,
    anchor: str,
    anchor_elo: float,
    prior_sd_elo: float,
    reference: str | None,
    pair_prior_games: float = 8.0,
) -> list[dict[str, Any]]:
    """Rows of the ladder, best first.

    `points` [N, N] of rating games in the order of `players`; `reference` is the warm start, whose difference
    to every player is given too (None when there is none). Intervals are 95 %, of the difference to the
    anchor, which is exact by definition. `nash_mass` and the worst opponent rest on win rates that begin with
    `pair_prior_games` as the ratings predict; they are None without games.
    """
    ratings = fit(points, prior_sd_elo)
    win = pair_win_rates(points, ratings, pair_prior_games)
    games = (points + points.T).sum(axis=1)
    mass = _nash_of_rated(win, games)
    worst = worst_opponents(win, points + points.T)
    index = {player: i for i, player in enumerate(players)}
    rows = [
        {
            "player": player,
            "kind": kinds[player],
            **_interval(ratings, i, index[anchor], "elo", anchor_elo),
            "games": int(games[i]),
            "nash_mass": float(mass[i]) if games[i] else None,
            "min_win_rate": None if least is None else least[1],
            "min_against": None if least is None else players[least[0]],
            "vs_warm_start": None if reference is None else _interval(ratings, i, index[reference], "diff", 0.0),
        }
        for i, (player, least) in enumerate(zip(players, worst, strict=True))
    ]
    return sorted(rows, key=lambda row: (-float(row["elo"]), str(row["player"])))


def _nash_of_rated(win: NDArray[np.float64], games: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] Nash mass among the players with games; the others hold none."""
    rated = np.flatnonzero(games)
    mass = np.zeros(len(win))
    mass[rated] = nash(win[np.ix_(rated, rated)])
    return mass


def _interval(ratings: Ratings, i: int, j: int, name: str, origin: float) -> dict[str, float]:
    mean, sd = ratings.difference(i, j)
    return {name: origin + mean, "low": origin + mean - Z_95 * sd, "high": origin + mean + Z_95 * sd}
