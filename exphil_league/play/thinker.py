"""Agents that think on a thread of their own, so that whoever reads the game never waits for them."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exphil_league.play.seats import Seats

MOST_BEHIND_FRAMES: Final = 12
"""Of more frames than these that wait, the oldest are never looked at: a fifth of a second late is too late."""


class Thought(NamedTuple):
    """What was decided on one frame."""

    frame: int
    parts: NDArray[np.uint8]  # [P, 6]
    seconds: float


class Thinker:
    """Takes frames in order and gives decisions in order. A context manager, for one game."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._frames: deque[tuple[int, NDArray[np.void]]] = deque()
        self._thoughts: deque[Thought] = deque()
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._closed = False
        self.wake, self._bell = os.pipe()
        """Readable when there are thoughts to take."""
        os.set_blocking(self.wake, False)
        self._thread = threading.Thread(target=self._work, daemon=True, name="thinker")

    def __enter__(self) -> Thinker:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        os.close(self.wake)
        os.close(self._bell)

    def offer(self, frame: int, frames: NDArray[np.void]) -> int:
        """Think about `frames` [1] FRAME, which are copied; returns how many older ones are given up for it."""
        with self._changed:
            self._frames.append((frame, frames.copy()))
            surplus = len(self._frames) - MOST_BEHIND_FRAMES
            for _ in range(surplus):
                self._frames.popleft()
            self._changed.notify()
        return max(surplus, 0)

    def take(self) -> list[Thought]:
        """What was decided since the last call. Raises what an agent raised."""
        try:
            os.read(self.wake, 4096)
        except BlockingIOError:
            return []
        with self._changed:
            if self._error is not None:
                raise self._error
            thoughts = list(self._thoughts)
            self._thoughts.clear()
        return thoughts

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames or self._closed)
                if self._closed:
                    return
                frame, frames = self._frames.popleft()
            began_s = time.perf_counter()
            try:
                thought = Thought(frame, self._seats.decide(frames), time.perf_counter() - began_s)
            except BaseException as error:
                self._error = error
                os.write(self._bell, b"!")
                return
            with self._changed:
                self._thoughts.append(thought)
            os.write(self._bell, b"!")
