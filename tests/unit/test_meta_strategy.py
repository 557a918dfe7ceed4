"""Nash mass, cyclicity and ratings by matchup: known answers, clones, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from exphil_league.rating.bradley_terry import Z_95, fit
from exphil_league.rating.matchups import MatchupGames, fit_matchups, matchup_rows
from exphil_league.rating.meta_strategy import cyclicity, nash, pair_win_rates, worst_opponents
from exphil_league.rating.win_rate import games_to_decide

Array = NDArray[np.float64]
ROCK_PAPER_SCISSORS = np.array([[0.5, 0.9, 0.1], [0.1, 0.5, 0.9], [0.9, 0.1, 0.5]])


def random_win_rates(players: int, seed: int, values: int = 1000) -> Array:
    """Win rates without any order, on a grid of `values`; a coarse grid makes many equilibria."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-values, values + 1, (players, players)) / (2.2 * values), 1)
    return 0.5 + upper - upper.T


def test_known_equilibria() -> None:
    np.testing.assert_allclose(nash(ROCK_PAPER_SCISSORS), 1 / 3, atol=1e-9)
    np.testing.assert_allclose(nash(np.full((4, 4), 0.5)), 0.25, atol=1e-9)
    np.testing.assert_allclose(nash(np.array([[0.5, 0.6], [0.4, 0.5]])), [1.0, 0.0], atol=1e-9)
    blunt = 0.5 + (ROCK_PAPER_SCISSORS - 0.5) / 4
    two_cycles = np.full((6, 6), 0.5)
    two_cycles[:3, :3], two_cycles[3:, 3:] = ROCK_PAPER_SCISSORS, blunt
    np.testing.assert_allclose(nash(two_cycles), 1 / 6, atol=1e-6)
    with pytest.raises(ValueError, match="sum to 1"):
        nash(np.array([[0.5, 0.6], [0.6, 0.5]]))


@pytest.mark.parametrize(("players", "values"), [(3, 1), (5, 1), (8, 2), (12, 1000), (40, 1000)])
def test_nobody_beats_the_equilibrium_and_clones_share_alike(players: int, values: int) -> None:
    for seed in range(6):
        win = random_win_rates(players, seed, values)
        mass = nash(win)
        assert mass.min() >= 0.0
        assert mass.sum() == pytest.approx(1.0, abs=1e-9)
        assert (mass @ win).min() >= 0.5 - 1e-6
        cloned = np.concatenate([np.arange(players), np.zeros(4, np.int64), [players - 1]])
        order = np.random.default_rng(seed).permutation(len(cloned))
        shares = np.bincount(cloned[order], nash(win[np.ix_(cloned[order], cloned[order])]), minlength=players)
        np.testing.assert_allclose(shares, mass, atol=1e-6)


def test_cyclicity_tells_cycles_from_order_and_chance() -> None:
    rng = np.random.default_rng(0)
    games = 400 * (np.ones((3, 3)) - np.eye(3))
    assert cyclicity(games * ROCK_PAPER_SCISSORS) == pytest.approx(1.0, abs=0.01)
    skill = rng.normal(0.0, 200.0, 12)
    even = np.triu(rng.integers(1, 60, (12, 12)), 1)
    won = rng.binomial(even, 1.0 / (1.0 + 10.0 ** ((skill - skill[:, None]) / 400.0)))
    points = won + (even - won).T.astype(np.float64)
    assert cyclicity(points) == pytest.approx(0.0, abs=0.05)
    assert cyclicity(np.array([[0.0, 5.0], [3.0, 0.0]])) is None


def test_the_worst_opponent_is_one_that_was_met() -> None:
    points = np.array([[0.0, 9.0, 0.0], [1.0, 0.0, 40.0], [0.0, 10.0, 0.0]])
    win = pair_win_rates(points, fit(points, 400.0), prior_games=2.0)
    worst = worst_opponents(win, points + points.T)
    assert [place and place[0] for place in worst] == [1, 0, 1]
    assert worst[1] is not None
    assert 0.1 <= worst[1][1] < 0.3


def test_games_to_decide_as_published() -> None:
    assert (games_to_decide(0.6), games_to_decide(0.55), games_to_decide(0.8, 0.7)) == (259, 1047, 200)
    assert games_to_decide(0.5) is None


def simulated_matchups(seed: int, games: int) -> tuple[dict[tuple[str, str, str, str], float], list[MatchupGames]]:
    """(true rating of every side, games): 8 players, FOX against MARTH and both dittos on two stages."""
    rng = np.random.default_rng(seed)
    names = [f"p{n}" for n in range(8)]
    overall = dict(zip(names, rng.normal(0.0, 200.0, 8), strict=True))
    truth: dict[tuple[str, str, str, str], float] = {}
    advantage: dict[tuple[str, str, str], float] = {}

    def strength(player: str, own: str, theirs: str, stage: str) -> float:
        common = advantage.setdefault((own, theirs, stage), 0.0 if own == theirs else rng.normal(0.0, 100.0))
        return truth.setdefault((player, own, theirs, stage), overall[player] + common + rng.normal(0.0, 100.0))

    played = []
    for _ in range(games):
        one, other = (str(name) for name in rng.choice(names, 2, replace=False))
        own, theirs = (str(name) for name in rng.choice(["FOX", "MARTH"], 2))
        stage = str(rng.choice(["BATTLEFIELD", "FINAL_DESTINATION"]))
        edge = strength(one, own, theirs, stage) - strength(other, theirs, own, stage)
        won = float(rng.random() < 1.0 / (1.0 + 10.0 ** (-edge / 400.0)))
        played.append(MatchupGames((one, other), (own, theirs), stage, (won, 1.0 - won)))
    return truth | {(name, "", "", ""): rating for name, rating in overall.items()}, played


def test_matchup_ratings_cover_and_shrink() -> None:
    inside, errors, raw_errors = [], [], []
    for seed in range(12):
        truth, games = simulated_matchups(seed, 500)
        fitted = fit_matchups(games, 200.0, 100.0)
        for n, side in enumerate(fitted.sides, len(fitted.players)):
            player = fitted.players.index(side[0])
            above, sd = fitted.ratings.difference(n, player)
            error = above - (truth[side] - truth[side[0], "", "", ""])
            inside.append(abs(error) <= Z_95 * sd)
            errors.append(error)
            raw_errors.append(truth[side] - truth[side[0], "", "", ""])
    assert 0.93 <= np.mean(inside) <= 0.98
    assert np.std(errors) < 0.95 * np.std(raw_errors), "a matchup's games say something about it"


def test_matchup_rows() -> None:
    games = [
        MatchupGames(("anchor", "main"), ("FOX", "FOX"), "BATTLEFIELD", (50.0, 50.0)),
        MatchupGames(("anchor", "main"), ("FOX", "MARTH"), "BATTLEFIELD", (10.0, 90.0)),
        MatchupGames(("anchor", "main"), ("FOX", "MARTH"), "FINAL_DESTINATION", (0.0, 1.0)),
    ]
    assert matchup_rows(games[:1], "anchor", 1000.0, 400.0, 100.0) == [], "one matchup says nothing beside the ladder"
    rows = {
        (row["player"], row["character"], row["stage"]): row
        for row in matchup_rows(games, "anchor", 1000.0, 400.0, 100.0)
    }
    strong, even, unknown = (
        rows["main", character, stage]
        for character, stage in (("MARTH", "BATTLEFIELD"), ("FOX", "BATTLEFIELD"), ("MARTH", "FINAL_DESTINATION"))
    )
    assert strong["games"] == 100
    assert strong["above_overall"] > 0 > even["above_overall"]
    assert unknown["above_overall_high"] - unknown["above_overall_low"] > 2 * 150, "one game leaves the prior as it is"
