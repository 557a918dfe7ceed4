"""Payoff and PFSP weights: what must hold for every sequence of results and every vector of win rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from envs.backend import Matchup
from exphil_league.config.league import Weighting
from exphil_league.league.matchmaking import drop_monotone_suffix, pfsp_weights
from exphil_league.league.matchup_book import MatchupBook
from exphil_league.league.payoff import Payoff

PLAYERS = ("a", "b", "c")
POINTS = st.sampled_from([1.0, 0.5, 0.0, None])
GAMES = st.lists(st.tuples(st.sampled_from(PLAYERS), st.sampled_from(PLAYERS), POINTS), max_size=60)
RATES = arrays(np.float64, st.integers(1, 12), elements=st.floats(0.0, 1.0))
EDGES = [np.zeros(1), np.ones(1), np.zeros(5), np.ones(5), np.array([0.0, 1.0]), np.full(4, 0.5)]


def book(games: list[tuple[str, str, float | None]], decay: float = 0.99) -> Payoff:
    payoff = Payoff(decay)
    for player in PLAYERS:
        payoff.add(player)
    for game in games:
        payoff.record(*game)
    return payoff


@given(GAMES)
def test_pair_sums_to_one_and_seats_do_not_matter(games: list[tuple[str, str, float | None]]) -> None:
    payoff = book(games)
    mirrored = book([(away, home, None if p is None else 1.0 - p) for home, away, p in games])
    for a in PLAYERS:
        for b in PLAYERS:
            assert payoff.win_rate(a, b) + payoff.win_rate(b, a) == pytest.approx(1.0, abs=1e-12)
            assert payoff.win_rate(a, b) == mirrored.win_rate(a, b)
    low, high = payoff.interval("a", PLAYERS[1:], 1.96)
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()


@given(GAMES, st.sampled_from([0.5, 0.9, 0.99]))
def test_decayed_counts_are_bounded_and_decay_only_the_pair(
    games: list[tuple[str, str, float | None]], decay: float
) -> None:
    payoff = book(games, decay)
    others = payoff.effective_games("c", ["a", "b"])
    payoff.record("a", "b", 1.0)
    assert (payoff.points_matrix() <= 1.0 / (1.0 - decay) + 1e-9).all()
    assert (payoff.effective_games("c", ["a", "b"]) == others).all()


@given(GAMES, st.randoms(use_true_random=False))
def test_plain_counts_do_not_depend_on_the_order(games: list[tuple[str, str, float | None]], random: object) -> None:
    shuffled = list(games)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert book(games, decay=1.0) == book(shuffled, decay=1.0)


def test_decayed_pair_is_worth_199_games_at_0_99() -> None:
    payoff = book([("a", "b", float(i % 2)) for i in range(3000)])
    assert payoff.effective_games("a", ["b"])[0] == pytest.approx(199.0, rel=1e-6)
    low, high = payoff.interval("a", ["b"], 1.96)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 199), rel=0.03)


def test_draws_count_half_and_reset_forgets_win_rates_not_games() -> None:
    payoff = book([("a", "b", 0.5)] * 50 + [("a", "c", 1.0)] * 5)
    assert payoff.win_rate("a", "b") == 0.5
    assert payoff.win_rate("a", "c") == pytest.approx((4.90 + 1) / (4.90 + 2), abs=1e-3)
    payoff.clear("a")
    assert payoff.win_rate("a", "c") == payoff.win_rate("c", "a") == 0.5
    assert payoff.games_played()[0].tolist() == [0.0, 50.0, 5.0]


def test_a_snapshot_begins_with_its_learners_win_rates_as_prior() -> None:
    payoff = book([("a", "b", 1.0)] * 50)
    payoff.add("a@1")
    payoff.inherit("a@1", "a")
    assert payoff.win_rate("a@1", "b") == payoff.win_rate("a", "b") > 0.9
    assert payoff.win_rate("b", "a@1") == pytest.approx(1.0 - payoff.win_rate("a", "b"))
    assert payoff.win_rate("a@1", "a") == payoff.win_rate("a@1", "c") == 0.5
    low, _ = payoff.interval("a@1", ["b"], 1.96)
    assert low[0] < 0.5, "a prior of two games proves nothing"
    for _ in range(10):
        payoff.record("a@1", "b", 0.0)
    assert payoff.win_rate("a@1", "b") < 0.3, "and gives way to games"


def test_intervals_cover_rates_that_stand_still() -> None:
    """Over all results of 40 games and rates from 0.05 to 0.95, 93 to 97 of 100 intervals hold the truth."""
    rates, n = np.linspace(0.05, 0.95, 91), 40
    covered = np.zeros_like(rates)
    for won in range(n + 1):
        low, high = book([("a", "b", float(game < won)) for game in range(n)], decay=1.0).interval("a", ["b"], 1.96)
        chance = math.comb(n, won) * rates**won * (1.0 - rates) ** (n - won)
        covered += chance * ((low[0] <= rates) & (rates <= high[0]))
    assert 0.93 <= covered.mean() <= 0.97


@given(GAMES)
def test_matchups_of_a_pair_add_up_to_the_pair(games: list[tuple[str, str, float | None]]) -> None:
    plain, by_matchup = book(games, decay=1.0), MatchupBook(decay=1.0)
    stages = ("BATTLEFIELD", "FINAL_DESTINATION", "DREAM_LAND")
    for n, (home, away, points) in enumerate(games):
        matchup = Matchup(characters=("FOX", ("FOX", "MARTH")[n % 2]), stage=stages[n % 3])
        by_matchup.record((home, away), matchup, points)
    found = by_matchup.rows()
    for row in plain.rows():
        cells = [c for c in found if (c["player"], c["opponent"]) == (row["player"], row["opponent"])]
        for count in ("games", "draws", "aborted"):
            assert sum(cell[count] for cell in cells) == row[count]
    assert sum(c.points for c in by_matchup.cells.values()) == pytest.approx(np.triu(plain.points_matrix()).sum())
    assert all(cell["low"] <= cell["win_rate"] <= cell["high"] for cell in found)


def test_rows_tell_the_seats_apart() -> None:
    games: list[tuple[str, str, float | None]] = [("a", "b", 1.0), ("a", "b", 0.5), ("b", "a", 1.0), ("b", "a", None)]
    (row,) = book(games, decay=1.0).rows()
    assert (row["player"], row["opponent"], row["games"], row["draws"], row["aborted"]) == ("a", "b", 3, 1, 1)
    assert (row["games_at_seat_0"], row["points_at_seat_0"], row["points_at_seat_1"]) == (2, 1.5, 0.0)
    assert row["low"] < row["win_rate"] == 0.5 < row["high"]
    assert row["seat_effect"] == pytest.approx(2 / 3 - 1 / 4), "1.5 of 2 here, 0 of 1 there, under Jeffreys' prior"
    assert row["seat_effect_low"] < 0.0 < row["seat_effect"] < row["seat_effect_high"]
    assert book(games).seat_0()["games"] == 3


def test_a_thousand_players_fit() -> None:
    payoff = Payoff()
    for i in range(1000):
        payoff.add(f"p{i}")
    payoff.record("p0", "p999", 1.0)
    assert payoff.win_rate("p999", "p0") == pytest.approx(1 / 3)
    assert len(payoff.rows()) == 1


@settings(max_examples=200)
@given(RATES, st.sampled_from(Weighting), st.floats(0.0, 1.0))
def test_weights_are_a_distribution(rates: np.ndarray, weighting: Weighting, exploration: float) -> None:
    weights = pfsp_weights(rates, weighting, exploration)
    assert np.isfinite(weights).all()
    assert (weights >= exploration / len(rates) - 1e-12).all()
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("weighting", Weighting)
@pytest.mark.parametrize("rates", EDGES)
def test_weights_at_the_edges(rates: np.ndarray, weighting: Weighting) -> None:
    assert pfsp_weights(rates, weighting).sum() == pytest.approx(1.0)


@given(RATES, st.sampled_from(Weighting), st.randoms(use_true_random=False))
def test_weights_follow_a_permutation(rates: np.ndarray, weighting: Weighting, random: object) -> None:
    order = list(range(len(rates)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_allclose(pfsp_weights(rates[order], weighting), pfsp_weights(rates, weighting)[order], atol=1e-9)


@given(RATES)
def test_squared_prefers_the_hard_ones(rates: np.ndarray) -> None:
    assume((rates < 0.999).any())
    by_difficulty = pfsp_weights(rates, Weighting.SQUARED)[np.argsort(-rates)]
    assert (np.diff(by_difficulty) >= -1e-12).all()


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        (Weighting.SQUARED, [0.81, 0.25, 0.01]),
        (Weighting.VARIANCE, [0.09, 0.25, 0.09]),
        (Weighting.LINEAR, [0.9, 0.5, 0.1]),
        (Weighting.LINEAR_CAPPED, [0.5, 0.5, 0.1]),
        (Weighting.UNIFORM, [1.0, 1.0, 1.0]),
    ],
)
def test_published_formulas(weighting: Weighting, expected: list[float]) -> None:
    weights = pfsp_weights(np.array([0.1, 0.5, 0.9]), weighting)
    np.testing.assert_allclose(weights, np.array(expected) / np.sum(expected))


@pytest.mark.parametrize(
    ("line", "kept"), [([], 0), ([0.9], 0), ([0.9, 0.8, 0.5], 0), ([0.3, 0.8, 0.5], 2), ([0.3, 0.2, 0.6], 3)]
)
def test_only_what_came_back_up_is_forgotten(line: list[float], kept: int) -> None:
    assert drop_monotone_suffix(np.array(line)) == kept
