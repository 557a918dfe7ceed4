"""The game's own players as opponents: seated by the backend at the level that the digest says, refused elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.backend import UnsupportedMatchup
from envs.sim.batch import SimBackend
from exphil_league.config.league import CurriculumStage
from exphil_league.errors import UserError
from exphil_league.evaluation.gauntlet import matchups_on
from exphil_league.evaluation.matches import pair_jobs
from exphil_league.league.model import Job
from exphil_league.rl.partners import load_agent
from exphil_league.train import check_opponents
from tests.rl_play import small_recipe


def job_against(level: int) -> Job:
    return pair_jobs(("idle", "cpu"), ("idle", f"cpu:{level}"), matchups_on(["FINAL_DESTINATION"]), 1, 0)[0]


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
