"""Leagues for tests: a clock that stands still, a small roster, results for jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exphil_league.config.league import LeagueConfig, LeagueSetup, LearnerConfig, RatingConfig, Shares, SnapshotConfig
from exphil_league.league.core import League
from exphil_league.league.events import Event
from exphil_league.league.model import Job, MatchResult, Outcome, PlayerKind, Roster

ROSTER = Roster(
    warm_start="digest-of-warm-start",
    anchors={"idle": "scripted:idle@1", "random": "scripted:random@1"},
    anchor_digest="anchors-1",
    imports={"style": "digest-of-style"},
)
LEARNERS = (
    LearnerConfig(name="main"),
    LearnerConfig(name="main_exploiter", kind=PlayerKind.MAIN_EXPLOITER, starts=("warm_start", "style")),
    LearnerConfig(name="league_exploiter", kind=PlayerKind.LEAGUE_EXPLOITER),
)
SETUP = LeagueSetup(
    league=LeagueConfig(
        learners=LEARNERS,
        shares=Shares(self_play=0.35, pfsp=0.5, verification=0.15),
        snapshot=SnapshotConfig(min_frames=100, timeout_frames=200),
        lease_s=60.0,
    ),
    rating=RatingConfig(anchor="random"),
)


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def with_league(**changes: object) -> LeagueSetup:
    """SETUP with other fields of its league section."""
    return SETUP.model_copy(update={"league": SETUP.league.model_copy(update=changes)})


def new_league(
    setup: LeagueSetup = SETUP, seed: int = 0, clock: Clock | None = None, events: Iterable[Event] = ()
) -> League:
    """A league with everybody enrolled; a resumed one when given events."""
    league = League(setup, np.random.default_rng(seed), clock or Clock(), events)
    league.enrol(ROSTER)
    return league


def result_of(job: Job, outcome: Outcome = Outcome.WIN, worker: str = "w") -> MatchResult:
    """A result as an honest worker reports it."""
    return MatchResult(job.job_id, outcome, (1, 0), (12.5, 80.0), 900, "stocks", job.digests, worker)


def won_by(player: str, job: Job) -> MatchResult:
    """The result in which `player` won."""
    return result_of(job, Outcome.WIN if job.players[0] == player else Outcome.LOSS)


def play(league: League, jobs: Sequence[Job], rng: np.random.Generator) -> list[str]:
    """Report a random outcome for every job."""
    outcomes = list(Outcome)
    return league.report([result_of(job, outcomes[int(rng.integers(len(outcomes)))]) for job in jobs])


def stale(result: MatchResult) -> MatchResult:
    """The same result, played with weights nobody ever published."""
    return replace(result, digests=(result.digests[0], "digest-of-nobody"))
