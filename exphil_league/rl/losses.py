"""The terms of the PPO update as pure functions.

Legend: T rows (agent steps), B columns (seats), A action parts. Everything is time-major [T, B]; means are
taken over all rows and columns. Sources: Schulman et al. 2017 (clipped surrogate), Schulman et al. 2016 (generalised
advantage estimation), Espeholt et al. 2018 (V-trace).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Advantages(NamedTuple):
    """What the behaviour values say about a chunk."""

    advantage: Tensor  # [T, B]
    target: Tensor  # [T, B] regression target of the value head


class Surrogate(NamedTuple):
    """Clipped policy loss and what it says about the size of the step."""

    loss: Tensor  # scalar
    behaviour_kl: Tensor  # scalar, estimate of KL(behaviour, policy)
    clipped_share: Tensor  # scalar, share of steps whose ratio left [1 - clip, 1 + clip]


def gae(
    reward: Tensor, value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float, gae_lambda: float
) -> Advantages:
    """Generalised advantage estimation.

    reward, terminated, truncated are [T, B]; value is [T + 1, B], its last row the bootstrap. Nothing is
    bootstrapped through a row that terminated; a truncated row is bootstrapped with its own value, as the
    row after it belongs to the next game. No advantage flows back over either.
    """
    delta, decay = _errors(reward, value, terminated, truncated, gamma, gae_lambda)
    advantage = _discounted_sum(delta, decay)
    return Advantages(advantage, advantage + value[:-1])


def vtrace(
    log_ratio: Tensor,
    reward: Tensor,
    value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float,
    gae_lambda: float,
) -> Advantages:
    """Advantages of a behaviour that is not the present policy any more: V-trace with traces cut at 1.

    log_ratio [T, B] is log(policy / behaviour) of the taken actions and value [T + 1, B] the present value
    head's; the rest is as in `gae`, which this equals where the ratio is 1. The advantage of a row leaves the
    row's own ratio out: the surrogate brings it.
    """
    weight = log_ratio.exp().clamp(max=1.0)
    delta, decay = _errors(reward, value, terminated, truncated, gamma, gae_lambda)
    correction = _discounted_sum(weight * delta, weight * decay)  # target - value, row by row
    following = torch.cat([correction[1:], torch.zeros_like(correction[:1])])
    return Advantages(delta + decay * following, value[:-1] + correction)


def _errors(
    reward: Tensor, value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Temporal-difference errors [T, B] and how much of the next row's sum each row takes over [T, B]."""
    own = value[:-1]
    following = torch.where(truncated, own, value[1:]).masked_fill(terminated, 0.0)
    delta = reward + gamma * following - own
    return delta, (gamma * gae_lambda) * (~(terminated | truncated)).to(delta.dtype)


def _discounted_sum(terms: Tensor, decay: Tensor) -> Tensor:
    """sum[t] = terms[t] + decay[t] * sum[t + 1], all [T, B]."""
    out = torch.empty_like(terms)
    running = torch.zeros_like(terms[0])
    for t in range(terms.shape[0] - 1, -1, -1):
        running = torch.addcmul(terms[t], decay[t], running)
        out[t] = running
    return out


def moments(advantage: Tensor) -> Tensor:
    """[3] float64: how many advantages [T, B] there are, their sum and their sum of squares. Those of parts of a
    batch add up to those of the batch."""
    exact = advantage.double()
    return torch.stack([torch.tensor(float(exact.numel()), device=exact.device), exact.sum(), exact.square().sum()])


def normalise(advantage: Tensor, batch: Tensor | None = None) -> Tensor:
    """Advantages [T, B], brought to mean 0 and standard deviation 1 over the whole batch: themselves, or, where they
    are one learner's part of it, what has the moments `batch` [3]."""
    count, total, squares = moments(advantage) if batch is None else batch
    mean = total / count
    deviation = (squares / count - mean.square()).clamp_min(0.0).sqrt()
    return ((advantage - mean) / (deviation + 1e-8)).to(advantage.dtype)


def clipped_surrogate(log_prob: Tensor, behaviour_log_prob: Tensor, advantage: Tensor, clip: float) -> Surrogate:
    """PPO's clipped objective, negated. All tensors [T, B]; advantage is a constant of the update.

    The KL estimate is mean(r - 1 - log r) with r the probability ratio: unbiased, and never below zero.
    """
    log_ratio = log_prob - behaviour_log_prob
    ratio = log_ratio.exp()
    bounded = ratio.clamp(1.0 - clip, 1.0 + clip)
    loss = -torch.minimum(ratio * advantage, bounded * advantage).mean()
    with torch.no_grad():
        kl = (ratio - 1.0 - log_ratio).mean()
        share = ((ratio - 1.0).abs() > clip).float().mean()
    return Surrogate(loss, kl, share)


def value_loss(value: Tensor, target: Tensor, behaviour: Tensor, clip: float) -> Tensor:
    """Half the mean squared error of values [T, B] to targets [T, B].

    With a clip above 0, moving farther than that from the behaviour's values [T, B] gains nothing.
    """
    error = (value - target).square()
    if clip > 0:
        near = behaviour + (value - behaviour).clamp(-clip, clip)
        error = torch.maximum(error, (near - target).square())
    return 0.5 * error.mean()


def explained_variance(value: Tensor, target: Tensor) -> Tensor:
    """1 - Var(target - value) / Var(target) over [T, B]; 0 where the targets do not vary."""
    variance = target.var(correction=0)
    unexplained = (target - value).var(correction=0)
    return torch.where(variance > 1e-12, 1.0 - unexplained / variance.clamp_min(1e-12), torch.zeros_like(variance))


def mean_per_part(terms: Tensor) -> Tensor:
    """Mean over rows and columns of per-part terms [T, B, A] -> [A]."""
    return terms.flatten(0, -2).mean(0)
