"""A network behind the agent's face, run by torch: frozen opponents in the runner and in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from policies.actuator import Actuator
from policies.agent import SeatView
from policies.policy import Policy, PolicyInputs
from policies.spec import ActionTiming


class NetworkAgent:
    """Plays up to `capacity` columns; a `policies.agent.Agent`. Two agents of one seed play alike."""

    def __init__(
        self, policy: Policy, capacity: int, seed: int, name: str, digest: str, temperature: float = 1.0
    ) -> None:
        self.name = name
        self.digest = digest
        self.capacity = capacity
        self._policy = policy.eval()
        self._temperature = temperature
        self._state = policy.initial_state(capacity)
        self.timing: ActionTiming = policy.spec
        self._actuator = Actuator(capacity, policy.spec)
        self._random = np.random.default_rng(seed)

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self._actuator.reset(columns)
        for tensor in self._state:
            tensor[torch.from_numpy(columns)] = 0.0

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Action parts [n, 6] that columns [n] press on this frame."""
        return self._actuator.act(view, columns, self._decide)

    def expect_console_delay(self, frames: int) -> int:
        """As `policies.agent.Delayed` has it."""
        return self._actuator.expect_console_delay(frames)

    @torch.inference_mode()
    def _decide(self, view: SeatView, columns: NDArray[np.int64], pending: NDArray[np.uint8]) -> NDArray[np.integer]:
        index = torch.from_numpy(columns)
        inputs = PolicyInputs(*map(torch.from_numpy, (view.floats, view.ids, pending)))
        uniforms = torch.from_numpy(self._random.random((len(columns), 6), np.float32))
        step = self._policy.step(inputs, tuple(s[index] for s in self._state), uniforms, self._temperature)
        for kept, after in zip(self._state, step.state, strict=True):
            kept[index] = after
        return step.parts.numpy()

    def get_state(self) -> dict[str, Any]:
        """Recurrent states, actions under way and random stream."""
        return {
            "state": tuple(layer.numpy().copy() for layer in self._state),
            "actuator": self._actuator.get_state(),
            "random": self._random.bit_generator.state,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of an agent of this policy and capacity."""
        for layer, saved in zip(self._state, state["state"], strict=True):
            layer.copy_(torch.from_numpy(saved))
        self._actuator.set_state(state["actuator"])
        self._random.bit_generator.state = state["random"]
