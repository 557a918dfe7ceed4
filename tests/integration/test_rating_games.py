"""Rating games of a real league: as many as asked, reported at once, none after the deadline; the best is kept."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.slippi.read import read_game
from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.league import LeagueSetup
from exphil_league.evaluation.rating_games import play_rating_games
from exphil_league.evaluation.rounds import Rounds, RoundSettings
from exphil_league.league.model import Job, MatchResult, Roster
from exphil_league.league.service import LocalLeague
from exphil_league.observe.telling_games import RECORDED_AT_ONCE, TellingGames
from policies.agent import Agent
from policies.scripted import SCRIPTED, make_scripted, scripted_digest

SETUP = LeagueSetup(evaluation=EvaluationConfig(stocks=1, time_limit_s=2.0))


def load_agent(digest: str, capacity: int) -> Agent:
    """Scripted players; the warm start is played by the walker."""
    name = digest.removeprefix("scripted:").partition("@")[0]
    return make_scripted(name if name in SCRIPTED else "walker", capacity, 1)


@pytest.fixture
def league(tmp_path: Path) -> LocalLeague:
    found = LocalLeague(tmp_path / "run", SETUP, seed=0)
    found.enrol(Roster(scripted_digest("walker"), {name: scripted_digest(name) for name in SCRIPTED}, "anchors"))
    return found


def rated(league: LocalLeague) -> int:
    return sum(pair["games"] for pair in league.payoff()["evaluate"])


def test_each_result_is_acknowledged_before_anybody_hears_of_it(league: LocalLeague) -> None:
    known: list[int] = []

    def note(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
        known.append(rated(league))

    played = play_rating_games(league, load_agent, backend_name="sim", at_once=4, games=6, on_game=note)
    assert played == 6
    assert known == [1, 2, 3, 4, 5, 6]


def test_a_pair_is_played_with_balanced_seats(league: LocalLeague) -> None:
    play_rating_games(league, load_agent, backend_name="sim", at_once=4, games=8, pair=("random", "idle"))
    (pair,) = league.payoff()["evaluate"]
    assert {pair["player"], pair["opponent"]} == {"random", "idle"}
    assert (pair["games"], pair["games_at_seat_0"]) == (8, 4)


def test_no_game_begins_after_the_deadline(league: LocalLeague) -> None:
    over_s = time.monotonic() - 1
    assert not play_rating_games(league, load_agent, backend_name="sim", at_once=2, games=4, deadline_s=over_s)
    assert rated(league) == 0


def test_rounds_come_at_their_updates(league: LocalLeague) -> None:
    rounds = Rounds(
        RoundSettings(
            open_league=lambda: league,
            load_agent=load_agent,
            backend_name="sim",
            at_once=2,
            games=2,
            every_updates=3,
            in_process=True,
        )
    )
    counts = []
    for update in range(1, 8):
        rounds.after_update(update)
        counts.append(rated(league))
    assert counts == [0, 0, 2, 2, 2, 4, 4]


def test_telling_games_of_a_player_are_kept_as_replays(league: LocalLeague, tmp_path: Path) -> None:
    telling = TellingGames("fighter")
    results: list[tuple[Job, MatchResult, int]] = []

    def note(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
        telling.offer(job, result, frames)
        results.append((job, result, len(frames)))

    play_rating_games(
        league,
        load_agent,
        backend_name="sim",
        at_once=12,
        games=12,
        pair=("fighter", "idle"),
        record=telling.wants,
        on_game=note,
    )
    recorded = [length for _, _, length in results if length]
    assert len(recorded) >= RECORDED_AT_ONCE
    telling.save(tmp_path / "games")
    assert {path.stem for path in (tmp_path / "games").iterdir()} == {"best_game", "longest_game"}, "it lost none"
    game = read_game(tmp_path / "games" / "best_game.slp")
    assert {seat.name for seat in game.meta.seats} == {"fighter", "idle"}
    assert len(game.frames) in recorded
    assert len(read_game(tmp_path / "games" / "longest_game.slp").frames) == max(recorded)
