"""Slots and tables: how games are shared out, and how few opponents are met at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.backend import Matchup
from envs.frame import FRAME
from exphil_league.league.model import Branch, Job, Purpose
from exphil_league.rl.opponents import FrozenSeats, OpponentCache
from exphil_league.rl.slots import divide, learner_shares
from exphil_league.rl.tables import JobDesk, opponent_of, seat_tables


@given(
    games=st.integers(5, 200),
    mains=st.integers(1, 2),
    exploiters=st.integers(0, 2),
    self_play=st.floats(0, 1),
    exploiter_share=st.floats(0.01, 0.99),
)
def test_every_game_has_one_group(
    games: int, mains: int, exploiters: int, self_play: float, exploiter_share: float
) -> None:
    names = [f"main{i}" for i in range(mains)], [f"exploiter{i}" for i in range(exploiters)]
    shares = learner_shares(*names, self_play, exploiter_share)
    assert sum(s.share for s in shares) == pytest.approx(1.0)
    if games < len(shares):
        with pytest.raises(ValueError, match=r"raise ppo.games"):
            divide(games, shares)
        return
    groups = divide(games, shares)
    assert [game for g in groups for game in g.game_indices] == list(range(games))
    slack = len(shares)  # groups that would get no game take one from the others
    for group, share in zip(groups, shares, strict=True):
        assert group.games >= 1
        assert abs(group.games - share.share * games) <= slack
        assert not (group.learner_seats == 2 and group.player.startswith("exploiter"))


@dataclass
class DrawingLeague:
    """Draws opponents o0 .. o9 evenly; counts jobs."""

    rng: np.random.Generator
    numbers: count

    def request_jobs(self, learner: str, learner_seats: int, count: int, opponent: str | None = None) -> list[Job]:
        return [self._job(learner, learner_seats, opponent) for _ in range(count)]

    def _job(self, learner: str, learner_seats: int, opponent: str | None) -> Job:
        number = next(self.numbers)
        other = learner if learner_seats == 2 else opponent or f"o{self.rng.integers(10)}"
        return Job(
            f"job-{number}", (learner, other), (learner, other), Matchup(), Branch.PFSP, (True, learner_seats == 2),
            number, 0.0, Purpose.TRAIN,
        )  # fmt: skip


class Player:
    """An agent that remembers nothing."""

    def __init__(self, digest: str, capacity: int) -> None:
        self.name, self.digest, self.capacity = digest, digest, capacity

    def reset(self, columns: np.ndarray) -> None: ...

    def act(self, view: object, columns: np.ndarray) -> np.ndarray:
        return np.full((len(columns), 6), int(self.digest[1:]), np.uint8)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), limit=st.integers(2, 6), games=st.integers(4, 40))
def test_few_opponents_at_once_and_all_in_the_long_run(seed: int, limit: int, games: int) -> None:
    rng = np.random.default_rng(seed)
    groups = divide(games, learner_shares(["main"], [], 0.5, 0.25))
    cache = OpponentCache(Player, games, limit)
    desk = JobDesk(DrawingLeague(rng, count()), groups, limit, lambda: len(cache.active) < limit)
    single = [game for g in groups if g.learner_seats == 1 for game in g.game_indices]
    seats = FrozenSeats(np.array(single), cache)
    jobs = desk.first_jobs()
    assert sorted(jobs) == list(range(games))
    met = set()
    for game in single:
        seats.assign(game, 1, opponent_of(jobs[game]))
    for _ in range(300 * len(single)):
        game = single[rng.integers(len(single))]
        job = desk.next_job(game)
        seats.assign(game, 1, opponent_of(job))
        met.add(opponent_of(job))
        assert len(cache.active) <= limit
        assert len(cache) <= limit
    assert len(met) > 5


def test_tables_cover_the_single_games_once() -> None:
    groups = divide(64, learner_shares(["main"], ["exploiter"], 0.5, 0.25))
    tables = seat_tables(groups, 8)
    single = [game for g in groups if g.learner_seats == 1 for game in g.game_indices]
    assert [game for table in tables for game in table.games] == single
    assert len(tables) == 4


def test_opponents_press_for_their_own_seats_only() -> None:
    cache = OpponentCache(Player, 3, 2)
    seats = FrozenSeats(np.array([2, 5, 6]), cache)
    for game, seat, digest in ((2, 0, "o1"), (5, 1, "o2"), (6, 1, "o1")):
        seats.assign(game, seat, digest)
    pressed = np.zeros((8, 2, 6), np.uint8)
    seats.act(np.zeros(8, FRAME), np.zeros((8, 2, 3), np.float32), np.zeros((8, 2, 1), np.int32), pressed)
    expected = np.zeros((8, 2), np.uint8)
    expected[2, 0], expected[5, 1], expected[6, 1] = 1, 2, 1
    np.testing.assert_array_equal(pressed[..., 0], expected)


def test_the_cache_drops_only_idle_agents() -> None:
    loaded: list[str] = []

    def load(digest: str, capacity: int) -> Player:
        loaded.append(digest)
        return Player(digest, capacity)

    cache = OpponentCache(load, 1, limit=2)
    for digest in ("o1", "o2"):
        cache.acquire(digest)
    cache.release("o1")
    cache.acquire("o3")
    assert cache.active == ["o2", "o3"]
    cache.acquire("o2")
    assert loaded == ["o1", "o2", "o3"]
