"""Who leaves a full pool, and who plays what: eviction and matchups through the league's own calls."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from exphil_league.config.game import GameConfig
from exphil_league.config.league import LeagueSetup, PoolConfig
from exphil_league.errors import UserError
from exphil_league.league.core import League
from exphil_league.league.events import PlayersEvicted, from_json, to_json
from exphil_league.league.eviction import nash_support
from exphil_league.league.model import Job, Outcome
from exphil_league.league.state import fold
from tests.league_play import SETUP, new_league, result_of, with_league

GAMES = 4000


def freeze(league: League, learner: str, count: int) -> None:
    frames = league.learner(learner).env_frames
    for k in range(1, count + 1):
        league.freeze(learner, f"{learner}-{frames + k}", frames + k)


def small_pool(size: int, recent: int = 2) -> LeagueSetup:
    return with_league(pool=PoolConfig(max_players=size, keep_recent=recent), lease_s=1e9)


def met(league: League, learner: str, jobs: list[Job]) -> set[str]:
    return {name for job in jobs for name in job.players} - {learner}


def test_a_full_pool_keeps_roots_recent_leased_last_and_nash_players() -> None:
    league = new_league(small_pool(40))
    freeze(league, "main_exploiter", 1)
    freeze(league, "main", 6)
    for n in (2, 3):  # everybody rated loses to main@2 and main@3, which are even
        jobs = league.request_evaluation(40, (f"main@{n}", "warm_start"))
        league.report([result_of(j, Outcome.WIN if j.players[0] == f"main@{n}" else Outcome.LOSS) for j in jobs])
    assert nash_support(league.state) == ["main@2", "main@3"]
    (leased,) = league.request_jobs("main", 1, 1, opponent="main@1")
    crowded = League(small_pool(8), np.random.default_rng(0), league._clock, _log(league))
    freeze(crowded, "main", 2)
    assert set(crowded.state.pool) == {
        *("warm_start", "style"),  # roots
        "main_exploiter@1",  # the last of its line
        *("main@1", "main@2", "main@3"),  # leased, and the Nash support
        *("main@7", "main@8"),  # recent
    }
    assert crowded.status()["counts"]["evicted"] == 3
    assert met(crowded, "main", crowded.request_jobs("main", 1, 300)) <= set(crowded.state.pool)
    assert {"main@4", "main@5", "main@6"} <= {row["player"] for row in crowded.ladder()["players"]}
    assert {"main@4", "main@5"} <= {row["player"] for row in crowded.lineage()["players"]}
    rated = {name for job in crowded.request_evaluation(200) for name in job.players}
    assert not rated & {"main@4", "main@5", "main@6"}, "rating games go to those that are still met"
    assert crowded.report([result_of(leased)]) == [leased.job_id]


def _log(league: League) -> list:
    return [from_json(to_json(event)) for event in league.drain()]


def test_the_easiest_leave_first_and_the_log_says_so() -> None:
    league = new_league(small_pool(7, recent=1))
    freeze(league, "main", 5)
    for name, outcome in (("main@1", Outcome.LOSS), ("main@2", Outcome.WIN), ("main@3", Outcome.WIN)):
        jobs = league.request_jobs("main", 1, 20, opponent=name)
        league.report([result_of(j, outcome if j.players[0] == "main" else _other(outcome)) for j in jobs])
    freeze(league, "main", 2)
    events = league.drain()
    gone = [event.player_ids for event in events if isinstance(event, PlayersEvicted)]
    assert gone == [("main@2",), ("main@3",)]
    assert fold(events) == league.state


def _other(outcome: Outcome) -> Outcome:
    return {Outcome.WIN: Outcome.LOSS, Outcome.LOSS: Outcome.WIN}[outcome]


def test_each_player_keeps_its_own_characters_and_stages() -> None:
    """Marginals of a table with weights, whoever the opponent is; the learning player's stages."""
    game = GameConfig.model_validate(
        {
            "characters": ["FOX"],
            "stages": ["FINAL_DESTINATION"],
            "players": {
                "main": {"characters": {"fox": 3, "marth": 1}, "stages": {"battlefield": 2, "dream_land": 1}},
                "main_exploiter": {"characters": {"mewtwo": 1}},
            },
        }
    )
    league = new_league(with_league(lease_s=1e9).model_copy(update={"game": game}))
    freeze(league, "main", 1)
    jobs = league.request_jobs("main", None, GAMES)
    characters, stages = Counter(), Counter(job.matchup.stage for job in jobs)
    for job in jobs:
        for name, character in zip(job.players, job.matchup.characters, strict=True):
            characters[name.partition("@")[0], character] += 1
    plays = {n: sum(v for (who, _), v in characters.items() if who == n) for n, _ in characters}
    sd = np.sqrt(0.25 * 0.75 / plays["main"])
    assert characters["main", "MARTH"] / plays["main"] == pytest.approx(0.25, abs=4 * sd)
    assert characters["warm_start", "FOX"] == plays["warm_start"], "who has no table plays game.characters"
    assert stages["BATTLEFIELD"] / GAMES == pytest.approx(2 / 3, abs=4 * np.sqrt(2 / 9 / GAMES))
    assert set(stages) == {"BATTLEFIELD", "DREAM_LAND"}
    hunts = league.request_jobs("main_exploiter", 1, 200)
    assert {job.matchup.stage for job in hunts} == {"FINAL_DESTINATION"}, "the exploiter learns, so its stages"
    assert {job.matchup.characters[job.players.index("main_exploiter")] for job in hunts} == {"MEWTWO"}
    assert game.played == ("FOX", "MARTH", "MEWTWO")
    assert ("MARTH", "MEWTWO") in game.pairs


def test_mirror_leagues_and_what_is_refused() -> None:
    game = GameConfig(characters=("FOX", "MARTH"), mirror=True)
    league = new_league(SETUP.model_copy(update={"game": game}))
    pairs = Counter(job.matchup.characters for job in league.request_jobs("main", None, 200))
    assert set(pairs) == set(game.pairs) == {("FOX", "FOX"), ("MARTH", "MARTH")}
    with pytest.raises(ValidationError, match="mirror leaves no choice"):
        GameConfig(characters=("FOX",), opponents=("MARTH",), mirror=True)
    with pytest.raises(ValidationError, match="must be a positive number"):
        GameConfig.model_validate({"players": {"main": {"characters": {"FOX": 0}}}})
    stranger = GameConfig.model_validate({"players": {"mian": {"characters": {"FOX": 1}}}})
    with pytest.raises(UserError, match=r"game\.players: no learner or enrolled player 'mian'"):
        new_league(SETUP.model_copy(update={"game": stranger}))
