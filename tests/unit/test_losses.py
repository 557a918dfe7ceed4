"""Loss terms against references written in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from exphil_league.rl.losses import clipped_surrogate, explained_variance, gae, moments, normalise, vtrace


def plain_gae(reward, value, terminated, truncated, gamma, lam):
    """Advantages of one column [T] by the definition: the discounted sum of one-step errors up to the game's end."""
    rows = len(reward)
    errors = []
    for t in range(rows):
        following = 0.0 if terminated[t] else value[t] if truncated[t] else value[t + 1]
        errors.append(reward[t] + gamma * following - value[t])
    advantages = []
    for t in range(rows):
        total, weight = 0.0, 1.0
        for k in range(t, rows):
            total += weight * errors[k]
            if terminated[k] or truncated[k]:
                break
            weight *= gamma * lam
        advantages.append(total)
    return advantages


def plain_vtrace(ratio, reward, value, terminated, truncated, gamma, lam):
    """Advantages and targets of one column [T] by V-trace's definition: errors weighted along the cut trace."""
    rows = len(reward)
    errors = []
    for t in range(rows):
        following = 0.0 if terminated[t] else value[t] if truncated[t] else value[t + 1]
        errors.append(reward[t] + gamma * following - value[t])
    targets = []
    for t in range(rows):
        total, trace = value[t], 1.0
        for k in range(t, rows):
            total += trace * min(ratio[k], 1.0) * errors[k]
            if terminated[k] or truncated[k]:
                break
            trace *= gamma * lam * min(ratio[k], 1.0)
        targets.append(total)
    advantages = []
    for t in range(rows):
        gain = 0.0 if t + 1 == rows or terminated[t] or truncated[t] else targets[t + 1] - value[t + 1]
        advantages.append(errors[t] + gamma * lam * gain)
    return advantages, targets


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 12),
    columns=st.integers(1, 4),
    gamma=st.floats(0.5, 0.999),
    lam=st.floats(0.0, 1.0),
)
def test_gae_is_its_definition(seed: int, rows: int, columns: int, gamma: float, lam: float) -> None:
    rng = np.random.default_rng(seed)
    reward, value = rng.normal(size=(rows, columns)), rng.normal(size=(rows + 1, columns))
    kind = rng.choice(3, size=(rows, columns), p=[0.7, 0.2, 0.1])
    found = gae(*map(torch.from_numpy, (reward, value, kind == 1, kind == 2)), gamma, lam)
    for b in range(columns):
        expected = plain_gae(reward[:, b], value[:, b], kind[:, b] == 1, kind[:, b] == 2, gamma, lam)
        np.testing.assert_allclose(found.advantage[:, b], expected, atol=1e-9)
    np.testing.assert_allclose(found.target, found.advantage + value[:-1])
    same = vtrace(torch.zeros(rows, columns), *map(torch.from_numpy, (reward, value, kind == 1, kind == 2)), gamma, lam)
    np.testing.assert_allclose(same.advantage, found.advantage, atol=1e-9)
    np.testing.assert_allclose(same.target, found.target, atol=1e-9)


def test_only_time_outs_are_bootstrapped() -> None:
    """With nothing but values, a terminated row must ignore every later one, a truncated row must use its own."""
    reward, no = torch.zeros(1, 1), torch.zeros(1, 1, dtype=torch.bool)
    value = torch.tensor([[2.0], [10.0]])
    yes = ~no
    assert gae(reward, value, no, no, 0.5, 1.0).target.item() == pytest.approx(5.0)
    assert gae(reward, value, yes, no, 0.5, 1.0).target.item() == 0.0
    assert gae(reward, value, no, yes, 0.5, 1.0).target.item() == pytest.approx(1.0)


def test_clipping_stops_the_gradient_only_where_it_would_go_further() -> None:
    behaviour = torch.zeros(1, 4)
    log_prob = torch.log(torch.tensor([[1.5, 1.5, 0.5, 0.5]])).requires_grad_()
    advantage = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    found = clipped_surrogate(log_prob, behaviour, advantage, clip=0.2)
    found.loss.backward()
    assert log_prob.grad is not None
    assert (log_prob.grad != 0).tolist() == [[False, True, True, False]]
    expected = -(1.2 - 1.5 + 0.5 - 0.8) / 4
    assert found.loss.item() == pytest.approx(expected)
    assert found.clipped_share.item() == 1.0


def test_behaviour_kl_of_equal_policies_is_zero_and_never_negative() -> None:
    same = torch.randn(5, 3)
    assert clipped_surrogate(same, same, same, 0.2).behaviour_kl.item() == 0.0
    assert clipped_surrogate(same, torch.randn(5, 3), same, 0.2).behaviour_kl.item() > 0.0


def test_normalise_and_explained_variance() -> None:
    advantage = normalise(torch.arange(12.0).reshape(4, 3))
    assert advantage.mean().item() == pytest.approx(0.0, abs=1e-6)
    assert math.sqrt(advantage.square().mean().item()) == pytest.approx(1.0, abs=1e-6)
    parts = torch.randn(5, 3) + 2.0, 3.0 * torch.randn(4, 2)
    shares = [normalise(part, moments(parts[0]) + moments(parts[1])).flatten() for part in parts]
    whole = normalise(torch.cat([part.flatten() for part in parts]))
    torch.testing.assert_close(torch.cat(shares), whole)
    target = torch.randn(6, 2)
    assert explained_variance(target, target).item() == pytest.approx(1.0)
    assert explained_variance(torch.zeros(6, 2), target).item() == pytest.approx(0.0, abs=1e-6)
    assert explained_variance(target, torch.ones(6, 2)).item() == 0.0
