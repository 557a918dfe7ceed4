"""What a game in real time cost and missed: frames that came late, decisions that did, and how long they took."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from exphil_league.play.pace import FRAMES_PER_S

JITTER_S: Final = 0.004
"""A frame may be this much over its sixtieth of a second: the scheduler's and the network's doing, seen by nobody."""
_RECENT_FRAMES: Final = 60
_PERCENTILES: Final = (50, 95, 99)


@dataclass
class Meter:
    """Of one game."""

    speed: float = 1.0
    """Times 60 frames a second that the game is to have; 0: no frame is late."""
    frames: int = 0
    gaps: int = 0
    """Frames that came after another one: what `seconds` are the sum of."""
    late_frames: int = 0
    """Came more than a frame's time after the one before, give or take JITTER_S."""
    repeated_actions: int = 0
    """Frames that were played with the action before, for want of a new one."""
    skipped_frames: int = 0
    """Frames that the agents never saw, because they were too far behind."""
    inference_s: list[float] = field(default_factory=list)
    """Seconds of each decision of both seats."""
    seconds: float = 0.0
    """From the first frame to the last."""
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_FRAMES))

    def frame(self, now_s: float) -> None:
        """A frame came."""
        if self._recent:
            gap_s = now_s - self._recent[-1]
            self.seconds += gap_s
            self.gaps += 1
            self.late_frames += bool(self.speed and gap_s > 1 / (FRAMES_PER_S * self.speed) + JITTER_S)
        self.frames += 1
        self._recent.append(now_s)

    @property
    def fps(self) -> float:
        """Frames a second, all in all."""
        return self.gaps / self.seconds if self.seconds else 0.0

    @property
    def recent_fps(self) -> float:
        """Frames a second over the last of them."""
        if len(self._recent) < 2:
            return 0.0
        return (len(self._recent) - 1) / max(self._recent[-1] - self._recent[0], 1e-9)

    def figures(self) -> dict[str, float | int | dict[str, float] | None]:
        """As the result of `play` has them."""
        return {
            "fps": self.fps,
            "late_frames": self.late_frames,
            "repeated_actions": self.repeated_actions,
            "skipped_frames": self.skipped_frames,
            "inference_ms": self.inference_ms(),
        }

    def inference_ms(self) -> dict[str, float] | None:
        """Percentiles p50, p95, p99 of the decisions' milliseconds; None without a decision."""
        if not self.inference_s:
            return None
        values = np.percentile(np.array(self.inference_s) * 1000, _PERCENTILES)
        return {f"p{name}": round(float(value), 3) for name, value in zip(_PERCENTILES, values, strict=True)}


def together(meters: Iterable[Meter]) -> Meter:
    """Several games as one, without the time between them."""
    total = Meter()
    for meter in meters:
        total.frames += meter.frames
        total.gaps += meter.gaps
        total.late_frames += meter.late_frames
        total.repeated_actions += meter.repeated_actions
        total.skipped_frames += meter.skipped_frames
        total.inference_s += meter.inference_s
        total.seconds += meter.seconds
    return total
