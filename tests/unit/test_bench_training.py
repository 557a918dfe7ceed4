"""The training benches run, and their yardstick trains what we train."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exphil_league.bench.contender import Task
from exphil_league.bench.handwritten import Handwritten
from exphil_league.bench.rollout import measure_rollout
from exphil_league.bench.train import choose_device, default_task, measure_train, meets_thresholds
from exphil_league.config.game import GameConfig
from exphil_league.config.ppo import PPOConfig
from exphil_league.errors import UserError
from exphil_league.rl.batch import PlayerBatch
from exphil_league.rl.losses import gae, normalise
from exphil_league.rl.update import evaluate, minibatch_loss
from policies.policy import PolicyInputs
from policies.spec import CoreSpec, PolicySpec

SPEC = PolicySpec(core=CoreSpec(width=16), embedding_width=4, head_width=8)


def small_task(**ppo: object) -> Task:
    settings = {"games": 4, "unroll_frames": 40, "epochs": 1, "minibatches": 1, "teacher_weight": 0.0}
    return Task(SPEC, PPOConfig(**{**settings, **ppo}), GameConfig(stocks=1, time_limit_s=0.2))


def test_rollout_measures_every_number_of_opponents() -> None:
    found = measure_rollout(games=8, opponents=(0, 1, 3), pools=(4, 30), unroll_frames=120, iterations=1, spec=SPEC)
    assert list(found["opponents"]) == ["0", "1", "3"]
    assert all(fps > 0 for fps in found["opponents"].values())
    small, large = found["pool"]["4"], found["pool"]["30"]
    assert large["fps"] > 0
    assert large["cache_mb"] < 2.1 * small["cache_mb"], "a runner holds eight of thirty, and all of four"


def test_the_yardstick_has_our_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """On its own buffers, with games that end inside, the hand-written loss and gradient equal ours."""
    task = small_task()
    hand = Handwritten(task)
    losses: list[torch.Tensor] = []
    monkeypatch.setattr(hand, "_step", losses.append)
    hand.iterate()
    hand.iterate()
    assert hand._resets[1:].any()
    advantage, target = gae(
        hand._reward, hand._value, hand._done, torch.zeros_like(hand._done), task.ppo.gamma, task.ppo.gae_lambda
    )
    batch = PlayerBatch(
        PolicyInputs(hand._floats, hand._ids, hand._queue), hand._resets, hand._parts, hand._log_prob, hand._value[:-1],
        normalise(advantage), target, hand._first_state,
    )  # fmt: skip
    ours, _ = minibatch_loss(evaluate(hand._policy, batch), batch, task.ppo)
    mine = torch.autograd.grad(ours, list(hand._policy.parameters()), allow_unused=True)
    theirs = torch.autograd.grad(losses[-1], list(hand._policy.parameters()), allow_unused=True)
    np.testing.assert_allclose(ours.item(), losses[-1].item(), rtol=1e-4)
    for one, other in zip(mine, theirs, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-2)


def test_default_task_is_as_documented() -> None:
    task = default_task()
    assert task.spec.core.name == "gru"
    assert task.env_frames == 128 * 64
    assert task.minibatch_steps * task.ppo.minibatches == 2 * task.env_frames


def test_a_gpu_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(UserError, match=r"finds no GPU .* leave --device out"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"


@pytest.mark.slow
def test_train_compares_three_contenders() -> None:
    found = measure_train(small_task(games=8, unroll_frames=16, minibatches=2), iterations=2, environments=(4, 8))
    assert found["rllib_environments"] in (4, 8)
    assert found["ours_fps"] > found["rllib_fps"] > 0
    assert 0.5 < sum(found["ours_shares"].values()) < 1.1
    assert found["meets_thresholds"] == meets_thresholds(found)
    assert not meets_thresholds({**found, "ratio_to_rllib": 1.0})
