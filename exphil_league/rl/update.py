"""The loss of one minibatch: policy, value, entropy and teacher terms put together, with what they report."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from envs.controller import PARTS
from exphil_league.config.training import PPOConfig
from exphil_league.rl.batch import PlayerBatch
from exphil_league.rl.losses import clipped_surrogate, explained_variance, mean_per_part, value_loss
from policies.policy import HeadOutput, Policy, kl


@dataclass
class Evaluation:
    """What the present weights say about a minibatch."""

    head: HeadOutput
    value: Tensor  # [T, B]


def evaluate(policy: Policy, batch: PlayerBatch, value_only: bool = False) -> Evaluation:
    """Unroll the policy over a minibatch from the state before its row 0.

    `value_only`: the value head reads the features as constants, so that its loss leaves the rest alone.
    """
    with torch.set_grad_enabled(torch.is_grad_enabled() and not value_only):
        features, _ = policy.unroll(batch.inputs, batch.state, batch.resets)
        head = policy.head.evaluate(features, batch.parts)
    return Evaluation(head, policy.value(features))


def minibatch_loss(
    found: Evaluation, batch: PlayerBatch, config: PPOConfig, value_only: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """Scalar loss and the detached terms by metric name.

    `value_only` drops every term but the value head's: the first updates after a warm start, whose value head
    knows imitation's returns only.
    """
    surrogate = clipped_surrogate(found.head.log_prob, batch.log_prob, batch.advantage, config.clip)
    value_term = value_loss(found.value, batch.target)
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
        teacher_kl = mean_per_part(kl(found.head, found.head._replace(log_probs=batch.teacher))).sum()
        metrics["kl_teacher"] = teacher_kl
        policy_terms = policy_terms + config.teacher_weight * teacher_kl
    if not value_only:
        loss = loss + policy_terms
    metrics["loss"] = loss
    return loss, {name: value.detach() for name, value in metrics.items()}
