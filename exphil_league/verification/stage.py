"""A core brought into a wanted situation by its public calls: frozen players made, win rates taught, draws counted."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from exphil_league.config.league import LeagueSetup, Shares
from exphil_league.league.model import Job, MatchResult, Outcome, Roster, SnapshotDecision
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.trace import ROSTER, SETUP, Clock, result_of

DRAWS: Final = 300
SURE_GAMES: Final = 60
"""Enough of one outcome to be sure of a win rate."""
PFSP_ONLY: Final = Shares(self_play=0.0, pfsp=1.0, verification=0.0)
VERIFY_ONLY: Final = Shares(self_play=0.0, pfsp=0.0, verification=1.0)


def with_league(**changes: object) -> LeagueSetup:
    """The small league of V0 with other fields in its league section, and leases that never end."""
    league = SETUP.league.model_copy(update={"lease_s": 1e9, **changes})
    return SETUP.model_copy(update={"league": league})


class Stage:
    """One core, and the frames its learners have trained."""

    def __init__(
        self, make: CoreClass, rng: np.random.Generator, setup: LeagueSetup | None = None, roster: Roster = ROSTER
    ) -> None:
        self.setup = setup or with_league()
        self.core = make(self.setup, np.random.default_rng(int(rng.integers(2**32))), Clock())
        self.core.enrol(roster)
        self.frames: Counter[str] = Counter()

    def train(self, learner: str, frames: int) -> SnapshotDecision | None:
        """Let a learner train on and ask whether it is frozen."""
        self.frames[learner] += frames
        return self.core.maybe_snapshot(learner, f"{learner}:{self.frames[learner]}", self.frames[learner])

    def freeze(self, learner: str, times: int = 1) -> None:
        """Freeze a learner by letting its longest interval pass."""
        for _ in range(times):
            self.train(learner, self.setup.league.snapshot.timeout_frames)

    def teach(self, learner: str, opponent: str, wins: int, losses: int = 0, draws: int = 0) -> None:
        """Report games of a learner against a named opponent."""
        outcomes = [Outcome.WIN] * wins + [Outcome.LOSS] * losses + [Outcome.DRAW] * draws
        jobs = self.core.request_jobs(learner, 1, len(outcomes), opponent=opponent)
        self.core.report([won(job, learner, outcome) for job, outcome in zip(jobs, outcomes, strict=True)])

    def rate(self, better: str, worse: str, games: int) -> None:
        """Report rating games of two frozen players, all won by the first."""
        jobs = self.core.request_evaluation(games, (better, worse))
        self.core.report([won(job, better, Outcome.WIN) for job in jobs])

    def draw(self, learner: str, count: int, seats: int | None = 1) -> list[Job]:
        """Training jobs, whose results nobody waits for."""
        return self.core.request_jobs(learner, seats, count)

    def met(self, learner: str, count: int) -> Counter[str]:
        """How often each opponent is drawn."""
        return Counter(opponent_of(job, learner) for job in self.draw(learner, count))


def opponent_of(job: Job, learner: str) -> str:
    """Who sits opposite."""
    return job.players[1] if job.players[0] == learner else job.players[0]


def won(job: Job, learner: str, outcome: Outcome) -> MatchResult:
    """The result of a job in which `learner` had this outcome."""
    mirrored = {Outcome.WIN: Outcome.LOSS, Outcome.LOSS: Outcome.WIN}.get(outcome, outcome)
    return result_of(job, outcome if job.players[0] == learner else mirrored)


def uneven(drawn: Counter[Any], values: tuple[Any, ...]) -> bool:
    """Whether a value was never drawn, a foreign one was, or a share is 4.5 standard deviations off an even one."""
    share, count = 1.0 / len(values), drawn.total()
    slack = 4.5 * np.sqrt(share * (1.0 - share) / count)
    return set(drawn) != set(values) or any(abs(drawn[v] / count - share) > slack for v in values)


def random_results(jobs: list[Job], rng: np.random.Generator) -> list[MatchResult]:
    outcomes = (Outcome.WIN, Outcome.WIN, Outcome.LOSS, Outcome.DRAW)
    return [result_of(job, outcomes[int(rng.integers(4))]) for job in jobs]
