"""An agent file behind the agent's face: numpy and onnxruntime, no torch."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from policies.actuator import Actuator
from policies.agent import AS_TRAINED, Handling, SeatView
from policies.onnx.agent_file import AgentFile, AgentFileError
from policies.spec import ActionTiming


class OnnxStep:
    """The exported single step: one call, one frame of B columns."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # One frame is a fraction of a millisecond: handing it to other threads costs more than it saves.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = {node.name: node.shape for node in self._session.get_inputs()}
        self.can_be_greedy = "greedy" in self._inputs
        """Whether it was exported with the choice between sampling and the likeliest action."""

    def initial_state(self, batch: int) -> tuple[NDArray[np.float32], ...]:
        """Zeros [batch, ...] for each state input."""
        shapes = [shape for name, shape in self._inputs.items() if name.startswith("state_")]
        return tuple(np.zeros((batch, *shape[1:]), np.float32) for shape in shapes)

    def __call__(
        self,
        floats: NDArray[np.float32],
        ids: NDArray[np.int32],
        queue: NDArray[np.integer],
        uniforms: NDArray[np.float32],
        state: tuple[NDArray[np.float32], ...],
        greedy: bool = False,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], tuple[NDArray[np.float32], ...]]:
        """(parts [B, 6], log_prob [B], value [B], state after)."""
        feed = {"floats": floats, "ids": ids, "queue": queue.astype(np.int32), "uniforms": uniforms}
        feed["greedy"] = np.full(len(floats), greedy)
        feed |= {f"state_{i}": tensor for i, tensor in enumerate(state)}
        parts, log_prob, value, *after = self._session.run(None, {name: feed[name] for name in self._inputs})
        return parts, log_prob, value, tuple(after)


class OnnxAgent:
    """Plays up to `capacity` columns; a `policies.agent.Agent`. Two agents of one seed play alike."""

    def __init__(self, agent_file: AgentFile, capacity: int, seed: int, handling: Handling = AS_TRAINED) -> None:
        """Raises AgentFileError for a file that cannot be handled so."""
        self.name = agent_file.name
        self.digest = agent_file.digest
        self.capacity = capacity
        self._step = OnnxStep(agent_file.model)
        if handling.greedy and not self._step.can_be_greedy:
            raise AgentFileError(
                f"{agent_file.name} comes from an older version, whose agent files only sample: export it again "
                "(exphil-league export), or play it without --deterministic"
            )
        self._greedy = handling.greedy
        self.confidence = np.full(capacity, np.nan, np.float32)
        self._state = self._step.initial_state(capacity)
        self.timing: ActionTiming = agent_file.spec
        self._actuator = Actuator(capacity, agent_file.spec.repeating(handling.action_repeat))
        self._random = np.random.default_rng(seed)

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self._actuator.reset(columns)
        for tensor in self._state:
            tensor[columns] = 0.0

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Action parts [n, 6] that columns [n] press on this frame."""
        return self._actuator.act(view, columns, self._decide)

    def expect_console_delay(self, frames: int) -> int:
        """As `policies.agent.Delayed` has it."""
        return self._actuator.expect_console_delay(frames)

    def press_at_once(self, delay_frames: int) -> None:
        """As `policies.agent.Delayed` has it."""
        self._actuator.press_at_once(delay_frames)

    def _decide(self, view: SeatView, columns: NDArray[np.int64], pending: NDArray[np.uint8]) -> NDArray[np.integer]:
        uniforms = self._random.random((len(columns), 6), np.float32)
        state = tuple(tensor[columns] for tensor in self._state)
        parts, log_prob, _, after = self._step(view.floats, view.ids, pending, uniforms, state, self._greedy)
        self.confidence[columns] = np.exp(log_prob)
        for kept, new in zip(self._state, after, strict=True):
            kept[columns] = new
        return parts
