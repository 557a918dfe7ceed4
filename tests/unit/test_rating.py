"""Ratings: intervals that cover, nothing that depends on order or gauge, and games chosen well."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from exphil_league.league.model import Outcome
from exphil_league.rating.bradley_terry import ELO_SCALE, Z_95, Ratings, fit
from exphil_league.rating.ladder import anchor_digest, ladder_rows
from exphil_league.rating.schedule import draw_pairs, information_gain
from tests.league_play import new_league, result_of

Array = NDArray[np.float64]
PRIOR_SD = 400.0


def played(skill: Array, pairs: list[tuple[int, int]], rng: np.random.Generator, points: Array) -> None:
    """Add one simulated game of each pair to `points`."""
    for i, j in pairs:
        won = rng.random() < 1.0 / (1.0 + 10.0 ** ((skill[j] - skill[i]) / 400.0))
        points[(i, j) if won else (j, i)] += 1


def simulated(players: int, games: int, seed: int, sd: float = 200.0) -> tuple[Array, Array]:
    """(true skills [N] in Elo, points [N, N]) of a random schedule."""
    rng = np.random.default_rng(seed)
    skill, points = rng.normal(0.0, sd, players), np.zeros((players, players))
    pairs = [tuple(rng.choice(players, 2, replace=False)) for _ in range(games)]
    played(skill, pairs, rng, points)  # type: ignore[arg-type]
    return skill, points


def test_intervals_to_the_anchor_cover_and_order_is_found() -> None:
    inside, ranks = [], []
    for seed in range(120):
        skill, points = simulated(players=30, games=1500, seed=seed)
        ratings = fit(points, PRIOR_SD)
        for i in range(1, 30):
            mean, sd = ratings.difference(i, 0)
            inside.append(abs(mean - (skill[i] - skill[0])) <= Z_95 * sd)
        ranks.append(np.corrcoef(np.argsort(np.argsort(skill)), np.argsort(np.argsort(ratings.elo)))[0, 1])
    assert 0.93 <= np.mean(inside) <= 0.98
    assert np.mean(ranks) >= 0.95


def test_order_gauge_and_names_do_not_matter() -> None:
    _, points = simulated(players=12, games=300, seed=1)
    ratings = fit(points, PRIOR_SD)
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_allclose(fit(points[np.ix_(order, order)], PRIOR_SD).elo, ratings.elo[order], atol=1e-6)
    np.testing.assert_allclose(fit(points.T.copy(), PRIOR_SD).elo, -ratings.elo, atol=1e-6)
    moved = Ratings(ratings.elo + 500.0, ratings.covariance)
    assert moved.difference(3, 7) == pytest.approx(ratings.difference(3, 7))


def test_two_players_by_hand() -> None:
    """Without a prior the rating difference is the log odds, and its variance 1 / (n p (1 - p))."""
    points = np.array([[0.0, 75.0], [25.0, 0.0]])
    mean, sd = fit(points, prior_sd_elo=1e5).difference(0, 1)
    assert mean == pytest.approx(np.log(3.0) / ELO_SCALE, rel=1e-4)
    assert sd == pytest.approx(1.0 / np.sqrt(100 * 0.75 * 0.25) / ELO_SCALE, rel=1e-3)


def test_draws_are_half_and_a_clean_sweep_stays_finite() -> None:
    drawn = fit(np.array([[0.0, 20.0], [20.0, 0.0]]), PRIOR_SD)
    assert drawn.difference(0, 1)[0] == pytest.approx(0.0, abs=1e-9)
    sweep = fit(np.array([[0.0, 500.0], [0.0, 0.0]]), PRIOR_SD)
    assert 600.0 < sweep.difference(0, 1)[0] < 2000.0
    assert fit(np.zeros((3, 3)), PRIOR_SD).difference(0, 1) == pytest.approx((0.0, PRIOR_SD * np.sqrt(2.0)))
    with pytest.raises(ValueError, match="finite"):
        fit(np.array([[0.0, np.nan], [0.0, 0.0]]), PRIOR_SD)


def test_ladder_rows() -> None:
    points = np.array([[0.0, 10.0, 2.0], [90.0, 0.0, 40.0], [98.0, 160.0, 0.0]])
    rows = ladder_rows(
        ["random", "warm_start", "main@1"],
        {"random": "anchor", "warm_start": "historical", "main@1": "main"},
        points,
        anchor="random",
        anchor_elo=1000.0,
        prior_sd_elo=PRIOR_SD,
        reference="warm_start",
    )
    main, warm, anchor = rows
    assert [row["player"] for row in rows] == ["main@1", "warm_start", "random"]
    assert (anchor["elo"], anchor["low"], anchor["high"]) == (1000.0, 1000.0, 1000.0)
    assert warm["vs_warm_start"] == {"diff": 0.0, "low": 0.0, "high": 0.0}
    assert main["games"] == 300
    assert main["vs_warm_start"]["diff"] == pytest.approx(main["elo"] - warm["elo"])
    # 160 of 200 games are 241 Elo, give or take two standard errors of about 30.
    assert main["vs_warm_start"]["diff"] == pytest.approx(241, abs=25)
    assert 0 < main["vs_warm_start"]["low"] < 241 < main["vs_warm_start"]["high"]


def test_anchor_digest_depends_on_all_it_names() -> None:
    digests = {anchor_digest("1", "a", "sim"), anchor_digest("2", "a", "sim"), anchor_digest("1", "b", "sim")}
    assert len(digests | {anchor_digest("1", "a", "dolphin")}) == 4
    assert anchor_digest("1", "a", "sim") in digests


def test_information_gain_prefers_uncertain_and_even_pairs() -> None:
    points = np.array([[0.0, 50.0, 0.0], [50.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    gain = information_gain(fit(points, PRIOR_SD))
    assert gain[0, 2] == pytest.approx(gain[1, 2])
    assert gain[0, 2] > 5 * gain[0, 1]
    assert (gain == gain.T).all()
    assert (np.diag(gain) == 0).all()


def test_information_gain_needs_fewer_games_than_an_even_schedule() -> None:
    def error(sharpness: float, seed: int) -> float:
        rng = np.random.default_rng(seed)
        skill, points = rng.normal(0.0, 300.0, 40), np.zeros((40, 40))
        for _ in range(30):
            played(skill, draw_pairs(fit(points, PRIOR_SD), 20, sharpness, rng), rng, points)
        estimate = fit(points, PRIOR_SD).elo
        return float(np.sqrt(np.mean((estimate - estimate.mean() - skill + skill.mean()) ** 2)))

    even, informed = (np.mean([error(s, seed) for seed in range(4)]) for s in (0.0, 3.0))
    assert informed < 0.95 * even


def test_only_rating_matches_of_frozen_players_move_the_ladder() -> None:
    league = new_league()
    before = league.ladder()
    assert league.report([result_of(job) for job in league.request_jobs("main", 1, 20)])
    assert league.ladder() == before
    jobs = league.request_evaluation(30, ("warm_start", "random"))
    league.report([result_of(j, Outcome.WIN if j.players[0] == "warm_start" else Outcome.LOSS) for j in jobs])
    rows = {row["player"]: row for row in league.ladder()["players"]}
    assert rows["random"]["elo"] == 1000.0
    assert rows["warm_start"]["low"] > 1000.0
    assert (rows["warm_start"]["games"], rows["idle"]["games"]) == (30, 0)
