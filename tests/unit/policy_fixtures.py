"""Small random policies and inputs for tests."""

from __future__ import annotations

import torch

from envs.controller import PART_SIZES
from envs.observation import FLOAT_NAMES, ID_SIZES
from policies.delay import NOTHING
from policies.policy import Policy, PolicyInputs
from policies.spec import CoreSpec, PolicySpec

torch.set_num_threads(1)


def small_spec(delay_frames: int, core: str = "gru", layers: int = 2, **timing: int | None) -> PolicySpec:
    """A network of a few thousand weights; `timing`: further fields of `ActionTiming`."""
    return PolicySpec(
        core=CoreSpec(name=core, width=24, layers=layers),
        embedding_width=4,
        head_width=16,
        delay_frames=delay_frames,
        **timing,
    )


def small_policy(core: str, delay_frames: int, seed: int = 0, **timing: int | None) -> Policy:
    """That network with random weights, its transition tables too."""
    torch.manual_seed(seed)
    policy = Policy(small_spec(delay_frames, core, **timing)).eval()
    with torch.no_grad():
        for table in policy.head.transitions:
            table.normal_()
    return policy


def random_inputs(spec: PolicySpec, frames: int, batch: int) -> PolicyInputs:
    """Rows [T, B] in the ranges that observations have."""
    floats = torch.randn(frames, batch, spec.observation_floats).clamp(-1, 1)
    buttons = FLOAT_NAMES.index("controller.A")
    floats[..., buttons : buttons + 8] = (floats[..., buttons : buttons + 8] > 0.5).float()
    ids = torch.stack([torch.randint(size, (frames, batch)) for size in ID_SIZES], -1).int()
    queue = torch.stack([torch.randint(size, (frames, batch, spec.delay_frames)) for size in PART_SIZES], -1)
    empty = torch.randint(spec.delay_frames - spec.least_delay_frames + 1, (batch,))
    queue[:, torch.arange(spec.delay_frames) < empty[:, None]] = NOTHING
    return PolicyInputs(floats, ids, queue)
