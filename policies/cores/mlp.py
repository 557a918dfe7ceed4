"""Core without memory: a stack of residual feed-forward blocks. The floor that a recurrent core must beat."""

from __future__ import annotations

from torch import Tensor, nn

from policies.cores.base import Core, State, register
from policies.layers import LayerNorm, Linear
from policies.spec import CoreSpec


class _Block(nn.Module):
    """x + W2 relu(W1 norm(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(LayerNorm(width), Linear(width, 2 * width), nn.ReLU(), Linear(2 * width, width))

    def forward(self, rows: Tensor) -> Tensor:
        return rows + self.inner(rows)


@register("mlp")
class MlpCore(Core):
    """Residual blocks over single rows; its state is the empty tuple and resets mean nothing to it."""

    state_widths = ()

    def __init__(self, spec: CoreSpec) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_Block(spec.width) for _ in range(spec.layers)))

    def step(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        return self.blocks(rows), ()

    def unroll(self, rows: Tensor, state: State, resets: Tensor) -> tuple[Tensor, State]:
        return self.blocks(rows), ()
