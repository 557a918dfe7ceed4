"""`bench rollout`: what frozen opponents cost the sampler, by the number met at once and by the size of the pool.

One process, one torch thread, CPU time. Half of the games have a frozen opponent in one seat; with 0 opponents
those games are self-play too. For the size of the pool games are short, so that a runner goes through many members of
it: loading, leaving out and regrouping opponents are in the figures, more often than in a real run.
"""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

import torch

from envs.backend import Matchup
from envs.backends import make_backend
from envs.reward import Reward, RewardWeights
from exphil_league.bench.contender import one_thread
from exphil_league.league.model import Branch, Job, MatchResult, Purpose
from exphil_league.observe.progress import progress
from exphil_league.play.pace import FRAMES_PER_S
from exphil_league.rl.partners import load_agent
from exphil_league.rl.sampler import Sampler, SamplerSettings
from exphil_league.rl.slots import divide, learner_shares
from policies import checkpoint
from policies.policy import Policy
from policies.spec import PolicySpec

_LEARNER = "main"
_AT_ONCE = 4
"""Opponents met at once where the size of the pool is what is measured."""
_TURNOVER_S = 4.0
"""Game time after which an opponent of that measurement gives way to the next."""
_FILES = 16
"""Checkpoints behind all the members of a pool: each member is read and built as if it had one of its own."""


class EvenLeague:
    """Hands out jobs of one learner that meets its frozen opponents in turn."""

    def __init__(self, learner: str, opponents: Sequence[str], matchup: Matchup) -> None:
        self._learner = learner
        self._opponents = cycle(opponents)
        self._matchup = matchup
        self._numbers = count()

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]:
        return [self._job(learner_seats == 2, opponent) for _ in range(count)]

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        return [result.job_id for result in results]

    def _job(self, self_play: bool, opponent: str | None) -> Job:
        number = next(self._numbers)
        other = self._learner if self_play else opponent or next(self._opponents)
        return Job(
            job_id=str(number),
            players=(self._learner, other),
            digests=(self._learner, other),
            matchup=self._matchup,
            branch=Branch.SELF_PLAY if self_play else Branch.PFSP,
            learner_sides=(True, self_play),
            seed=number,
            lease_until=0.0,
            purpose=Purpose.TRAIN,
        )


def measure_rollout(
    games: int = 256,
    opponents: Sequence[int] = (0, 1, 4, 16),
    pools: Sequence[int] = (10, 1000),
    unroll_frames: int = 64,
    iterations: int = 5,
    spec: PolicySpec | None = None,
) -> dict[str, Any]:
    """Frames per CPU-second, means of samples of `unroll_frames` taken in turn.

    {"opponents": {"0": fps, ...} by distinct opponents, "pool": {"10": {"fps", "cache_mb"}, ...} by members of the
    pool, "games"}. `cache_mb` is what the opponents that the runner holds take up.
    """
    spec = spec or PolicySpec()
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        torch.manual_seed(0)
        digests = [checkpoint.save(Policy(spec), store) for _ in range(1 + max(*opponents, _FILES))]
        long = Matchup(stocks=1, time_limit_s=60.0)
        by_number = {
            number: _sampler(store, digests, Opposition(digests[1 : 1 + number], number, long), games, unroll_frames)
            for number in opponents
        }
        short = Matchup(stocks=1, time_limit_s=_TURNOVER_S)
        by_pool = {
            size: _sampler(
                store, digests, Opposition(_members(digests[1:], size), _AT_ONCE, short), games, unroll_frames
            )
            for size in pools
        }
        # Over enough samples for every table to change its opponent a few times.
        turns = iterations * max(1, round(2 * _TURNOVER_S * FRAMES_PER_S / unroll_frames))
        fps = _measure("bench rollout", by_number, games * unroll_frames, iterations)
        pool_fps = _measure("bench rollout, pools", by_pool, games * unroll_frames, turns)
    return {
        "opponents": fps,
        "pool": {str(n): {"fps": pool_fps[str(n)], "cache_mb": _cache_mb(sampler)} for n, sampler in by_pool.items()},
        "games": games,
    }


def _measure(title: str, samplers: Mapping[int, Sampler], frames: int, iterations: int) -> dict[str, int]:
    """Frames per CPU-second of each sampler."""
    spent: dict[int, list[float]] = {key: [] for key in samplers}
    with progress(title, total=len(samplers) * (iterations + 1), unit="samples") as shown:
        for turn in range(iterations + 1):
            for key, sampler in samplers.items():
                start_s = time.process_time()
                sampler.sample()
                if turn:  # the first one compiles, loads and starts all games
                    spent[key].append(time.process_time() - start_s)
                shown.advance()
    return {str(key): round(frames / statistics.fmean(times)) for key, times in spent.items()}


@dataclass(frozen=True)
class Opposition:
    """Whom the learner meets in half of its games."""

    pool: Sequence[str]
    at_once: int
    """Distinct ones at any time; 0: the learner meets only itself."""
    matchup: Matchup


def _members(digests: Sequence[str], size: int) -> list[str]:
    """Names of a pool's members: a checkpoint's digest and a number."""
    return [f"{digest}#{number}" for number, digest in zip(range(size), cycle(digests), strict=False)]


def _sampler(store: Path, digests: Sequence[str], met: Opposition, games: int, unroll_frames: int) -> Sampler:
    """`at_once` tables in half of the games, so that about as many distinct opponents are met at any time."""
    groups = divide(games, learner_shares([_LEARNER], [], 0.5 if met.at_once else 1.0, 0.5))
    return Sampler(
        make_backend("sim", games),
        groups,
        {_LEARNER: checkpoint.load(store / digests[0])},
        EvenLeague(_LEARNER, met.pool, met.matchup),
        lambda member, capacity: load_agent(store, 0, member.partition("#")[0], capacity),
        SamplerSettings(unroll_frames, Reward(RewardWeights(), 1.0), 1.0, opponents=2 * met.at_once, seed=0),
    )


def _cache_mb(sampler: Sampler) -> float:
    """Megabytes of the opponents that a sampler holds: weights, also those stacked, recurrent states, queues."""
    agents = sum(len(pickle.dumps(agent)) for agent in sampler.cache.agents)
    return round((agents + sampler.frozen_seats.copied_bytes) / 1e6, 2)
