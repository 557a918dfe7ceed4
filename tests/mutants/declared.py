"""Wrong leagues that do something else than their recipe declares, or tell something else than happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from exphil_league.config.league import SnapshotConfig
from exphil_league.league import core, matches, matchmaking, payoff, starts
from exphil_league.league.core import League
from exphil_league.league.eviction import needed
from exphil_league.league.matchmaking import Matchmaker, Opponent
from exphil_league.league.matchup_book import MatchupBook
from exphil_league.league.model import (
    Branch,
    Job,
    LearnerView,
    MatchResult,
    Player,
    PlayerKind,
    Roster,
    SnapshotDecision,
)
from exphil_league.league.payoff import Payoff
from exphil_league.league.state import JOB_ACCEPTED, JOB_EXPIRED, LeagueState


class ThresholdFixed(League):
    """0.7 freezes, whatever the recipe says."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        right = core.snapshot_reason

        def fixed(config: SnapshotConfig, *rest: Any) -> str | None:
            return right(config.model_copy(update={"win_rate": 0.7}), *rest)

        with patch.object(core, "snapshot_reason", fixed):
            return super().maybe_snapshot(*args)


class AlwaysSure(League):
    """Win rates must be 95 % sure even where the recipe asks for the mean."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        right = self.state.payoff.interval
        with patch.object(self.state.payoff, "interval", lambda player, opponents, z: right(player, opponents, 1.64)):
            return super().maybe_snapshot(*args)


class ExploitersForgiven(League):
    """A main player must beat its own past, and no exploiter."""

    def _targets(self, player_id: str) -> list[str]:
        if self.state.players[player_id].kind is PlayerKind.MAIN:
            return self.state.line(player_id)
        return super()._targets(player_id)


class OneMainIsEnough(League):
    """A main exploiter is frozen for beating the first of several main players."""

    def _targets(self, player_id: str) -> list[str]:
        targets = super()._targets(player_id)
        return targets[:1] if self.state.players[player_id].kind is PlayerKind.MAIN_EXPLOITER else targets


class _Draws(League):
    """A league whose draws are patched."""

    Maker = Matchmaker

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(core, "Matchmaker", self.Maker):
            return super().request_jobs(*args, **kwargs)


class FirstMainOnly(_Draws):
    """Exploiters know only the first main player."""

    class Maker(Matchmaker):
        def _exploit(self, learner: Player) -> Opponent:
            with patch.object(LeagueState, "learners_of_kind", lambda state, kind: ["main"]):
                return super()._exploit(learner)


class FloorFixed(_Draws):
    """0.1 is out of reach, whatever the recipe says."""

    class Maker(Matchmaker):
        def _exploit(self, learner: Player) -> Opponent:
            self._config = self._config.model_copy(update={"exploit_floor": 0.1})
            return super()._exploit(learner)


class AnchorsInTraining(_Draws):
    """Training meets the players that are to judge."""

    class Maker(Matchmaker):
        def _pfsp(self, learner: Player, *args: Any) -> Opponent:
            self._config = self._config.model_copy(update={"train_against_anchors": True})
            return super()._pfsp(learner, *args)


class ShortMemory(League):
    """Only the last thirty frozen players are met."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        right = LeagueState.opponents
        with patch.object(LeagueState, "opponents", lambda state, anchors: right(state, anchors)[-30:]):
            return super().request_jobs(*args, **kwargs)


class UnplayedAreBeaten(League):
    """Who was never played counts as beaten, and is never met."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        right = Payoff.win_rates

        def rates(book: Payoff, player: str, opponents: Sequence[str]) -> NDArray[np.float64]:
            return np.where(book.games_between(player, opponents) > 0, right(book, player, opponents), 0.9)

        with patch.object(Payoff, "win_rates", rates):
            return super().request_jobs(*args, **kwargs)


class NewestCountAsForgotten(League):
    """Losing to one's newest selves is taken for forgetting."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        with patch.object(matchmaking, "drop_monotone_suffix", len):
            return super().request_jobs(*args, **kwargs)


class CurriculumByGamesAlone(League):
    """A stage is passed by playing it."""

    def report(self, *args: Any) -> list[str]:
        with patch.object(core, "stage_passed", lambda stage, rates, games: bool(games.min() >= stage.min_games)):
            return super().report(*args)


class CurriculumNeverLeft(League):
    """Nobody passes a stage."""

    def _pass_stages(self) -> None:
        pass


class RatedAsTrained(League):
    """Rating games have the stocks and the clock of training."""

    def request_evaluation(self, *args: Any, **kwargs: Any) -> list[Job]:
        game = self.state.setup.game
        rules = {"stocks": game.stocks, "time_limit_s": game.time_limit_s}
        jobs = super().request_evaluation(*args, **kwargs)
        return [replace(job, matchup=replace(job.matchup, **rules)) for job in jobs]  # type: ignore[arg-type]


class EvenRatingGames(League):
    """Every pair is rated as often, however much is known of it."""

    def _informative_pairs(self, count: int) -> list[tuple[str, str]]:
        names = self.state.rateable()
        drawn = [self._rng.choice(len(names), 2, replace=False) for _ in range(count)]
        return [(names[i], names[j]) for i, j in drawn]


class BestIsWorst(League):
    """The best past exploiter is taken to be the one that main beats most."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        with patch.object(starts, "np", _Reversed):
            return super().maybe_snapshot(*args)


class _Reversed:
    mean, argmin = np.mean, np.argmax


class StartsFromMain(League):
    """Every other reset copies the main player's newest snapshot."""

    def _draw_start(self, learner: str) -> Player:
        mains = self.state.line("main")[1:]
        if mains and self.state.learners[learner].snapshots % 2:
            return self.state.players[mains[-1]]
        return super()._draw_start(learner)


class ResetToAnother(League):
    """A reset names one start and hands out the weights of another."""

    def _draw_start(self, learner: str) -> Player:
        return replace(super()._draw_start(learner), digest=self.state.players["main"].digest)


class EvictsTheHardest(League):
    """A full pool lets go of those that main cannot beat."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        def hardest(state: LeagueState) -> tuple[str, ...]:
            kept = needed(state)
            free = [name for name in state.pool if name not in kept]
            order = sorted(free, key=lambda name: state.payoff.win_rate("main", name))
            return tuple(order[: max(len(state.pool) - state.setup.league.pool.max_players, 0)])

        with patch.object(core, "surplus", hardest):
            return super().maybe_snapshot(*args)


class ForgetsTheRecent(League):
    """`keep_recent` keeps nobody."""

    def maybe_snapshot(self, *args: Any) -> SnapshotDecision | None:
        pool = self.state.setup.league.pool.model_copy(update={"keep_recent": 1})
        league = self.state.setup.league.model_copy(update={"pool": pool})
        before, self.state.setup = self.state.setup, self.state.setup.model_copy(update={"league": league})
        try:
            return super().maybe_snapshot(*args)
        finally:
            self.state.setup = before


class SilentPublish(League):
    """Weights count only when a learner asks for a snapshot."""

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        super().publish(player_id, digest, env_frames)
        return super().maybe_snapshot(player_id, digest, env_frames)

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        pass


class OneSeatChecked(League):
    """The weights of seat 0 may be anybody's."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs = self.state.open_jobs
        return super().report(
            [replace(r, digests=(jobs[r.job_id].digests[0], r.digests[1])) if r.job_id in jobs else r for r in results]
        )


class NewWeightsRefused(League):
    """Only the weights that the job named count, though a game outlives an update."""

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        jobs = self.state.open_jobs
        return super().report(
            [
                r if r.job_id not in jobs or r.digests == jobs[r.job_id].digests else replace(r, digests=("old", "old"))
                for r in results
            ]
        )


class ForgetsWhatWasSettled(League):
    """After a restart a result that was counted before is refused as late, and sent for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status = self.state.job_status
        status[:] = status.replace(bytes([JOB_ACCEPTED]), bytes([JOB_EXPIRED]))


class CharactersBySeat(League):
    """The matchup book has the characters of a pair the wrong way round."""

    class Book(MatchupBook):
        def record(self, players: tuple[str, str], matchup: Any, points: float | None) -> None:
            super().record(players, replace(matchup, characters=matchup.characters[::-1]), points)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.matchups.__class__ = self.Book


class RatedDrawsAreLosses(League):
    """A drawn rating game is lost by seat 0."""

    class Book(Payoff):
        def record(self, home: str, away: str, points: float | None) -> None:
            super().record(home, away, 0.0 if points == 0.5 else points)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.evaluation.__class__ = self.Book


class IntervalsForgetDecay(League):
    """Intervals are as narrow as if no game had lost weight."""

    def payoff(self) -> dict[str, Any]:
        with patch.object(Payoff, "effective_games", Payoff.games_between):
            return super().payoff()


class SeatEffectReversed(League):
    """What seat 0 is worth is told of seat 1."""

    def payoff(self) -> dict[str, Any]:
        right = payoff.rate_difference
        with patch.object(payoff, "rate_difference", lambda a, b, c, d: right(c, d, a, b)):
            return super().payoff()


class NaturalScale(League):
    """Ratings in steps of e^(d/400)."""

    def ladder(self) -> dict[str, Any]:
        ladder, origin = super().ladder(), self.state.setup.rating.anchor_elo
        wider = {
            key: [origin + np.log(10.0) * (row[key] - origin) for row in ladder["players"]]
            for key in ("elo", "low", "high")
        }
        rows = [row | {key: wider[key][n] for key in wider} for n, row in enumerate(ladder["players"])]
        return ladder | {"players": rows}


class OverlySure(League):
    """Intervals of ratings are half as wide as they must be."""

    def ladder(self) -> dict[str, Any]:
        ladder = super().ladder()
        rows = [row | {key: (row["elo"] + row[key]) / 2 for key in ("low", "high")} for row in ladder["players"]]
        return ladder | {"players": rows}


class NamesTheOldest(League):
    """The ladder's main player is its first snapshot."""

    def ladder(self) -> dict[str, Any]:
        return super().ladder() | {"main": self.state.line("main")[0]}


class NeverCyclic(League):
    """Every payoff is told to be an order."""

    def ladder(self) -> dict[str, Any]:
        return super().ladder() | {"cyclicity": 0.0}


class AnotherUnderTheName(League):
    """Who comes back with other weights is let in."""

    def _same_as_before(self, member: Player) -> None:
        pass


class AnchorsMayChange(League):
    """Ratings go on though their anchors are others."""

    def enrol(self, roster: Roster) -> None:
        super().enrol(replace(roster, anchor_digest=self.state.anchor_digest or roster.anchor_digest))


class GenerationUntold(League):
    """A trainer is never told that its learner was reset."""

    def learner(self, player_id: str) -> LearnerView:
        return replace(super().learner(player_id), generation=0)


class OwnStagesForAll(League):
    """Rating and training games alike begin on the left."""

    def request_jobs(self, *args: Any, **kwargs: Any) -> list[Job]:
        right = matches.draw_matchup
        with patch.object(core, "draw_matchup", lambda *a: replace(right(*a), swap_start=False)):
            return super().request_jobs(*args, **kwargs)


class SelfPlayAgainstThePast(_Draws):
    """Self-play is played against the newest snapshot."""

    class Maker(Matchmaker):
        def draw(self, learner: Player, learner_seats: int | None) -> Opponent:
            drawn = super().draw(learner, learner_seats)
            if drawn.branch is Branch.SELF_PLAY:
                return Opponent(self._state.line(learner.player_id)[-1], Branch.PFSP)
            return drawn


DECLARED = {
    ThresholdFixed: "V0.20",
    AlwaysSure: "V0.20",
    ExploitersForgiven: "V0.20",
    OneMainIsEnough: "V0.30",
    FirstMainOnly: "V0.30",
    FloorFixed: "V0.23",
    AnchorsInTraining: "V0.23",
    ShortMemory: "V0.23",
    UnplayedAreBeaten: "V0.23",
    NewestCountAsForgotten: "V0.23",
    CurriculumByGamesAlone: "V0.29",
    CurriculumNeverLeft: "V0.29",
    RatedAsTrained: "V0.17",
    EvenRatingGames: "V0.15",
    BestIsWorst: "V0.26",
    StartsFromMain: "V0.26",
    ResetToAnother: "V0.06",
    EvictsTheHardest: "V0.13",
    ForgetsTheRecent: "V0.13",
    SilentPublish: "V0.25",
    OneSeatChecked: "V0.21",
    NewWeightsRefused: "V0.21",
    ForgetsWhatWasSettled: "V0.09",
    CharactersBySeat: "V0.28",
    RatedDrawsAreLosses: "V0.24",
    IntervalsForgetDecay: "V0.28",
    SeatEffectReversed: "V0.28",
    NaturalScale: "V0.15",
    OverlySure: "V0.15",
    NamesTheOldest: "V0.15",
    NeverCyclic: "V0.15",
    AnotherUnderTheName: "V0.31",
    AnchorsMayChange: "V0.31",
    GenerationUntold: "V0.31",
    OwnStagesForAll: "V0.17",
    SelfPlayAgainstThePast: "V0.08",
}
"""Each with the check that names its defect."""
