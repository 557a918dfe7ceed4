"""A network behind the agent's face, run by torch: frozen opponents in evaluation and in the runner."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from policies.agent import AS_TRAINED, Handling, SeatView
from policies.network_memory import NetworkMemory
from policies.policy import Policy, PolicyInputs
from policies.spec import ActionTiming


class NetworkAgent:
    """Plays up to `capacity` columns; a `policies.agent.Agent`. Two agents of one seed play alike."""

    def __init__(
        self,
        policy: Policy,
        capacity: int,
        seed: int,
        name: str,
        digest: str,
        temperature: float = 1.0,
        handling: Handling = AS_TRAINED,
    ) -> None:
        self.name = name
        self.digest = digest
        self.capacity = capacity
        self.policy = policy.eval()
        self.temperature = temperature
        self.timing: ActionTiming = policy.spec
        self._memory = NetworkMemory(policy, capacity, handling.action_repeat)
        self._greedy = handling.greedy
        self.joins = policy.spec if handling == AS_TRAINED and temperature == 1.0 else None
        self.confidence = np.full(capacity, np.nan, np.float32)
        self._random = np.random.default_rng(seed)

    def move_to(self, device: torch.device) -> None:
        """Compute on this device from now on, all games begun anew."""
        self.policy.to(device)
        self._memory = NetworkMemory(self.policy, self.capacity)

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self._memory.reset(columns)

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Action parts [n, 6] that columns [n] press on this frame."""
        return self._memory.actuator.act(view, columns, self._decide)

    def draw(self, columns: int) -> NDArray[np.float32]:
        """The next uniform numbers [n, 6] of its random stream: what its decisions for n columns are drawn by."""
        return self._random.random((columns, 6), np.float32)

    def expect_console_delay(self, frames: int) -> int:
        """As `policies.agent.Delayed` has it."""
        return self._memory.actuator.expect_console_delay(frames)

    def press_at_once(self, delay_frames: int) -> None:
        """As `policies.agent.Delayed` has it."""
        self._memory.actuator.press_at_once(delay_frames)

    @torch.inference_mode()
    def _decide(self, view: SeatView, columns: NDArray[np.int64], pending: NDArray[np.uint8]) -> NDArray[np.integer]:
        memory = self._memory
        inputs = PolicyInputs(*(memory.tensor(array) for array in (view.floats, view.ids, pending)))
        uniforms = memory.tensor(self.draw(len(columns)))
        greedy = memory.tensor(np.ones(len(columns), np.bool_)) if self._greedy else None
        step = self.policy.step(inputs, memory.read(columns), uniforms, self.temperature, greedy)
        memory.write(columns, step.state)
        self.confidence[columns] = step.log_prob.exp().cpu().numpy()
        return step.parts.cpu().numpy()

    def get_state(self) -> dict[str, Any]:
        """Recurrent states, actions under way and random stream."""
        return {**self._memory.get_state(), "random": self._random.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of an agent of this policy and capacity."""
        self._memory.set_state(state)
        self._random.bit_generator.state = state["random"]
