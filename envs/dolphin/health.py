"""How often an instance may break, and how long it rests after it did."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from envs.backend import BackendLost
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import InstanceFault

log = logging.getLogger(__name__)

SPEED_FRAMES: Final = 1200
SLOW_FPS: Final = 75.0
"""An emulator that was to be fast and is slower than this after so many frames is not."""
LONGEST_BACKOFF_S: Final = 30.0
MOST_DOUBLINGS: Final = 30
RECYCLE_SPREAD: Final = 0.25
"""Planned restarts are spread by this share, so that instances do not restart together."""


@dataclass
class Tally:
    """What an instance has been through."""

    boots: int = 0
    games: int = 0
    """Finished games, aborted ones included."""
    frames: int = 0
    """Frames of games."""
    waiting_steps: int = 0
    """Steps in which the game had not begun, or its frame was late."""
    waited_s: float = 0.0
    """Seconds from inputs to frames: what the emulator took."""
    faults: Counter[str] = field(default_factory=Counter)
    """By FaultKind."""
    recycled: int = 0
    """Planned restarts."""

    @property
    def emulator_fps(self) -> float:
        """Frames a second while the emulator was waited for; 0 before the first."""
        return self.frames / self.waited_s if self.waited_s else 0.0


class Budget:
    """Restarts that are forgiven, and the pause before each."""

    def __init__(self, config: DolphinConfig) -> None:
        self._config = config
        self._faults: deque[float] = deque()

    def spend(self, fault: InstanceFault, tail: str) -> float:
        """Note a fault; returns when (time.monotonic) to start again. Raises BackendLost when none is left.

        tail: the last lines that Dolphin printed.
        """
        now = time.monotonic()
        while self._faults and now - self._faults[0] > self._config.restart_window_s:
            self._faults.popleft()
        self._faults.append(now)
        count = len(self._faults)
        if count > self._config.restarts:
            raise BackendLost(
                f"an emulator broke {count} times in {self._config.restart_window_s:.0f} s, the last time: {fault}"
                + (f"\n{tail}" if tail else "")
            )
        rest_s = self._config.backoff_s * 2.0 ** min(count - 1, MOST_DOUBLINGS)
        return now + min(rest_s, LONGEST_BACKOFF_S)

    def life_frames(self) -> float:
        """Frames after which the next emulator is replaced."""
        if not self._config.recycle_frames:
            return float("inf")
        return self._config.recycle_frames * random.uniform(1 - RECYCLE_SPREAD, 1 + RECYCLE_SPREAD)


def check_speed(tally: Tally, config: DolphinConfig, label: str) -> None:
    """Say in the log that an emulator that was to be fast is not."""
    wants_speed = config.lockstep and (config.fast_forward or config.emulation_speed == 0)
    if wants_speed and tally.emulator_fps < SLOW_FPS:
        told = "%s gives %.0f frames a second: it ignores emulation_speed or fast_forward; another build may not"
        log.warning(told, label, tally.emulator_fps)
