"""Which player of a run is exported when nobody names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from exphil_league.errors import UserError
from exphil_league.export import best_player


def row(elo: float, games: int) -> dict[str, float]:
    return {"elo": elo, "games": games}


def test_a_rated_player_comes_before_one_that_the_prior_alone_puts_higher(tmp_path: Path) -> None:
    assert best_player({"main@1": row(900.0, 4), "main@2": row(950.0, 0)}, tmp_path) == "main@1"
    assert best_player({"main@1": row(900.0, 4), "main@2": row(950.0, 3)}, tmp_path) == "main@2"


def test_without_any_rating_somebody_is_still_chosen_and_without_anybody_it_says_so(tmp_path: Path) -> None:
    assert best_player({"main@1": row(900.0, 0)}, tmp_path) == "main@1"
    with pytest.raises(UserError, match="no player of this run"):
        best_player({}, tmp_path)
