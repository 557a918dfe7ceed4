"""Further plausible defects, so that every check of V0 is seen to fail for the reason its name gives."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from exphil_league.config.league import Weighting
from exphil_league.league import core, matchmaking
from exphil_league.league.core import League
from exphil_league.league.matchmaking import Matchmaker, Opponent
from exphil_league.league.model import Branch, Job, Player, SnapshotDecision
from tests.mutants.results import OF_RESULTS


class _WithMatchmaker(League):
    """A league that draws opponents otherwise."""

    Maker = Matchmaker

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(core, "Matchmaker", self.Maker):
            return super().request_jobs(*args, **kwargs)


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


class GivesUpEarly(_WithMatchmaker):
    """A main exploiter leaves the live main player alone while it wins one game in five."""

    class Maker(Matchmaker):
        def _exploit(self, learner: Player) -> Opponent:
            self._config = self._config.model_copy(update={"exploit_floor": 0.2})
            return super()._exploit(learner)


class VerifiesWhatIsWell(_WithMatchmaker):
    """Verification goes to exploiters that win half of their games."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(matchmaking, "EXPLOITED_BELOW", 0.6):
            return super().request_jobs(*args, **kwargs)


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


class FrozenAtNoFrames(League):
    """A snapshot forgets how long it was trained."""

    def _emit(self, event: Any) -> None:
        if event.kind == "snapshot_taken":
            snapshot = replace(event.decision.snapshot, created_frames=0)
            event = replace(event, decision=replace(event.decision, snapshot=snapshot))
        super()._emit(event)


FURTHER = {
    **OF_RESULTS,
    ExploitersTrainMain: "V0.07",
    FrozenLearnInRating: "V0.07",
    NoVerification: "V0.23",
    AlwaysLiveMain: "V0.23",
    NeverLiveMain: "V0.23",
    GivesUpEarly: "V0.23",
    VerifiesWhatIsWell: "V0.23",
    FallsToPfsp: "V0.08",
    ResetsTooOften: "V0.06",
    MainReset: "V0.06",
    EvictsTheOldest: "V0.13",
    NeverEvicts: "V0.13",
    StartsAlike: "V0.26",
    NoTimeout: "V0.20",
    OwnLineForgiven: "V0.20",
    UnsureSnapshots: "V0.20",
    Unseeded: "V0.16",
    OneStageOnly: "V0.17",
    PortZeroFirst: "V0.17",
    HiddenState: "V0.11",
    EventsOutOfOrder: "V0.05",
    ParentIsLive: "V0.12",
    NanWeights: "V0.03",
    OldWeights: "V0.25",
    SnapshotStorm: "V0.20",
    FrozenAtNoFrames: "V0.12",
}
"""Each with the check that names its defect. `LeagueExploiterSquared` is V1's: only frequencies tell."""
