"""The nine seeded wrong leagues: defects that published leagues had, or nearly had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from exphil_league.league import core, matchmaking
from exphil_league.league.core import League
from exphil_league.league.model import Job, Player, Purpose, SnapshotDecision
from exphil_league.league.payoff import Payoff
from exphil_league.league.state import LeagueState


class InvertedPfsp(League):
    """Meets the opponents it already beats."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        right = matchmaking.pfsp_weights
        with patch.object(matchmaking, "pfsp_weights", lambda rates, *rest: right(1.0 - rates, *rest)):
            return super().request_jobs(*args, **kwargs)


class SeatIgnored(League):
    """Half of the results are recorded from the wrong side."""

    class Book(Payoff):
        def record(self, home: str, away: str, *rest: Any) -> None:
            super().record(*sorted((home, away)), *rest)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.payoff.__class__ = self.Book


class PayoffNeverUpdated(League):
    """Every opponent looks even for ever."""

    class Book(Payoff):
        def record(self, home: str, away: str, *rest: Any) -> None:
            pass

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.payoff.__class__ = self.Book


class ExploitersNeverReset(League):
    """Exploiters go on from where they are."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        with patch.object(core, "resets", lambda *_: False):
            return super().maybe_snapshot(*args)


class MainPlaysOwnLine(League):
    """The main player's PFSP knows only its own past."""

    def request_jobs(self, learner: str, *args: Any, **kwargs: Any) -> list[Job]:
        if learner != "main":
            return super().request_jobs(learner, *args, **kwargs)
        with patch.object(LeagueState, "opponents", lambda state, *_: state.line("main")):
            return super().request_jobs(learner, *args, **kwargs)


class SnapshotAliasesLive(League):
    """A frozen player shares the weights of the learner it was taken of, and moves with them."""

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        super().publish(player_id, digest, env_frames)
        players = self.state.players
        for name in self.state.historical:
            if players[name].role_of == player_id:
                players[name] = replace(players[name], digest=digest)


class ResetBeforeSnapshot(League):
    """As the published pseudo-code has it: what is frozen is the start it was just reset to."""

    def _snapshot(self, learner: str, why: str, start: Player | None) -> SnapshotDecision:
        if start is not None:
            self.publish(learner, start.digest, self.state.learners[learner].env_frames)
        return super()._snapshot(learner, why, start)


class NoSnapshots(League):
    """Nobody is ever frozen."""

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        self.publish(player_id, digest, env_frames)
        return None


class OpponentsTrained(League):
    """Whoever sits opposite learns too."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        jobs = super().request_jobs(*args, **kwargs)
        return [replace(job, learner_sides=(True, True)) if job.purpose is Purpose.TRAIN else job for job in jobs]


SEEDED = {
    InvertedPfsp: "V0.03",
    SeatIgnored: "V0.01",
    PayoffNeverUpdated: "V0.18",
    ExploitersNeverReset: "V0.06",
    MainPlaysOwnLine: "V0.23",
    SnapshotAliasesLive: "V0.04",
    ResetBeforeSnapshot: "V0.05",
    NoSnapshots: "V0.20",
    OpponentsTrained: "V0.07",
}
"""Each with the check that names its defect."""
