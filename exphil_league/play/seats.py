"""The two seats of one game: who decides in them, and when what was decided is pressed."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS, PARTS
from envs.frame import SEATS
from envs.observation import observe
from policies.agent import Agent, Confident, SeatView

COLUMNS: Final = np.arange(SEATS)
CAPACITY: Final = SEATS
"""Memory an agent needs here: seat s is its column s, so one agent may play both."""


class Seats:
    """The agents of a game's seats."""

    def __init__(self, agents: tuple[Agent | None, Agent | None]) -> None:
        """agents: None where somebody else plays."""
        self.agents = agents

    def reset(self) -> None:
        """A new game begins."""
        for seat, agent in enumerate(self.agents):
            if agent is not None:
                agent.reset(COLUMNS[seat : seat + 1])

    def decide(self, frames: NDArray[np.void]) -> NDArray[np.uint8]:
        """Action parts [P, 6] of both seats on `frames` [1] FRAME; neutral where nobody of ours sits."""
        seen = observe(frames)
        parts = np.empty((SEATS, len(PARTS)), np.uint8)
        for seat, agent in enumerate(self.agents):
            if agent is None:
                parts[seat] = NEUTRAL_PARTS
                continue
            column = COLUMNS[seat : seat + 1]
            parts[seat] = agent.act(SeatView(frames, column, seen.floats[:, seat], seen.ids[:, seat]), column)[0]
        return parts

    def confidence(self, seat: int) -> float | None:
        """Probability that a seat's agent gave to its last decision; None where that is unknown."""
        agent = self.agents[seat]
        known = isinstance(agent, Confident) and np.isfinite(agent.confidence[seat])
        return float(agent.confidence[seat]) if isinstance(agent, Confident) and known else None


Holds = tuple[int | None, int | None]
"""By seat, frames that a decision waits before it is pressed; None where nobody of ours sits."""


class Schedule:
    """What is pressed on which frame: each decision a number of frames after it was due to be made.

    A decision may come late. Until it is there the last one is held, and the frame counts as repeated.
    """

    def __init__(self, holds: Holds) -> None:
        self._holds = {seat: hold for seat, hold in enumerate(holds) if hold is not None}
        self._coming: tuple[deque[tuple[int, NDArray[np.uint8]]], ...] = tuple(deque() for _ in range(SEATS))
        self._held = np.tile(NEUTRAL_PARTS, (SEATS, 1))
        self._newest: dict[int, int] = {}
        """Frame that each seat's held action was due on; empty before the game's first frame."""

    def decided(self, frame: int, parts: NDArray[np.uint8]) -> None:
        """Parts [P, 6] were decided on what `frame` showed; frames come in ascending order."""
        for seat, hold in self._holds.items():
            self._coming[seat].append((frame + hold, parts[seat]))

    def at(self, frame: int) -> tuple[NDArray[np.uint8], bool]:
        """Parts [P, 6] to hold after `frame`, and whether every seat's decision for it is known."""
        for seat, hold in self._holds.items():
            self._newest.setdefault(seat, frame + hold - 1)  # nothing was decided before the first frame
            coming = self._coming[seat]
            while coming and coming[0][0] <= frame:
                self._newest[seat], self._held[seat] = coming.popleft()
        return self._held.copy(), all(newest >= frame for newest in self._newest.values())
