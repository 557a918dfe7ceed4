"""From an agent's decisions to what its columns press: when it decides, how long it holds, how late it presses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS
from policies.agent import SeatView
from policies.delay import DelayQueue, game_delays
from policies.spec import PolicySpec

Decide = Callable[[SeatView, NDArray[np.int64], NDArray[np.uint8]], NDArray[np.integer]]
"""(view of n columns, columns [n], actions under way [n, d, 6]) -> action parts [n, 6]."""


class Actuator:
    """A column decides on its game's first frame and then every `action_repeat` frames; between, it repeats itself."""

    def __init__(self, columns: int, spec: PolicySpec) -> None:
        self._spec = spec
        self._queue = DelayQueue(columns, spec.delay_frames)
        self._fixed_delay: int | None = None
        """Of every game, where games would draw theirs."""
        self._held = np.tile(NEUTRAL_PARTS, (columns, 1))
        self._age = np.zeros(columns, np.int64)
        """[columns] frames of the present game seen."""

    def expect_console_delay(self, frames: int) -> int:
        """The console holds actions back for so many frames itself; returns what is left for the actuator to wait."""
        self._queue.console_delay_frames = frames
        return max(self._spec.delay_frames - frames, 0)

    def press_at_once(self, delay_frames: int) -> None:
        """Hold nothing: somebody else holds each action for `delay_frames`. A delay that varies is that one from now
        on, or the nearest that there can be."""
        self._queue.console_delay_frames = self._spec.delay_frames
        self._fixed_delay = min(max(delay_frames, self._spec.least_delay_frames), self._spec.delay_frames)

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns."""
        self._queue.reset(columns)
        self._age[columns] = 0

    def act(self, view: SeatView, columns: NDArray[np.int64], decide: Decide) -> NDArray[np.uint8]:
        """Parts [n, 6] that columns [n] press on this frame; `decide` is asked for those whose turn it is."""
        if self._spec.delay_varies:
            self._draw_delays(view, columns)
        age = self._age[columns]
        self._age[columns] = age + 1
        if self._spec.action_repeat == 1:
            return self._queue.push(columns, decide(view, columns, self._queue.pending[columns]))
        due = age % self._spec.action_repeat == 0
        if due.all():
            self._held[columns] = decide(view, columns, self._queue.pending[columns])
        elif due.any():
            mine = columns[due]
            self._held[mine] = decide(SeatView(*(field[due] for field in view)), mine, self._queue.pending[mine])
        return self._queue.push(columns, self._held[columns])

    def get_state(self) -> dict[str, Any]:
        """Everything it remembers, copied."""
        queue = self._queue
        return {
            "pending": queue.pending.copy(),
            "delays": queue.delays.copy(),
            "held": self._held.copy(),
            "age": self._age.copy(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self._queue.pending[...] = state["pending"]
        self._queue.delays[...] = state["delays"]
        self._held[...] = state["held"]
        self._age[...] = state["age"]

    def _draw_delays(self, view: SeatView, columns: NDArray[np.int64]) -> None:
        fresh = np.flatnonzero(self._age[columns] == 0)
        if len(fresh):
            if self._fixed_delay is None:
                delays = game_delays(self._spec, view.frames["seed"][fresh], view.seats[fresh])
            else:
                delays = np.full(len(fresh), self._fixed_delay, np.int64)
            self._queue.reset(columns[fresh], delays)
