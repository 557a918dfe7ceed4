"""The controller head: six autoregressive parts on one residual stream.

Part p reads the features, the last controller and the parts already taken on this frame. Two facts about
play shape it. Controllers change on a tenth to a third of frames only, so each part has a learned transition
table (`policies.transitions`) beside the network: copying and the habitual next value cost nothing to
represent, and imitation starts the tables from counts. And changes come together, so a part is told which
earlier parts changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from policies.categorical import categorical
from policies.embed import part_offsets
from policies.layers import Embedding, Linear, embedding
from policies.spec import PolicySpec
from policies.transitions import TRANSITION_ROWS, transition_row

_OUTPUT_SCALE: Final = 0.1
"""Initial scale of the output layers: a new policy is nearly uniform."""


class HeadOutput(NamedTuple):
    """Teacher-forced distributions of the parts."""

    log_prob: Tensor  # [..] of the whole action
    part_log_prob: Tensor  # [.., 6] of each taken part given the parts before it
    part_entropy: Tensor  # [.., 6] of each part's distribution
    log_probs: tuple[Tensor, ...]  # six tensors [.., size]


class _PartLayers(NamedTuple):
    """The layers of one part."""

    number: int
    block: nn.Module
    out: nn.Module
    transitions: Tensor
    taken: nn.Module | None
    """None for the last part, after which nothing follows."""
    changed: Tensor | None

    def logits(self, residual: Tensor, last: Tensor, taken: Tensor | None, changed: Tensor | None) -> Tensor:
        """[.., size]; `taken` [..] and `changed` [..] are those of the part before it."""
        row = transition_row(self.number, last, taken, changed)
        logits: Tensor = self.out(torch.relu(self.block(residual)))
        return logits + embedding(row, self.transitions)

    def after(self, residual: Tensor, taken: Tensor, changed: Tensor) -> Tensor:
        """The residual for the next part, after this one took its value [..]."""
        if self.taken is None or self.changed is None:
            return residual
        return torch.addcmul(residual + self.taken(taken), changed[..., None], self.changed)


class ControllerHead(nn.Module):
    """Reads features [.., D + 6]: D hidden units, then the last controller's parts as floats."""

    offsets: Tensor

    def __init__(self, spec: PolicySpec) -> None:
        super().__init__()
        width, sizes = spec.head_width, spec.part_sizes
        self.hidden_width = spec.core.width
        self.sizes = sizes
        self.register_buffer("offsets", torch.tensor(part_offsets()), persistent=False)
        self.enter = Linear(spec.core.width, width)
        self.last = Embedding(sum(sizes), width)
        self.taken = nn.ModuleList(Embedding(size, width) for size in sizes[:-1])
        self.changed = nn.Parameter(torch.zeros(len(sizes) - 1, width))
        self.blocks = nn.ModuleList(Linear(width, width) for _ in sizes)
        self.out = nn.ModuleList(Linear(width, size) for size in sizes)
        self.transitions = nn.ParameterList(
            nn.Parameter(torch.zeros(rows, size)) for rows, size in zip(TRANSITION_ROWS, sizes, strict=True)
        )
        with torch.no_grad():
            for module in (self.last, *self.taken, *self.out):
                module.weight.mul_(_OUTPUT_SCALE)

    def _enter(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Residual [.., W] and last parts [.., 6]."""
        last = features[..., self.hidden_width :].long()
        return self.enter(features[..., : self.hidden_width]) + self.last(last + self.offsets).sum(-2), last

    def _layers(self) -> Iterator[_PartLayers]:
        """Part by part. Asking the lists for one after the other is what takes long about them."""
        tables = (*self.taken, None)
        steps = (*self.changed.split(1, -2), None)  # [1, W] each; of a stack [K, 1, W]
        return map(_PartLayers, range(len(self.sizes)), self.blocks, self.out, self.transitions, tables, steps)

    def evaluate(self, features: Tensor, parts: Tensor) -> HeadOutput:
        """Distributions along given action parts [.., 6] (any integer type)."""
        parts = parts.long()
        residual, last = self._enter(features)
        changed_parts = parts != last
        taken: Tensor | None = None
        changed: Tensor | None = None
        log_probs, taken_log_prob, entropy = [], [], []
        for part in self._layers():
            logits = part.logits(residual, last, taken, changed)
            taken, changed = parts[..., part.number], changed_parts[..., part.number]
            found = categorical(logits, taken)
            log_probs.append(found.log_probs)
            taken_log_prob.append(found.taken_log_prob)
            entropy.append(found.entropy)
            residual = part.after(residual, taken, changed)
        part_log_prob = torch.stack(taken_log_prob, -1)
        return HeadOutput(part_log_prob.sum(-1), part_log_prob, torch.stack(entropy, -1), tuple(log_probs))

    def sample(
        self, features: Tensor, uniforms: Tensor, temperature: float = 1.0, greedy: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Parts [B, 6] int64 and their log-probability [B], by inverse CDF of uniforms [B, 6] in [0, 1).

        `temperature` divides the logits; the log-probability is that of the distribution sampled from. Rows where
        `greedy` [B] bool is set take each part's likeliest value instead, given the parts before it.
        """
        residual, last = self._enter(features)
        taken: Tensor | None = None
        changed: Tensor | None = None
        chosen, weights, totals = [], [], []
        for part in self._layers():
            logits = part.logits(residual, last, taken, changed)
            if temperature != 1.0:
                logits = logits / temperature
            index, weight, total = _inverse_cdf(logits, uniforms[..., part.number, None], greedy)
            chosen.append(index)
            weights.append(weight)
            totals.append(total)
            taken = index[..., 0]
            changed = taken != last[..., part.number]
            residual = part.after(residual, taken, changed)
        return torch.cat(chosen, -1), (torch.cat(weights, -1) - torch.cat(totals, -1).log()).sum(-1)

    @torch.no_grad()
    def start_from_counts(self, counts: list[NDArray[np.float64]]) -> None:
        """Set the transition tables to log-probabilities counted elsewhere: counts[p] is
        [TRANSITION_ROWS[p], size], already smoothed to be positive."""
        for table, count in zip(self.transitions, counts, strict=True):
            table.copy_(torch.from_numpy(np.log(count / count.sum(1, keepdims=True))))


def _inverse_cdf(logits: Tensor, uniform: Tensor, greedy: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Index [B, 1] whose cumulative weight first exceeds uniform [B, 1], or that of the greatest logit where `greedy`
    [B]; its logit and the total of weights, both after the greatest logit was taken off."""
    shifted = logits - logits.amax(-1, keepdim=True)
    cumulative = shifted.exp().cumsum(-1)
    total = cumulative[..., -1:]
    index = (cumulative <= uniform * total).sum(-1, keepdim=True).clamp(max=logits.shape[-1] - 1)
    if greedy is not None:
        index = torch.where(greedy[:, None], shifted.argmax(-1, keepdim=True), index)
    return index, shifted.gather(-1, index), total
