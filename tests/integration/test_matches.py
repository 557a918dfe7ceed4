"""Matches between agents on any backend: who sits where, what is reported, what is recorded."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from envs.backend import Matchup
from envs.controller import NEUTRAL_PARTS
from envs.frame import LEADER
from exphil_league.errors import UserError
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches, result_row
from exphil_league.evaluation.players import load_player
from exphil_league.evaluation.score import score_of, wilson
from exphil_league.league.model import Job, MatchResult, Outcome
from policies.agent import AS_TRAINED, Handling, SeatView
from policies.network_agent import NetworkAgent
from policies.policy import Policy
from tests.fakes import FakeBackend
from tests.unit.policy_fixtures import small_policy
from tests.unit.test_ensemble import counted

SHORT = Matchup(stocks=1, time_limit_s=20.0)


class Puncher:
    """Walks to the opponent and strikes; checks that the view it gets is its own column's."""

    def __init__(self, capacity: int, strikes: bool = True) -> None:
        self.name, self.digest, self.capacity = "puncher", f"test:{strikes}", capacity
        self._strikes = strikes
        self.age = np.full(capacity, -1)

    def reset(self, columns):
        self.age[columns] = 0

    def act(self, view: SeatView, columns):
        assert (self.age[columns] >= 0).all(), "asked before a reset"
        parts = np.tile(NEUTRAL_PARTS, (len(columns), 1))
        players = view.frames["players"][:, :, LEADER]
        rows = np.arange(len(columns))
        gap = players["x"][rows, 1 - view.seats] - players["x"][rows, view.seats]
        assert np.array_equal(columns % 2, view.seats)
        parts[:, 1] = np.where(np.abs(gap) < 8, 8, np.where(gap > 0, 16, 0))
        parts[:, 0] = self._strikes * (self.age[columns] % 2)
        self.age[columns] += 1
        return parts


def play(games: int, at_once: int, record: bool = False):
    backend = FakeBackend(at_once)
    capacity = columns_needed(at_once)
    agents = {"a": Puncher(capacity), "b": Puncher(capacity, strikes=False)}
    jobs = pair_jobs(("a", "b"), (agents["a"].digest, agents["b"].digest), [SHORT], games, seed=5)
    seen: list[tuple[Job, MatchResult, np.ndarray]] = []
    results = play_matches(
        *(backend, jobs, lambda name, digest: agents[name]),
        on_game=lambda *game: seen.append(game),
        record=lambda job: record,
    )
    return jobs, results, seen


@pytest.mark.parametrize("at_once", [1, 3, 16])
def test_every_job_is_played_once_with_seats_balanced(at_once):
    jobs, results, seen = play(10, at_once)
    assert sorted(r.job_id for r in results) == sorted(j.job_id for j in jobs)
    assert sum(job.players[0] == "a" for job in jobs) == 5
    for job, result, frames in seen:
        winner = 0 if result.outcome is Outcome.WIN else 1
        assert job.players[winner] == "a", "the one who strikes wins from either seat"
        assert result.digests == job.digests
        assert len(frames) == 0
    score = score_of("a", [(job, result) for job, result, _ in seen])
    assert (score.games, score.wins, score.rate) == (10, 10, 1.0)


def test_the_batch_size_does_not_change_results():
    key = {r.job_id: (r.outcome, r.frames, r.percent) for r in play(10, 1)[1]}
    assert {r.job_id: (r.outcome, r.frames, r.percent) for r in play(10, 7)[1]} == key


def test_networks_act_together_and_press_what_each_would_alone(monkeypatch):
    """Networks come and go while others play on; each keeps its own memory and random stream."""
    networks = [small_policy("gru", seed=seed, delay_frames=2) for seed in range(4)]
    names = [str(seed) for seed in range(4)]
    jobs = [
        replace(job, job_id=f"{pair}{job.job_id}")
        for pair in combinations(names, 2)
        for job in pair_jobs(pair, pair, [SHORT], 2, seed=int("".join(pair)))
    ]
    alone = Handling(action_repeat=networks[0].spec.action_repeat)  # not as trained, so never together, but the same
    outcomes, forwards = [], []
    for handling in (AS_TRAINED, alone):
        agents = {
            name: NetworkAgent(policy, columns_needed(3), 1, name, name, handling=handling)
            for name, policy in zip(names, networks, strict=True)
        }
        calls = counted(monkeypatch, Policy, "step")
        played = play_matches(FakeBackend(3), jobs, lambda name, digest, cast=agents: cast[name])
        outcomes.append({r.job_id: (r.outcome, r.frames, r.stocks, r.percent) for r in played})
        forwards.append(calls() / sum(r.frames for r in played))
    assert outcomes[0] == outcomes[1]
    assert forwards[0] < 0.5 < 1.0 < forwards[1], "forwards a frame of each game"


def test_recorded_games_are_whole():
    for _, result, frames in play(4, 2, record=True)[2]:
        assert len(frames) == result.frames + 1
        assert (np.diff(frames["frame"]) == 1).all()
        assert frames["players"]["stocks"][-1, :, LEADER].tolist() == list(result.stocks)
        assert result_row(result)["winner"] == (0 if result.outcome is Outcome.WIN else 1)


def test_aborted_games_count_for_nobody():
    backend = FakeBackend(2, fault_at=5)
    agent = Puncher(4)
    jobs = pair_jobs(("a", "b"), ("", ""), [SHORT], 4, seed=0)
    results = play_matches(backend, jobs, lambda name, digest: agent)
    assert {r.outcome for r in results} == {Outcome.ABORTED}
    score = score_of(
        "a", zip(sorted(jobs, key=lambda j: j.job_id), sorted(results, key=lambda r: r.job_id), strict=True)
    )
    assert (score.games, score.aborted, score.low, score.high) == (0, 4, 0.0, 1.0)


def test_wilson_against_published_values():
    # Newcombe 1998, table I: 81/263 -> 0.2553..0.3662; 0/20 -> 0..0.1611; 1/29 -> 0.0061..0.1718
    for points, games, low, high in ((81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):
        assert wilson(points, games) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("figther", "did you mean fighter"),
        ("missing.agent", "no such agent file"),
        ("tests.fakes:nobody", "no callable 'nobody'"),
        ("no_such_module:f", "cannot be imported"),
        ("tests.fakes:FakeBackend", "is no agent"),
    ],
)
def test_unknown_players_are_refused_with_a_hint(name, hint):
    with pytest.raises(UserError, match=hint):
        load_player(name, 2, 0)


def test_a_players_own_factory_is_loaded():
    assert load_player("tests.integration.test_matches:own_agent", 2, 0).name == "puncher"


def own_agent(capacity: int, seed: int) -> Puncher:
    return Puncher(capacity)
