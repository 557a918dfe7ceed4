"""The loss of one minibatch: policy, value, entropy and teacher terms put together, with what they report."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from envs.controller import PARTS
from exphil_league.config.ppo import PPOConfig, Precision
from exphil_league.rl.batch import PlayerBatch
from exphil_league.rl.losses import clipped_surrogate, explained_variance, mean_per_part, value_loss
from policies.policy import HeadOutput, Policy, kl


@dataclass
class Evaluation:
    """What the present weights say about a minibatch."""

    head: HeadOutput
    value: Tensor  # [T, B]


def evaluate(
    policy: Policy, batch: PlayerBatch, value_only: bool = False, precision: Precision = "float32"
) -> Evaluation:
    """Unroll the policy over a minibatch from the state before its row 0.

    `value_only`: the value head reads the features as constants, so that its loss leaves the rest alone.
    `precision`: of the network's products; what comes out is float32 either way.
    """
    with torch.autocast(batch.log_prob.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        with torch.set_grad_enabled(torch.is_grad_enabled() and not value_only):
            features, _ = policy.unroll(batch.inputs, batch.state, batch.resets)
            head = policy.head.evaluate(features, batch.parts)
        return Evaluation(head, policy.value(features).float())


@torch.no_grad()
def behaviour_kl(policy: Policy, batch: PlayerBatch) -> Tensor:
    """Scalar estimate of KL(behaviour, policy) with the policy's present weights."""
    log_prob = evaluate(policy, batch).head.log_prob
    return clipped_surrogate(log_prob, batch.log_prob, batch.advantage, clip=0.0).behaviour_kl


def minibatch_loss(
    found: Evaluation, batch: PlayerBatch, config: PPOConfig, value_only: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """Scalar loss and the detached terms by metric name.

    `value_only` drops every term but the value head's: the first updates after a warm start, whose value head
    knows imitation's returns only.
    """
    surrogate = clipped_surrogate(found.head.log_prob, batch.log_prob, batch.advantage, config.clip)
    value_term = value_loss(found.value, batch.target, batch.value, config.value_clip)
    entropy = mean_per_part(found.head.part_entropy)
    metrics = {
        "policy_loss": surrogate.loss,
        "value_loss": value_term,
        "entropy": entropy.sum(),
        "kl_behaviour": surrogate.behaviour_kl,
        "clipped_share": surrogate.clipped_share,
        "explained_variance": explained_variance(found.value.detach(), batch.target),
        **{f"entropy_{part}": entropy[i] for i, part in enumerate(PARTS)},
    }
    loss = config.value_weight * value_term
    policy_terms = surrogate.loss - config.entropy_weight * entropy.sum()
    if batch.teacher:
        reverse, forward = _teacher_kl(found.head, batch.teacher, config)
        metrics |= {"kl_teacher": reverse, "kl_teacher_forward": forward}
        policy_terms = policy_terms + config.teacher_weight * reverse + config.teacher_forward_weight * forward
    if not value_only:
        loss = loss + policy_terms
    metrics["loss"] = loss
    return loss, {name: value.detach() for name, value in metrics.items()}


def _teacher_kl(head: HeadOutput, teacher: tuple[Tensor, ...], config: PPOConfig) -> tuple[Tensor, Tensor]:
    """Scalars KL(policy, teacher) and KL(teacher, policy), summed over the parts along the taken actions.

    One without a weight is only reported, without a gradient.
    """
    taught = head._replace(log_probs=teacher)
    with torch.set_grad_enabled(torch.is_grad_enabled() and config.teacher_weight > 0):
        reverse = mean_per_part(kl(head, taught)).sum()
    with torch.set_grad_enabled(torch.is_grad_enabled() and config.teacher_forward_weight > 0):
        forward = mean_per_part(kl(taught, head)).sum()
    return reverse, forward
