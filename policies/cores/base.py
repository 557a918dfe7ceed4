"""What every temporal core can do, and the registry that finds one by name.

State is a flat tuple of tensors, batch first, all zeros where a game begins. `unroll` over rows equals a
loop of `step`, resets inside the window included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, TypeVar

import torch
from torch import Tensor, nn

from policies.spec import CoreSpec

State = tuple[Tensor, ...]


class Core(nn.Module, ABC):
    """Maps encoded rows [.., D] to hidden rows [.., D], remembering what it needs in an explicit state."""

    state_widths: tuple[int, ...]
    """Width of each state tensor; empty for a core without memory."""

    def initial_state(self, batch: int) -> State:
        """Zeros [batch, width] for each state tensor, on the core's device."""
        device = next(self.parameters()).device
        return tuple(torch.zeros(batch, width, device=device) for width in self.state_widths)

    @abstractmethod
    def step(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        """One frame: rows [B, D] -> hidden [B, D] and the state after it."""

    @abstractmethod
    def unroll(self, rows: Tensor, state: State, resets: Tensor) -> tuple[Tensor, State]:
        """A window: rows [T, B, D] -> hidden [T, B, D]; resets [T, B] zero the state before their row."""


C = TypeVar("C", bound=type[Core])
CORES: Final[dict[str, type[Core]]] = {}


class UnknownCore(ValueError):
    """A core name nobody registered; the message lists those there are."""


def register(name: str) -> Callable[[C], C]:
    """Class decorator: make a core known to recipes as `name`."""

    def add(core: C) -> C:
        CORES[name] = core
        return core

    return add


def build_core(spec: CoreSpec) -> Core:
    """The core that `spec` names. Raises UnknownCore."""
    if spec.name not in CORES:
        raise UnknownCore(f"unknown core {spec.name!r}; known: {', '.join(sorted(CORES))}")
    return CORES[spec.name](spec)
