"""The public face passes the checkers of the libraries it is made for."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from envs.controller import PART_SIZES
from envs.multi_agent import AGENTS, GameSetup, TwoPlayerGame
from envs.observation import FLOAT_NAMES
from tests.fakes import FakeBackend

SHORT = {"stocks": 1, "time_limit_s": 1.0}


def neutral_actions() -> dict[str, np.ndarray]:
    return {agent: np.array([0, 8, 8, 8, 8, 0]) for agent in AGENTS}


def test_rllib_checker_passes():
    pytest.importorskip("ray")
    from ray.rllib.utils.pre_checks.env import check_multiagent_environments

    from envs.multi_agent import RllibGame

    env = RllibGame(SHORT, backend=FakeBackend(1))
    check_multiagent_environments(env)
    # The checker leaves containment to us.
    observations, _ = env.reset(seed=3)
    for agent in env.possible_agents:
        assert env.get_observation_space(agent).contains(observations[agent])
    ended = False
    for _ in range(60):
        *_, terminateds, truncateds, infos = env.step({a: env.get_action_space(a).sample() for a in AGENTS})
        ended = terminateds["__all__"]
    assert ended
    assert not truncateds["__all__"]
    assert infos["player_0"]["ended_by"] == "TIMER"


def test_pettingzoo_checkers_pass():
    pytest.importorskip("pettingzoo")
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    from envs.multi_agent import PettingZooGame

    def make() -> PettingZooGame:
        return PettingZooGame(GameSetup(**SHORT), backend=FakeBackend(1))

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        parallel_api_test(make(), num_cycles=150)
    parallel_seed_test(make)


def test_rewards_are_zero_sum_and_follow_the_weights():
    game = TwoPlayerGame(GameSetup(stocks=1, reward={"damage": 0.5}), backend=FakeBackend(1))
    observations = game.reset(seed=1)
    toward = 16 if observations["player_0"]["floats"][FLOAT_NAMES.index("dx")] > 0 else 0
    total = 0.0
    for frame in range(200):
        actions = neutral_actions()
        near = abs(observations["player_0"]["floats"][FLOAT_NAMES.index("dx")]) < 0.1
        actions["player_0"] = np.array([frame % 2, 8 if near else toward, 8, 8, 8, 0])
        seen = game.step(actions)
        assert seen.rewards["player_0"] == -seen.rewards["player_1"]
        total += abs(seen.rewards["player_0"])
        if seen.terminated:
            break
        observations = seen.observations
    assert seen.terminated
    assert total == pytest.approx(10 * 5.0 + 1.0), "ten hits of 10 % at 0.5 a percent, and one stock"


def test_a_lost_instance_truncates():
    game = TwoPlayerGame(backend=FakeBackend(1, fault_at=3))
    game.reset(seed=0)
    seen = [game.step(neutral_actions()) for _ in range(3)][-1]
    assert (seen.terminated, seen.truncated) == (False, True)
    with pytest.raises(RuntimeError, match="reset"):
        game.step(neutral_actions())


@pytest.mark.parametrize("stage", ["FINAL_DESTINATION", "BATTLEFIELD"])
def test_the_simulator_behind_it(stage):
    """By default the simulator plays; what it shows lies in the spaces, and a seed is a game."""

    def play(seed: int) -> list[float]:
        game = TwoPlayerGame(GameSetup(stages=(stage,), stocks=1, time_limit_s=10.0))
        observations, rewards = game.reset(seed=seed), []
        actions = np.random.default_rng(seed)
        for _ in range(400):
            for agent in AGENTS:
                assert game.observation_spaces[agent].contains(observations[agent])
            held = {agent: np.array([actions.integers(n) for n in PART_SIZES]) for agent in AGENTS}
            seen = game.step(held)
            observations = seen.observations
            rewards += [seen.rewards["player_0"], float(observations["player_0"]["floats"].sum())]
            if seen.terminated:
                break
        return rewards

    assert play(3) == play(3)
    assert play(3) != play(4)


@pytest.mark.slow
def test_the_readme_script_trains():
    """Stock RLlib PPO, as in the README, in a process of its own."""
    script = Path(__file__).parents[2] / "docs" / "stock_rllib.py"
    own_ray = {**os.environ, "RAY_ADDRESS": "local"}  # never another run's on this machine
    shown = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
        cwd=script.parents[1],
        env=own_ray,
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert [line for line in shown.stdout.splitlines() if line.endswith("env frames")][-1].startswith("2 ")
