"""How samples reach the learner when runners play on: a stand-in for RLlib's group of runner actors."""

from __future__ import annotations

from typing import Any

import pytest

from exphil_league.errors import UserError
from exphil_league.rl import algorithm
from exphil_league.rl.algorithm import LeaguePPO
from exphil_league.rl.collect import Collected, Collector, Delivery
from exphil_league.rl.sampler import SampleStats


class Runners:
    """Runner i needs `polls[i]` polls for a sample; -1 is a dead one. Each plays with the newest weights."""

    def __init__(self, polls: list[int]) -> None:
        self.polls = polls
        self.weights = 0
        self.under_way: dict[int, tuple[int, int]] = {}
        self.local_env_runner = None
        self.answers: list[Delivery | UserError] = []
        """What synchronous calls bring."""

    def num_remote_env_runners(self) -> int:
        return len(self.polls)

    def foreach_env_runner(self, func: Any, **how: Any) -> list[Delivery | UserError]:
        return self.answers

    def foreach_env_runner_async(self, func: Any, tag: str) -> None:
        for runner, polls in enumerate(self.polls):
            if polls > 0:
                self.under_way.setdefault(runner, (polls, self.weights))

    def num_in_flight_async_reqs(self, tag: str) -> int:
        return len(self.under_way)

    def fetch_ready_async_reqs(self, tags: str, timeout_seconds: float) -> list[tuple[int, Delivery]]:
        ready = []
        for runner, (left, weights) in list(self.under_way.items()):
            self.under_way[runner] = (left - 1, weights)
            if left == 1:
                del self.under_way[runner]
                ready.append((runner, Delivery((runner, weights), SampleStats(env_frames=10), weights)))
        return ready


def play(group: Runners, iterations: int, share: int = 1, max_lag: int = 2) -> list[Any]:
    """What each of so many updates learned from."""
    collector = Collector(group, share, timeout_s=5.0, max_lag=max_lag)
    found = []
    for update in range(iterations):
        found.append(collector.collect(update))
        group.weights = update + 1
    return found


def test_a_slow_runner_delays_only_itself() -> None:
    group = Runners([1, 1, 50])
    found = play(group, 40, max_lag=100)
    sources = [source for batch in found for source, _ in batch.samples]
    assert all(len(batch.samples) == 3 for batch in found)
    assert 0 < sources.count(2) < 5
    assert sources.count(0) == pytest.approx(sources.count(1), abs=2)
    assert found[-1].stats.env_frames == 30


def test_runners_play_on_while_the_learner_works() -> None:
    """From the second update on, every sample was begun before the last weights were there: one update old."""
    found = play(Runners([1, 1]), 6)
    assert [batch.lag_updates for batch in found] == [0, 1, 1, 1, 1, 1]


def test_a_sample_that_is_too_old_is_dropped_and_counted() -> None:
    found = play(Runners([1, 1, 60]), 60, max_lag=2)
    assert sum(batch.dropped for batch in found) >= 1
    assert all(source != 2 for batch in found[1:] for source, _ in batch.samples)


def test_learners_get_equal_shares_and_the_rest_waits() -> None:
    group = Runners([1, 1, 1])
    found = play(group, 9, share=2, max_lag=10)
    assert [len(batch.samples) for batch in found] == [2] * 9
    assert {source for batch in found for source, _ in batch.samples} == {0, 1, 2}


def test_a_sample_too_many_for_the_learners_is_dropped_and_counted() -> None:
    group = Runners([1, 1, 1])
    group.answers = [Delivery((runner, 0), SampleStats(env_frames=10), 0) for runner in range(3)]
    (found,) = play(group, 1, share=2, max_lag=0)
    assert (len(found.samples), found.dropped, found.stats.env_frames) == (2, 1, 20)


def test_what_only_the_user_can_mend_ends_the_trial() -> None:
    group = Runners([1])
    group.answers = [UserError("no Dolphin on this machine")]
    with pytest.raises(UserError, match="no Dolphin"):
        play(group, 1, max_lag=0)


def test_an_update_waits_for_runners_to_be_replaced_and_not_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Collected([], SampleStats(), dropped=1), Collected([], SampleStats()), Collected([1], SampleStats())]
    algo, restored = LeaguePPO.__new__(LeaguePPO), []
    algo._collector, algo._weights, algo.env_runner_group = Scripted(found), 0, None
    monkeypatch.setattr(algo, "restore_env_runners", restored.append)
    monkeypatch.setattr(algorithm, "sleep", lambda seconds: None)
    batch = algo._collect()
    assert (batch.samples, batch.dropped, len(restored)) == ([1], 1, 2)
    algo._collector = Scripted([Collected([], SampleStats())] * 3)
    monkeypatch.setattr(algorithm, "PATIENCE_S", -1.0)
    with pytest.raises(RuntimeError, match="no runner has brought a sample"):
        algo._collect()


class Scripted:
    """A collector that brings what it is told."""

    def __init__(self, found: list[Collected]) -> None:
        self._found = iter(found)

    def collect(self, weights: int) -> Collected:
        return next(self._found)


def test_dead_runners_leave_a_smaller_batch_and_no_hang() -> None:
    assert [len(batch.samples) for batch in play(Runners([-1, -1]), 3)] == [0, 0, 0]
    assert all(len(batch.samples) == 2 for batch in play(Runners([-1, 1]), 3))
