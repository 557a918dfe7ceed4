"""Log-probability and entropy of a categorical distribution, with a gradient written out by hand.

Both come from the same softmax. Left to autograd each keeps tensors as wide as the distribution and goes over them
several times on the way back; for the 256 values of the button block that is much of what a head's update costs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Categorical(NamedTuple):
    """Of distributions with V values, given by logits [.., V], along taken values [..]."""

    log_probs: Tensor  # [.., V]
    taken_log_prob: Tensor  # [..]
    entropy: Tensor  # [..]


def categorical(logits: Tensor, taken: Tensor) -> Categorical:
    """logits [.., V], taken [..] int64; gradients flow to the logits."""
    return Categorical(*_Categorical.apply(logits, taken))


class _Categorical(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, taken: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        log_probs = logits.log_softmax(-1)
        probs = log_probs.exp()
        entropy = -(probs * log_probs).sum(-1)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(log_probs, probs, entropy, taken)
        return log_probs, log_probs.gather(-1, taken[..., None])[..., 0], entropy

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, by_all: Tensor | None, by_taken: Tensor | None, by_entropy: Tensor | None
    ) -> tuple[Tensor, None]:
        """With p the probabilities: d log p[taken] = onehot - p, dH = -p (log p + H), d log p = I - p."""
        log_probs, probs, entropy, taken = ctx.saved_tensors
        weight = torch.zeros_like(entropy)  # of -p, where it is the same for all values
        if by_all is not None:
            weight = weight + by_all.sum(-1)
        if by_taken is not None:
            weight = weight + by_taken
        if by_entropy is not None:
            weight = weight + by_entropy * entropy
            gradient = torch.addcmul(weight[..., None], by_entropy[..., None], log_probs).mul_(probs).neg_()
        else:
            gradient = -weight[..., None] * probs
        if by_taken is not None:
            gradient.scatter_add_(-1, taken[..., None], by_taken[..., None])
        if by_all is not None:
            gradient += by_all
        return gradient, None
