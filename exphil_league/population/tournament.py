"""How good the members' players are: in every round all of a role meet the same opponents.

Main players meet each other, the warm start and the rating's anchor; their fitness is the Elo of one fit over all of
these games, on the anchor's scale. An exploiter's fitness is its win rate against the main players of all members:
against its own alone it would be praised for having a weak one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count, product
from typing import NamedTuple

import numpy as np

from envs.backend import Matchup
from envs.backends import make_backend
from exphil_league.config.recipe import Recipe
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches
from exphil_league.evaluation.rating_games import Cast
from exphil_league.league.model import Job, MatchResult, PlayerKind
from exphil_league.observe.progress import progress
from exphil_league.population.evolution import Fitness
from exphil_league.rating.bradley_terry import fit
from policies.agent import Agent


class Entrant(NamedTuple):
    """A member's player; a yardstick where the member is empty."""

    member: str
    player: str
    kind: PlayerKind
    digest: str

    @property
    def name(self) -> str:
        return f"{self.member}.{self.player}" if self.member else self.player


@dataclass
class Points:
    """Points by pair of entrants, in their order."""

    won: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))

    def add(self, job: Job, result: MatchResult) -> None:
        """Count a game; aborted ones change nothing."""
        if result.points is not None:
            self.won[job.players] += result.points
            self.won[job.players[::-1]] += 1.0 - result.points


@dataclass(frozen=True)
class Scale:
    """Where Elo is fixed."""

    anchor: str
    """Name of the entrant whose Elo is `anchor_elo`."""
    anchor_elo: float
    prior_sd_elo: float


def pairings(entrants: Sequence[Entrant], yardsticks: Sequence[Entrant]) -> Iterator[tuple[Entrant, Entrant]]:
    """Who meets whom. Equal weights do not meet: they are one player."""
    mains = [entrant for entrant in entrants if entrant.kind is PlayerKind.MAIN]
    exploiters = [entrant for entrant in entrants if entrant.kind is not PlayerKind.MAIN]
    for one, other in (*combinations(mains, 2), *product(mains, yardsticks), *product(exploiters, mains)):
        if one.digest != other.digest:
            yield one, other


def fitness(
    entrants: Sequence[Entrant], yardsticks: Sequence[Entrant], points: Points, scale: Scale
) -> dict[str, dict[str, Fitness]]:
    """By player, then by member."""
    found: dict[str, dict[str, Fitness]] = defaultdict(dict)
    mains = [entrant for entrant in entrants if entrant.kind is PlayerKind.MAIN]
    for entrant, measured in zip(mains, _elo(mains, yardsticks, points, scale), strict=True):
        found[entrant.player][entrant.member] = measured
    for entrant in (e for e in entrants if e.kind is not PlayerKind.MAIN):
        found[entrant.player][entrant.member] = _win_rate(entrant, mains, points)
    return dict(found)


def _elo(mains: Sequence[Entrant], yardsticks: Sequence[Entrant], points: Points, scale: Scale) -> Iterator[Fitness]:
    """Of each main player; `sd` is that of its difference to the main players' mean, on which comparisons rest."""
    names = [entrant.name for entrant in (*mains, *yardsticks)]
    matrix = np.array([[points.won.get((one, other), 0.0) for other in names] for one in names])
    ratings, games = fit(matrix, scale.prior_sd_elo), (matrix + matrix.T).sum(axis=1)
    anchor = names.index(scale.anchor)
    for place in range(len(mains)):
        contrast = np.zeros(len(names))
        contrast[: len(mains)] = -1.0 / len(mains)
        contrast[place] += 1.0
        sd = float(np.sqrt(contrast @ ratings.covariance @ contrast))
        yield Fitness(scale.anchor_elo + ratings.difference(place, anchor)[0], sd, int(games[place]))


def _win_rate(exploiter: Entrant, mains: Sequence[Entrant], points: Points) -> Fitness:
    """Mean over main players, each as heavy as the others, under Jeffreys' prior."""
    won = np.array([points.won.get((exploiter.name, main.name), 0.0) for main in mains])
    lost = np.array([points.won.get((main.name, exploiter.name), 0.0) for main in mains])
    games = won + lost
    rate = (won + 0.5) / (games + 1.0)
    variance = rate * (1.0 - rate) / (games + 2.0)
    return Fitness(float(rate.mean()), float(np.sqrt(variance.sum()) / len(mains)), int(games.sum()))


def play(
    recipe: Recipe,
    entrants: Sequence[Entrant],
    yardsticks: Sequence[Entrant],
    load: Callable[[str, int], Agent],
    seed: int,
) -> Points:
    """All games of a round under the rules of rating games, seats and matchups balanced."""
    points, numbers = Points(), count(seed)
    jobs = [
        job
        for one, other in pairings(entrants, yardsticks)
        for job in pair_jobs(
            (one.name, other.name), (one.digest, other.digest), matchups(recipe), recipe.population.games, next(numbers)
        )
    ]
    if not jobs:
        return points
    at_once = recipe.game.at_once(min(recipe.evaluation.games, len(jobs)))
    backend = make_backend(recipe.game.backend, at_once, recipe.game.dolphin)
    try:
        with progress("population", total=len(jobs), unit="games") as shown:

            def note(job: Job, result: MatchResult, frames: object) -> None:
                points.add(job, result)
                shown.advance()

            play_matches(backend, jobs, Cast(load, columns_needed(at_once)), on_game=note, worker="population")
    finally:
        backend.close()
    return points


def matchups(recipe: Recipe) -> list[Matchup]:
    """Every pair of characters on every stage."""
    rules = recipe.evaluation
    return [
        Matchup(characters=pair, stage=stage, stocks=rules.stocks, time_limit_s=rules.time_limit_s)
        for pair, stage in product(recipe.game.pairs, recipe.game.played_on)
    ]


def by_member(found: Mapping[str, Mapping[str, Fitness]]) -> dict[str, dict[str, dict[str, float]]]:
    """Fitness as JSON, by player and member."""
    return {player: {member: one._asdict() for member, one in of.items()} for player, of in found.items()}
