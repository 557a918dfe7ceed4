"""What is built on a backend works on emulators: the libraries' checkers, games that are left, swapped sides."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from envs.backend import Backend, EndedBy, Matchup
from envs.backends import make_backend
from envs.controller import neutral
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.config import DolphinConfig
from envs.dolphin.standin.backend import standin_config
from envs.dolphin.standin.scenario import SCRIPTED, Scenario
from envs.frame import FIRST_FRAME
from envs.multi_agent import AGENTS, GameSetup
from tests.dolphin.standins import FRAMES, QUICK

SETUP = GameSetup(characters=("FOX",), stages=("BATTLEFIELD",))
ROW = Matchup(stage="BATTLEFIELD").row()


@pytest.fixture
def config(tmp_path: Path) -> DolphinConfig:
    """Of the backend `dolphin`, as a user's: an executable, and an ISO."""
    games = Scenario(content=SCRIPTED, scripted_frames=FRAMES)
    return standin_config(DolphinConfig(**QUICK, run_dir=tmp_path / "run"), tmp_path, games)


@pytest.mark.slow
def test_rllibs_checker_passes(config: DolphinConfig):
    pytest.importorskip("ray")
    from ray.rllib.utils.pre_checks.env import check_multiagent_environments

    from envs.multi_agent import RllibGame

    env = RllibGame(SETUP.model_dump(), backend=make_backend("dolphin", 1, config))
    check_multiagent_environments(env)
    observations, _ = env.reset(seed=3)
    for agent in env.possible_agents:
        assert env.get_observation_space(agent).contains(observations[agent])
    env.close()


@pytest.mark.slow
def test_pettingzoos_checker_passes(config: DolphinConfig):
    pytest.importorskip("pettingzoo")
    from pettingzoo.test import parallel_api_test

    from envs.multi_agent import PettingZooGame

    env = PettingZooGame(SETUP, backend=make_backend("dolphin", 1, config))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        parallel_api_test(env, num_cycles=300)
    assert tuple(env.possible_agents) == AGENTS
    env.close()


def test_less_than_four_stocks_is_the_beginning_of_a_game_that_is_left(config: DolphinConfig):
    backend = make_backend("dolphin", 1, config)
    assert isinstance(backend, Backend)
    row = ROW.copy()
    row["stocks"], row["time_limit_frames"] = 2, 3600
    frames = backend.reset(np.ones(1, bool), row[None], np.zeros(1, np.uint64))
    assert frames["players"]["stocks"][0, :, 0].tolist() == [2, 2]
    while not backend.done[0]:
        frames = backend.step(neutral((1, 2)))
    result = backend.result[0]
    assert (result["ended_by"], result["winner"], result["stocks"].tolist()) == (EndedBy.STOCKS, 0, [2, 0])
    frames = backend.reset(np.ones(1, bool), row[None], np.zeros(1, np.uint64))
    assert frames["frame"][0] == FIRST_FRAME
    assert isinstance(backend, DolphinBackend)
    assert backend.figures()["boots"] == 1  # left by L, R, A and START, not by a restart
    backend.close()


def test_sides_are_swapped_by_ports(config: DolphinConfig):
    backend = make_backend("dolphin", 1, config)
    row = ROW.copy()
    row["swap_start"] = 1
    frames = backend.reset(np.ones(1, bool), row[None], np.zeros(1, np.uint64))
    assert frames["ports"][0].tolist() == [1, 0]
    while not backend.done[0]:
        backend.step(neutral((1, 2)))
    assert backend.result[0]["winner"] == 1  # the second port loses, and seat 0 has it
    backend.close()
