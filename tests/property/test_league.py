"""The league's invariants over random histories: a model that knows only the rules is kept beside the league."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exphil_league.config.league import PoolConfig
from exphil_league.league.events import Event, from_json, to_json
from exphil_league.league.model import Branch, Job, Outcome, Purpose
from exphil_league.league.payoff import Payoff
from tests.league_play import ROSTER, Clock, new_league, result_of, stale, with_league

CROWDED = with_league(pool=PoolConfig(max_players=4, keep_recent=1))
"""A pool that is soon full, so that players are evicted all the time."""
LEARNER_NAMES = ("main", "main_exploiter", "league_exploiter")


class LeagueMachine(RuleBasedStateMachine):
    """Random calls; after each, everything that must always hold."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.seed = seed
        self.clock = Clock()
        self.league = new_league(CROWDED, seed=seed, clock=self.clock)
        self.log: list[Event] = []
        self.jobs: list[Job] = []
        self.leased: set[str] = set()
        self.settled: set[str] = set()
        self.frames = dict.fromkeys(LEARNER_NAMES, 0)
        self.frozen: dict[str, str] = {}
        self.resets: Counter[str] = Counter()
        self.resets_at: dict[str, dict[str, int]] = {}

    # Calls

    @rule(learner=st.sampled_from(LEARNER_NAMES), seats=st.sampled_from([1, 2, None]), count=st.integers(1, 4))
    def request_training(self, learner: str, seats: int | None, count: int) -> None:
        seats = seats if learner == "main" else 1
        for job in self._lease(self.league.request_jobs(learner, seats, count), count):
            learning = [p for p, learns in zip(job.players, job.learner_sides, strict=True) if learns]
            assert job.purpose is Purpose.TRAIN
            assert set(learning) == {learner}, "only the learner that asked may learn"
            assert len(learning) == (2 if job.branch is Branch.SELF_PLAY else 1)
            assert seats is None or len(learning) == seats

    @rule(count=st.integers(1, 4))
    def request_rating(self, count: int) -> None:
        for job in self._lease(self.league.request_evaluation(count), count):
            assert job.purpose is Purpose.EVALUATE
            assert job.learner_sides == (False, False)
            assert all(self.league.player(p).frozen for p in job.players)

    def _lease(self, jobs: list[Job], count: int) -> list[Job]:
        assert len(jobs) == count
        for job in jobs:
            assert job.job_id not in {j.job_id for j in self.jobs}, "job ids are never used again"
            assert job.digests == tuple(self.league.player(p).digest for p in job.players)
            self.resets_at[job.job_id] = {p: self.resets[p] for p in job.players}
        self.jobs += jobs
        self.leased |= {j.job_id for j in jobs}
        return jobs

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), repeat=st.integers(1, 3))
    def report(self, data: st.DataObject, outcome: Outcome, repeat: int) -> None:
        """Any job ever issued, so also settled and expired ones, perhaps delivered several times."""
        job = data.draw(st.sampled_from(self.jobs))
        self._expire_by_model()
        fresh = self._current(job) or outcome is Outcome.ABORTED
        before = self._points()
        settled = self.league.report([result_of(job, outcome)] * repeat)
        if job.job_id in self.leased and fresh:
            self.leased.remove(job.job_id)
            self.settled.add(job.job_id)
            assert (self._points() == before) == (outcome is Outcome.ABORTED or len(set(job.players)) == 1)
        else:
            assert self._points() == before, "a refused result changes no win rate"
        assert settled == ([job.job_id] * repeat if job.job_id in self.settled else [])

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def report_stale(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from([j for j in self.jobs if j.job_id in self.leased]))
        before = self._points()
        assert self.league.report([stale(result_of(job))]) == []
        assert self._points() == before
        self._expire_by_model()

    @rule(learner=st.sampled_from(LEARNER_NAMES), frames=st.sampled_from([30, 110, 250]))
    def learn(self, learner: str, frames: int) -> None:
        self.frames[learner] += frames
        digest = f"{learner}-after-{self.frames[learner]}"
        generation = self.league.learner(learner).generation
        decision = self.league.maybe_snapshot(learner, digest, self.frames[learner])
        assert self.league.maybe_snapshot(learner, digest, self.frames[learner]) == decision, (
            "asking again changes nothing"
        )
        view = self.league.learner(learner)
        if decision is None:
            assert (view.player.digest, view.generation) == (digest, generation)
            return
        assert decision.snapshot.digest == digest, "what is frozen is what was live, not what it is reset to"
        self.frozen[decision.snapshot.player_id] = digest
        reset = decision.reset_digest is not None
        self.resets[learner] += reset
        assert view.generation == generation + reset
        assert view.player.digest == (decision.reset_digest if reset else digest)
        if reset:
            rates = self.league.state.payoff.win_rates(learner, list(self.league.state.players))
            assert (rates == 0.5).all(), "a reset learner is somebody else: its win rates are forgotten"
        assert reset == (learner == "main_exploiter") or learner == "league_exploiter"

    @rule(seconds=st.floats(1.0, 80.0))
    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @rule()
    def expire(self) -> None:
        due = {j.job_id for j in self.jobs if j.job_id in self.leased and j.lease_until < self.clock()}
        assert {j.job_id for j in self.league.expire_leases()} == due, "each expired lease comes back exactly once"
        assert self.league.expire_leases() == []
        self._expire_by_model()

    @rule()
    def crash(self) -> None:
        """Go on from the log alone, through JSON."""
        self._save()
        before = self.league.state
        self.league = new_league(CROWDED, seed=self.seed + 1, clock=self.clock, events=self._reread())
        assert self.league.state == before
        assert self.league.drain() == []

    # What always holds

    @invariant()
    def frozen_players_never_change(self) -> None:
        roots = {"warm_start": ROSTER.warm_start, **ROSTER.anchors, **ROSTER.imports}
        for player, digest in {**roots, **self.frozen}.items():
            assert self.league.player(player).digest == digest

    @invariant()
    def main_is_never_reset(self) -> None:
        assert self.league.learner("main").generation == 0
        assert self.resets["main_exploiter"] == self.league.learner("main_exploiter").snapshots

    @invariant()
    def lineage_is_acyclic_and_rooted(self) -> None:
        players = self.league.state.players
        for start in players:
            seen, here = set(), start
            while players[here].parent is not None:
                assert here not in seen
                seen.add(here)
                here = str(players[here].parent)
                assert players[here].frozen
            assert here in {"warm_start", *ROSTER.anchors, *ROSTER.imports}

    @invariant()
    def seats_are_balanced(self) -> None:
        orders = Counter((j.purpose, *j.players) for j in self.jobs)
        for (purpose, first, second), count in orders.items():
            assert first == second or abs(count - orders[purpose, second, first]) <= 1

    @invariant()
    def win_rates_of_a_pair_sum_to_one(self) -> None:
        for book in self._books():
            for player in book.players:
                forth = book.win_rates(player, book.players)
                back = np.array([book.win_rate(other, player) for other in book.players])
                np.testing.assert_allclose(forth + back, 1.0, atol=1e-12)

    @invariant()
    def nobody_who_is_needed_is_evicted(self) -> None:
        state = self.league.state
        leased = {name for job in state.open_jobs.values() for name in job.players}
        last = [f"{name}@{state.learners[name].snapshots}" for name in LEARNER_NAMES if state.learners[name].snapshots]
        kept = {*state.pool, *state.anchors, *state.learners}
        assert {*leased, *last, "warm_start", *ROSTER.imports} <= kept
        assert set(state.historical) <= set(state.players), "who was evicted stays in the lineage"
        assert set(state.historical) <= set(state.evaluation.players), "and in the ratings"

    @invariant()
    def no_lease_is_forgotten(self) -> None:
        assert set(self.league.state.open_jobs) == self.leased

    def teardown(self) -> None:
        if not hasattr(self, "league"):
            return
        self._save()
        kinds = [event.kind for event in self.log]
        for i, event in enumerate(self.log):
            if event.kind == "learner_reset":
                assert kinds[i - 1] == "snapshot_taken", "snapshot before reset"
                assert self.log[i - 1].decision.learner == event.learner  # type: ignore[union-attr]
        resumed = new_league(CROWDED, seed=self.seed + 1, clock=self.clock, events=self._reread())
        for learner in LEARNER_NAMES:
            assert resumed.request_jobs(learner, 1, 20) == self.league.request_jobs(learner, 1, 20)
        assert resumed.request_evaluation(20) == self.league.request_evaluation(20)

    def _points(self) -> list[bytes]:
        return [book.points_matrix().tobytes() for book in self._books()]

    def _books(self) -> tuple[Payoff, Payoff]:
        return self.league.state.payoff, self.league.state.evaluation

    def _save(self) -> None:
        self.log += self.league.drain()

    def _reread(self) -> list[Event]:
        return [from_json(to_json(event)) for event in self.log]

    def _expire_by_model(self) -> None:
        self.leased -= {j.job_id for j in self.jobs if j.lease_until < self.clock()}

    def _current(self, job: Job) -> bool:
        """Whether no learner in the job was reset since it was issued."""
        return self.resets_at[job.job_id] == {p: self.resets[p] for p in job.players}


LeagueMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLeague = LeagueMachine.TestCase
