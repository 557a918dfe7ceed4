"""The league's rules by example: whom each role meets, when it is frozen, what it refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from exphil_league.config.league import (
    CurriculumStage,
    LeagueConfig,
    LearnerConfig,
    PayoffConfig,
    RatingConfig,
    Shares,
    SnapshotConfig,
    Weighting,
)
from exphil_league.errors import UserError
from exphil_league.league.core import League
from exphil_league.league.matchmaking import pfsp_weights
from exphil_league.league.model import Branch, Job, MatchResult, Outcome, PlayerKind
from exphil_league.league.rules import resets, snapshot_reason
from tests.league_play import LEARNERS, ROSTER, SETUP, new_league, play, result_of, with_league, won_by

DRAWS = 10_000
ALPHASTAR_SHARES = Shares()
PFSP_ALONE = Shares(self_play=0.5, pfsp=0.5, verification=0.0)


def snapshots(league: League, learner: str, count: int) -> None:
    """Freeze a learner `count` times."""
    frames = league.learner(learner).env_frames
    for k in range(1, count + 1):
        assert league.maybe_snapshot(learner, f"{learner}-{frames + 200 * k}", frames + 200 * k) is not None


def set_win_rate(league: League, player: str, opponent: str, rate: float) -> None:
    """Write a win rate straight into the book, as sharp as 100 games make it."""
    book = league.state.payoff
    i, j = book.players.index(player), book.players.index(opponent)
    for array, a, b in (("points", rate, 1.0 - rate), ("games", 1.0, 1.0), ("squares", 0.5, 0.5)):
        book._arrays[array][i, j], book._arrays[array][j, i] = 100.0 * a, 100.0 * b


def opponents(jobs: list[Job], learner: str) -> list[str]:
    return [job.players[1] if job.players[0] == learner else job.players[0] for job in jobs]


@pytest.mark.parametrize("weighting", [w for w in Weighting if w is not Weighting.UNIFORM])
def test_pfsp_draws_as_its_formula_says(weighting: Weighting) -> None:
    """Total variation distance to the formula at 10,000 draws of 20 opponents: a right sampler stays below 0.03."""
    setup = with_league(
        weighting=weighting, exploration=0.0, payoff=PayoffConfig(prior_games=0.0), shares=PFSP_ALONE, lease_s=1e9
    )
    league = new_league(setup)
    snapshots(league, "main", 18)
    pool = league.state.historical
    rates = np.linspace(0.05, 0.95, len(pool))
    for name, rate in zip(pool, rates, strict=True):
        set_win_rate(league, "main", name, rate)
    drawn = Counter(opponents(league.request_jobs("main", 1, DRAWS), "main"))
    shares = np.array([drawn[name] for name in pool]) / DRAWS
    assert len(pool) == 20
    assert np.abs(shares - pfsp_weights(rates, weighting)).sum() / 2 <= 0.03


def test_branch_shares_and_what_becomes_of_verification() -> None:
    """35/50/15; with nothing forgotten the 15 % go to self-play; with one seat they go to PFSP."""
    league = new_league(with_league(shares=ALPHASTAR_SHARES, lease_s=1e9))
    snapshots(league, "main", 2)
    for rate, name in zip((0.99, 0.95, 0.9, 0.6), ("warm_start", "main@1", "main@2", "style"), strict=True):
        set_win_rate(league, "main", name, rate)
    branches = Counter(job.branch for job in league.request_jobs("main", None, DRAWS))
    assert branches[Branch.SELF_PLAY] / DRAWS == pytest.approx(0.5, abs=0.02)
    assert branches[Branch.PFSP] / DRAWS == pytest.approx(0.5, abs=0.02)
    assert {job.branch for job in league.request_jobs("main", 1, 100)} == {Branch.PFSP}

    set_win_rate(league, "main", "main@1", 0.3)  # forgotten: it beat main@2, which came later
    jobs = league.request_jobs("main", None, DRAWS)
    branches = Counter(job.branch for job in jobs)
    assert branches[Branch.VERIFICATION] / DRAWS == pytest.approx(0.15, abs=0.012)
    assert branches[Branch.SELF_PLAY] / DRAWS == pytest.approx(0.35, abs=0.016)
    verified = Counter(opponents([j for j in jobs if j.branch is Branch.VERIFICATION], "main"))
    assert verified.most_common(1)[0][0] == "main@1"


def test_an_exploiter_that_beats_main_is_met_again() -> None:
    league = new_league(with_league(shares=Shares(self_play=0.0, pfsp=0.0, verification=1.0), exploration=0.0))
    snapshots(league, "main_exploiter", 2)
    set_win_rate(league, "main", "main_exploiter@2", 0.05)
    set_win_rate(league, "main", "main_exploiter@1", 1.0)
    jobs = league.request_jobs("main", 1, 50)
    assert {job.branch for job in jobs} == {Branch.VERIFICATION}
    assert set(opponents(jobs, "main")) == {"main_exploiter@2"}


def test_main_exploiter_meets_live_main_until_it_is_hopeless() -> None:
    league = new_league()
    snapshots(league, "main", 2)
    jobs = league.request_jobs("main_exploiter", 1, 20)
    assert set(opponents(jobs, "main_exploiter")) == {"main"}
    assert {job.branch for job in jobs} == {Branch.EXPLOIT}
    set_win_rate(league, "main_exploiter", "main", 0.05)
    met = set(opponents(league.request_jobs("main_exploiter", 1, 60), "main_exploiter"))
    assert met == {"warm_start", "main@1", "main@2"}


def test_league_exploiter_meets_every_frozen_policy() -> None:
    league = new_league()
    snapshots(league, "main", 1)
    snapshots(league, "main_exploiter", 1)
    met = set(opponents(league.request_jobs("league_exploiter", 1, 200), "league_exploiter"))
    assert met == {"warm_start", "style", "main@1", "main_exploiter@1"}


def test_scripted_anchors_train_only_when_asked_for() -> None:
    plain = set(opponents(new_league().request_jobs("main", 1, 300), "main"))
    asked = set(opponents(new_league(with_league(train_against_anchors=True)).request_jobs("main", 1, 300), "main"))
    assert asked - plain == {"idle", "random"}


def test_a_named_opponent_is_played_and_seats_alternate() -> None:
    league = new_league()
    jobs = league.request_jobs("main", 1, 10, opponent="style")
    assert set(opponents(jobs, "main")) == {"style"}
    assert sum(job.players[0] == "main" for job in jobs) == 5
    with pytest.raises(ValueError, match="two learner seats"):
        league.request_jobs("main", 1, 1, opponent="main")


@pytest.mark.parametrize(
    ("frames", "low", "expected"),
    [
        (99, [0.99], None),
        (100, [0.71, 0.9], "win_rate"),
        (100, [0.7, 0.9], None),
        (199, [], None),
        (200, [0.1], "timeout"),
        (200, [0.8], "win_rate"),
    ],
)
def test_snapshot_rule(frames: int, low: list[float], expected: str | None) -> None:
    config = SnapshotConfig(min_frames=100, timeout_frames=200, win_rate=0.7)
    assert snapshot_reason(config, frames, np.array(low)) == expected


def test_snapshot_needs_a_confident_win_rate() -> None:
    """Main beats all of its pool in training, and is frozen before the time-out once that is sure."""
    league = new_league(with_league(snapshot=SnapshotConfig(min_frames=100, timeout_frames=10**9), lease_s=1e9))
    for frames in range(100, 2000, 100):
        decision = league.maybe_snapshot("main", f"main-{frames}", frames)
        if decision is not None:
            break
        league.report([won_by("main", job) for job in league.request_jobs("main", 1, 4)])
    assert decision is not None
    assert decision.why == "win_rate"
    assert decision.reset_digest is None
    assert frames > 300, "two or three wins are no proof"


def test_reset_frequencies() -> None:
    rng = np.random.default_rng(0)
    config = LeagueConfig(reset_share=0.25)
    share = np.mean([resets(config, PlayerKind.LEAGUE_EXPLOITER, rng) for _ in range(4000)])
    assert share == pytest.approx(0.25, abs=3 * np.sqrt(0.25 * 0.75 / 4000))
    assert not any(resets(config, PlayerKind.MAIN, rng) for _ in range(100))
    assert all(resets(config, PlayerKind.MAIN_EXPLOITER, rng) for _ in range(100))


def test_exploiter_resets_to_each_of_its_starts() -> None:
    league = new_league()
    starts = []
    for k in range(1, 30):
        decision = league.maybe_snapshot("main_exploiter", f"x-{k}", 200 * k)
        assert decision is not None
        starts.append((decision.reset_player, decision.reset_digest))
        assert league.learner("main_exploiter").player.parent == decision.reset_player
    assert set(starts) == {("warm_start", ROSTER.warm_start), ("style", ROSTER.imports["style"])}


def test_a_reset_forgets_the_win_rates_of_who_it_was() -> None:
    league = new_league()
    league.report([won_by("main", job) for job in league.request_jobs("main_exploiter", 1, 10)])
    assert league.state.payoff.win_rate("main_exploiter", "main") < 0.2
    snapshots(league, "main_exploiter", 1)
    assert league.state.payoff.win_rate("main_exploiter", "main") == 0.5


def test_final_freeze_and_matchups() -> None:
    league = new_league(SETUP)
    decision = league.freeze("main", "main-end", 50)
    assert (decision.why, decision.reset_player, decision.snapshot.created_frames) == ("final", None, 50)
    assert league.freeze("main", "main-end", 50) == decision
    assert league.ladder()["main"] == "main@1"

    train, rate = league.request_jobs("main", 2, 4000), league.request_evaluation(20, ("main@1", "warm_start"))
    stages = Counter(job.matchup.stage for job in train)
    assert stages["BATTLEFIELD"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert np.mean([job.matchup.swap_start for job in train]) == pytest.approx(0.5, abs=0.03)
    assert {(j.matchup.stocks, j.matchup.time_limit_s) for j in train} == {(4, 480.0)}
    assert {(j.matchup.stocks, j.matchup.time_limit_s) for j in rate} == {(1, 60.0)}
    assert sum(job.players[0] == "main@1" for job in rate) == 10


def test_one_seed_gives_one_sequence_of_jobs() -> None:
    def run(seed: int) -> list[Job]:
        league, rng, jobs = new_league(seed=seed), np.random.default_rng(0), []
        for k in range(1, 20):
            new = league.request_jobs("main", None, 3) + league.request_evaluation(2)
            play(league, new, rng)
            league.maybe_snapshot("main", f"m{k}", 90 * k)
            jobs += new
        return jobs

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_results_of_a_player_from_before_its_reset_are_stale() -> None:
    league = new_league()
    before = league.request_jobs("main_exploiter", 1, 1)[0]
    snapshots(league, "main_exploiter", 1)
    live = league.learner("main_exploiter").player.digest
    seat = before.players.index("main_exploiter")
    digests = (live, before.digests[1]) if seat == 0 else (before.digests[0], live)
    assert league.report([replace(result_of(before), digests=digests)]) == []
    assert league.status()["counts"]["refused.stale"] == 1


def test_weights_published_during_a_game_are_not_stale() -> None:
    league = new_league()
    job = league.request_jobs("main", 2, 1)[0]
    for frames in (64, 128):
        league.publish("main", f"main-{frames}", frames)
    played: MatchResult = replace(result_of(job, Outcome.DRAW), digests=("main-64", "main-128"))
    assert league.report([played]) == [job.job_id]


def test_unknown_results_are_refused() -> None:
    league = new_league()
    job = league.request_jobs("main", 2, 1)[0]
    strangers = [replace(result_of(job), job_id=name) for name in ("job-1", "job-000000001", "x", "job--00000001", "")]
    assert league.report(strangers) == []
    assert league.status()["counts"]["refused.unknown"] == len(strangers)


def test_what_enrolling_refuses() -> None:
    league = new_league()
    with pytest.raises(UserError, match="was scripted:random@1 and is now scripted:random@2"):
        league.enrol(replace(ROSTER, anchors={**ROSTER.anchors, "random": "scripted:random@2"}))
    with pytest.raises(UserError, match="another version of the scripted players"):
        league.enrol(replace(ROSTER, anchor_digest="anchors-2"))
    with pytest.raises(UserError, match=r"rating\.anchor: no scripted player 'cpu9'"):
        new_league(SETUP.model_copy(update={"rating": RatingConfig(anchor="cpu9")}))
    with pytest.raises(UserError, match="starts from 'nobody'"):
        new_league(with_league(learners=(LearnerConfig(starts=("nobody",)),)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shares(self_play=0.5, pfsp=0.4, verification=0.0), "must sum to 1"),
        (lambda: LeagueConfig(learners=(LearnerConfig(), LearnerConfig())), "its own name"),
        (lambda: LeagueConfig(learners=LEARNERS[1:]), "one of kind main"),
        (lambda: LearnerConfig(kind=PlayerKind.HISTORICAL), "does not learn"),
        (lambda: SnapshotConfig(min_frames=5, timeout_frames=4), "must not be below"),
    ],
)
def test_config_refuses_nonsense(make: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()  # type: ignore[operator]


def test_a_curriculum_is_passed_stage_by_stage_and_survives_a_restart() -> None:
    """Idle first, then idle and random; a stage needs enough games against each opponent and a high enough rate."""
    stages = (
        CurriculumStage(opponents=("idle",), win_rate=0.7, min_games=10),
        CurriculumStage(opponents=("idle", "random"), win_rate=0.6, min_games=10),
    )
    setup = with_league(curriculum=stages, payoff=PayoffConfig(decay=1.0, prior_games=0.0))
    league = new_league(setup)
    seen = league.drain()

    def meet(opponent: str, wins: int, losses: int) -> None:
        jobs = league.request_jobs("main", 1, wins + losses, opponent)
        assert {job.branch for job in jobs} == {Branch.CURRICULUM}
        league.report([won_by("main", job) for job in jobs[:wins]])
        league.report([won_by(opponent, job) for job in jobs[wins:]])

    assert set(opponents(league.request_jobs("main", 1, 50), "main")) == {"idle"}
    meet("idle", wins=9, losses=0)
    assert league.learner("main").in_curriculum, "too few games"
    meet("idle", wins=0, losses=6)
    assert league.state.learners["main"].stage == 0, "9 of 15 is not enough"
    meet("idle", wins=20, losses=0)
    assert league.state.learners["main"].stage == 1
    assert set(opponents(league.request_jobs("main", 1, 50), "main")) == {"idle", "random"}
    assert {job.branch for job in league.request_jobs("main_exploiter", 1, 20)} == {Branch.EXPLOIT}

    seen += league.drain()
    league = new_league(setup, events=seen)
    assert league.state.learners["main"].stage == 1
    meet("random", wins=10, losses=0)
    assert not league.learner("main").in_curriculum
    assert {job.branch for job in league.request_jobs("main", 1, 20)} == {Branch.PFSP}
    with pytest.raises(UserError, match=r"league\.curriculum: no scripted player or opponent 'idel'"):
        new_league(with_league(curriculum=(CurriculumStage(opponents=("idel",)),)))


def test_opponents_of_ones_own_are_in_the_pool() -> None:
    league = new_league(with_league(opponents={"idle": "my_bots:make_idle"}))
    met = set(opponents(league.request_jobs("main", 1, 500), "main"))
    assert "idle" in met
    assert "random" not in met
