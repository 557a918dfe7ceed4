"""What is built on a backend works on emulators: the libraries' checkers, the 60 Hz faces, a whole league run."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from envs.backend import Backend, EndedBy, Matchup
from envs.backends import make_backend
from envs.controller import neutral
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.config import DolphinConfig
from envs.frame import FIRST_FRAME
from envs.game import Character
from envs.multi_agent import AGENTS, GameSetup
from tests.dolphin.tiny import QUICK, all_gone, as_iso, executable

SETUP = GameSetup(characters=("FOX",), stages=("BATTLEFIELD",))
ROW = Matchup(stage="BATTLEFIELD").row()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[DolphinConfig]:
    yield DolphinConfig(
        **QUICK, path=executable(tmp_path), iso=as_iso(tmp_path, Character.FOX), run_dir=tmp_path / "run"
    )
    assert all_gone(tmp_path)


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


@pytest.mark.slow
def test_a_league_runs_on_emulators_and_ends_with_a_ladder(config: DolphinConfig, tmp_path: Path):
    run = tmp_path / "league"
    sets = [
        "game.backend=dolphin", f"game.dolphin.path={config.path}", f"game.dolphin.iso={config.iso}",
        f"game.dolphin.run_dir={config.run_dir}", "game.dolphin.ports=[52200,52999]", "game.dolphin.instances=4",
        "game.stages=[BATTLEFIELD]", "game.stocks=4", "game.time_limit_s=480", "ppo.games=4", "ppo.minibatches=1",
        "ppo.unroll_frames=32", "run.max_updates=3", "evaluation.games=4", "evaluation.games_per_round=4",
        "evaluation.final_games=8", "evaluation.final_vs_warm_start=4", "evaluation.time_limit_s=60",
    ]  # fmt: skip
    command = [sys.executable, "-m", "exphil_league", "train", "smoke", "--serial", "--out", str(run), "--set", *sets]
    subprocess.run(command, check=True, timeout=500)
    ladder = json.loads((run / "ladder.json").read_text())
    assert ladder["backend"] == "dolphin"
    assert sum(row["games"] for row in ladder["players"]) >= 16
