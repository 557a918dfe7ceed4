"""What the state forgets and alarms need: how the last games ended, whom learners learnt from, how exploiters fared.

A fold of the same events as the state, bounded in size but for one line a snapshot.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from exphil_league.league.dispatch import event_method
from exphil_league.league.events import (
    Enrolled,
    Event,
    JobIssued,
    LearnerReset,
    LeasesExpired,
    ResultAccepted,
    SnapshotTaken,
)
from exphil_league.league.model import Branch, Job, MatchResult, PlayerKind, Purpose

WINDOW_GAMES: Final = 500
"""Training games that the shares of the first and of the last games are taken over."""


class Ending(NamedTuple):
    """How a training game ended."""

    frames: int
    by_timer: bool
    draw: bool


class Generation(NamedTuple):
    """An exploiter's life between two snapshots."""

    snapshot: str
    why: str
    main: str
    """Newest snapshot of the main player at its end, the warm start before the first."""
    rate: float
    """Share of points against the live main player, draws half."""
    games: int


@dataclass
class Ages:
    """The first and the last games of a kind."""

    first: list[Ending] = field(default_factory=list)
    last: deque[Ending] = field(default_factory=lambda: deque(maxlen=WINDOW_GAMES))

    def add(self, ending: Ending) -> None:
        if len(self.first) < WINDOW_GAMES:
            self.first.append(ending)
        self.last.append(ending)


class History:
    """Fed every event once, in order."""

    def __init__(self) -> None:
        self.training = Ages()
        self.self_play = Ages()
        self.learned_from: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=WINDOW_GAMES))
        """By learner: opponents of the last games that it learnt from, but itself."""
        self.generations: dict[str, list[Generation]] = defaultdict(list)
        """By exploiter, oldest first."""
        self.snapshot_frames: dict[str, list[int]] = defaultdict(list)
        """By learner: env frames at the snapshots that its rule asked for."""
        self.aborted: dict[str, int] = defaultdict(int)
        self.games: dict[str, int] = defaultdict(int)
        """By player: games that were aborted, and all that ended one way or another."""
        self.seat_0: dict[Purpose, tuple[float, int]] = {}
        """(points of seat 0, games) between different players."""
        self._jobs: dict[str, Job] = {}
        self._kinds: dict[str, PlayerKind] = {}
        self._newest: dict[str, str] = {}
        self._against_main: dict[str, tuple[float, int]] = {}

    def hearing(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, each folded in as it passes."""
        for event in events:
            self.apply(event)
            yield event

    @event_method
    def apply(self, event: Event) -> None:
        """Fold one event in; most say nothing here."""

    @apply.register
    def _(self, event: Enrolled) -> None:
        for player in event.players:
            self._kinds[player.player_id] = player.kind
            if not player.frozen:
                self._newest[player.player_id] = player.parent or ""

    @apply.register
    def _(self, event: JobIssued) -> None:
        self._jobs[event.job.job_id] = event.job

    @apply.register
    def _(self, event: LeasesExpired) -> None:
        for identifier in event.job_ids:
            self._jobs.pop(identifier, None)

    @apply.register
    def _(self, event: ResultAccepted) -> None:
        job, result = self._jobs.pop(event.result.job_id), event.result
        for player in set(job.players):
            self.games[player] += 1
            self.aborted[player] += result.points is None
        if result.points is not None and job.players[0] != job.players[1]:
            points, games = self.seat_0.get(job.purpose, (0.0, 0))
            self.seat_0[job.purpose] = (points + result.points, games + 1)
        if result.points is not None and job.purpose is Purpose.TRAIN:
            self._count_training(job, result)

    @apply.register
    def _(self, event: SnapshotTaken) -> None:
        decision, learner = event.decision, event.decision.learner
        if decision.why in ("win_rate", "timeout"):
            self.snapshot_frames[learner].append(event.env_frames)
        points, games = self._against_main.pop(learner, (0.0, 0))
        if self._kinds[learner] is not PlayerKind.MAIN:
            rate = points / games if games else 0.5
            generation = Generation(decision.snapshot.player_id, decision.why, self._newest_main(), rate, games)
            self.generations[learner].append(generation)
        self._newest[learner] = decision.snapshot.player_id

    @apply.register
    def _(self, event: LearnerReset) -> None:
        self._against_main.pop(event.learner, None)

    def _count_training(self, job: Job, result: MatchResult) -> None:
        ending = Ending(result.frames, result.ended_by == "timer", result.points == 0.5)
        self.training.add(ending)
        if job.branch is Branch.SELF_PLAY:
            self.self_play.add(ending)
            return
        for seat, player in enumerate(job.players):
            opponent = job.players[1 - seat]
            if job.learner_sides[seat]:
                self.learned_from[player].append(opponent)
            if self._kinds.get(opponent) is PlayerKind.MAIN and player in self._newest:
                points, games = self._against_main.get(player, (0.0, 0))
                won = result.points or 0.0
                self._against_main[player] = (points + (won if seat == 0 else 1.0 - won), games + 1)

    def _newest_main(self) -> str:
        return next((self._newest[name] for name, kind in self._kinds.items() if kind is PlayerKind.MAIN), "")
