"""The cloning loss: negative log-likelihood of the player's next controller, and the value of the position."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from exphil_league.imitation.windows import Windows
from policies.policy import HeadOutput, Policy, PolicyInputs


class TensorWindows(NamedTuple):
    """`Windows` as tensors on a device, time-major [T, B, ..]."""

    inputs: PolicyInputs
    last: Tensor
    labels: Tensor
    returns: Tensor
    counted: Tensor


class CloneOutput(NamedTuple):
    """What one batch gives."""

    loss: Tensor  # scalar to minimise
    nll: Tensor  # scalar, nats per counted frame
    value_error: Tensor  # [T, B] squared error of the value head
    head: HeadOutput


def to_tensors(windows: Windows, device: torch.device | str = "cpu") -> TensorWindows:
    """Windows [B, T, ..] turned time-major and moved."""
    floats, ids, queue, last, labels, returns, counted = (
        torch.from_numpy(array).transpose(0, 1).to(device) for array in windows
    )
    return TensorWindows(PolicyInputs(floats, ids, queue), last, labels, returns, counted)


class CloneLoss(nn.Module):
    """Policy -> loss of a batch. A module, so that DistributedDataParallel sees its forward."""

    def __init__(self, policy: Policy, value_weight: float) -> None:
        super().__init__()
        self.policy = policy
        self.value_weight = value_weight

    def forward(self, batch: TensorWindows) -> CloneOutput:
        """Means are over counted rows; the state is zero at the window's first row."""
        state = self.policy.initial_state(batch.labels.shape[1])
        features, _ = self.policy.unroll(batch.inputs, state, torch.zeros_like(batch.counted))
        output = self.policy.head.evaluate(features, batch.labels)
        value_error = (self.policy.value(features) - batch.returns).square()
        rows = batch.counted.sum()
        nll = -(output.log_prob * batch.counted).sum() / rows
        loss = nll + self.value_weight * (value_error * batch.counted).sum() / rows
        return CloneOutput(loss, nll, value_error, output)
