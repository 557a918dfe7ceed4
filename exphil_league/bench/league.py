"""`bench league`: is the league quick enough never to be noticed, and do its ratings mean what they say?

Decisions are timed on a league of 1,000 frozen players, ratings on simulated leagues whose true strengths are
known: skills N(0, 200 Elo), 100 games per player, half between neighbours in strength and half at random.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exphil_league.bench.league_overhead import overhead_share
from exphil_league.config.league import LeagueConfig, LeagueSetup, PoolConfig, RatingConfig
from exphil_league.league.core import League
from exphil_league.league.model import MatchResult, Outcome, Roster
from exphil_league.league.service import LocalLeague
from exphil_league.observe.progress import progress
from exphil_league.rating.bradley_terry import ELO_SCALE, Z_95, fit

PLAYERS: Final = 1000
DECISIONS: Final = 2000
DURABLE_RESULTS: Final = 2000
REPORT_BATCH: Final = 50
GAMES_PER_PLAYER: Final = 100
SKILL_SD_ELO: Final = 200.0
LEAGUES, LEAGUE_PLAYERS = 20, 100
"""Simulated leagues for the coverage, and the players of each."""
_ROSTER: Final = Roster(warm_start="digest", anchors={"attacker": "scripted:attacker@1"}, anchor_digest="bench")


def measure_league() -> dict[str, Any]:
    """{"decisions_per_s_at_1000", "results_per_s_durable", "rating_refresh_s_1000_players", "coverage_95",
    "spearman_100_games", "overhead_share"}: rates per CPU-second, durable results per second of wall time (the disk's),
    the league's part of a run's CPU time."""
    with progress("measuring the league", total=5, unit="parts") as shown:
        found: dict[str, Any] = {"decisions_per_s_at_1000": round(_decisions_per_s())}
        shown.advance()
        found["results_per_s_durable"] = round(_results_per_s())
        shown.advance()
        found["rating_refresh_s_1000_players"] = round(_refresh_s(), 3)
        shown.advance()
        coverage, spearman = _rating_quality()
        found |= {"coverage_95": round(coverage, 4), "spearman_100_games": round(spearman, 4)}
        shown.advance()
        found["overhead_share"] = round(overhead_share(), 5)
        shown.advance()
    return found


def _decisions_per_s() -> float:
    everybody = LeagueConfig(pool=PoolConfig(max_players=2 * PLAYERS))
    league = League(LeagueSetup(league=everybody), np.random.default_rng(0), time.time)
    league.enrol(_ROSTER)
    for k in range(PLAYERS - 1):
        league.freeze("main", f"digest-{k}", k + 1)
    begun = time.process_time()
    for _ in range(DECISIONS):
        league.request_jobs("main", 1, 1)
    return DECISIONS / (time.process_time() - begun)


def _results_per_s() -> float:
    with tempfile.TemporaryDirectory() as folder:
        league = LocalLeague(Path(folder), LeagueSetup(), seed=0)
        league.enrol(_ROSTER)
        results = [
            MatchResult(job.job_id, Outcome.WIN, (1, 0), (0.0, 0.0), 1, "stocks", job.digests, "bench")
            for job in league.request_jobs("main", None, DURABLE_RESULTS)
        ]
        begun = time.perf_counter()
        for first in range(0, DURABLE_RESULTS, REPORT_BATCH):
            league.report(results[first : first + REPORT_BATCH])
        rate = DURABLE_RESULTS / (time.perf_counter() - begun)
        league.close()
    return rate


def _refresh_s() -> float:
    """CPU time of one fit of 1,000 players, the best of three: of the calling thread, since helpers of the linear
    algebra that wait for a core of a busy machine count as working."""
    _, points = simulated_league(PLAYERS, np.random.default_rng(0))
    prior_sd = RatingConfig().prior_sd_elo
    times = []
    for _ in range(3):
        begun = time.thread_time()
        fit(points, prior_sd)
        times.append(time.thread_time() - begun)
    return min(times)


def _rating_quality() -> tuple[float, float]:
    """(share of the 95 % intervals of rating differences that hold the truth, mean rank correlation)."""
    inside, ranks = [], []
    for seed in range(LEAGUES):
        skill, points = simulated_league(LEAGUE_PLAYERS, np.random.default_rng(seed))
        ratings = fit(points, RatingConfig().prior_sd_elo)
        error = (ratings.elo[:, None] - ratings.elo) - (skill[:, None] - skill)
        pairs = np.triu_indices(LEAGUE_PLAYERS, 1)
        inside.append((np.abs(error) <= Z_95 * np.sqrt(ratings.difference_variance()))[pairs].mean())
        ranks.append(np.corrcoef(_ranks(skill), _ranks(ratings.elo))[0, 1])
    return float(np.mean(inside)), float(np.mean(ranks))


def simulated_league(players: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(true skills [N] in Elo, points [N, N]) after GAMES_PER_PLAYER games per player."""
    skill = rng.normal(0.0, SKILL_SD_ELO, players)
    order = np.argsort(skill)
    games = players * GAMES_PER_PLAYER
    place = rng.integers(players, size=games)
    near = np.clip(place + rng.integers(1, 6, size=games) * rng.choice((-1, 1), size=games), 0, players - 1)
    other = np.where(rng.random(games) < 0.5, near, rng.integers(players, size=games))
    a, b = order[place], order[other]
    a, b = a[a != b], b[a != b]
    won = rng.random(len(a)) < 1.0 / (1.0 + np.exp((skill[b] - skill[a]) * ELO_SCALE))
    points = np.zeros((players, players))
    np.add.at(points, (np.where(won, a, b), np.where(won, b, a)), 1.0)
    return skill, points


def _ranks(values: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(np.argsort(values))
