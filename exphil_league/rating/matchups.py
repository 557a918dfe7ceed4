"""Ratings by matchup with shrinkage: how strong a player is with these characters on this stage.

A player's rating in a matchup is its overall rating plus a deviation N(0, sd): with few games it stays where all its
games put it, with many it goes where its own put it. In a matchup of unlike characters all players share a further
deviation of the same size, the advantage of one character over the other. Overall and matchup ratings are
fitted together, so that every difference has its interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exphil_league.rating.bradley_terry import ELO_SCALE, Z_95, Ratings, fit_map

Array = NDArray[np.float64]
Side = tuple[str, str, str, str]
"""Player, its character, the opponent's, the stage."""

RATED_BY_MATCHUP: Final = 48
"""Strongest players whose matchups are rated, beside the anchor: the fit is cubic in players times matchups."""


@dataclass(frozen=True)
class MatchupGames:
    """Rating games of a pair in one matchup; pairs by side."""

    players: tuple[str, str]
    characters: tuple[str, str]
    stage: str
    points: tuple[float, float]

    @property
    def sides(self) -> tuple[Side, Side]:
        (one, other), (own, theirs) = self.players, self.characters
        return (one, own, theirs, self.stage), (other, theirs, own, self.stage)


@dataclass(frozen=True)
class MatchupRatings:
    """Overall ratings of the players first, then those of the sides, in one joint posterior."""

    players: tuple[str, ...]
    sides: tuple[Side, ...]
    ratings: Ratings


def fit_matchups(games: Sequence[MatchupGames], prior_sd_elo: float, matchup_sd_elo: float) -> MatchupRatings:
    """MAP and covariance of overall and matchup ratings."""
    sides = tuple(dict.fromkeys(side for played in games for side in played.sides))
    players = tuple(dict.fromkeys(side[0] for side in sides))
    place = {name: n for n, name in enumerate((*players, *sides))}
    points = np.zeros((len(place), len(place)))
    for played in games:
        one, other = (place[side] for side in played.sides)
        points[one, other] += played.points[0]
        points[other, one] += played.points[1]
    covariance = _prior(players, sides, prior_sd_elo, matchup_sd_elo) * ELO_SCALE**2
    return MatchupRatings(players, sides, fit_map(points, np.linalg.inv(covariance)))


def _prior(players: Sequence[str], sides: Sequence[Side], prior_sd_elo: float, matchup_sd_elo: float) -> Array:
    """[P + S, P + S] covariance before any game, in Elo squared."""
    owner = np.array([*players, *(side[0] for side in sides)])
    overall = prior_sd_elo**2 * (owner[:, None] == owner)
    deviation = np.zeros_like(overall)
    kinds = [side[1:] for side in sides]
    same = np.array([[a == b and a[0] != a[1] for b in kinds] for a in kinds], np.float64)
    deviation[len(players) :, len(players) :] = matchup_sd_elo**2 * (np.eye(len(sides)) + same)
    return overall + deviation


def matchup_rows(
    games: Sequence[MatchupGames], anchor: str, anchor_elo: float, prior_sd_elo: float, matchup_sd_elo: float
) -> list[dict[str, Any]]:
    """One row per player and matchup it played, best first: Elo on the anchor's overall scale, and how far that is
    from the player's own overall rating, both with 95 % intervals. Empty when all games are of one matchup."""
    if len({(frozenset(g.characters), g.stage) for g in games}) < 2 or not any(anchor in g.players for g in games):
        return []
    fitted = fit_matchups(games, prior_sd_elo, matchup_sd_elo)
    place = {name: n for n, name in enumerate(fitted.players)}
    played: Counter[Side] = Counter()
    for cell in games:
        played.update(dict.fromkeys(cell.sides, round(sum(cell.points))))
    rows = []
    for n, side in enumerate(fitted.sides, len(fitted.players)):
        player, own, theirs, stage = side
        elo, sd = fitted.ratings.difference(n, place[anchor])
        above, above_sd = fitted.ratings.difference(n, place[player])
        rows.append(
            {
                "player": player,
                "character": own,
                "opponent_character": theirs,
                "stage": stage,
                "elo": anchor_elo + elo,
                "low": anchor_elo + elo - Z_95 * sd,
                "high": anchor_elo + elo + Z_95 * sd,
                "above_overall": above,
                "above_overall_low": above - Z_95 * above_sd,
                "above_overall_high": above + Z_95 * above_sd,
                "games": played[side],
            }
        )
    return sorted(rows, key=lambda row: (-row["elo"], row["player"]))
