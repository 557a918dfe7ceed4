"""Alarms of a league: each is raised by the failure it is named after, and a league in order raises none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from exphil_league.league import views
from exphil_league.league.alarms import KINDS, alarms
from exphil_league.league.core import League
from exphil_league.league.history import WINDOW_GAMES, History
from exphil_league.league.model import Job, MatchResult, Outcome
from tests.league_play import new_league, result_of, with_league

SETUP = with_league(lease_s=1e9)
Finish = Callable[[Job], MatchResult]


class Lived:
    """A league and its history, told what happens."""

    def __init__(self) -> None:
        self.league: League = new_league(SETUP)
        self.history = History()
        self.rng = np.random.default_rng(1)

    def names(self, **ladder: float) -> set[str]:
        found = views.ladder(self.league.state) | ladder
        for event in self.league.drain():
            self.history.apply(event)
        raised = {alarm.name for alarm in alarms(self.league.state, self.history, found)}
        assert {name.partition("/")[0] for name in raised} <= set(KINDS)
        return raised

    def play(self, jobs: list[Job], finish: Finish) -> None:
        self.league.report([finish(job) for job in jobs])

    def fair(self, job: Job) -> MatchResult:
        return result_of(job, Outcome.WIN if self.rng.random() < 0.5 else Outcome.LOSS)

    def wins(self, player: str, share: float = 1.0) -> Finish:
        def finish(job: Job) -> MatchResult:
            at_home = (job.players[0] == player) == (self.rng.random() < share)
            return result_of(job, Outcome.WIN if at_home else Outcome.LOSS)

        return finish

    def freeze(self, learner: str, after_frames: int = 200) -> str:
        frames = self.league.learner(learner).env_frames + after_frames
        decision = self.league.maybe_snapshot(learner, f"{learner}-{frames}", frames)
        assert decision is not None
        return decision.snapshot.player_id

    def train(self, learner: str, opponent: str, games: int) -> list[Job]:
        return self.league.request_jobs(learner, 1, games, opponent)


def in_order(lived: Lived) -> None:
    for _ in range(6):
        lived.play(lived.league.request_jobs("main", None, 100), lived.fair)
        lived.play(lived.league.request_jobs("main_exploiter", 1, 60), lived.fair)
        lived.play(lived.league.request_evaluation(60), lived.fair)
        lived.freeze("main")
        lived.freeze("main_exploiter")


def forgets(lived: Lived) -> None:
    lived.freeze("main")
    lived.play(lived.train("main", "warm_start", 100), lived.wins("main", 0.3))
    lived.play(lived.train("main", "main@1", 100), lived.wins("main", 0.9))


def is_fed_weak_exploiters(lived: Lived) -> None:
    weak = lived.freeze("main_exploiter")
    lived.play(lived.train("main", weak, 30), lived.wins("main", 0.99))
    lived.play(lived.train("main", "warm_start", 270), lived.fair)


def learns_from_exploiters_games(lived: Lived) -> None:
    lived.play(lived.train("main", "main_exploiter", 3), lived.fair)


def has_useless_exploiters(lived: Lived) -> None:
    for _ in range(5):
        lived.play(lived.train("main_exploiter", "main", 40), lived.wins("main", 0.95))
        lived.freeze("main_exploiter")


def lets_exploiters_win(lived: Lived) -> None:
    lived.freeze("main")
    lived.play(lived.train("main_exploiter", "main", 320), lived.wins("main_exploiter", 0.9))
    snapshot = lived.freeze("main_exploiter")
    lived.play(lived.league.request_evaluation(100, (snapshot, "main@1")), lived.fair)


def stops_fighting(lived: Lived) -> None:
    for outcome in (Outcome.WIN, Outcome.DRAW):
        lived.play(lived.league.request_jobs("main", 2, WINDOW_GAMES), lambda job, o=outcome: result_of(job, o))  # type: ignore[misc]


def stalls(lived: Lived) -> None:
    for ended_by, frames in (("stocks", 900), ("timer", 3600)):
        changes = {"ended_by": ended_by, "frames": frames}
        lived.play(
            lived.league.request_jobs("main", 2, WINDOW_GAMES),
            lambda job, c=changes: replace(lived.fair(job), **c),  # type: ignore[misc]
        )


def breaks_games(lived: Lived) -> None:
    lived.play(lived.train("main", "warm_start", 50), lived.fair)
    lived.play(lived.train("main", "style", 8), lambda job: result_of(job, Outcome.ABORTED))


def decides_by_seat(lived: Lived) -> None:
    lived.play(lived.train("main", "warm_start", 500), lambda job: result_of(job, Outcome.WIN))


def loses_jobs(lived: Lived) -> None:
    jobs = lived.league.request_jobs("main", 2, 300)
    lived.play(jobs[:200], lived.fair)
    lived.league._clock.now_s += 2e9  # type: ignore[attr-defined]
    lived.league.expire_leases()


@pytest.mark.parametrize(
    ("happening", "expected"),
    [
        (in_order, set()),
        (forgets, {"forgetting/main"}),
        (is_fed_weak_exploiters, {"weak_exploiters/main"}),
        (learns_from_exploiters_games, {"who_learns/main"}),
        (has_useless_exploiters, {"useless_exploiter/main_exploiter"}),
        (lets_exploiters_win, {"live_gap/main_exploiter"}),
        (stops_fighting, {"self_play_draws", "draws"}),
        (stalls, {"timer", "game_length"}),
        (breaks_games, {"aborted/main", "aborted/style"}),
        (decides_by_seat, {"seats/train"}),
        (loses_jobs, {"lost_jobs"}),
    ],
)
def test_a_failure_raises_its_alarm_and_no_other(happening: Callable[[Lived], None], expected: set[str]) -> None:
    lived = Lived()
    happening(lived)
    assert lived.names() == expected


def test_cycles_without_progress_are_named_once_the_payoff_is_cyclic() -> None:
    lived = Lived()
    for _ in range(6):
        snapshot = lived.freeze("main")
        games = lived.league.request_evaluation(40, (snapshot, "random"))
        lived.play(games, lambda job: result_of(job, Outcome.DRAW))
    assert lived.names(cyclicity=0.1) == set()
    assert lived.names(cyclicity=0.5) == {"cycling/main"}
