"""The league's state: the fold of its events. Only `apply` changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from exphil_league.config.league import CurriculumStage, LeagueSetup
from exphil_league.league.dispatch import event_method
from exphil_league.league.events import (
    Configured,
    Enrolled,
    Event,
    JobIssued,
    LearnerReset,
    LeasesExpired,
    PlayersEvicted,
    Published,
    ResultAccepted,
    ResultRefused,
    SnapshotTaken,
    StagePassed,
)
from exphil_league.league.matchup_book import MatchupBook
from exphil_league.league.model import (
    LEARNER_KINDS,
    Job,
    MatchResult,
    Player,
    PlayerKind,
    Purpose,
    Reason,
    SnapshotDecision,
)
from exphil_league.league.payoff import Payoff

RECENT_DIGESTS: Final = 1024
"""Published digests remembered per learner: longer than any game lasts in learner updates."""
JOB_OPEN, JOB_ACCEPTED, JOB_EXPIRED = range(3)
_JOB_PREFIX: Final = "job-"


def job_id(number: int) -> str:
    """Id of the job issued as `number`, counted from 0."""
    return f"{_JOB_PREFIX}{number:09d}"


def job_number(identifier: str) -> int | None:
    """The number in a job id, or None when it is none of ours."""
    digits = identifier.removeprefix(_JOB_PREFIX)
    if not (digits.isascii() and digits.isdigit()) or job_id(int(digits)) != identifier:
        return None
    return int(digits)


@dataclass
class LearnerState:
    """What only live learners have."""

    root: str
    """Frozen player it first started from: the oldest member of its line."""
    env_frames: int = 0
    snapshot_frames: int = 0
    snapshots: int = 0
    generation: int = 0
    stage: int = 0
    """Stages of the curriculum that it has passed."""
    published: dict[str, None] = field(default_factory=dict)
    """Digests since its last reset, oldest first, bounded by RECENT_DIGESTS."""
    decision: SnapshotDecision | None = None
    """Its last snapshot, repeated when the same call arrives again."""


@dataclass(frozen=True)
class Edge:
    """`child` grew from frozen player `parent`."""

    parent: str
    child: str
    reason: Reason
    env_frames: int


@dataclass
class LeagueState:
    """Mutable only through `apply`; two states are equal when everything in them is."""

    setup: LeagueSetup = field(default_factory=LeagueSetup)
    anchor_digest: str = ""
    players: dict[str, Player] = field(default_factory=dict)
    learners: dict[str, LearnerState] = field(default_factory=dict)
    historical: list[str] = field(default_factory=list)
    """Frozen policies, oldest first, the evicted ones too."""
    pool: list[str] = field(default_factory=list)
    """Those of them that training still meets."""
    styles: list[str] = field(default_factory=list)
    """Frozen starts of exploiters."""
    anchors: list[str] = field(default_factory=list)
    payoff: Payoff = field(default_factory=Payoff)
    """Training games, decayed."""
    evaluation: Payoff = field(default_factory=lambda: Payoff(decay=1.0, prior_games=0.0))
    """Rating games of frozen players, plain counts."""
    matchups: MatchupBook = field(default_factory=MatchupBook)
    """Training games by matchup, decayed."""
    rated_matchups: MatchupBook = field(default_factory=lambda: MatchupBook(decay=1.0))
    """Rating games by matchup, plain counts."""
    open_jobs: dict[str, Job] = field(default_factory=dict)
    outdated_jobs: set[str] = field(default_factory=set)
    """Open jobs with a learner that was reset since: their games were mostly played by somebody else."""
    job_status: bytearray = field(default_factory=bytearray)
    """One of JOB_* for every job number."""
    seat_lead: dict[tuple[Purpose, str, str], int] = field(default_factory=dict)
    """Jobs issued with the first (in name order) of the pair at seat 0, less those at seat 1."""
    edges: list[Edge] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rng_state: str = ""

    @property
    def env_frames(self) -> int:
        """Frames that all learners have trained."""
        return sum(learner.env_frames for learner in self.learners.values())

    def line(self, learner: str) -> list[str]:
        """A learner's own past in the pool, oldest first: the player it started from, then its snapshots."""
        return [self.learners[learner].root, *(h for h in self.pool if self.players[h].role_of == learner)]

    def learners_of_kind(self, kind: PlayerKind) -> list[str]:
        return [name for name in self.learners if self.players[name].kind is kind]

    def snapshots_of_kind(self, kind: PlayerKind) -> list[str]:
        """Those of the pool that were learners of this kind, oldest first."""
        roles = set(self.learners_of_kind(kind))
        return [h for h in self.pool if self.players[h].role_of in roles]

    def opponents(self, with_anchors: bool) -> list[str]:
        """The training pool: frozen policies, oldest first, the user's own players; styles and anchors if asked for."""
        league = self.setup.league
        styles = self.styles if league.train_against_styles else []
        return [*self.pool, *styles, *(a for a in self.anchors if with_anchors or a in league.opponents)]

    def curriculum_stage(self, learner: str) -> CurriculumStage | None:
        """The stage that a main player is in; None when it has passed all."""
        stages = self.setup.league.curriculum if self.players[learner].kind is PlayerKind.MAIN else ()
        passed = self.learners[learner].stage
        return stages[passed] if passed < len(stages) else None

    def role(self, player_id: str) -> str:
        """The learner that a player is or was frozen from, else its own id: whose repertoire it plays."""
        return self.players[player_id].role_of or player_id

    def rateable(self) -> list[str]:
        """Who plays rating games: all frozen players but the evicted, in the order of the rating book."""
        gone = set(self.historical).difference(self.pool)
        return [name for name in self.evaluation.players if name not in gone]

    def frozen(self) -> list[str]:
        """Everybody who can be rated."""
        return [*self.anchors, *self.styles, *self.historical]

    def knows_digest(self, player_id: str, digest: str) -> bool:
        """Whether the player had these weights: ever when frozen, since its last reset when live."""
        player = self.players[player_id]
        return digest == player.digest if player.frozen else digest in self.learners[player_id].published

    def lead(self, purpose: Purpose, seat_0: str, seat_1: str) -> int:
        """How many more jobs of the pair were issued in this seat order than in the other."""
        first, second = sorted((seat_0, seat_1))
        lead = self.seat_lead.get((purpose, first, second), 0)
        return lead if first == seat_0 else -lead

    @event_method
    def apply(self, event: Event) -> None:
        """Fold one event in."""
        raise TypeError(f"no event of the league: {event!r}")

    @apply.register
    def _(self, event: Configured) -> None:
        self.setup = event.setup
        self.rng_state = event.rng_state
        self.payoff.decay = event.setup.league.payoff.decay
        self.payoff.prior_games = event.setup.league.payoff.prior_games
        self.matchups.decay = event.setup.league.payoff.decay

    @apply.register
    def _(self, event: Enrolled) -> None:
        self.anchor_digest = event.anchor_digest
        self.rng_state = event.rng_state or self.rng_state
        for player in event.players:
            self._add(player, env_frames=0)

    @apply.register
    def _(self, event: JobIssued) -> None:
        job = event.job
        self.rng_state = event.rng_state
        self.open_jobs[job.job_id] = job
        self.job_status.append(JOB_OPEN)
        self.counts[f"issued.{job.branch}"] += 1
        first, second = sorted(job.players)
        key = (job.purpose, first, second)
        self.seat_lead[key] = self.seat_lead.get(key, 0) + (1 if first == job.players[0] else -1)

    @apply.register
    def _(self, event: ResultAccepted) -> None:
        job = self._close(event.result.job_id, JOB_ACCEPTED)
        self._count(job, event.result)
        train = job.purpose is Purpose.TRAIN
        book, by_matchup = (self.payoff, self.matchups) if train else (self.evaluation, self.rated_matchups)
        book.record(job.players[0], job.players[1], event.result.points)
        by_matchup.record(job.players, job.matchup, event.result.points)

    @apply.register
    def _(self, event: ResultRefused) -> None:
        self.counts[f"refused.{event.why}"] += 1

    @apply.register
    def _(self, event: LeasesExpired) -> None:
        for identifier in event.job_ids:
            self._close(identifier, JOB_EXPIRED)
        self.counts["expired"] += len(event.job_ids)

    @apply.register
    def _(self, event: Published) -> None:
        self._publish(event.player_id, event.digest, event.env_frames)

    @apply.register
    def _(self, event: SnapshotTaken) -> None:
        decision = event.decision
        learner = self.learners[decision.learner]
        self._add(decision.snapshot, event.env_frames)
        self.payoff.inherit(decision.snapshot.player_id, decision.learner)
        self.players[decision.learner] = replace(self.players[decision.learner], parent=decision.snapshot.player_id)
        learner.snapshots += 1
        learner.snapshot_frames = event.env_frames
        learner.decision = decision
        self.counts[f"snapshots.{decision.why}"] += 1
        self.rng_state = event.rng_state

    @apply.register
    def _(self, event: LearnerReset) -> None:
        learner = self.learners[event.learner]
        self.players[event.learner] = replace(
            self.players[event.learner], parent=event.start, digest=event.digest, reason=event.reason
        )
        self.edges.append(Edge(event.start, event.learner, event.reason, event.env_frames))
        learner.generation += 1
        learner.published = {event.digest: None}
        self.outdated_jobs |= {name for name, job in self.open_jobs.items() if event.learner in job.players}
        self.payoff.clear(event.learner)
        self.matchups.clear(event.learner)
        self.counts["resets"] += 1

    @apply.register
    def _(self, event: PlayersEvicted) -> None:
        gone = set(event.player_ids)
        self.pool = [name for name in self.pool if name not in gone]
        self.counts["evicted"] += len(gone)

    @apply.register
    def _(self, event: StagePassed) -> None:
        self.learners[event.learner].stage = event.stage
        self.counts["stages_passed"] += 1

    def _add(self, player: Player, env_frames: int) -> None:
        self.players[player.player_id] = player
        if player.kind in LEARNER_KINDS:
            self.learners[player.player_id] = LearnerState(root=player.parent or "", published={player.digest: None})
        elif player.kind is PlayerKind.ANCHOR:
            self.anchors.append(player.player_id)
        elif player.kind is PlayerKind.STYLE:
            self.styles.append(player.player_id)
        else:
            self.historical.append(player.player_id)
            self.pool.append(player.player_id)
        if player.parent is not None:
            self.edges.append(Edge(player.parent, player.player_id, player.reason, env_frames))
        self.payoff.add(player.player_id)
        if player.frozen:
            self.evaluation.add(player.player_id)

    def _close(self, identifier: str, status: int) -> Job:
        number = job_number(identifier)
        assert number is not None, identifier
        self.job_status[number] = status
        self.outdated_jobs.discard(identifier)
        return self.open_jobs.pop(identifier)

    def _count(self, job: Job, result: MatchResult) -> None:
        if result.points is None:
            self.counts[f"aborted.{job.purpose}"] += 1
            return
        self.counts[f"games.{job.purpose}"] += 1
        self.counts[f"frames.{job.purpose}"] += result.frames
        self.counts[f"ended_by.{result.ended_by}"] += 1

    def _publish(self, player_id: str, digest: str, env_frames: int) -> None:
        learner = self.learners[player_id]
        self.players[player_id] = replace(self.players[player_id], digest=digest)
        learner.env_frames = env_frames
        learner.published.pop(digest, None)
        learner.published[digest] = None
        if len(learner.published) > RECENT_DIGESTS:
            del learner.published[next(iter(learner.published))]


def fold(events: Iterable[Event]) -> LeagueState:
    """The state after these events."""
    state = LeagueState()
    for event in events:
        state.apply(event)
    return state
