"""The layers that policies are made of. Their weights may be a stack: those of K networks of one spec at once.

With plain weights they are torch's own layers. With stacked ones [K, ...] (`policies.stacked`) they take rows
[K, n, ...] and compute all K networks by one batched product, where K modules would cost K times the fixed price
of a call, which is nearly all that a forward of few rows costs. A core made of these layers can be stacked.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """rows [.., in] @ weight [out, in] + bias [out]; or rows [K, n, in] with weight [K, out, in], bias [K, out]."""
    if weight.dim() == 2:
        return F.linear(rows, weight, bias)
    return torch.baddbmm(bias[:, None], rows, weight.mT)


def embedding(index: Tensor, table: Tensor) -> Tensor:
    """Rows of table [V, D] at index [..]; or of table [K, V, D] at index [K, ..], each network's from its own."""
    if table.dim() == 2:
        return F.embedding(index, table)
    networks, rows, _ = table.shape
    first = _multiples(rows, networks, index.device)
    return F.embedding(index + first.view(-1, *(1,) * (index.dim() - 1)), table.flatten(0, 1))


@cache
def _multiples(number: int, count: int, device: torch.device) -> Tensor:
    """0, number, 2 number, ... [count]."""
    return torch.arange(0, number * count, number, device=device)


def spread(weights: Tensor, rows: Tensor) -> Tensor:
    """Weights [D] as they are; stacked ones [K, D] shaped to meet rows [K, .., D]."""
    if weights.dim() == 1:
        return weights
    return weights.view(len(weights), *(1,) * (rows.dim() - 2), -1)


class Linear(nn.Linear):
    """torch's, or K of them."""

    def forward(self, rows: Tensor) -> Tensor:
        return linear(rows, self.weight, self.bias)


class Embedding(nn.Embedding):
    """torch's, or K of them."""

    def forward(self, index: Tensor) -> Tensor:
        return embedding(index, self.weight)


class LayerNorm(nn.LayerNorm):
    """torch's over the last dimension, or K of them."""

    def forward(self, rows: Tensor) -> Tensor:
        if self.weight.dim() == 1:
            return super().forward(rows)
        normed = F.layer_norm(rows, self.normalized_shape, eps=self.eps)
        return torch.addcmul(spread(self.bias, rows), spread(self.weight, rows), normed)
