"""What networks remember of the columns they play: recurrent states, and actions under way."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from policies.actuator import Actuator
from policies.cores import State
from policies.policy import Policy


class NetworkMemory:
    """Memory of `capacity` columns for any policy of one spec, on that policy's device."""

    def __init__(self, policy: Policy, capacity: int, action_repeat: int | None = None) -> None:
        """action_repeat: frames from one decision to the next, where that is not the policy's own."""
        self._state = policy.initial_state(capacity)
        self.actuator = Actuator(capacity, policy.spec.repeating(action_repeat))
        self.device = next(policy.parameters()).device

    @torch.inference_mode()
    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self.actuator.reset(columns)
        for layer in self._state:
            layer[self.tensor(columns)] = 0.0

    def read(self, columns: NDArray[np.int64]) -> State:
        """Recurrent state [n, ...] of columns [n], copied."""
        index = self.tensor(columns)
        return tuple(layer.index_select(0, index) for layer in self._state)

    def write(self, columns: NDArray[np.int64], state: State) -> None:
        """Remember a recurrent state [n, ...] of columns [n]."""
        index = self.tensor(columns)
        for kept, after in zip(self._state, state, strict=True):
            kept.index_copy_(0, index, after)

    def tensor(self, array: NDArray[Any]) -> Tensor:
        """An array on the policy's device."""
        return torch.from_numpy(array).to(self.device)

    def get_state(self) -> dict[str, Any]:
        """Everything, copied."""
        return {
            "state": tuple(layer.cpu().numpy().copy() for layer in self._state),
            "actuator": self.actuator.get_state(),
        }

    @torch.inference_mode()  # it may have been made in that mode, and may then be written in no other
    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of a memory of the same spec and capacity."""
        for layer, saved in zip(self._state, state["state"], strict=True):
            layer.copy_(torch.from_numpy(saved))
        self.actuator.set_state(state["actuator"])
