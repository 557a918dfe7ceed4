"""The game's own players as opponents: seated by the backend at the level that the digest says, refused elsewhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from envs.backend import UnsupportedMatchup
from envs.dolphin.config import DolphinConfig
from envs.dolphin.standin.backend import StandInBackend
from envs.dolphin.standin.scenario import SIM, Scenario
from envs.frame import LEADER
from envs.sim.batch import SimBackend
from exphil_league.config.league import CurriculumStage
from exphil_league.errors import UserError
from exphil_league.evaluation.gauntlet import matchups_on
from exphil_league.evaluation.matches import pair_jobs, play_matches
from exphil_league.evaluation.players import load_player
from exphil_league.league.model import Job, MatchResult
from exphil_league.rl.partners import load_agent
from exphil_league.train import check_opponents
from tests.dolphin.standins import PORTS
from tests.rl_play import small_recipe


def job_against(level: int) -> Job:
    return pair_jobs(("idle", "cpu"), ("idle", f"cpu:{level}"), matchups_on(["FINAL_DESTINATION"]), 1, 0)[0]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[StandInBackend]:
    config = DolphinConfig(run_dir=tmp_path / "run", ports=PORTS)
    made = StandInBackend(1, config, Scenario(SIM))
    yield made
    made.close()


def test_a_level_is_picked_in_the_menus_and_the_game_plays_it(emulator: StandInBackend) -> None:
    travelled = np.zeros(2)

    def watch(job: Job, result: MatchResult, frames: np.ndarray) -> None:
        x = frames["players"]["x"][..., LEADER]
        travelled[:] = np.abs(np.diff(x, axis=0)).sum(0)

    (result,) = play_matches(
        emulator, [job_against(7)], lambda player, digest: load_player(digest, 2, 0), on_game=watch, record=bool
    )
    assert result.digests[1] == "cpu:7"
    assert result.ended_by != "fault", "the referee aborts games whose header has another level"
    assert travelled[1] > 10 * max(travelled[0], 1.0), "nobody pressed anything for either seat"


def test_the_simulator_refuses_them_by_name() -> None:
    job = job_against(3)
    assert job.row()["cpu_level"].tolist() == [0, 3]
    with pytest.raises(UnsupportedMatchup, match="no CPU players"):
        SimBackend(1).reset(np.ones(1, np.bool_), job.row()[None], np.zeros(1, np.uint64))
    assert load_agent(Path(), 0, "cpu:3", 2).digest == "cpu:3"


@pytest.mark.parametrize(
    ("opponent", "backend", "problem"),
    [("cpu:9", "sim", "league.curriculum: cpu:9 is the game's own"), ("cpu:10", "dolphin", "no player 'cpu:10'")],
)
def test_a_curriculum_that_cannot_be_played_is_refused_before_anything_is_done(
    opponent: str, backend: str, problem: str
) -> None:
    recipe = small_recipe()
    league = recipe.league.model_copy(update={"curriculum": (CurriculumStage(opponents=(opponent,)),)})
    game = recipe.game.model_copy(update={"backend": backend})
    with pytest.raises(UserError, match=problem):
        check_opponents(recipe.model_copy(update={"league": league, "game": game}))


@pytest.mark.slow
def test_a_run_learns_against_a_level_and_a_player_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "my_bots.py").write_text("from policies.scripted import RandomAgent as make\n")
    sets = (
        f"game.dolphin.run_dir={tmp_path / 'homes'}", f"game.dolphin.ports=[{PORTS[0]},{PORTS[1]}]",
        "league.opponents={masher: my_bots:make}", "game.time_limit_s=5", "run.max_updates=12",
        "evaluation.final_games=40",
        "league.curriculum=[{opponents: [cpu:1], min_games: 1, win_rate: 0.01}, {opponents: [masher, cpu:2]}]",
    )  # fmt: skip
    command = [sys.executable, "-m", "exphil_league", "train", "standin", "--serial", "--out", "run"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(
        [*command, *(part for key in sets for part in ("--set", key))], check=True, timeout=900, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    with sqlite3.connect(tmp_path / "run" / "league.sqlite") as db:
        met = db.execute("SELECT player_0, player_1 FROM job WHERE branch = 'curriculum'").fetchall()
    opponents = {player for pair in met for player in pair if player != "main"}
    assert "cpu:1" in opponents
    assert opponents & {"masher", "cpu:2"}, "nobody passed the first stage"
    ladder = json.loads((tmp_path / "run" / "ladder.json").read_text())
    rated = {row["player"] for row in ladder["players"] if row["games"]}
    assert {"cpu:1", "cpu:2", "masher"} <= rated
