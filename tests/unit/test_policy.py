"""The policy through its public face: step against unroll, sampling, delay, autoregression."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.controller import (
    NEUTRAL_PARTS,
    PART_SIZES,
    SHOULDER_CENTRES,
    SHOULDER_EDGES,
    STICK_CENTRES,
    STICK_EDGES,
    encode,
)
from envs.frame import empty_frames
from envs.observation import observe
from policies.agent import SeatView
from policies.delay import NOTHING, DelayQueue, game_delays
from policies.network_agent import NetworkAgent
from policies.policy import Policy, PolicyInputs, SpecMismatch, kl
from policies.spec import ActionTiming, CoreSpec, PolicySpec
from tests.unit.policy_fixtures import random_inputs, small_policy, small_spec

CASES = pytest.mark.parametrize(
    ("core", "delay_frames", "least"),
    [("gru", 0, None), ("gru", 3, None), ("mlp", 0, None), ("mlp", 2, None), ("gru", 3, 0)],
)


@CASES
def test_unroll_equals_a_loop_of_step_with_resets_inside(core: str, delay_frames: int, least: int | None) -> None:
    policy = small_policy(core, delay_frames, min_delay_frames=least)
    inputs = random_inputs(policy.spec, 40, 5)
    uniforms, resets = torch.rand(40, 5, 6), torch.rand(40, 5) < 0.1
    state = start = tuple(torch.randn_like(s) for s in policy.initial_state(5))
    steps = []
    for t in range(40):
        state = tuple(s.masked_fill(resets[t, :, None], 0.0) for s in state)
        steps.append(policy.step(PolicyInputs(*(x[t] for x in inputs)), state, uniforms[t]))
        state = steps[-1].state
    features, end = policy.unroll(inputs, start, resets)
    output = policy.head.evaluate(features, torch.stack([s.parts for s in steps]))
    torch.testing.assert_close(output.log_prob, torch.stack([s.log_prob for s in steps]), atol=1e-5, rtol=0)
    torch.testing.assert_close(policy.value(features), torch.stack([s.value for s in steps]), atol=1e-5, rtol=0)
    for after, expected in zip(end, state, strict=True):
        torch.testing.assert_close(after, expected, atol=1e-5, rtol=0)


def test_a_reset_forgets_and_no_reset_remembers() -> None:
    policy = small_policy("gru", 0)
    inputs = random_inputs(policy.spec, 6, 2)
    warm = tuple(torch.ones_like(s) for s in policy.initial_state(2))
    resets = torch.tensor([[True, False]] * 1 + [[False, False]] * 5)
    from_warm, _ = policy.unroll(inputs, warm, resets)
    from_zero, _ = policy.unroll(inputs, policy.initial_state(2), resets)
    torch.testing.assert_close(from_warm[:, 0], from_zero[:, 0])
    assert (from_warm[:, 1] - from_zero[:, 1]).abs().max() > 1e-3


def test_the_head_starts_from_the_newest_action_under_way() -> None:
    policy = small_policy("mlp", 3)
    inputs = random_inputs(policy.spec, 2, 4)
    features, _ = policy.unroll(inputs, (), torch.zeros(2, 4))
    np.testing.assert_array_equal(features[..., -6:].detach().numpy(), inputs.queue[:, :, -1].numpy())


def test_without_a_delay_it_starts_from_the_controller_in_the_observation() -> None:
    """As the codec encodes it, every edge and centre included."""
    rng = np.random.default_rng(0)
    frames = empty_frames(3000)
    controller = frames["players"]["controller"]
    stick_values = np.concatenate([STICK_EDGES, STICK_CENTRES, np.arange(-80, 81, dtype=np.float32) / np.float32(80)])
    for axis in ("stick_x", "stick_y", "c_x", "c_y"):
        controller[axis] = rng.choice(stick_values, controller.shape)
    controller["shoulder"] = rng.choice([0.0, 0.2, *SHOULDER_EDGES, *SHOULDER_CENTRES], controller.shape)
    controller["buttons"] = rng.integers(0, 65536, controller.shape)
    seen = observe(frames)
    policy = small_policy("mlp", 0)
    inputs = PolicyInputs(torch.from_numpy(seen.floats), torch.from_numpy(seen.ids), torch.zeros(3000, 2, 0, 6))
    features, _ = policy.unroll(inputs, (), torch.zeros(3000, 2))
    np.testing.assert_array_equal(features[..., -6:].detach().numpy(), encode(controller[:, :, 0]))


def test_samples_follow_the_distribution_that_evaluate_reports() -> None:
    """Frequencies of 20,000 samples of one row against the exact probabilities of the first two parts."""
    policy = small_policy("mlp", 0)
    with torch.no_grad():
        for layer in policy.head.out:
            layer.weight.mul_(60.0)  # far from uniform
    row = random_inputs(policy.spec, 1, 1)
    inputs = PolicyInputs(*(x[0].expand(20_000, *x.shape[2:]) for x in row))
    step = policy.step(inputs, policy.initial_state(20_000), torch.rand(20_000, 6))
    features, _ = policy.unroll(PolicyInputs(*(x[None] for x in inputs)), (), torch.zeros(1, 20_000))
    output = policy.head.evaluate(features[0], step.parts)
    first = torch.bincount(step.parts[:, 0], minlength=256) / 20_000
    assert (first - output.log_probs[0][0].exp()).abs().max() < 0.015
    expected_x = output.log_probs[1].exp().mean(0)  # averaged over the sampled button blocks
    assert (torch.bincount(step.parts[:, 1], minlength=17) / 20_000 - expected_x).abs().max() < 0.015


def test_later_parts_depend_on_earlier_ones_and_not_the_other_way() -> None:
    policy = small_policy("mlp", 0)
    with torch.no_grad():
        policy.head.changed.normal_()
    inputs = random_inputs(policy.spec, 1, 1)
    features, _ = policy.unroll(inputs, (), torch.zeros(1, 1))
    one = torch.tensor([[[3, 8, 8, 8, 8, 0]]])
    other = torch.tensor([[[3, 2, 8, 8, 8, 0]]])
    a, b = policy.head.evaluate(features, one), policy.head.evaluate(features, other)
    for part in (0, 1):
        torch.testing.assert_close(a.log_probs[part], b.log_probs[part])
    for part in range(2, 6):
        assert (a.log_probs[part] - b.log_probs[part]).abs().max() > 1e-4


def test_extreme_uniforms_stay_inside_the_parts() -> None:
    """1.0 is what a 64-bit uniform just below it becomes in 32 bits."""
    policy = small_policy("gru", 0)
    inputs = PolicyInputs(*(x[0] for x in random_inputs(policy.spec, 1, 2)))
    uniforms = torch.tensor([[0.0] * 6, [1.0] * 6])
    parts = policy.step(inputs, policy.initial_state(2), uniforms).parts
    assert parts[0].tolist() == [0] * 6
    assert parts[1].tolist() == [size - 1 for size in PART_SIZES]


def test_kl_is_zero_to_itself_and_matches_the_definition() -> None:
    one, two = small_policy("mlp", 0, seed=1), small_policy("mlp", 0, seed=2)
    inputs = random_inputs(one.spec, 3, 4)
    parts = torch.randint(0, 5, (3, 4, 6))
    p, q = (net.head.evaluate(net.unroll(inputs, (), torch.zeros(3, 4))[0], parts) for net in (one, two))
    torch.testing.assert_close(kl(p, p), torch.zeros(3, 4, 6))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=p.log_probs[2]), torch.distributions.Categorical(logits=q.log_probs[2])
    )
    torch.testing.assert_close(kl(p, q)[..., 2], expected, atol=1e-6, rtol=1e-4)


def test_a_spec_of_another_observation_is_refused_in_words() -> None:
    with pytest.raises(SpecMismatch, match="observation_version is 99 there and 1 in this installation"):
        Policy(PolicySpec(observation_version=99))


def test_the_delay_queue_gives_back_what_was_pushed_that_many_frames_ago() -> None:
    queue = DelayQueue(4, 2)
    columns = np.array([1, 3])
    pushed = [np.full((2, 6), value, np.uint8) for value in (1, 2, 3, 4)]
    pressed = [queue.push(columns, parts) for parts in pushed]
    assert [p[0, 0] for p in pressed] == [NEUTRAL_PARTS[0], NEUTRAL_PARTS[0], 1, 2]
    assert queue.pending[1, :, 0].tolist() == [3, 4]
    assert (queue.pending[0] == NEUTRAL_PARTS).all()
    queue.reset(np.array([1]))
    assert (queue.pending[1] == NEUTRAL_PARTS).all()
    assert queue.pending[3, 1, 0] == 4


def test_columns_have_delays_of_their_own_and_see_them() -> None:
    """Against a list of what each column decided, with delays of 0, 1 and 3 frames; then with a console's delay."""
    rng, columns, delays = np.random.default_rng(0), np.arange(3), np.array([0, 1, 3])
    decided = rng.integers(0, 17, (8, 3, 6))
    for console in (0, 2):
        queue = DelayQueue(3, 3)
        queue.console_delay_frames = console
        queue.reset(columns, delays)
        for t, parts in enumerate(decided):
            for column, delay in enumerate(delays):
                under_way = [decided[u, column] if u >= 0 else NEUTRAL_PARTS for u in range(t - delay, t)]
                expected = [np.full(6, NOTHING)] * (3 - delay) + under_way
                np.testing.assert_array_equal(queue.pending[column], expected)
            pressed = queue.push(columns, parts)
            for column, wait in enumerate(np.maximum(delays - console, 0)):
                np.testing.assert_array_equal(
                    pressed[column], decided[t - wait, column] if t >= wait else NEUTRAL_PARTS
                )


def test_a_games_delay_is_drawn_evenly_from_its_seed() -> None:
    timing = ActionTiming(delay_frames=20, min_delay_frames=16)
    seeds = np.arange(10_000, dtype=np.uint32)
    drawn = [game_delays(timing, seeds, np.full(len(seeds), seat)) for seat in (0, 1)]
    for delays in drawn:
        counts = np.bincount(delays, minlength=21)
        assert counts[:16].sum() == 0
        assert (abs(counts[16:] - 2000) < 250).all()
    assert 0.15 < (drawn[0] == drawn[1]).mean() < 0.25, "the seats of a game draw for themselves"
    np.testing.assert_array_equal(drawn[0], game_delays(timing, seeds, np.zeros(len(seeds), np.int64)))
    assert (game_delays(ActionTiming(delay_frames=7), seeds, np.zeros(len(seeds), np.int64)) == 7).all()


def test_fields_younger_than_the_format_do_not_change_a_digest() -> None:
    assert not {"action_repeat", "min_delay_frames"} & PolicySpec(delay_frames=3).model_dump().keys()
    young = PolicySpec(delay_frames=3, min_delay_frames=1, action_repeat=2)
    assert PolicySpec.model_validate(young.model_dump(mode="json")) == young


def _views(spec: PolicySpec, frames: int, columns: int) -> list[SeatView]:
    inputs = random_inputs(spec, frames, columns)
    nothing = np.zeros(columns, np.int64)
    return [SeatView(nothing, nothing, inputs.floats[t].numpy(), inputs.ids[t].numpy()) for t in range(frames)]


def test_an_agent_keeps_its_columns_apart_and_plays_the_same_with_the_same_seed() -> None:
    policy = small_policy("gru", 1)
    views = _views(policy.spec, 12, 2)

    def play(columns: list[int]) -> list[np.ndarray]:
        agent = NetworkAgent(policy, 5, seed=7, name="main", digest="d")
        agent.reset(np.arange(5))
        return [agent.act(view, np.array(columns)) for view in views]

    np.testing.assert_array_equal(play([0, 1]), play([4, 2]))


def test_core_names_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown core 'lstn'; known: gru, mlp"):
        Policy(small_spec(0).model_copy(update={"core": CoreSpec(name="lstn")}))
