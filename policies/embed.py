"""Observation -> encoded rows, and the last controller as action parts.

Everything categorical (character, action state, stage, item kind) has a learned embedding; both seats share
the character and action tables. With a delay the actions under way are part of what the policy sees.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from envs.controller import PART_SIZES, SHOULDER_EDGES, STICK_EDGES
from envs.observation import FLOAT_NAMES, ID_NAMES, ID_SIZES
from policies.delay import NOTHING
from policies.layers import Embedding, Linear, spread
from policies.spec import PolicySpec

_OWN_INPUT: Final = FLOAT_NAMES.index("controller.A")
"""First of the 13 floats of the seat's own last input: 8 buttons, 4 stick axes, shoulder."""


def _id_offsets() -> tuple[list[int], int]:
    """Row offset of each id in one stacked table, and its rows. Ids of the same kind share rows."""
    first_of: dict[str, int] = {}
    rows = 0
    for name, size in zip(ID_NAMES, ID_SIZES, strict=True):
        kind = name.rsplit(".", 1)[-1]
        if kind not in first_of:
            first_of[kind] = rows
            rows += size
    return [first_of[name.rsplit(".", 1)[-1]] for name in ID_NAMES], rows


def part_offsets() -> list[int]:
    """Row offset of each action part in one stacked table of sum(PART_SIZES) rows."""
    return [sum(PART_SIZES[:part]) for part in range(len(PART_SIZES))]


class LastParts(nn.Module):
    """The controller in the observation, as the action parts it encodes to (`envs.controller.encode`)."""

    bits: Tensor
    below: Tensor
    above: Tensor
    trigger: Tensor

    def __init__(self) -> None:
        super().__init__()
        edges = torch.from_numpy(STICK_EDGES)
        half = len(STICK_EDGES) // 2
        self.register_buffer("bits", torch.tensor([float(1 << bit) for bit in range(8)]), persistent=False)
        self.register_buffer("below", edges[:half].clone(), persistent=False)
        self.register_buffer("above", edges[half:].clone(), persistent=False)
        self.register_buffer("trigger", torch.from_numpy(SHOULDER_EDGES).clone(), persistent=False)

    def forward(self, floats: Tensor) -> Tensor:
        """floats [.., F] -> parts [.., 6] int64. An edge belongs to the bucket farther from zero."""
        own = floats[..., _OWN_INPUT : _OWN_INPUT + 13]
        buttons = ((own[..., :8] > 0.5) * self.bits).sum(-1, keepdim=True).long()
        axes = own[..., 8:12, None]
        sticks = (axes > self.below).sum(-1) + (axes >= self.above).sum(-1)
        shoulder = (own[..., 12:13] >= self.trigger).sum(-1, keepdim=True)
        return torch.cat([buttons, sticks, shoulder], -1)


class Encoder(nn.Module):
    """floats [.., F], ids [.., K] and queue [.., d, 6] -> rows [.., D]."""

    id_offsets: Tensor
    part_offsets: Tensor

    def __init__(self, spec: PolicySpec) -> None:
        super().__init__()
        offsets, rows = _id_offsets()
        self.register_buffer("id_offsets", torch.tensor(offsets, dtype=torch.int32), persistent=False)
        self.ids = Embedding(rows, spec.embedding_width)
        self.queue: Embedding | None = None
        if spec.delay_frames:
            self.register_buffer("part_offsets", torch.tensor(part_offsets(), dtype=torch.int32), persistent=False)
            self.queue = Embedding(sum(spec.part_sizes), spec.embedding_width)
        if spec.delay_varies:
            self.nothing = nn.Parameter(torch.randn(spec.embedding_width))
        self.delay_varies = spec.delay_varies
        embedded = (spec.observation_ids + spec.delay_frames) * spec.embedding_width
        width = spec.core.width
        self.inner = nn.Sequential(
            Linear(spec.observation_floats + embedded, width), nn.ReLU(), Linear(width, width), nn.ReLU()
        )

    def forward(self, floats: Tensor, ids: Tensor, queue: Tensor) -> Tensor:
        columns = [floats, self.ids(ids + self.id_offsets).flatten(-2)]
        if self.queue is not None:
            # An action is the sum of its parts' embeddings, so that the input grows with the delay only.
            columns.append(self._under_way(self.queue, queue).flatten(-2))
        return self.inner(torch.cat(columns, -1))

    def _under_way(self, table: Embedding, queue: Tensor) -> Tensor:
        """Embedded slots [.., d, E] of queues [.., d, 6]; the empty ones, of games with a shorter delay, are alike."""
        if not self.delay_varies:
            return table(queue + self.part_offsets).sum(-2)
        empty = is_nothing(queue)
        actions = table(queue.masked_fill(empty[..., None], 0) + self.part_offsets).sum(-2)
        return torch.where(empty[..., None], spread(self.nothing, actions), actions)


def is_nothing(queue: Tensor) -> Tensor:
    """Which slots [..] of queues [.., 6] the game's delay leaves empty."""
    return queue[..., -1] == NOTHING
