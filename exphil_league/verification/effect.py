"""V2 to V4: what a league does to its players, in games small enough to know how exploitable each of them is.

Thresholds separate the right league from wrong ones by several standard deviations over seeds that were not
used to set them: a right league's uniform pool measures 0.050 +- 0.006 in V3, the nearest of nine wrong leagues
0.083; in V4 it measures 0.245 to 0.265, wrong ones 0.313 and more (or they fail V3), self-play 0.40.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from scipy.optimize import linprog

from exphil_league.config.league import (
    LeagueConfig,
    LeagueSetup,
    LearnerConfig,
    PayoffConfig,
    RatingConfig,
    Shares,
    SnapshotConfig,
    StartShares,
    Weighting,
)
from exphil_league.league.model import WARM_START, PlayerKind
from exphil_league.observe.progress import progress
from exphil_league.verification.campaign import ANCHOR, Campaign, Experiment, History
from exphil_league.verification.check import Check
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.games import Array, MatrixGame, blotto, random_start, trapdoor, trapdoor_starts
from exphil_league.verification.learners import natural_gradient, policy_gradient

SEEDS: Final = tuple(range(100, 110))
"""The ten on which the thresholds were checked."""
FEW: Final = SEEDS[:5]
"""Enough where wrong leagues are far away; the trapdoor's league varies most and takes all ten."""
_BLOTTO_SNAP, _TRAPDOOR_SNAP = 40, 60
_ALPHASTAR: Final = Shares(self_play=0.35, pfsp=0.5, verification=0.15)
_SELF_PLAY: Final = Shares(self_play=1.0, pfsp=0.0, verification=0.0)
_HISTORY: Final = Shares(self_play=0.0, pfsp=1.0, verification=0.0)
_HALF: Final = Shares(self_play=0.5, pfsp=0.5, verification=0.0)

BASELINES: Final[dict[str, tuple[Shares, Weighting]]] = {
    "self-play": (_SELF_PLAY, Weighting.UNIFORM),
    "fictitious self-play": (_HISTORY, Weighting.UNIFORM),
    "PFSP only": (_HISTORY, Weighting.SQUARED),
    "self-play and fictitious": (_HALF, Weighting.UNIFORM),
    "self-play and PFSP": (_HALF, Weighting.SQUARED),
}
"""Leagues of one main player and nobody else."""


def v2(make: CoreClass) -> Iterator[Check]:
    """PFSP's effect on Blotto: play against one's past alone, hard opponents first or evenly."""
    game, values = blotto(), {}
    for weighting, games in ((Weighting.SQUARED, 4), (Weighting.UNIFORM, 1)):  # evenly, results decide nothing
        setup = _setup(_one_main(), _BLOTTO_SNAP, _HISTORY, weighting)
        experiment = Experiment(game, natural_gradient(0.5, 0.02), setup, 1200, random_start, games)
        runs = _run(make, experiment, FEW, f"V2 {weighting}")
        values[weighting] = float(np.mean([np.mean(run.exploitability) for run in runs]))
    hard, even = values[Weighting.SQUARED], values[Weighting.UNIFORM]
    yield Check("V2 PFSP squared: exploitability of main", 0.36, hard)
    yield Check("V2 even play against the past: exploitability of main (at least)", 0.43, even, at_least=True)
    yield Check("V2 PFSP's gain over even play (at least)", 0.08, even - hard, at_least=True)


def v3(make: CoreClass, seeds: Sequence[int] = FEW) -> Iterator[Check]:
    """A whole league's effect on Blotto, without regularisation."""
    game = blotto()
    setup = _setup(_four(), _BLOTTO_SNAP, _ALPHASTAR, Weighting.SQUARED)
    experiment = Experiment(game, natural_gradient(0.5, 0.0), setup, 1200, random_start)
    runs = _run(make, experiment, seeds, "V3 league")
    yield Check("V3 uniform pool: exploitability", 0.065, _mean(game.exploitability(r.pool.mean(axis=0)) for r in runs))
    mixtures = [nash_mixture(game, run.pool) for run in runs]
    together = list(zip(runs, mixtures, strict=True))
    yield Check(
        "V3 pool's Nash mixture: exploitability", 0.05, _mean(game.exploitability(m @ r.pool) for r, m in together)
    )
    yield Check("V3 best snapshot: exploitability", 0.25, _mean(min(map(game.exploitability, r.pool)) for r in runs))
    mass = _mean(m[np.array(r.from_exploiter)].sum() for r, m in together)
    yield Check("V3 exploiters' share of the Nash mixture (at least)", 0.2, mass, at_least=True)
    yield Check("V3 live main: exploitability", 0.41, _mean(np.mean(run.exploitability) for run in runs))


def v4(make: CoreClass, seeds: Sequence[int] = SEEDS) -> Iterator[Check]:
    """The trapdoor: weaknesses that self-play cannot find, and exploiters from other starts do."""
    step, game = policy_gradient(3.0, 0.01), trapdoor()
    setup = _setup(_four(), _TRAPDOOR_SNAP, _ALPHASTAR, Weighting.SQUARED)
    runs = _run(make, Experiment(game, step, setup, 2400, trapdoor_starts), seeds, "V4 league")
    league = _mean(np.mean(run.exploitability) for run in runs)
    yield Check("V4 league on the trapdoor: exploitability of main", 0.29, league)
    for name, (shares, weighting) in BASELINES.items():
        for factor in (1, 4) if name == "self-play" else (1,):
            setup = _setup(_one_main(), _TRAPDOOR_SNAP, shares, weighting)
            experiment = Experiment(game, step, setup, 2400 * factor, _ordinary_start)
            label = name if factor == 1 else f"{name}, {factor} times as long"
            value = _mean(np.mean(run.exploitability) for run in _run(make, experiment, seeds[:3], f"V4 {label}"))
            yield Check(f"V4 {label}: exploitability of main (at least)", 0.38, value, at_least=True)


def nash_mixture(game: MatrixGame, pool: Array) -> Array:
    """[N] Nash mixture over players, given as mixtures [N, A], of the game they play against each other."""
    edge = pool @ game.wins @ pool.T - 0.5
    edge = (edge - edge.T) / 2
    n = len(pool)
    solved = linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=np.c_[-edge.T, np.ones(n)],
        b_ub=np.zeros(n),
        A_eq=np.r_[np.ones(n), 0.0][None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * n + [(None, None)],
        method="highs",
    )
    return np.asarray(solved.x[:n])


def _run(make: CoreClass, experiment: Experiment, seeds: Sequence[int], label: str) -> list[History]:
    runs = []
    with progress(label, len(seeds), "seeds") as shown:
        for seed in seeds:
            runs.append(Campaign(make, experiment, seed).run())
            shown.advance()
    return runs


def _mean(values: Iterable[Any]) -> float:
    return float(np.mean(list(values)))


def _setup(learners: tuple[LearnerConfig, ...], snap: int, shares: Shares, weighting: Weighting) -> LeagueSetup:
    """A league as the experiment defines it: win rates without priors, confidence or exploration."""
    longest = snap if len(learners) == 1 else 2 * snap
    return LeagueSetup(
        league=LeagueConfig(
            learners=learners,
            shares=shares,
            weighting=weighting,
            exploration=0.0,
            snapshot=SnapshotConfig(min_frames=snap, timeout_frames=longest, win_rate=0.7, confidence_z=0.0),
            payoff=PayoffConfig(decay=0.99, prior_games=0.0),
            reset_share=0.25,
            starts=StartShares(own=0.0, styles=1.0),  # where there are none: the warm start
            lease_s=1e9,
        ),
        rating=RatingConfig(anchor=ANCHOR),
    )


def _one_main() -> tuple[LearnerConfig, ...]:
    return (LearnerConfig(),)


def _four() -> tuple[LearnerConfig, ...]:
    """A main player, a main exploiter and two league exploiters."""
    return (
        *_one_main(),
        LearnerConfig(name="main_exploiter", kind=PlayerKind.MAIN_EXPLOITER),
        LearnerConfig(name="league_exploiter_1", kind=PlayerKind.LEAGUE_EXPLOITER),
        LearnerConfig(name="league_exploiter_2", kind=PlayerKind.LEAGUE_EXPLOITER),
    )


def _ordinary_start(game: MatrixGame, rng: np.random.Generator) -> dict[str, Array]:
    return {WARM_START: trapdoor_starts(game, rng)[WARM_START]}
