"""Chunks as tensors: what one learning player's update reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from exphil_league.rl.buffers import check_written
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.losses import gae, moments, normalise, vtrace
from policies.policy import Policy, PolicyInputs

Columns = tuple[Tensor, ...]


@dataclass
class PlayerBatch:
    """T rows of B columns of one player, on the learner's device. Sequences are never cut: `select` takes columns."""

    inputs: PolicyInputs  # [T, B, ...]
    resets: Tensor  # [T, B]
    parts: Tensor  # [T, B, A]
    log_prob: Tensor  # [T, B] behaviour
    value: Tensor  # [T, B] behaviour
    advantage: Tensor  # [T, B] normalised over the batch of all learners
    target: Tensor  # [T, B] of the value head
    state: Columns  # [B, ...] before row 0
    teacher: Columns = ()
    """Six tensors [T, B, size]: the teacher's log-probabilities along the taken parts; empty without a teacher."""

    def __len__(self) -> int:
        """Agent steps."""
        return self.log_prob.numel()

    @property
    def columns(self) -> int:
        return self.log_prob.shape[1]

    def select(self, columns: Tensor) -> PlayerBatch:
        """Only these columns [b], whole sequences."""
        picked: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "inputs":
                picked[field.name] = PolicyInputs(*(v.index_select(1, columns) for v in value))
            elif field.name == "state":
                picked[field.name] = tuple(v.index_select(0, columns) for v in value)
            elif field.name == "teacher":
                picked[field.name] = tuple(v.index_select(1, columns) for v in value)
            else:
                picked[field.name] = value.index_select(1, columns)
        return PlayerBatch(**picked)

    def minibatches(self, parts: int, generator: torch.Generator) -> Iterator[PlayerBatch]:
        """The columns in random order, in `parts` nearly equal minibatches."""
        if parts == 1:
            yield self
            return
        order = torch.randperm(self.columns, generator=generator).to(self.log_prob.device)
        for columns in order.tensor_split(parts):
            yield self.select(columns)


@dataclass(frozen=True)
class ReturnSettings:
    """How rewards become advantages."""

    gamma: float
    """Discount per decision."""
    gae_lambda: float


def to_batch(
    chunk: Chunk, settings: ReturnSettings, device: torch.device, present: Policy | None = None
) -> PlayerBatch:
    """A player's chunk as a batch without a teacher. Raises UnwrittenRow for rows the runner never filled in.

    present: the policy as it is now, for a chunk that older weights played (V-trace); None for a chunk of its own
    (generalised advantage estimation).
    """
    check_written(chunk)

    def tensor(array: Any) -> Tensor:
        return torch.tensor(array, device=device)  # a copy: Ray hands out read-only arrays, a runner reuses its own

    inputs = PolicyInputs(*(tensor(a) for a in (chunk.floats, chunk.ids, chunk.queue)))
    resets, parts, log_prob = tensor(chunk.resets), tensor(chunk.parts), tensor(chunk.log_prob)
    value, state = tensor(chunk.value), tuple(tensor(layer) for layer in chunk.state)
    ends = tensor(chunk.terminated), tensor(chunk.truncated)
    if present is None:
        returns = gae(tensor(chunk.reward), value, *ends, settings.gamma, settings.gae_lambda)
    else:
        now_log_prob, now_value = _reread(present, inputs, state, resets, parts)
        returns = vtrace(
            now_log_prob - log_prob, tensor(chunk.reward), now_value, *ends, settings.gamma, settings.gae_lambda
        )
    return PlayerBatch(
        inputs=PolicyInputs(*(field[:-1] for field in inputs)),
        resets=resets[:-1],
        parts=parts,
        log_prob=log_prob,
        value=value[:-1],
        advantage=normalise(returns.advantage, _of_all_learners(returns.advantage)),
        target=returns.target,
        state=state,
    )


def _of_all_learners(advantage: Tensor) -> Tensor | None:
    """Moments [3] over the parts of all learners, so that several step as one would; None where there is one."""
    if not torch.distributed.is_initialized():
        return None
    found = moments(advantage)
    torch.distributed.all_reduce(found)
    return found


@torch.no_grad()
def _reread(
    policy: Policy, inputs: PolicyInputs, state: Columns, resets: Tensor, parts: Tensor
) -> tuple[Tensor, Tensor]:
    """What a policy says today: log-probability [T, B] of the taken parts and value [T + 1, B]."""
    features, _ = policy.unroll(inputs, state, resets)
    return policy.head.evaluate(features[:-1], parts).log_prob, policy.value(features)
