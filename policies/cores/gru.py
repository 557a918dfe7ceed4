"""Gated recurrent core: pre-norm residual GRU layers.

`unroll` runs torch's fused sequence kernel and cuts the window only at rows where some column resets: games
are thousands of frames long, so a window of 64 rows is mostly one to three pieces (measured on one core at
T=64, B=64..256, D=128: as fast as the uncut kernel, and faster than a hand-written loop with its own backward).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from policies.cores.base import Core, State, register
from policies.layers import LayerNorm, linear
from policies.spec import CoreSpec


class _GruLayer(nn.Module):
    """x + GRU(norm(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = LayerNorm(width)
        self.gru = nn.GRU(width, width)

    def step(self, rows: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Written out, not torch.gru_cell, so that it exports to ONNX."""
        input_weight, hidden_weight, input_bias, hidden_bias = self.gru.all_weights[0]
        x_r, x_z, x_n = linear(self.norm(rows), input_weight, input_bias).chunk(3, -1)
        h_r, h_z, h_n = linear(hidden, hidden_weight, hidden_bias).chunk(3, -1)
        fresh = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
        hidden = fresh + torch.sigmoid(x_z + h_z) * (hidden - fresh)
        return rows + hidden, hidden

    def unroll(self, rows: Tensor, hidden: Tensor, resets: Tensor, cuts: list[int]) -> tuple[Tensor, Tensor]:
        """`cuts` are the borders of the pieces: 0, every row with a reset, T."""
        normed, pieces = self.norm(rows), []
        for start, end in pairwise(cuts):
            hidden = hidden.masked_fill(resets[start, :, None], 0.0)
            piece, last = self.gru(normed[start:end], hidden[None])
            pieces.append(piece)
            hidden = last[0]
        return rows + (pieces[0] if len(pieces) == 1 else torch.cat(pieces)), hidden


@register("gru")
class GruCore(Core):
    """Residual GRU layers; one state tensor [B, D] each."""

    def __init__(self, spec: CoreSpec) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_GruLayer(spec.width) for _ in range(spec.layers))
        self.state_widths = (spec.width,) * spec.layers

    def _layers(self) -> Iterator[_GruLayer]:
        return (cast(_GruLayer, layer) for layer in self.layers)

    def step(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        after = []
        for layer, hidden in zip(self._layers(), state, strict=True):
            rows, hidden = layer.step(rows, hidden)
            after.append(hidden)
        return rows, tuple(after)

    def unroll(self, rows: Tensor, state: State, resets: Tensor) -> tuple[Tensor, State]:
        resets = resets.bool()
        inner = resets[1:].any(1).nonzero().flatten() + 1
        cuts = [0, *inner.tolist(), len(rows)]
        after = []
        for layer, hidden in zip(self._layers(), state, strict=True):
            rows, hidden = layer.unroll(rows, hidden, resets, cuts)
            after.append(hidden)
        return rows, tuple(after)
