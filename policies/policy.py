"""The policy: encoder -> temporal core -> controller head and value head.

`step` plays one frame with an explicit state; `unroll` reads a window of frames. The two agree to 1e-5, with
resets inside the window. Rows of `step` are [B, ...], of `unroll` [T, B, ...] (time first).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from policies.cores import State, build_core
from policies.embed import Encoder, LastParts, is_nothing
from policies.head import ControllerHead, HeadOutput
from policies.layers import Linear
from policies.spec import PolicySpec, disagreements

__all__ = ["HeadOutput", "Policy", "PolicyInputs", "PolicyStep", "SpecMismatch", "kl"]


class SpecMismatch(ValueError):
    """The spec is of another version of the observation or controller; the message says what differs."""


class PolicyInputs(NamedTuple):
    """What a policy reads; leading dims [B] for `step`, [T, B] for `unroll`."""

    floats: Tensor  # [.., F] float32
    ids: Tensor  # [.., K] integer
    queue: Tensor  # [.., delay_frames, 6] integer: actions under way, oldest first (`policies.delay`)


class PolicyStep(NamedTuple):
    """What one frame brings."""

    parts: Tensor  # [B, 6] int64
    log_prob: Tensor  # [B] of the whole action
    value: Tensor  # [B]
    state: State


class Policy(nn.Module):
    """A network for one PolicySpec. Raises SpecMismatch for a spec this installation cannot run."""

    def __init__(self, spec: PolicySpec) -> None:
        super().__init__()
        if problems := disagreements(spec):
            raise SpecMismatch("this policy cannot run here: " + "; ".join(problems))
        self.spec = spec
        self.last_parts = LastParts()
        self.encoder = Encoder(spec)
        self.core = build_core(spec.core)
        self.head = ControllerHead(spec)
        self.value_head = nn.Sequential(Linear(spec.core.width, spec.head_width), nn.ReLU(), Linear(spec.head_width, 1))

    def initial_state(self, batch: int) -> State:
        """Zeros [batch, ...]: the state before a game's first frame."""
        return self.core.initial_state(batch)

    def step(
        self,
        inputs: PolicyInputs,
        state: State,
        uniforms: Tensor,
        temperature: float = 1.0,
        greedy: Tensor | None = None,
    ) -> PolicyStep:
        """One frame of B columns; uniforms [B, 6] in [0, 1) choose the parts (the caller owns the seed), except where
        `greedy` [B] bool asks for the likeliest."""
        hidden, state = self.core.step(self.encoder(*inputs), state)
        features = self._features(hidden, inputs)
        parts, log_prob = self.head.sample(features, uniforms, temperature, greedy)
        return PolicyStep(parts, log_prob, self.value(features), state)

    def unroll(self, inputs: PolicyInputs, state: State, resets: Tensor) -> tuple[Tensor, State]:
        """Features [T, B, D + 6] of a window and the state after it; resets[t] zero the state BEFORE row t.

        Features are what `value` and `head.evaluate` read: D hidden units, then the last action's parts.
        """
        hidden, state = self.core.unroll(self.encoder(*inputs), state, resets)
        return self._features(hidden, inputs), state

    def value(self, features: Tensor) -> Tensor:
        """Expected discounted return [..] from features [.., D + 6]."""
        return self.value_head(features[..., : self.spec.core.width])[..., 0]

    def _features(self, hidden: Tensor, inputs: PolicyInputs) -> Tensor:
        """The last action is the newest one under way; without a delay, the controller in the observation."""
        last = inputs.queue[..., -1, :] if self.spec.delay_frames else self.last_parts(inputs.floats)
        if self.spec.delay_varies and not self.spec.least_delay_frames:
            last = torch.where(is_nothing(last)[..., None], self.last_parts(inputs.floats), last)
        return torch.cat([hidden, last.to(hidden.dtype)], -1)


def kl(p: HeadOutput, q: HeadOutput) -> Tensor:
    """KL(p || q) [.., 6] of each part's distribution, given the taken parts before it.

    Each term is exact for its part; their sum estimates the KL of the whole action without bias when the
    taken parts were sampled from p (the chain rule of relative entropy, one sample for the conditions).
    """
    parts = [(log_p.exp() * (log_p - log_q)).sum(-1) for log_p, log_q in zip(p.log_probs, q.log_probs, strict=True)]
    return torch.stack(parts, -1)
