"""One update of the RLlib learner against a reference written apart from the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exphil_league.config.recipe import Recipe
from exphil_league.rl.batch import ReturnSettings, to_batch
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.learner import LeagueLearner
from exphil_league.rl.losses import moments
from exphil_league.rl.runner import Sample
from exphil_league.rl.teacher import Teacher
from policies import checkpoint
from policies.policy import Policy, PolicyInputs
from tests.rl_play import config_of, found_league, new_sampler, small_recipe
from tests.unit.test_losses import plain_gae, plain_vtrace


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


def counts_of(learner: LeagueLearner, player: str = "main") -> dict[str, int]:
    return learner.get_state()["league_progress"]["steppers"][player]["counts"]


def weights_and_moments(learner: LeagueLearner) -> list[torch.Tensor]:
    """Everything that a step of the main player changes, copied."""
    ((_, optimizer),) = learner.get_optimizers_for_module("main")
    moments = [tensor for state in optimizer.state.values() for tensor in state.values()]
    return [tensor.detach().clone() for tensor in (*policy_of(learner).parameters(), *moments)]


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


def plain_advantages(chunk: Chunk, gamma: float, gae_lambda: float) -> np.ndarray:
    """[T, B] as the textbook has them, column by column."""
    columns = (
        plain_gae(*(a[:, b] for a in (chunk.reward, chunk.value, chunk.terminated, chunk.truncated)), gamma, gae_lambda)
        for b in range(chunk.reward.shape[1])
    )
    return np.stack(list(columns), axis=1)


def reference_loss(policy: Policy, teacher: Policy, chunk: Chunk, recipe: Recipe) -> torch.Tensor:
    """PPO with a teacher as the textbook has it: sums over steps, one at a time."""
    ppo = recipe.ppo
    columns = chunk.reward.shape[1]
    advantage = plain_advantages(chunk, ppo.gamma, ppo.gae_lambda)
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
            entropy = kl = forward_kl = torch.zeros(())
            for p, q in zip(outputs[t].log_probs, taught[t].log_probs, strict=True):
                entropy = entropy - (p[b].exp() * p[b]).sum()
                kl = kl + (p[b].exp() * (p[b] - q[b])).sum()
                forward_kl = forward_kl + (q[b].exp() * (q[b] - p[b])).sum()
            old = float(chunk.value[t, b])
            near = torch.clamp(value[t, b], old - ppo.value_clip, old + ppo.value_clip)
            error = torch.max((value[t, b] - target[t, b]) ** 2, (near - target[t, b]) ** 2)
            total = total - gain + ppo.value_weight * 0.5 * error
            total = total - ppo.entropy_weight * entropy + ppo.teacher_weight * kl
            total = total + ppo.teacher_forward_weight * forward_kl
    return total / scaled.numel()


@pytest.mark.parametrize(("core", "delay_frames"), [("mlp", 0), ("gru", 0), ("gru", 3)])
def test_one_update_is_the_reference(tmp_path: Path, core: str, delay_frames: int) -> None:
    recipe = small_recipe(
        delay_frames, core, epochs=1, minibatches=1, value_warmup_updates=0, max_grad_norm=0.3,
        teacher_forward_weight=0.5, value_clip=0.05,
    )  # fmt: skip
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


def test_stale_samples_get_the_references_v_trace(tmp_path: Path) -> None:
    """The returns of a sample that older weights played are those of the plain loops, on the present weights."""
    recipe = small_recipe(core="gru", time_limit_s=0.3)
    chunk = recorded(tmp_path, recipe).chunks[0]
    policy = checkpoint.load(next((tmp_path / "checkpoints").iterdir()))
    with torch.no_grad():
        for tensor in policy.parameters():
            tensor.add_(0.05 * torch.randn_like(tensor))
        log_prob, value, _ = reference_forward(policy, chunk)
        ahead = Chunk(**{**vars(chunk), "parts": np.concatenate([chunk.parts, chunk.parts[-1:]])})
        bootstrap = reference_forward(policy, ahead)[1][-1:]
    values, ratio = torch.cat([value, bootstrap]).numpy(), np.exp(log_prob.numpy() - chunk.log_prob)
    settings = ReturnSettings(0.9, 0.8)
    batch = to_batch(chunk, settings, torch.device("cpu"), policy)
    expected = [
        plain_vtrace(*(a[:, b] for a in (ratio, chunk.reward, values, chunk.terminated, chunk.truncated)), 0.9, 0.8)
        for b in range(values.shape[1])
    ]
    advantage, target = (np.stack(column, 1) for column in zip(*expected, strict=True))
    np.testing.assert_allclose(batch.target, target, atol=1e-5)
    np.testing.assert_allclose(batch.advantage, (advantage - advantage.mean()) / advantage.std(), atol=1e-5)
    assert np.abs(target - to_batch(chunk, settings, torch.device("cpu")).target.numpy()).max() > 1e-3


def test_a_step_too_far_is_taken_back_whole(tmp_path: Path) -> None:
    """The second step is judged by the next minibatch and the last one by a look at the end; undoing is exact."""
    recipe = small_recipe(epochs=1, minibatches=2, value_warmup_updates=0, kl_limit=1e-9)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    before = weights_and_moments(learner)
    learner.update(episodes=[sample])
    assert counts_of(learner)["reverted_steps"] == 1
    assert len(weights_and_moments(learner)) == len(before), "moments of the step are gone too"
    assert all(map(torch.equal, weights_and_moments(learner), before))

    generous = small_recipe(epochs=1, minibatches=1, value_warmup_updates=0, kl_limit=1e9)
    learner = new_learner(tmp_path / "generous", generous)
    learner.update(episodes=[sample])
    after_one = weights_and_moments(learner)
    assert counts_of(learner)["reverted_steps"] == 0
    for stepper in learner._steppers.values():
        stepper._ppo = generous.ppo.model_copy(update={"kl_limit": 1e-9})
    learner.update(episodes=[sample])
    assert counts_of(learner)["reverted_steps"] == 1
    assert all(map(torch.equal, weights_and_moments(learner), after_one))


def test_accumulated_minibatches_are_one_large_one(tmp_path: Path) -> None:
    sixteen = {"games": 16, "value_warmup_updates": 0, "epochs": 1}  # minibatches of equal size
    sample = recorded(tmp_path / "play", small_recipe(**sixteen))
    grads = []
    for minibatches in (1, 2):
        recipe = small_recipe(**sixteen, minibatches=minibatches, accumulate=minibatches)
        learner = new_learner(tmp_path / str(minibatches), recipe)
        learner.update(episodes=[sample])
        grads.append([p.grad.clone() for p in policy_of(learner).parameters() if p.grad is not None])
    for whole, summed in zip(*grads, strict=True):
        torch.testing.assert_close(whole, summed, atol=1e-6, rtol=1e-4)


def test_bfloat16_is_nearly_the_same_step_and_not_the_same(tmp_path: Path) -> None:
    sample = recorded(tmp_path / "play", small_recipe())
    grads = []
    for precision in ("float32", "bfloat16"):
        recipe = small_recipe(epochs=1, minibatches=1, value_warmup_updates=0, precision=precision)
        learner = new_learner(tmp_path / precision, recipe)
        learner.update(episodes=[sample])
        found = [p.grad.flatten() for p in policy_of(learner).parameters() if p.grad is not None]
        assert {grad.dtype for grad in found} == {torch.float32}
        grads.append(torch.cat(found))
    off = float((grads[0] - grads[1]).norm() / grads[0].norm())
    assert 1e-4 < off < 0.1


def test_learners_in_ddp_normalise_advantages_over_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = recorded(tmp_path, small_recipe()).chunks[0]
    settings, cpu = ReturnSettings(0.9, 0.8), torch.device("cpu")
    raw = plain_advantages(chunk, 0.9, 0.8)
    others = torch.full((4, 7), 5.0)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.add_(moments(others)))
    everybody = np.concatenate([raw.ravel(), others.numpy().ravel()])
    found = to_batch(chunk, settings, cpu).advantage
    np.testing.assert_allclose(found, (raw - everybody.mean()) / everybody.std(), atol=1e-5)


def test_schedules_and_the_running_average_follow_the_updates(tmp_path: Path) -> None:
    schedule = {"final_share": 0.2, "updates": 4}
    recipe = small_recipe(ema_decay=0.5, schedules={"learning_rate": schedule}, value_warmup_updates=0)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    average = policy_of(learner).head.out[0].weight.detach().clone()
    ((_, optimizer),) = learner.get_optimizers_for_module("main")
    rates = []
    optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[0]["lr"]))
    for _ in range(6):
        learner.update(episodes=[sample])
        average = 0.5 * average + 0.5 * policy_of(learner).head.out[0].weight.detach()
    shares = np.array(rates[:: recipe.ppo.epochs * recipe.ppo.minibatches]) / recipe.ppo.learning_rate
    np.testing.assert_allclose(shares, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2])
    torch.testing.assert_close(learner.published_weights("main")["head.out.0.weight"], average)
    again = new_learner(tmp_path / "again", recipe)
    again.set_state(learner.get_state())
    again.update(episodes=[sample])
    learner.update(episodes=[sample])
    for name, tensor in learner.published_weights("main").items():
        assert torch.equal(tensor, again.published_weights("main")[name]), name


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
    assert [counts_of(learner, player)["skipped_steps"] for player in ("main", "main_exploiter")] == [1, 0]
    other = policy_of(learner, "main_exploiter").state_dict()
    assert any(not torch.equal(tensor, before[name]) for name, tensor in other.items()), "the other player goes on"


def test_reset_player_forgets_weights_and_optimizer(tmp_path: Path) -> None:
    recipe = small_recipe(value_warmup_updates=0)
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    start = learner.published_weights("main")
    learner.update(episodes=[sample])
    learner.reset_player("main", start)
    assert all(torch.equal(w, start[name]) for name, w in learner.published_weights("main").items())
    ((_, optimizer),) = learner.get_optimizers_for_module("main")
    assert not optimizer.state
    assert [counts_of(learner, player)["updates"] for player in ("main", "main_exploiter")] == [0, 1]


def test_a_player_that_goes_on_with_anothers_weights_keeps_its_place_in_the_schedules(tmp_path: Path) -> None:
    recipe = small_recipe()
    learner, sample = new_learner(tmp_path / "learn", recipe), recorded(tmp_path / "play", recipe)
    others = {name: tensor + 1.0 for name, tensor in policy_of(learner).state_dict().items()}
    for _ in range(2):
        learner.update(episodes=[sample])
    learner.reset_player("main", others, goes_on=True)
    assert counts_of(learner)["updates"] == 2
    assert all(torch.equal(policy_of(learner).state_dict()[name], tensor) for name, tensor in others.items())
    ((_, optimizer),) = learner.get_optimizers_for_module("main")
    assert not optimizer.state


def test_teacher_keeps_its_own_state_between_chunks(tmp_path: Path) -> None:
    """Two successive chunks give the same teacher as one long one; a gap starts it from zeros."""
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
