"""Torch policy -> ONNX: one frame with an explicit state, sampling included.

The uniforms are an input, so that the same numbers give the same parts in torch and in onnxruntime. Only
`step` is exported: `unroll` cuts its window where the data says, which a graph cannot. The TorchScript
exporter is used because it takes a fraction of a second where the newer one takes several; a test compares
what it writes with torch over hundreds of frames.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from policies.policy import Policy, PolicyInputs

OPSET: Final = 17
_OUTPUTS: Final = ("parts", "log_prob", "value")


class _SingleStep(nn.Module):
    """`Policy.step` with flat inputs and outputs."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(
        self, floats: Tensor, ids: Tensor, queue: Tensor, uniforms: Tensor, greedy: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        step = self.policy.step(PolicyInputs(floats, ids, queue), state, uniforms, greedy=greedy)
        return (step.parts.to(torch.int32), step.log_prob, step.value, *step.state)


def export_policy(policy: Policy) -> bytes:
    """The policy as an ONNX model.

    Inputs, batch first: floats [B, F] float32, ids [B, K] int32, queue [B, d, 6] int32 (absent without a
    delay), uniforms [B, 6] float32 in [0, 1), greedy [B] bool (take the likeliest parts instead of sampling),
    state_0.. [B, ...]. Outputs: parts [B, 6] int32, log_prob [B], value [B], next_state_0.. [B, ...].
    """
    spec, batch = policy.spec, 2  # a batch of 1 could be taken for a constant
    plain = copy.deepcopy(policy).cpu().eval()
    state = plain.initial_state(batch)
    example = (
        torch.zeros(batch, spec.observation_floats),
        torch.zeros(batch, spec.observation_ids, dtype=torch.int32),
        torch.zeros(batch, spec.delay_frames, len(spec.part_sizes), dtype=torch.int32),
        torch.zeros(batch, len(spec.part_sizes)),
        torch.zeros(batch, dtype=torch.bool),
        *state,
    )
    inputs = ["floats", "ids", "queue", "uniforms", "greedy", *(f"state_{i}" for i in range(len(state)))]
    outputs = [*_OUTPUTS, *(f"next_state_{i}" for i in range(len(state)))]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        file = Path(folder) / "policy.onnx"
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            _SingleStep(plain),
            example,
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={name: {0: "B"} for name in [*inputs, *outputs]},
        )
        return file.read_bytes()
