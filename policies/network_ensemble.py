"""Networks of one spec that play together: one forward for all of them, whoever plays which column.

A forward of few rows costs what its calls cost, hardly what its arithmetic costs; K opponents with a forward each
cost K times as much as one with all rows. Here their weights are stacked (`policies.stacked`), and each network's
rows are filled up with zeros to the longest. What comes out is what every agent would do by itself, to float accuracy:
the random numbers are each agent's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from policies.agent import SeatView
from policies.network_agent import NetworkAgent
from policies.network_memory import NetworkMemory
from policies.policy import PolicyInputs
from policies.stacked import PolicyStack


class NetworkEnsemble:
    """The columns of several NetworkAgents of equal spec, played as trained, which keep no memory then.

    Memory belongs to columns: an agent that takes a column over must `reset` it.
    """

    def __init__(self, like: NetworkAgent) -> None:
        """`like`: one of the agents it is for."""
        self.capacity = like.capacity
        self._memory = NetworkMemory(like.policy, like.capacity)
        self._agents: list[NetworkAgent] = []
        self._stack = PolicyStack(like.policy)
        self._agent_of = np.zeros(like.capacity, np.int64)
        """[capacity] index of the agent that plays a column."""

    def seat(self, seated: Sequence[tuple[NetworkAgent, NDArray[np.int64]]]) -> NDArray[np.int64]:
        """From now on these agents, no others, play: each the columns [n] beside it.

        Returns all columns in the order in which `act` wants them: agent by agent. Who was there before comes first, so
        that few weights are copied.
        """
        places = {id(agent): place for place, agent in enumerate(self._agents)}
        seated = sorted(seated, key=lambda pair: places.get(id(pair[0]), len(places)))
        agents = [agent for agent, _ in seated]
        if agents != self._agents:
            self._agents = agents
            self._stack.hold([agent.policy for agent in agents])
        for index, (_, columns) in enumerate(seated):
            self._agent_of[columns] = index
        return np.concatenate([columns for _, columns in seated])

    @property
    def nbytes(self) -> int:
        """Memory of the weights' copies."""
        return self._stack.nbytes

    def refresh(self, agent: NetworkAgent) -> None:
        """The weights of a seated agent's policy have changed."""
        self._stack.refresh(agent.policy)

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self._memory.reset(columns)

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Action parts [n, 6] that columns [n] press on this frame; agent by agent, in the order they were seated."""
        return self._memory.actuator.act(view, columns, self._decide)

    @torch.inference_mode()
    def _decide(self, view: SeatView, columns: NDArray[np.int64], pending: NDArray[np.uint8]) -> NDArray[np.integer]:
        memory, agent_of = self._memory, self._agent_of[columns]
        blocks = _Blocks(agent_of, len(self._agents), memory.device)
        uniforms = np.concatenate([agent.draw(count) for agent, count in zip(self._agents, blocks.counts, strict=True)])
        inputs = PolicyInputs(*(blocks.fill(memory.tensor(array)) for array in (view.floats, view.ids, pending)))
        state = tuple(map(blocks.fill, memory.read(columns)))
        step = self._stack.module.step(inputs, state, blocks.fill(memory.tensor(uniforms)))
        memory.write(columns, tuple(map(blocks.take, step.state)))
        return blocks.take(step.parts).cpu().numpy()

    def get_state(self) -> dict[str, Any]:
        """Recurrent states and actions under way; the random streams are the agents' own."""
        return self._memory.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of an ensemble of the same spec and capacity."""
        self._memory.set_state(state)


class _Blocks:
    """n columns as K blocks of equally many rows, one block per agent, the rows beyond its columns zero."""

    def __init__(self, agent_of: NDArray[np.int64], agents: int, device: torch.device) -> None:
        """agent_of: [n] agent of each column, ascending."""
        self.counts = np.bincount(agent_of, minlength=agents)
        """[K] columns of each agent."""
        self._shape = agents, int(self.counts.max())
        first_row, first_column = np.arange(agents) * self._shape[1], self.counts.cumsum() - self.counts
        place = np.arange(len(agent_of)) + np.repeat(first_row - first_column, self.counts)
        self._place = torch.from_numpy(place).to(device)
        """[n] row of each column among all rows."""

    def fill(self, columns: Tensor) -> Tensor:
        """[n, ...] -> [K, rows, ...]."""
        agents, rows = self._shape
        filled = columns.new_zeros(agents * rows, *columns.shape[1:]).index_copy_(0, self._place, columns)
        return filled.view(agents, rows, *columns.shape[1:])

    def take(self, blocks: Tensor) -> Tensor:
        """[K, rows, ...] -> [n, ...]."""
        return blocks.flatten(0, 1).index_select(0, self._place)
