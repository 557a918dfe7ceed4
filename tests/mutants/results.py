"""Wrong leagues that take results wrongly: into win rates, ratings and leases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exphil_league.league.core import League
from exphil_league.league.model import Job, MatchResult, Outcome
from exphil_league.league.payoff import Payoff


class _WithBook(League):
    """A league whose training results go into another kind of book."""

    Book = Payoff

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.payoff.__class__ = self.Book


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


class SnapshotsStartEven(_WithBook):
    """A new snapshot begins as if nothing were known of its learner."""

    class Book(Payoff):
        def inherit(self, child: str, parent: str) -> None:
            pass


class NashToTheBest(League):
    """All Nash mass goes to the top of the ladder."""

    def ladder(self) -> dict[str, Any]:
        ladder = super().ladder()
        rows = [{**row, "nash_mass": float(n == 0)} for n, row in enumerate(ladder["players"])]
        return {**ladder, "players": rows}


class OrderedRatings(League):
    """Elo of the last results counts most: ratings depend on their order."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs = dict(self.state.open_jobs)
        for result in results:
            if result.job_id in jobs and self.state.players[jobs[result.job_id].players[0]].frozen:
                self.state.evaluation._arrays["points"] *= 0.95
        return super().report(results)


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


class ShortLeases(League):
    """Every lease lasts half as long as configured."""

    def __init__(self, setup: Any, rng: Any, clock: Any, *events: Any) -> None:
        super().__init__(setup, rng, lambda: clock() - setup.league.lease_s / 2, *events)


class LateAccepted(League):
    """An unknown or late result is acknowledged as settled."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        super().report(results)
        return [result.job_id for result in results if result.outcome is not Outcome.ABORTED] or [
            result.job_id for result in results
        ]


OF_RESULTS = {
    DrawsAreLosses: "V0.19",
    DecayOfAllPairs: "V0.02",
    NoDecay: "V0.02",
    AbortedAreLosses: "V0.10",
    ResetKeepsWinRates: "V0.22",
    DuplicatesCount: "V0.09",
    StaleAccepted: "V0.21",
    LateAccepted: "V0.21",
    LeasesReissued: "V0.14",
    SnapshotsStartEven: "V0.27",
    NashToTheBest: "V0.15",
    OrderedRatings: "V0.15",
    TrainingRates: "V0.24",
    OneRatingPair: "V0.15",
    ShortLeases: "V0.14",
}
"""Each with the check that names its defect."""
