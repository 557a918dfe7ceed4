"""Sixty frames a second by the wall clock, and an honest count of those that came too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FRAMES_PER_S: Final = 60.0


class Pacer:
    """Holds a loop to `speed` times real time; a speed of 0 never waits.

    A frame is late when its work ended after the moment it was due. What was lost is not caught up, as a
    controller's past frame cannot be pressed again: the schedule goes on from now.
    """

    def __init__(
        self,
        speed: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period_s = 1.0 / (FRAMES_PER_S * speed) if speed > 0 else 0.0
        self._clock, self._sleep = clock, sleep
        self._due_s = clock() + self._period_s
        self.frames = 0
        self.late_frames = 0

    def wait(self) -> None:
        """Called when a frame's work is done; returns when the next frame may begin."""
        self.frames += 1
        if not self._period_s:
            return
        left_s = self._due_s - self._clock()
        if left_s > 0:
            self._sleep(left_s)
            self._due_s += self._period_s
        else:
            self.late_frames += 1
            self._due_s = self._clock() + self._period_s
