"""Further plausible defects, so that every check of V0 is seen to fail for the reason its name gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from exphil_league.config.league import Weighting
from exphil_league.league import core, matchmaking
from exphil_league.league.core import League
from exphil_league.league.matchmaking import Matchmaker, Opponent
from exphil_league.league.model import Branch, Job, MatchResult, Outcome, Player, SnapshotDecision
from exphil_league.league.payoff import Payoff


class _WithBook(League):
    """A league whose training results go into another kind of book."""

    Book = Payoff

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.payoff.__class__ = self.Book


class _WithMatchmaker(League):
    """A league that draws opponents otherwise."""

    Maker = Matchmaker

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(core, "Matchmaker", self.Maker):
            return super().request_jobs(*args, **kwargs)


class DrawsAreLosses(_WithBook):
    """A draw is nobody's win."""

    class Book(Payoff):
        def record(self, home: str, away: str, points: float | None, *rest: Any) -> None:
            super().record(home, away, 0.0 if points == 0.5 else points, *rest)


class DecayOfAllPairs(_WithBook):
    """Each game ages everybody's results."""

    class Book(Payoff):
        def record(self, *args: Any) -> None:
            for name in ("points", "games", "squares"):
                self._arrays[name] *= 0.9
            super().record(*args)


class NoDecay(_WithBook):
    """Old results weigh as much as new ones."""

    class Book(Payoff):
        def record(self, *args: Any) -> None:
            decay, self.decay = self.decay, 1.0
            super().record(*args)
            self.decay = decay


class AbortedAreLosses(_WithBook):
    """A crashed game is lost by seat 0."""

    class Book(Payoff):
        def record(self, home: str, away: str, points: float | None, *rest: Any) -> None:
            super().record(home, away, 0.0 if points is None else points, *rest)


class ResetKeepsWinRates(_WithBook):
    """A learner that starts again keeps the win rates of who it was."""

    class Book(Payoff):
        def clear(self, player: str) -> None:
            pass


class DuplicatesCount(League):
    """A result delivered twice moves win rates twice."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        known = {r.job_id: self.state.open_jobs[r.job_id] for r in results if r.job_id in self.state.open_jobs}
        settled = super().report(results)
        for again in range(len(settled) - len(set(settled))):
            result, job = results[again], known.get(results[again].job_id)
            if job is not None:
                self.state.payoff.record(*job.players, result.points)
        return settled


class StaleAccepted(League):
    """Results count whatever weights were played."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs = self.state.open_jobs
        self.state.outdated_jobs.clear()
        return super().report([replace(r, digests=jobs[r.job_id].digests) if r.job_id in jobs else r for r in results])


class LeasesReissued(League):
    """Expired jobs come back every time one asks."""

    gone: tuple[Job, ...] = ()

    def expire_leases(self) -> list[Job]:
        new = super().expire_leases()
        self.gone = (*self.gone, *new)
        return list(self.gone)


class ExploitersTrainMain(League):
    """The live main player learns in its exploiter's games."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        jobs = super().request_jobs(*args, **kwargs)
        return [replace(job, learner_sides=(True, True)) if job.branch is Branch.EXPLOIT else job for job in jobs]


class FrozenLearnInRating(League):
    """Seat 0 of a rating game learns."""

    def request_evaluation(self, *args: Any, **kwargs: Any) -> list[Job]:
        return [replace(job, learner_sides=(True, False)) for job in super().request_evaluation(*args, **kwargs)]


class NoVerification(_WithMatchmaker):
    """What was forgotten stays forgotten."""

    class Maker(Matchmaker):
        def _verification(self, learner: Player) -> Opponent | None:
            return None


class AlwaysLiveMain(_WithMatchmaker):
    """A main exploiter meets the live main player however hopeless."""

    class Maker(Matchmaker):
        def _exploit(self, learner: Player) -> Opponent:
            return Opponent("main", Branch.EXPLOIT)


class NeverLiveMain(_WithMatchmaker):
    """A main exploiter meets the main player's past only."""

    class Maker(Matchmaker):
        def _exploit(self, learner: Player) -> Opponent:
            return Opponent(self._draw(learner, self._state.line("main"), Weighting.VARIANCE), Branch.EXPLOIT)


class LeagueExploiterSquared(_WithMatchmaker):
    """The league exploiter draws with the main player's weighting."""

    class Maker(Matchmaker):
        def _pfsp(self, learner: Player, weighting: Weighting) -> Opponent:
            return super()._pfsp(learner, Weighting.SQUARED)


class FallsToPfsp(_WithMatchmaker):
    """With nothing forgotten verification becomes PFSP though self-play is allowed."""

    class Maker(Matchmaker):
        def _verification(self, learner: Player) -> Opponent | None:
            return super()._verification(learner) or self._pfsp(learner, self._config.weighting)


class SnapshotsStartEven(_WithBook):
    """A new snapshot begins as if nothing were known of its learner."""

    class Book(Payoff):
        def inherit(self, child: str, parent: str) -> None:
            pass


class EvictsTheOldest(League):
    """A full pool lets go of whoever was there first."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        with patch.object(core, "surplus", lambda state: tuple(state.pool[:-6])):
            return super().maybe_snapshot(*args)


class NeverEvicts(League):
    """The pool grows for ever."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        with patch.object(core, "surplus", lambda state: ()):
            return super().maybe_snapshot(*args)


class NashToTheBest(League):
    """All Nash mass goes to the top of the ladder."""

    def ladder(self) -> dict[str, Any]:
        ladder = super().ladder()
        rows = [{**row, "nash_mass": float(n == 0)} for n, row in enumerate(ladder["players"])]
        return {**ladder, "players": rows}


class ResetsTooOften(League):
    """A league exploiter resets at every second snapshot."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        right = core.resets
        with patch.object(
            core, "resets", lambda config, kind, rng: right(config.model_copy(update={"reset_share": 0.5}), kind, rng)
        ):
            return super().maybe_snapshot(*args)


class NoTimeout(League):
    """Who does not win is never frozen."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        right = core.snapshot_reason
        with patch.object(core, "snapshot_reason", lambda *a: reason if (reason := right(*a)) == "win_rate" else None):
            return super().maybe_snapshot(*args)


class OwnLineForgiven(League):
    """The lowest win rate leaves out the learner's own past."""

    def _targets(self, player_id: str) -> list[str]:
        return [t for t in super()._targets(player_id) if self.state.players[t].role_of != player_id]


class UnsureSnapshots(League):
    """Two wins are proof enough."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        right = self.state.payoff.interval
        with patch.object(self.state.payoff, "interval", lambda player, opponents, z: right(player, opponents, 0.0)):
            return super().maybe_snapshot(*args)


class OrderedRatings(League):
    """Elo of the last results counts most: ratings depend on their order."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs = dict(self.state.open_jobs)
        for result in results:
            if result.job_id in jobs and self.state.players[jobs[result.job_id].players[0]].frozen:
                self.state.evaluation._arrays["points"] *= 0.95
        return super().report(results)


class Unseeded(League):
    """Somebody else's randomness decides."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        self._rng.integers(2, size=random.randrange(1, 100))
        return super().request_jobs(*args, **kwargs)


class OneStageOnly(League):
    """The configured stages are ignored."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        jobs = super().request_jobs(*args, **kwargs)
        return [replace(job, matchup=replace(job.matchup, stage="BATTLEFIELD")) for job in jobs]


class PortZeroFirst(League):
    """Whoever asked sits at port 0."""

    def _seats(self, player: str, opponent: str, *rest: Any) -> tuple[str, str]:
        return player, opponent


class HiddenState(League):
    """A published digest is kept, and never logged."""

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        super().publish(player_id, digest, env_frames)
        self._new_events = [event for event in self._new_events if event.kind != "published"]


class EventsOutOfOrder(League):
    """A call's events are stored last first."""

    def drain(self) -> list[Any]:
        return super().drain()[::-1]


class ParentIsLive(League):
    """A snapshot names the live learner as its parent."""

    def _snapshot(self, learner: str, why: str, start: Player | None) -> SnapshotDecision:
        self.state.players[learner] = replace(self.state.players[learner], parent=learner)
        return super()._snapshot(learner, why, start)


class StartsAlike(League):
    """Exploiters always begin where the main player began."""

    def _draw_start(self, learner: str) -> Player:
        return self.state.players["warm_start"]


class MainReset(League):
    """The main player starts again like an exploiter."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        with patch.object(core, "resets", lambda *_: True):
            return super().maybe_snapshot(*args)


class NanWeights(League):
    """Weights that vanish are divided by their sum, as one published league does."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(matchmaking, "_VANISHED", -1.0), np.errstate(invalid="ignore"):
            return super().request_jobs(*args, **kwargs)


class TrainingRates(League):
    """Training games count for the ratings too."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs, book = dict(self.state.open_jobs), self.state.evaluation
        settled = super().report(results)
        for result in results:
            players = jobs[result.job_id].players if result.job_id in jobs else ("", "")
            if all(name in book.players for name in players):
                book.record(*players, result.points)
        return settled


class OneRatingPair(League):
    """Rating games go to one pair however much is known of it."""

    def _informative_pairs(self, count: int) -> list[tuple[str, str]]:
        return [("idle", "random")] * count


class OldWeights(League):
    """Jobs name the weights a learner began with."""

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        old = self.state.players[player_id]
        super().publish(player_id, digest, env_frames)
        self.state.players[player_id] = old


class SnapshotStorm(League):
    """A snapshot asked for again is taken again."""

    def _repeated(self, *args: Any) -> None:
        return None


class ShortLeases(League):
    """Every lease lasts half as long as configured."""

    def __init__(self, setup: Any, rng: Any, clock: Any, *events: Any) -> None:
        super().__init__(setup, rng, lambda: clock() - setup.league.lease_s / 2, *events)


class FrozenAtNoFrames(League):
    """A snapshot forgets how long it was trained."""

    def _emit(self, event: Any) -> None:
        if event.kind == "snapshot_taken":
            snapshot = replace(event.decision.snapshot, created_frames=0)
            event = replace(event, decision=replace(event.decision, snapshot=snapshot))
        super()._emit(event)


class LateAccepted(League):
    """An unknown or late result is acknowledged as settled."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        super().report(results)
        return [result.job_id for result in results if result.outcome is not Outcome.ABORTED] or [
            result.job_id for result in results
        ]


FURTHER = {
    DrawsAreLosses: "V0.19",
    DecayOfAllPairs: "V0.02",
    NoDecay: "V0.02",
    AbortedAreLosses: "V0.10",
    ResetKeepsWinRates: "V0.22",
    DuplicatesCount: "V0.09",
    StaleAccepted: "V0.21",
    LateAccepted: "V0.21",
    LeasesReissued: "V0.14",
    ExploitersTrainMain: "V0.07",
    FrozenLearnInRating: "V0.07",
    NoVerification: "V0.23",
    AlwaysLiveMain: "V0.23",
    NeverLiveMain: "V0.23",
    FallsToPfsp: "V0.08",
    ResetsTooOften: "V0.06",
    MainReset: "V0.06",
    SnapshotsStartEven: "V0.27",
    EvictsTheOldest: "V0.13",
    NeverEvicts: "V0.13",
    NashToTheBest: "V0.15",
    StartsAlike: "V0.26",
    NoTimeout: "V0.20",
    OwnLineForgiven: "V0.20",
    UnsureSnapshots: "V0.20",
    OrderedRatings: "V0.15",
    Unseeded: "V0.16",
    OneStageOnly: "V0.17",
    PortZeroFirst: "V0.17",
    HiddenState: "V0.11",
    EventsOutOfOrder: "V0.05",
    ParentIsLive: "V0.12",
    NanWeights: "V0.03",
    TrainingRates: "V0.24",
    OneRatingPair: "V0.15",
    OldWeights: "V0.25",
    SnapshotStorm: "V0.20",
    ShortLeases: "V0.14",
    FrozenAtNoFrames: "V0.12",
}
"""Each with the check that names its defect. `LeagueExploiterSquared` is V1's: only frequencies tell."""
