"""One update of the RLlib learner against a reference written apart from the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exphil_league.config.recipe import Recipe
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.learner import LeagueLearner
from exphil_league.rl.runner import Sample
from policies import checkpoint
from policies.policy import Policy, PolicyInputs
from tests.rl_play import config_of, found_league, new_sampler, small_recipe
from tests.unit.test_losses import plain_gae


def new_learner(run: Path, recipe: Recipe) -> LeagueLearner:
    """A learner of the recipe, everybody at the warm start, without Ray."""
    _, start = found_league(run, recipe)
    config = config_of(run, recipe, start, open_league=_no_league, serial=True)
    learner = LeagueLearner(config=config, module_spec=config.get_multi_rl_module_spec(spaces=None))
    learner.build()
    return learner


def _no_league() -> None:
    raise AssertionError("a learner has no business with the league")


def policy_of(learner: LeagueLearner, player: str = "main") -> Policy:
    return learner.module[player].policy


def recorded(run: Path, recipe: Recipe) -> Sample:
    """The second sample of a run: recurrent states that are not zero, games that begin inside."""
    sampler, _ = new_sampler(run, recipe)
    sampler.sample()
    chunks = sampler.sample()
    rng = np.random.default_rng(0)
    for chunk in chunks:  # the toy game hardly ever rewards a random policy, and never dies
        chunk.reward[:] = rng.normal(size=chunk.reward.shape)
        chunk.truncated[:] = rng.random(chunk.reward.shape) < 0.05
        chunk.terminated &= ~chunk.truncated
    return Sample(source=0, sequence=2, chunks=chunks)


def reference_forward(policy: Policy, chunk: Chunk) -> tuple[torch.Tensor, torch.Tensor, list]:
    """Log-probability [T, B], value [T, B] and distributions, frame by frame with the state passed by hand."""
    state = tuple(torch.from_numpy(layer) for layer in chunk.state)
    log_probs, values, outputs = [], [], []
    for t in range(len(chunk.parts)):
        keep = torch.from_numpy(~chunk.resets[t]).float()[:, None]
        state = tuple(layer * keep for layer in state)
        row = PolicyInputs(*(torch.from_numpy(a[t]) for a in (chunk.floats, chunk.ids, chunk.queue)))
        hidden, state = policy.core.step(policy.encoder(*row), state)
        features = policy._features(hidden, row)
        out = policy.head.evaluate(features, torch.from_numpy(chunk.parts[t]))
        log_probs.append(out.log_prob)
        values.append(policy.value(features))
        outputs.append(out)
    return torch.stack(log_probs), torch.stack(values), outputs


def reference_loss(policy: Policy, teacher: Policy, chunk: Chunk, recipe: Recipe) -> torch.Tensor:
    """PPO with a teacher as the textbook has it: sums over steps, one at a time."""
    ppo = recipe.ppo
    columns = chunk.reward.shape[1]
    advantage = np.stack(
        [
            plain_gae(chunk.reward[:, b], chunk.value[:, b], chunk.terminated[:, b], chunk.truncated[:, b],
                      ppo.gamma, ppo.gae_lambda)
            for b in range(columns)
        ],
        axis=1,
    )  # fmt: skip
    target = torch.from_numpy(advantage + chunk.value[:-1]).float()
    scaled = torch.from_numpy((advantage - advantage.mean()) / advantage.std()).float()
    log_prob, value, outputs = reference_forward(policy, chunk)
    with torch.no_grad():
        fresh_teacher = Chunk(**{**vars(chunk), "state": tuple(np.zeros_like(layer) for layer in chunk.state)})
        _, _, taught = reference_forward(teacher, fresh_teacher)
    total = torch.zeros(())
    for t in range(len(chunk.parts)):
        for b in range(columns):
            ratio = torch.exp(log_prob[t, b] - float(chunk.log_prob[t, b]))
            gain = torch.min(ratio * scaled[t, b], ratio.clamp(1 - ppo.clip, 1 + ppo.clip) * scaled[t, b])
            entropy = kl = torch.zeros(())
            for p, q in zip(outputs[t].log_probs, taught[t].log_probs, strict=True):
                entropy = entropy - (p[b].exp() * p[b]).sum()
                kl = kl + (p[b].exp() * (p[b] - q[b])).sum()
            total = total - gain + ppo.value_weight * 0.5 * (value[t, b] - target[t, b]) ** 2
            total = total - ppo.entropy_weight * entropy + ppo.teacher_weight * kl
    return total / scaled.numel()


@pytest.mark.parametrize(("core", "delay_frames"), [("mlp", 0), ("gru", 0), ("gru", 3)])
def test_one_update_is_the_reference(tmp_path: Path, core: str, delay_frames: int) -> None:
    recipe = small_recipe(delay_frames, core, epochs=1, minibatches=1, value_warmup_updates=0, max_grad_norm=0.3)
    sample = recorded(tmp_path / "play", recipe)
    learner = new_learner(tmp_path / "learn", recipe)
    teacher = policy_of(learner, "main_exploiter")  # not trained below: it stays at the warm start
    sample.chunks = sample.chunks[:1]
    assert sample.chunks[0].resets[1:-1].any()
    reference = Policy(teacher.spec)
    reference.load_state_dict(policy_of(learner).state_dict())
    with torch.no_grad():  # the update starts away from behaviour and teacher, so that every term has a slope
        for mine, theirs in zip(reference.parameters(), policy_of(learner).parameters(), strict=True):
            mine.add_(0.05 * torch.randn_like(mine))
            theirs.copy_(mine)
    learner.update(episodes=[sample])

    reference_loss(reference, teacher, sample.chunks[0], recipe).backward()
    torch.nn.utils.clip_grad_norm_(reference.parameters(), 0.3)
    before = {name: p.detach().clone() for name, p in reference.named_parameters()}
    torch.optim.Adam(reference.parameters(), lr=recipe.ppo.learning_rate, eps=1e-5).step()
    moved = 0.0
    for (name, expected), found in zip(reference.named_parameters(), policy_of(learner).parameters(), strict=True):
        if expected.grad is not None:
            torch.testing.assert_close(found.grad, expected.grad, atol=1e-5, rtol=1e-4, msg=name)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4, msg=name)
        moved += (expected - before[name]).abs().sum().item()
    assert moved > 1e-3


def test_value_warm_up_moves_the_value_head_only(tmp_path: Path) -> None:
    recipe = small_recipe(value_warmup_updates=1)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    before = {name: p.detach().clone() for name, p in policy_of(learner).named_parameters()}
    learner.update(episodes=[sample])
    moved = {name for name, p in policy_of(learner).named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in before if name.startswith("value_head.")}
    learner.update(episodes=[sample])
    moved = {name for name, p in policy_of(learner).named_parameters() if not torch.equal(p, before[name])}
    assert any(name.startswith("core.") for name in moved)


def test_a_step_that_is_not_finite_is_skipped_and_counted(tmp_path: Path) -> None:
    recipe = small_recipe(epochs=1, minibatches=1, value_warmup_updates=0)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    before = policy_of(learner).state_dict()
    before = {name: tensor.clone() for name, tensor in before.items()}
    sample.chunks[0].log_prob[3, 2] = -1e9  # the ratio overflows
    learner.update(episodes=[sample])
    assert all(torch.equal(tensor, before[name]) for name, tensor in policy_of(learner).state_dict().items())
    assert learner.get_state()["league_progress"]["skipped_steps"] == {"main": 1, "main_exploiter": 0}
    other = policy_of(learner, "main_exploiter").state_dict()
    assert any(not torch.equal(tensor, before[name]) for name, tensor in other.items()), "the other player goes on"


def test_reset_player_forgets_weights_and_optimizer(tmp_path: Path) -> None:
    recipe = small_recipe(value_warmup_updates=0)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    start = learner.policy_weights("main")
    learner.update(episodes=[sample])
    learner.reset_player("main", start)
    assert all(torch.equal(w, start[name]) for name, w in learner.policy_weights("main").items())
    ((_, optimizer),) = learner.get_optimizers_for_module("main")
    assert not optimizer.state
    assert learner.get_state()["league_progress"]["updates"] == {"main": 0, "main_exploiter": 1}


def test_teacher_keeps_its_own_state_between_chunks(tmp_path: Path) -> None:
    """Two successive chunks give the same teacher as one long one; a gap starts it from zeros."""
    from exphil_league.rl.batch import ReturnSettings, to_batch
    from exphil_league.rl.teacher import Teacher

    recipe = small_recipe(time_limit_s=60.0)
    sampler, _ = new_sampler(tmp_path, recipe)
    policy = checkpoint.load(next((tmp_path / "checkpoints").iterdir()))
    batches = []
    for _ in range(2):
        batch = to_batch(sampler.sample()[0], ReturnSettings(0.9, 0.9), torch.device("cpu"))
        batches.append(batch.select(torch.arange(batch.columns)))  # a copy: the sampler reuses its arrays
    width = batches[0].columns
    kept, cut = Teacher(policy), Teacher(policy)
    kept.log_probs(batches[0], [(0, 1, width)])
    cut.log_probs(batches[0], [(0, 1, width)])
    whole = PolicyInputs(*(torch.cat(pair) for pair in zip(*(b.inputs for b in batches), strict=True)))
    with torch.no_grad():
        features, _ = policy.unroll(whole, policy.initial_state(width), torch.cat([b.resets for b in batches]))
        expected = policy.head.evaluate(features[16:], batches[1].parts).log_probs
    for found, right in zip(kept.log_probs(batches[1], [(0, 2, width)]), expected, strict=True):
        torch.testing.assert_close(found, right, atol=1e-5, rtol=1e-4)
    after_gap = cut.log_probs(batches[1], [(0, 3, width)])
    assert any((found - right).abs().max() > 1e-3 for found, right in zip(after_gap, expected, strict=True))
