"""The league itself: pure decisions over the fold of its events.

No Ray, no torch, no clock and no global randomness: the generator and the clock are injected, and every call
that changes something does so by events, which `drain` hands to whoever stores them. The generator's state
travels in the events, so a league rebuilt from its log issues the same next jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from exphil_league.config.league import LeagueSetup, LearnerConfig
from exphil_league.errors import UserError
from exphil_league.league import views
from exphil_league.league.enrolment import require_known, require_same_role, require_starts, roots
from exphil_league.league.events import (
    Configured,
    Enrolled,
    Event,
    JobIssued,
    LearnerReset,
    LeasesExpired,
    PlayersEvicted,
    Published,
    Refusal,
    ResultAccepted,
    ResultRefused,
    SnapshotTaken,
    StagePassed,
)
from exphil_league.league.eviction import surplus
from exphil_league.league.matches import draw_matchup
from exphil_league.league.matchmaking import Matchmaker
from exphil_league.league.model import (
    Branch,
    Donor,
    Job,
    LearnerView,
    MatchResult,
    Player,
    PlayerKind,
    PlayerStatus,
    Purpose,
    Reason,
    Roster,
    SnapshotDecision,
)
from exphil_league.league.rules import resets, snapshot_reason, stage_passed
from exphil_league.league.starts import draw_start
from exphil_league.league.state import JOB_ACCEPTED, LeagueState, fold, job_id, job_number
from exphil_league.rating.bradley_terry import fit
from exphil_league.rating.schedule import draw_pairs

Clock = Callable[[], float]


class League:
    """One league. Methods may be called in any order after `enrol`; none blocks."""

    def __init__(
        self, setup: LeagueSetup, rng: np.random.Generator, clock: Clock, events: Iterable[Event] = ()
    ) -> None:
        """A league after `events` (none: a new one). The generator continues where the events left it."""
        self._rng = rng
        self._clock = clock
        self._new_events: list[Event] = []
        self._shown_ladder: tuple[object, dict[str, Any]] | None = None
        self.state: LeagueState = fold(events)
        if self.state.rng_state:
            rng.bit_generator.state = json.loads(self.state.rng_state)
        if not self.state.rng_state or self.state.setup != setup:
            self._emit(Configured(setup, self._rng_state()))

    def drain(self) -> list[Event]:
        """The events since the last call, in order. They are already in `state`."""
        events, self._new_events = self._new_events, []
        return events

    # Members

    def enrol(self, roster: Roster) -> None:
        """Bring in anchors, warm start, imports and the configured learners; members already in stay.

        Raises UserError when the rating's anchor is missing, a learner starts from nobody, or a member comes
        back with other weights than it had (its games would then be credited to somebody else).
        """
        setup = self.state.setup
        members = roots(roster)
        names = {player.player_id: player for player in members}
        if setup.rating.anchor not in roster.anchors:
            known = ", ".join(sorted(roster.anchors)) or "none"
            raise UserError(f"rating.anchor: no scripted player {setup.rating.anchor!r} is enrolled; enrolled: {known}")
        for member in members:
            self._same_as_before(member)
        if self.state.anchor_digest not in ("", roster.anchor_digest):
            raise UserError(
                "this run's ratings hang on another version of the scripted players, simulator or backend; "
                "start a new run folder to go on"
            )
        for opponent in (o for stage in setup.league.curriculum for o in stage.opponents):
            if opponent not in roster.anchors:
                known = ", ".join(sorted(roster.anchors))
                raise UserError(f"league.curriculum: no scripted player or opponent {opponent!r}; known: {known}")
        for learner in setup.league.learners:
            require_starts(learner, names)
        require_known(setup.game.players, [*names, *(learner.name for learner in setup.league.learners)])
        if fixed := tuple(member for member in members if member.player_id not in self.state.players):
            self._emit(Enrolled(fixed, roster.anchor_digest))
        new = [learner for learner in setup.league.learners if learner.name not in self.state.players]
        if live := tuple(self._begin(learner) for learner in new):
            self._emit(Enrolled(live, roster.anchor_digest, self._rng_state()))

    def learner(self, player_id: str) -> LearnerView:
        """A live learner's place in the league."""
        learner = self.state.learners[self._learner_id(player_id)]
        return LearnerView(
            player=self.state.players[player_id],
            env_frames=learner.env_frames,
            snapshot_frames=learner.snapshot_frames,
            snapshots=learner.snapshots,
            root=learner.root,
            generation=learner.generation,
            in_curriculum=self.state.curriculum_stage(player_id) is not None,
        )

    def player(self, player_id: str) -> Player:
        """Any member. Raises UserError for a stranger."""
        if player_id not in self.state.players:
            raise UserError(f"no player {player_id!r} in this league; it has: {', '.join(self.state.players)}")
        return self.state.players[player_id]

    # Jobs

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]:
        """`count` training matches for a learner.

        `learner_seats` 2: it plays itself and learns on both seats (main players only); 1: one frozen or
        foreign opponent that only acts; None: drawn by the declared shares. With `opponent` nothing is drawn:
        a runner that draws seldom and then plays several games against the one drawn keeps every share.
        """
        player = self.state.players[self._learner_id(learner)]
        if learner_seats not in (None, 1, 2):
            raise ValueError(f"learner_seats is 1, 2 or None, not {learner_seats}")
        if learner_seats == 2 and player.kind is not PlayerKind.MAIN:
            raise ValueError(f"{learner} is a {player.kind}; only main players play themselves")
        maker = Matchmaker(self.state.setup.league, self.state, self._rng)
        if opponent is not None:
            drawn = [maker.named(player, self.player(opponent))] * count
        else:
            drawn = [maker.draw(player, learner_seats) for _ in range(count)]
        return [self._issue(learner, match.player_id, match.branch) for match in drawn]

    def request_evaluation(self, count: int, pair: tuple[str, str] | None = None) -> list[Job]:
        """`count` rating matches between frozen players, seats of every pair balanced.

        Of `pair` when given, else of the pairs that teach most about the ratings.
        """
        for name in pair or ():
            if not self.player(name).frozen:
                raise ValueError(f"{name} is still learning; only frozen players are rated")
        pairs = [pair] * count if pair is not None else self._informative_pairs(count)
        return [self._issue(first, second, Branch.EVALUATION) for first, second in pairs]

    def expire_leases(self) -> list[Job]:
        """Close the jobs whose lease is over; each is returned exactly once, and a later result is refused."""
        now = self._clock()
        expired = [job for job in self.state.open_jobs.values() if job.lease_until < now]
        if expired:
            self._emit(LeasesExpired(tuple(job.job_id for job in expired)))
        return expired

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        """Count results; returns the ids of those that are settled, which need no second delivery.

        A repeated delivery is settled and counts once. Results of unknown or expired jobs, or played with other
        weights than the league knows, are refused, counted, and not returned.
        """
        self.expire_leases()
        settled = []
        for result in results:
            refusal = self._refusal(result)
            if refusal is None:
                self._emit(ResultAccepted(result))
            else:
                self._emit(ResultRefused(result.job_id, refusal, result.worker))
            if refusal in (None, Refusal.DUPLICATE):
                settled.append(result.job_id)
        self._pass_stages()
        return settled

    # Learners move on

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        """A learner's weights are now `digest`, after `env_frames` of its own training."""
        learner = self.state.learners[self._learner_id(player_id)]
        if (self.state.players[player_id].digest, learner.env_frames) != (digest, env_frames):
            self._emit(Published(player_id, digest, env_frames))

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        """Freeze the learner if its rule says so, and decide its reset; None: train on.

        Repeating the call of the last snapshot repeats its decision.
        """
        repeated = self._repeated(player_id, digest, env_frames)
        if repeated is not None:
            return repeated
        self.publish(player_id, digest, env_frames)
        learner = self.state.learners[player_id]
        config = self.state.setup.league
        low, _ = self.state.payoff.interval(player_id, self._targets(player_id), config.snapshot.confidence_z)
        why = snapshot_reason(config.snapshot, env_frames - learner.snapshot_frames, low)
        if why is None:
            return None
        start = self._draw_start(player_id) if resets(config, self.state.players[player_id].kind, self._rng) else None
        return self._snapshot(player_id, why, start)

    def freeze(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision:
        """Freeze a learner whatever its rule says, without a reset: the end of a run."""
        repeated = self._repeated(player_id, digest, env_frames)
        if repeated is not None:
            return repeated
        self.publish(player_id, digest, env_frames)
        return self._snapshot(player_id, "final", None)

    def adopt(self, learner: str, donor: Donor) -> None:
        """Freeze a learner and go on from a player of its role in another league of the population. Repeatable.

        Raises ValueError for a donor of another role.
        """
        live = self.state.players[self._learner_id(learner)]
        require_same_role(live, donor)
        taken, frames = donor.frozen, self.state.learners[learner].env_frames
        if taken.player_id in self.state.players:
            return
        if live.parent is None or self.state.players[live.parent].digest != live.digest:  # it has learnt since
            self._snapshot(learner, "population", None)
        self._emit(Enrolled((taken,), self.state.anchor_digest))
        self._emit(LearnerReset(learner, taken.player_id, taken.digest, frames, Reason.PBT))

    # Views

    def ladder(self) -> dict[str, Any]:
        """`views.ladder`, fitted again only when a rating game or a player has come since."""
        state = self.state
        key = (state.counts[f"games.{Purpose.EVALUATE}"], len(state.players))
        if self._shown_ladder is None or self._shown_ladder[0] != key:
            self._shown_ladder = key, views.ladder(state)
        return self._shown_ladder[1] | {"env_frames": state.env_frames}

    def rating_pairs(self, player_id: str) -> list[dict[str, Any]]:
        """The pairs of one player in `payoff()["evaluate"]`, from its view."""
        return self.state.evaluation.rows_of(player_id) if self.player(player_id).frozen else []

    def payoff(self) -> dict[str, Any]:
        return views.payoff(self.state)

    def lineage(self) -> dict[str, Any]:
        return views.lineage(self.state)

    def status(self) -> dict[str, Any]:
        return views.status(self.state)

    # Inside

    def _emit(self, event: Event) -> None:
        self.state.apply(event)
        self._new_events.append(event)

    def _issue(self, player: str, opponent: str, branch: Branch) -> Job:
        """Emit and return one job; in training `player` learns."""
        state = self.state
        purpose = Purpose.EVALUATE if branch is Branch.EVALUATION else Purpose.TRAIN
        seats = self._seats(player, opponent, purpose)
        learns = purpose is Purpose.TRAIN
        roles = (state.role(seats[0]), state.role(seats[1]))
        job = Job(
            job_id=job_id(len(state.job_status)),
            players=seats,
            digests=(state.players[seats[0]].digest, state.players[seats[1]].digest),
            matchup=draw_matchup(state.setup, purpose, self._rng, roles, seats.index(player) if learns else None),
            branch=branch,
            learner_sides=(learns and seats[0] == player, learns and seats[1] == player),
            seed=int(self._rng.integers(2**63)),
            lease_until=self._clock() + state.setup.league.lease_s,
            purpose=purpose,
        )
        self._emit(JobIssued(job, self._rng_state()))
        return job

    def _seats(self, player: str, opponent: str, purpose: Purpose) -> tuple[str, str]:
        """The pair by seat: the order it was given less often, by lot when level."""
        lead = self.state.lead(purpose, player, opponent)
        ahead = lead < 0 or (lead == 0 and self._rng.random() < 0.5)
        return (player, opponent) if ahead else (opponent, player)

    def _informative_pairs(self, count: int) -> list[tuple[str, str]]:
        names, book = self.state.rateable(), self.state.evaluation
        if len(names) < 2:
            raise UserError("rating needs two frozen players; enrol scripted players or a warm start")
        ratings = fit(book.points_matrix(), self.state.setup.rating.prior_sd_elo).of(book.places(names))
        drawn = draw_pairs(ratings, count, self.state.setup.rating.sharpness, self._rng)
        return [(names[i], names[j]) for i, j in drawn]

    def _pass_stages(self) -> None:
        """Move every main player on that beats the opponents of its stage."""
        payoff = self.state.payoff
        for name, learner in self.state.learners.items():
            stage = self.state.curriculum_stage(name)
            if stage is None:
                continue
            games = payoff.games_between(name, stage.opponents)
            if stage_passed(stage, payoff.win_rates(name, stage.opponents), games):
                self._emit(StagePassed(name, learner.stage + 1))

    def _refusal(self, result: MatchResult) -> Refusal | None:
        """Why a result cannot count, or None."""
        state = self.state
        job = state.open_jobs.get(result.job_id)
        if job is None:
            return self._refusal_of_closed(result.job_id)
        if result.points is None:
            return None  # an aborted game credits nobody, whatever was loaded when it died
        (first, second), (one, other) = job.players, result.digests
        known = state.knows_digest(first, one) and state.knows_digest(second, other)
        return None if known and job.job_id not in state.outdated_jobs else Refusal.STALE

    def _refusal_of_closed(self, identifier: str) -> Refusal:
        """Why a result of a job that is not open cannot count."""
        number = job_number(identifier)
        if number is None or number >= len(self.state.job_status):
            return Refusal.UNKNOWN
        return Refusal.DUPLICATE if self.state.job_status[number] == JOB_ACCEPTED else Refusal.LATE

    def _targets(self, player_id: str) -> list[str]:
        """Whom a learner must beat to be frozen early: live mains for a main exploiter, else every frozen policy."""
        if self.state.players[player_id].kind is PlayerKind.MAIN_EXPLOITER:
            return self.state.learners_of_kind(PlayerKind.MAIN)
        return self.state.historical

    def _repeated(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        """The learner's last decision if this is the call that made it."""
        decision = self.state.learners[self._learner_id(player_id)].decision
        if decision is None or (decision.snapshot.digest, decision.snapshot.created_frames) != (digest, env_frames):
            return None
        return decision

    def _snapshot(self, learner: str, why: str, start: Player | None) -> SnapshotDecision:
        """Freeze the learner as it is now, then reset it to `start`: in this order."""
        live, state = self.state.players[learner], self.state.learners[learner]
        snapshot = Player(
            player_id=f"{learner}@{state.snapshots + 1}",
            kind=PlayerKind.HISTORICAL,
            parent=live.parent,
            digest=live.digest,
            created_frames=state.env_frames,
            role_of=learner,
            status=PlayerStatus.FROZEN,
            reason=Reason.SNAPSHOT,
        )
        reset_to = (None, None) if start is None else (start.player_id, start.digest)
        decision = SnapshotDecision(learner, snapshot, why, *reset_to)
        self._emit(SnapshotTaken(decision, state.env_frames, self._rng_state()))
        if start is not None:
            self._emit(LearnerReset(learner, start.player_id, start.digest, state.env_frames))
        if evicted := surplus(self.state):
            self._emit(PlayersEvicted(evicted))
        return decision

    def _begin(self, config: LearnerConfig) -> Player:
        """The live player of a configured learner: a main player at its first start, an exploiter at a drawn one."""
        main = config.kind is PlayerKind.MAIN
        name = config.starts[0] if main else draw_start(self.state, config.kind, config.starts, self._rng)
        start = self.state.players[name]
        return Player(config.name, config.kind, name, start.digest, 0, config.name, PlayerStatus.ACTIVE)

    def _draw_start(self, learner: str) -> Player:
        """Where a learner starts again, by lot."""
        configured = {config.name: config.starts for config in self.state.setup.league.learners}
        own = configured.get(learner, (self.state.learners[learner].root,))
        return self.state.players[draw_start(self.state, self.state.players[learner].kind, own, self._rng)]

    def _rng_state(self) -> str:
        return json.dumps(self._rng.bit_generator.state)

    def _same_as_before(self, member: Player) -> None:
        known = self.state.players.get(member.player_id)
        if known is not None and known.digest != member.digest:
            raise UserError(
                f"player {member.player_id!r} of this run was {known.digest} and is now {member.digest}; "
                "use the checkpoint and version the run began with, or start a new run folder"
            )

    def _learner_id(self, player_id: str) -> str:
        if player_id not in self.state.learners:
            raise UserError(f"no learner {player_id!r} in this league; it has: {', '.join(self.state.learners)}")
        return player_id
