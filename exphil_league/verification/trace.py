"""A script played on a core, with everything it showed, beside what the rules say of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from exphil_league.config.game import GameConfig
from exphil_league.config.league import (
    LeagueConfig,
    LeagueSetup,
    LearnerConfig,
    PayoffConfig,
    RatingConfig,
    Shares,
    SnapshotConfig,
)
from exphil_league.league.events import Event, from_json, to_json
from exphil_league.league.model import Job, MatchResult, Outcome, PlayerKind, Purpose, Roster, SnapshotDecision
from exphil_league.verification.contract import CoreClass, LeagueCore
from exphil_league.verification.scripts import Expire, Learn, Op, Rate, Report, Request, Script, Tamper, Wait

ROSTER: Final = Roster(
    warm_start="digest-of-warm-start",
    anchors={"idle": "scripted:idle@1", "random": "scripted:random@1"},
    anchor_digest="anchors-1",
    imports={"style": "digest-of-style"},
)
ROOTS: Final = {"warm_start": ROSTER.warm_start, **ROSTER.anchors, **ROSTER.imports}
DECAY: Final = 0.9
SETUP: Final = LeagueSetup(
    league=LeagueConfig(
        learners=(
            LearnerConfig(name="main"),
            LearnerConfig(name="main_exploiter", kind=PlayerKind.MAIN_EXPLOITER, starts=("warm_start", "style")),
            LearnerConfig(name="league_exploiter", kind=PlayerKind.LEAGUE_EXPLOITER),
        ),
        shares=Shares(self_play=0.35, pfsp=0.5, verification=0.15),
        exploration=0.0,
        snapshot=SnapshotConfig(min_frames=100, timeout_frames=200),
        payoff=PayoffConfig(decay=DECAY, prior_games=0.0),
        lease_s=60.0,
    ),
    rating=RatingConfig(anchor="random"),
    game=GameConfig(characters=("FOX", "MARTH"), stages=("FINAL_DESTINATION", "BATTLEFIELD")),
)
"""A small league without priors, so that every win rate can be computed by hand."""
Pair = tuple[str, str]
Cell = tuple[frozenset[tuple[str, str]], str]
"""Each player with its character, and the stage."""


class Verdict(StrEnum):
    """What must become of a reported result."""

    COUNTS = "counts"
    OWN = "own"  # a player's game against itself moves no win rate
    ABORTED = "aborted"
    DUPLICATE = "duplicate"
    LATE = "late"
    STALE = "stale"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether the league answers that it needs no second delivery."""
        return self in (Verdict.COUNTS, Verdict.OWN, Verdict.ABORTED, Verdict.DUPLICATE)


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True)
class View:
    """What a core shows from outside."""

    rows: dict[Pair, dict[str, Any]]
    """Training win rates by (player, opponent), one direction each."""
    rated: dict[Pair, dict[str, Any]]
    """The same of the rating games."""
    matchups: dict[Purpose, dict[Cell, dict[str, Any]]]
    """Win rates of pairs by characters and stage."""
    members: dict[str, dict[str, Any]]
    edges: list[dict[str, Any]]
    status: dict[str, Any]

    def win_rate(self, player: str, opponent: str) -> float:
        """Of `player`; 0.5 for a pair that never met."""
        if (player, opponent) in self.rows:
            return float(self.rows[player, opponent]["win_rate"])
        return 1.0 - float(self.rows[opponent, player]["win_rate"]) if (opponent, player) in self.rows else 0.5

    def rates(self) -> dict[Pair, float]:
        """Every win rate on show."""
        return {pair: float(row["win_rate"]) for pair, row in self.rows.items()}


def view(core: LeagueCore) -> View:
    """Look at a core."""
    lineage = core.lineage()
    payoff = core.payoff()
    rows = {(row["player"], row["opponent"]): row for row in payoff["train"]}
    rated = {(row["player"], row["opponent"]): row for row in payoff["evaluate"]}
    matchups = {purpose: {_cell(row): row for row in payoff["matchups"][purpose]} for purpose in Purpose}
    members = {player["player"]: player for player in lineage["players"]}
    return View(rows, rated, matchups, members, lineage["edges"], core.status())


def _cell(row: dict[str, Any]) -> Cell:
    own, theirs = (row["player"], row["character"]), (row["opponent"], row["opponent_character"])
    return frozenset((own, theirs)), row["stage"]


def cell_of(job: Job) -> Cell:
    """Where a job's result is kept by matchup."""
    return frozenset(zip(job.players, job.matchup.characters, strict=True)), job.matchup.stage


@dataclass(frozen=True)
class Step:
    """One call, and what was to be seen."""

    op: Op
    before: View
    after: View
    events: tuple[Event, ...]
    jobs: tuple[Job, ...] = ()
    answer: tuple[str, ...] = ()
    """Job ids: settled ones of a report, expired ones."""
    job: Job | None = None
    verdict: Verdict | None = None
    games_before: int = 0
    """Games of the reported job's pair that counted until then, since the last reset of either."""
    due: frozenset[str] = frozenset()
    """Leases that were over when `Expire` asked."""
    now_s: float = 0.0
    """The clock when jobs were asked for."""
    digest: str = ""
    frames: int = 0
    frames_since_snapshot: int = 0
    decision: SnapshotDecision | None = None
    repeated: SnapshotDecision | None = None
    """What the league answered when asked the same again."""


@dataclass
class Trace:
    """A script, how a core played it, and what made the core."""

    make: CoreClass
    seed: int
    script: Script
    core: LeagueCore
    clock: Clock
    steps: list[Step] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)

    def jobs(self) -> list[Job]:
        """All that were issued, in order."""
        return [job for step in self.steps for job in step.jobs]

    def twin(self) -> LeagueCore:
        """The core that the log, through JSON, leaves behind."""
        return resumed(self.make, self.log, self.clock, self.seed + 1)


def rehearse(make: CoreClass, script: Script, seed: int) -> Trace:
    """Play a script on a new core."""
    return _Rehearsal(make, script, seed).play()


def resumed(make: CoreClass, log: list[Event], clock: Clock, seed: int) -> LeagueCore:
    """A core made of a log; its own seed must not matter."""
    core = make(SETUP, np.random.default_rng(seed), clock, [from_json(to_json(event)) for event in log])
    core.enrol(ROSTER)
    return core


def result_of(job: Job, outcome: Outcome) -> MatchResult:
    """What an honest worker reports."""
    return MatchResult(job.job_id, outcome, (1, 0), (12.5, 80.0), 900, "stocks", job.digests, "verify")


class _Rehearsal:
    """Plays a script and keeps, beside the core, a book of leases by the rules."""

    def __init__(self, make: CoreClass, script: Script, seed: int) -> None:
        clock = Clock()
        core = make(SETUP, np.random.default_rng(seed), clock)
        core.enrol(ROSTER)
        self.trace = Trace(make, seed, script, core, clock, log=core.drain())
        self.issued: list[Job] = []
        self.open: dict[str, Job] = {}
        self.settled: set[str] = set()
        self.outdated: set[str] = set()
        self.counted: Counter[frozenset[str]] = Counter()
        self.frames: Counter[str] = Counter()
        self.snapshot_frames: Counter[str] = Counter()

    def play(self) -> Trace:
        trace, before = self.trace, view(self.trace.core)
        for op in trace.script:
            seen = self._perform(op)
            events = tuple(trace.core.drain())
            trace.log += events
            after = view(trace.core)
            trace.steps.append(Step(op, before, after, events, **seen))
            before = after
        return trace

    def _perform(self, op: Op) -> dict[str, Any]:
        """The call; returns the fields of its Step."""
        trace = self.trace
        if isinstance(op, Request):
            return self._lease(lambda: trace.core.request_jobs(op.learner, op.seats, op.count))
        if isinstance(op, Rate):
            return self._lease(lambda: trace.core.request_evaluation(op.count))
        if isinstance(op, Report):
            return self._report(op) if self.issued else {}
        if isinstance(op, Learn):
            return self._learn(op)
        if isinstance(op, Wait):
            trace.clock.now_s += op.seconds
            return {}
        if isinstance(op, Expire):
            due = frozenset(self._expire())
            twice = [*trace.core.expire_leases(), *trace.core.expire_leases()]
            return {"due": due, "answer": tuple(job.job_id for job in twice)}
        trace.core = trace.twin()
        return {}

    def _lease(self, ask: Callable[[], list[Job]]) -> dict[str, Any]:
        jobs = ask()
        self.issued += jobs
        self.open |= {job.job_id: job for job in jobs}
        return {"jobs": tuple(jobs), "now_s": self.trace.clock.now_s}

    def _expire(self) -> list[str]:
        over = [name for name, job in self.open.items() if job.lease_until < self.trace.clock.now_s]
        for name in over:
            del self.open[name]
        return over

    def _report(self, op: Report) -> dict[str, Any]:
        self._expire()
        among = list(self.open.values()) if op.pick % 2 and self.open else self.issued
        job = among[op.pick % len(among)]
        verdict, pair, result = self._verdict(job, op), frozenset(job.players), result_of(job, op.outcome)
        if op.tamper is Tamper.STALE:
            one, other = job.digests
            either: tuple[tuple[str, str], tuple[str, str]] = ((one, "nobody"), ("nobody", other))
            result = replace(result, digests=either[op.pick // 2 % 2])
        elif op.tamper is Tamper.LATER:
            one, other = (self.trace.core.player(name).digest for name in job.players)
            result = replace(result, digests=(one, other))
        elif op.tamper is Tamper.UNKNOWN:
            result = replace(result, job_id="job-of-nobody")
        games = self.counted[pair]
        if verdict.settled and verdict is not Verdict.DUPLICATE:
            self.settled.add(job.job_id)
            del self.open[job.job_id]
            self.counted[pair] += verdict is Verdict.COUNTS and job.purpose is Purpose.TRAIN
        answer = tuple(self.trace.core.report([result] * op.repeat))
        return {"job": job, "verdict": verdict, "games_before": games, "answer": answer}

    def _verdict(self, job: Job, op: Report) -> Verdict:
        if op.tamper is Tamper.UNKNOWN:
            return Verdict.UNKNOWN
        if job.job_id not in self.open:
            return Verdict.DUPLICATE if job.job_id in self.settled else Verdict.LATE
        if op.outcome is Outcome.ABORTED:
            return Verdict.ABORTED
        if op.tamper is Tamper.STALE or job.job_id in self.outdated:
            return Verdict.STALE
        return Verdict.OWN if len(set(job.players)) == 1 else Verdict.COUNTS

    def _learn(self, op: Learn) -> dict[str, Any]:
        self.frames[op.learner] += op.frames
        frames = self.frames[op.learner]
        digest, since = f"{op.learner}-after-{frames}", frames - self.snapshot_frames[op.learner]
        if not op.asks:
            self.trace.core.publish(op.learner, digest, frames)
            return {"digest": digest, "frames": frames, "frames_since_snapshot": since}
        decision, repeated = (self.trace.core.maybe_snapshot(op.learner, digest, frames) for _ in range(2))
        if decision is not None:
            self.snapshot_frames[op.learner] = frames
        if decision is not None and decision.reset_digest is not None:
            self.outdated |= {name for name, job in self.open.items() if op.learner in job.players}
            for pair in [pair for pair in self.counted if op.learner in pair]:
                del self.counted[pair]
        seen = {"digest": digest, "frames": frames, "frames_since_snapshot": since}
        return {**seen, "decision": decision, "repeated": repeated}
