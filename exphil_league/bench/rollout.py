"""`bench rollout`: what frozen opponents cost the sampler, by the number of distinct ones met at once.

One process, one torch thread, CPU time. Half of the games have a frozen opponent in one seat; with 0 opponents
those games are self-play too.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
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
from exphil_league.rl.partners import load_agent
from exphil_league.rl.sampler import Sampler, SamplerSettings
from exphil_league.rl.slots import divide, learner_shares
from policies import checkpoint
from policies.policy import Policy
from policies.spec import PolicySpec

_LEARNER = "main"


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
    unroll_frames: int = 64,
    iterations: int = 5,
    spec: PolicySpec | None = None,
) -> dict[str, Any]:
    """Frames per CPU-second by number of distinct opponents: {"opponents": {"0": fps, ...}, "games"}.

    Medians of `iterations` samples of `unroll_frames`, taken in turn.
    """
    spec = spec or PolicySpec()
    with (
        one_thread(),
        tempfile.TemporaryDirectory() as folder,
        progress("bench rollout", total=len(opponents) * (iterations + 1), unit="samples") as shown,
    ):
        store = Path(folder)
        torch.manual_seed(0)
        digests = [checkpoint.save(Policy(spec), store) for _ in range(1 + max(opponents))]
        samplers = {number: _sampler(store, digests, number, games, unroll_frames) for number in opponents}
        spent: dict[int, list[float]] = {number: [] for number in opponents}
        for turn in range(iterations + 1):
            for number, sampler in samplers.items():
                start_s = time.process_time()
                sampler.sample()
                if turn:  # the first one compiles, loads and starts all games
                    spent[number].append(time.process_time() - start_s)
                shown.advance()
    frames = games * unroll_frames
    return {"opponents": {str(n): round(frames / statistics.median(s)) for n, s in spent.items()}, "games": games}


def _sampler(store: Path, digests: Sequence[str], opponents: int, games: int, unroll_frames: int) -> Sampler:
    """`opponents` tables in half of the games, so that just as many distinct ones are met at any time."""
    groups = divide(games, learner_shares([_LEARNER], [], 0.5 if opponents else 1.0, 0.5))
    matchup = Matchup(stocks=1, time_limit_s=60.0)
    return Sampler(
        make_backend("sim", games),
        groups,
        {_LEARNER: checkpoint.load(store / digests[0])},
        EvenLeague(_LEARNER, digests[1 : 1 + opponents], matchup),
        lambda digest, capacity: load_agent(store, 0, digest, capacity),
        SamplerSettings(unroll_frames, Reward(RewardWeights(), 1.0), 1.0, opponents=2 * opponents, seed=0),
    )
