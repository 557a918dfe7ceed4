"""V1: does the matchmaking draw as its formulas say? Ten thousand draws each, against win rates that were taught.

A right sampler's total variation distance at 10,000 draws of 20 opponents is 0.026 to 0.028 once in a thousand
times; the nearest wrong weighting is 0.108 away, an inverted one 0.41 to 0.70.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exphil_league.config.league import LeagueSetup, LearnerConfig, PayoffConfig, Shares, SnapshotConfig, Weighting
from exphil_league.league.model import Branch, PlayerKind
from exphil_league.verification.check import Check
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import Stage, with_league
from exphil_league.verification.trace import ROSTER

DRAWS: Final = 10_000
TVD_LIMIT: Final = 0.03
SHARE_LIMITS: Final = {Branch.PFSP: (0.5, 0.017), Branch.VERIFICATION: (0.15, 0.012), Branch.SELF_PLAY: (0.35, 0.016)}
"""Declared share of each branch, and 3.4 standard deviations of it at 10,000 draws."""
OPPONENTS: Final = 20
_TAUGHT_GAMES: Final = 190
_TAUGHT_HALF_WINS: Final = 19 + 18 * np.arange(OPPONENTS)
"""Half wins of 190 games: win rates 0.05, 0.097, ..., 0.95."""

_FORMULAS: Final[dict[Weighting, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    Weighting.SQUARED: lambda x: (1.0 - x) ** 2,
    Weighting.VARIANCE: lambda x: x * (1.0 - x),
    Weighting.LINEAR: lambda x: 1.0 - x,
    Weighting.LINEAR_CAPPED: lambda x: np.minimum(0.5, 1.0 - x),
}
"""As published (Vinyals et al. 2019), written here once more so that a core is not measured by itself."""


def checks(make: CoreClass, rng: np.random.Generator) -> Iterator[Check]:
    """Every check of V1, as it is done."""
    for weighting in _FORMULAS:
        yield distance(make, rng, "main", weighting)
    yield distance(make, rng, "league_exploiter", Weighting.LINEAR_CAPPED)
    yield distance(make, rng, "main_exploiter", Weighting.VARIANCE)
    yield from _shares(make, rng)


def distance(make: CoreClass, rng: np.random.Generator, learner: str, weighting: Weighting) -> Check:
    """Total variation distance between a learner's draws of 20 opponents and the formula of its role."""
    stage = Stage(make, rng, _setup(learner, weighting), replace(ROSTER, imports={}))
    stage.freeze("main", OPPONENTS - 1)
    pool = ["warm_start", *(f"main@{k}" for k in range(1, OPPONENTS))]
    for opponent, half_wins in zip(pool, _TAUGHT_HALF_WINS, strict=True):
        wins, draws = divmod(int(half_wins), 2)
        stage.teach(learner, opponent, wins, _TAUGHT_GAMES - wins - draws, draws)
    if learner == "main_exploiter":
        stage.teach(learner, "main", 0, _TAUGHT_GAMES)  # the live main out of reach: its past is met
    drawn = stage.met(learner, DRAWS)
    weights = _FORMULAS[weighting](_TAUGHT_HALF_WINS / (2.0 * _TAUGHT_GAMES))
    shares = np.array([drawn[name] for name in pool]) / DRAWS
    strangers = 1.0 - shares.sum()
    distance = (np.abs(shares - weights / weights.sum()).sum() + strangers) / 2
    return Check(f"V1 {learner} draws {weighting}: total variation distance", TVD_LIMIT, float(distance))


def _setup(learner: str, weighting: Weighting) -> LeagueSetup:
    kinds = {"main_exploiter": PlayerKind.MAIN_EXPLOITER, "league_exploiter": PlayerKind.LEAGUE_EXPLOITER}
    others = (LearnerConfig(name=learner, kind=kinds[learner]),) if learner in kinds else ()
    return with_league(
        learners=(LearnerConfig(), *others),
        shares=Shares(self_play=0.0, pfsp=1.0, verification=0.0),
        weighting=weighting,
        payoff=PayoffConfig(decay=1.0, prior_games=0.0),
        snapshot=SnapshotConfig(min_frames=1, timeout_frames=1),
    )


def _shares(make: CoreClass, rng: np.random.Generator) -> Iterator[Check]:
    """35/50/15 while something is forgotten; when nothing is, verification's share goes to self-play."""
    stage = Stage(make, rng)
    stage.freeze("main", 2)
    for opponent, wins in (("warm_start", 99), ("main@1", 95), ("main@2", 90), ("style", 60)):
        stage.teach("main", opponent, wins, 100 - wins)
    calm = _branches(stage)
    stage.teach("main", "main@1", 0, 100)
    forgetful = _branches(stage)
    for branch, (share, limit) in SHARE_LIMITS.items():
        yield Check(f"V1 share of {branch}: distance from {share}", limit, abs(forgetful[branch] / DRAWS - share))
    limit = SHARE_LIMITS[Branch.PFSP][1]
    for branch in (Branch.PFSP, Branch.SELF_PLAY):
        name = f"V1 share of {branch} with nothing forgotten: distance from 0.5"
        yield Check(name, limit, abs(calm[branch] / DRAWS - 0.5))


def _branches(stage: Stage) -> Counter[Branch]:
    return Counter(job.branch for job in stage.draw("main", DRAWS, seats=None))
