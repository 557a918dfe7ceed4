"""LeaguePPO with a real league on the toy game: serial determinism, checkpoints, resets, runners as actors."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
import torch

from envs.observation import ACTIONS
from exphil_league.config.league import CurriculumStage
from exphil_league.config.recipe import Recipe
from exphil_league.config.run import RunConfig
from exphil_league.config.training import RayConfig
from exphil_league.errors import UserError
from exphil_league.league.actor import RemoteLeague
from exphil_league.league.service import LocalLeague
from exphil_league.ray_session import check_gpus
from exphil_league.rl.algorithm import LeaguePPO, LeaguePPOConfig
from exphil_league.rl.build import HEAD, slot_groups
from exphil_league.rl.learner import LeagueLearner
from exphil_league.rl.resume import ResumePoints
from exphil_league.rl.shared import share
from exphil_league.tuning import run_with_tune
from policies import checkpoint
from tests.fakes import FakeBackend
from tests.rl_play import config_of, found_league, small_recipe

EVENLY = (1,) * ACTIONS
"""A warm start that is in every action state equally often."""


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    ours = not ray.is_initialized()
    if ours:
        ray.init(num_cpus=2, include_dashboard=False, address="local", log_to_driver=False)
    yield
    if ours:
        ray.shutdown()


def serial_run(run: Path, recipe: Recipe) -> tuple[LeaguePPO, Any]:
    league, start = found_league(run, recipe)
    config = config_of(
        run, recipe, start, open_league=share(str(run), league), open_backend=FakeBackend, serial=True,
        resume_points=run / "points", warm_start_actions=EVENLY,
    )  # fmt: skip
    return config.build_algo(), league


def optimizer_tensors(algo: LeaguePPO) -> list[torch.Tensor]:
    optimizers = algo.learner_group._learner._named_optimizers
    return [
        tensor.clone()
        for name in sorted(optimizers)
        for _, state in sorted(optimizers[name].state_dict()["state"].items())
        for tensor in state.values()
    ]


def test_two_serial_runs_of_one_seed_are_equal(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        algo, league = serial_run(tmp_path / name, small_recipe(delay_frames=2))
        results = [algo.train() for _ in range(5)]
        snapshots = sorted(path.name for path in (tmp_path / name / "checkpoints").iterdir())
        found.append((algo.membership.digests, optimizer_tensors(algo), snapshots, league.status()))
        assert results[-1]["rl"]["env_frames"] == results[-1]["timesteps_total"] == 5 * 16 * 8
        algo.stop()
    first, second = found
    assert first[0] == second[0]
    assert first[2:] == second[2:]
    assert first[3]["counts"]["games.train"] == 24
    for one, other in zip(first[1], second[1], strict=True):
        assert torch.equal(one, other)


def test_checkpoint_brings_back_weights_optimizer_and_standing(tmp_path: Path) -> None:
    recipe = small_recipe()
    algo, league = serial_run(tmp_path / "run", recipe)
    for _ in range(3):
        algo.train()
    algo.save_resume_point()
    digests, tensors, standing = algo.membership.digests, optimizer_tensors(algo), algo.membership.get_state()
    assert algo.train()["rl"]["restarts"] == 0
    assert algo.go_on()
    assert algo.iteration == 3
    assert algo.membership.get_state() == standing
    assert {p: checkpoint.digest_of(algo.policy(p)) for p in digests} == digests
    assert all(torch.equal(a, b) for a, b in zip(optimizer_tensors(algo), tensors, strict=True))
    result = algo.train()
    assert result["rl"]["env_frames"] == 4 * 16 * 8
    assert (result["rl"]["restarts"], result["rl"]["resume_point"], result["rl"]["failed_resume_points"]) == (1, 3, 0)
    assert league.learner("main").player.digest == algo.membership.digests["main"]
    algo.stop()


@pytest.mark.parametrize("timing", [{}, {"delay_frames": 3, "min_delay_frames": 1, "action_repeat": 2}])
def test_after_a_stop_at_a_checkpoint_the_next_updates_are_equal(tmp_path: Path, timing: dict[str, int]) -> None:
    """A run that stops and goes on, with everything opened anew, is the run that never stopped."""
    recipe = small_recipe(timing=timing, time_limit_s=0.9)
    straight, _ = serial_run(tmp_path / "straight", recipe)
    for _ in range(8):
        straight.train()
    stopped, league = serial_run(tmp_path / "stopped", recipe)
    for _ in range(5):
        stopped.train()
    stopped.save_resume_point()
    stopped.stop()
    league.close()
    again = LocalLeague(tmp_path / "stopped", recipe.league_setup(), recipe.seed)
    start = stopped._setup.starts[0].checkpoint.name
    resumed = config_of(
        tmp_path / "stopped", recipe, start,
        open_league=share(str(tmp_path / "again"), again), open_backend=FakeBackend, serial=True,
        resume_points=tmp_path / "stopped" / "points", warm_start_actions=EVENLY,
    ).build_algo()  # fmt: skip
    assert resumed.go_on()
    for _ in range(3):
        result = resumed.train()
    assert resumed.membership.digests == straight.membership.digests
    assert all(map(torch.equal, optimizer_tensors(resumed), optimizer_tensors(straight)))
    assert result["rl"]["main"]["action_distance"] == straight._report["main"]["action_distance"]
    assert again.status()["counts"]["games.train"] == straight.membership._league.status()["counts"]["games.train"] > 8
    resumed.stop()
    straight.stop()


def test_more_minibatches_than_a_players_columns_are_refused() -> None:
    """Sixteen games leave the exploiter one; six minibatches of it would be empty, and their losses NaN."""
    recipe = small_recipe(games=16, minibatches=5, exploiter_share=0.05)
    with pytest.raises(UserError, match=r"ppo\.minibatches \(5\) is more than the 1 columns .* leave main_exploiter"):
        slot_groups(recipe)
    main_alone = small_recipe(games=4, minibatches=4)
    with pytest.raises(UserError, match=r"leave main: "):
        slot_groups(main_alone, self_play=0.0)


def test_gpus_that_nobody_has_are_refused() -> None:
    """Ray would wait for them without a word."""
    with pytest.raises(UserError, match=r"asks for 3 GPUs .* Ray finds 2 "):
        check_gpus(RayConfig(num_gpus_per_learner=1, num_env_runners=4, num_gpus_per_env_runner=0.5), 2.0)
    check_gpus(RayConfig(num_gpus_per_learner=1, num_env_runners=4, num_gpus_per_env_runner=0.25), 2.0)
    with pytest.raises(ValueError, match="it has a GPU only if it learns itself too"):
        RayConfig(num_gpus_per_env_runner=1)


def test_the_trial_lives_at_the_head_and_runners_anywhere(tmp_path: Path) -> None:
    """Its resume points go to the run folder by its path, which other nodes need not have."""
    recipe = small_recipe().model_copy(update={"ray": RayConfig(num_env_runners=2)})
    league, start = found_league(tmp_path, recipe)
    config = config_of(tmp_path, recipe, start, open_league=share(str(tmp_path), league), open_backend=FakeBackend)
    trial, *others = LeaguePPO.default_resource_request(config.to_dict()).bundles
    assert trial[HEAD] > 0
    assert others
    assert not any(HEAD in bundle for bundle in others)
    league.close()


def test_a_curriculum_comes_before_self_play(tmp_path: Path) -> None:
    recipe = small_recipe()
    stage = CurriculumStage(opponents=("random",), win_rate=0.01, min_games=8)
    recipe = recipe.model_copy(update={"league": recipe.league.model_copy(update={"curriculum": (stage,)})})
    algo, league = serial_run(tmp_path, recipe)
    issued, columns = [], []
    for _ in range(6):
        algo.train()
        issued.append(dict(league.status()["counts"]))
        columns.append(algo.env_runner_group.local_env_runner._sampler.lanes[0].chunk.log_prob.shape[1])
    assert issued[0]["issued.curriculum"] >= 6
    assert "issued.self_play" not in issued[0]
    assert issued[-1]["issued.self_play"] > 0
    assert columns[0] == 6 < columns[-1] == 9, "a game against a script has one learning seat, self-play has two"
    algo.stop()


def test_the_exploiter_is_frozen_and_starts_again(tmp_path: Path) -> None:
    recipe = small_recipe(exploiter_share=0.6)
    algo, league = serial_run(tmp_path, recipe)
    start = algo._setup.starts[0].checkpoint.name
    while league.learner("main_exploiter").generation == 0:
        result = algo.train()
    assert algo.membership.digests["main_exploiter"] == start
    assert checkpoint.digest_of(algo.policy("main_exploiter")) == start
    assert checkpoint.digest_of(algo.env_runner_group.local_env_runner.module["main_exploiter"].policy) == start
    assert result["rl"]["main_exploiter"]["updates"] > 1
    assert algo.train()["rl"]["main_exploiter"]["updates"] == 1
    algo.stop()


@pytest.mark.slow
@pytest.mark.parametrize(("runners", "learners", "lag"), [(1, 0, 0), (2, 2, 0), (2, 0, 2)])
def test_runners_and_learners_as_actors(tmp_path: Path, runners: int, learners: int, lag: int) -> None:
    config, league = actors_run(tmp_path, with_actors(small_recipe(max_lag_updates=lag), runners, learners))
    algo = config.build_algo()
    for _ in range(4):
        result = algo.train()
    assert result["rl"]["env_frames"] == 4 * 16 * 8 * runners
    assert result["rl"]["batch_age"] == pytest.approx(1, abs=0.5) if lag else result["rl"]["batch_age"] == 0
    played = league.status()["counts"]["games.train"]
    assert played == 16 * runners if lag == 0 else played >= 16 * runners
    assert league.learner("main").player.digest == checkpoint.digest_of(algo.policy("main"))
    weights = algo.learner_group.foreach_learner(lambda learner: learner.published_weights("main"))
    weights = [result.get() for result in weights.result_or_errors]
    assert all(torch.equal(tensor, weights[-1][name]) for name, tensor in weights[0].items())
    algo.stop()
    league.close()


def with_actors(recipe: Recipe, runners: int, learners: int) -> Recipe:
    update = {"num_env_runners": runners, "num_learners": learners}
    return recipe.model_copy(update={"ray": recipe.ray.model_copy(update=update)})


def actors_run(run: Path, recipe: Recipe) -> tuple[LeaguePPOConfig, RemoteLeague]:
    local, start = found_league(run, recipe)
    local.close()
    league = RemoteLeague(run, recipe.league_setup(), recipe.seed)
    config = config_of(
        run, recipe, start, open_league=lambda: league, open_backend=FakeBackend, resume_points=run / "points"
    )
    config.resources(num_cpus_for_main_process=0)
    config.env_runners(num_cpus_per_env_runner=0.5)
    config.learners(num_cpus_per_learner=0.5)
    return config, league


@pytest.mark.slow
def test_a_killed_runner_is_replaced_and_counted(tmp_path: Path) -> None:
    config, league = actors_run(tmp_path, with_actors(small_recipe(), 2, 0))
    algo = config.build_algo()
    assert algo.train()["rl"]["runner_restarts"] == 0
    victim, _ = algo.env_runner_group.foreach_env_runner(lambda runner: os.getpid(), local_env_runner=False)
    os.kill(victim, signal.SIGKILL)
    deadline_s, result = time.monotonic() + 120, algo.train()
    while result["rl"]["runner_restarts"] == 0 and time.monotonic() < deadline_s:
        time.sleep(0.5)
        result = algo.train()  # the other runner goes on meanwhile
        assert result["rl"]["batch_age"] == 0, "a runner that came back has the newest weights and says so"
    assert result["rl"]["runner_restarts"] == 1
    assert algo.train()["rl"]["env_frames"] - result["rl"]["env_frames"] == 2 * 16 * 8, "both sample again"
    algo.stop()
    league.close()


class TellingLearner(LeagueLearner):
    """Writes down its process id."""

    def build(self) -> None:
        super().build()
        (self._setup.checkpoints.parent / "learner.pid").write_text(str(os.getpid()))


class Killer:
    """A sink that kills the learner once, after its fifth update, and remembers what the trial reports."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def write(self, metrics: Mapping[str, float]) -> None:
        with (self._run / "seen").open("a") as seen:
            seen.write(f"{metrics['training_iteration']:.0f} {metrics['rl/restarts']:.0f}\n")
        pid = self._run / "learner.pid"
        if metrics["training_iteration"] == 5 and metrics["rl/restarts"] == 0:
            os.kill(int(pid.read_text()), signal.SIGKILL)

    def close(self) -> None: ...


def killers(run: Path) -> list[Killer]:
    return [Killer(run)]


@pytest.mark.slow
def test_a_killed_learner_restarts_the_trial_from_its_last_resume_point(tmp_path: Path) -> None:
    config, league = actors_run(tmp_path, with_actors(small_recipe(), 1, 1))
    config.learners(learner_class=TellingLearner)
    limits = RunConfig(max_updates=8, checkpoint_every_updates=2)
    result = run_with_tune(
        config, tmp_path / "tune", limits, partial(RunConfig, max_updates=8), partial(killers, tmp_path)
    )
    assert result is not None
    assert (result["training_iteration"], result["rl"]["env_frames"]) == (8, 8 * 16 * 8)
    assert result["rl"]["restarts"] == 1
    seen = [tuple(map(int, line.split())) for line in (tmp_path / "seen").read_text().splitlines()]
    before, after = ([update for update, restarts in seen if restarts == count] for count in (0, 1))
    assert before[0] == 1
    assert after in ([5, 6, 7, 8], [3, 4, 5, 6, 7, 8]), "from the point of update 4, or of 2 if that was not whole yet"
    assert ResumePoints(tmp_path / "points", 2).newest()[0] == 8
    league.close()
