"""Are the inputs that are sent the inputs that are played, and how many frames later?

In the countdown inputs move nobody. Each frame of it gets another one, and the pre-frame events that follow say what
the game made of it. The frames between sending and playing are the shift at which most sticks agree; buttons and
trigger are compared there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER, SHOULDER_CENTRES
from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.pads import PadWords
from envs.frame import FRAME, LEADER, word_offset
from envs.game import Button

log = logging.getLogger(__name__)

FIRST, LAST = -115, -56
"""Frames after which a pattern is sent."""
LONGEST_LAG: Final = 24
_END: Final = LAST + LONGEST_LAG
ENOUGH: Final = 0.9
"""Share of the frames that must agree."""
_VALUES: Final = np.array([25, 36, 48, 51, 55, 70, 80], np.float32) / np.float32(80)
_CONTROLLER_WORDS: Final = CONTROLLER.itemsize // 4
_STEP: Final = 1e-3


@dataclass(frozen=True)
class InputReport:
    """What a self-test found for one seat; shares of the frames that agreed."""

    lag_frames: int
    """Frames from sending to playing: 1 where the game plays what it was sent after the frame before. 0: unknown."""
    sticks: float
    buttons: float
    trigger: float

    @property
    def ok(self) -> bool:
        """Whether sticks and buttons arrive; some builds drop analog triggers, which is noted but endured."""
        return self.lag_frames > 0 and min(self.sticks, self.buttons) >= ENOUGH


def _patterns(count: int) -> NDArray[np.void]:
    """Distinct inputs that the game passes on as they are: one axis at a time, one button at a time."""
    rng = np.random.default_rng(20)
    inputs = np.zeros(count, CONTROLLER)
    for i in range(count):
        main, c = ("stick_x", "stick_y")[i % 2], ("c_x", "c_y")[(i // 2) % 2]
        inputs[i][main] = rng.choice(_VALUES) * rng.choice([-1, 1])
        inputs[i][c] = rng.choice(_VALUES) * rng.choice([-1, 1])
        if i % 3 == 0:
            inputs[i]["shoulder"] = rng.choice(SHOULDER_CENTRES[1:])
        else:
            inputs[i]["buttons"] = rng.choice([Button.A, Button.B, Button.X, Button.Y])
    return inputs


PATTERNS: Final = _patterns(LAST - FIRST + 1)
_PATTERN_WORDS: Final[list[PadWords]] = PATTERNS.view(np.int32).reshape(-1, _CONTROLLER_WORDS).tolist()


class InputCheck:
    """The self-test of one countdown: what both seats are to press, and what came of it."""

    def __init__(self, cpu_levels: tuple[int, int], expected_lag_frames: int) -> None:
        """Seats with a CPU level press nothing of ours and are left out."""
        self._seats = {seat: _Record(seat) for seat, level in enumerate(cpu_levels) if not level}
        self._expected = expected_lag_frames
        self.reports: dict[int, InputReport] = {}
        """By seat, once the countdown is over."""

    @property
    def is_open(self) -> bool:
        """Whether it is not known yet."""
        return not self.reports

    def input_after(self, frame: int, seat: int) -> PadWords | None:
        """What a seat sends after a frame; None: whatever the player wants."""
        ours = self.is_open and FIRST <= frame <= LAST and seat in self._seats
        return _PATTERN_WORDS[frame - FIRST] if ours else None

    def look(self, frame: int, words: NDArray[np.int32]) -> None:
        """Note a frame's words [WORDS]. Raises InstanceFault when inputs do not arrive."""
        if not self.is_open or not FIRST < frame <= _END:
            return
        for record in self._seats.values():
            record.note(frame, words)
        if frame == _END:
            self.reports = {
                seat: _judged(record.report(), seat, self._expected) for seat, record in self._seats.items()
            }


def _judged(report: InputReport, seat: int, expected_lag_frames: int) -> InputReport:
    if not report.ok:
        raise InstanceFault(FaultKind.INPUT, f"seat {seat} plays other inputs than were sent: {report}")
    if report.lag_frames != expected_lag_frames:
        log.warning("inputs are played %d frames after they are sent, not %d", report.lag_frames, expected_lag_frames)
    if report.trigger < ENOUGH:
        log.warning("analog triggers do not arrive (%.0f %%): ExiAI builds drop them", 100 * report.trigger)
    return report


class _Record:
    """What one seat was seen to press."""

    def __init__(self, seat: int) -> None:
        at = word_offset(FRAME, "players", seat, LEADER, "controller")
        self._slice = slice(at, at + _CONTROLLER_WORDS)
        self._seen: dict[int, NDArray[np.int32]] = {}

    def note(self, frame: int, words: NDArray[np.int32]) -> None:
        self._seen[frame] = words[self._slice].copy()

    def report(self) -> InputReport:
        """At the shift at which most sticks agree."""
        best = InputReport(0, 0.0, 0.0, 0.0)
        for lag in range(1, LONGEST_LAG + 1):
            there = [i for i in range(len(PATTERNS)) if FIRST + i + lag in self._seen]
            if there:
                played = np.stack([self._seen[FIRST + i + lag] for i in there]).view(CONTROLLER)[:, 0]
                found = _agreement(lag, PATTERNS[there], played)
                best = max(best, found, key=lambda report: report.sticks)
        return best


def _agreement(lag: int, sent: NDArray[np.void], played: NDArray[np.void]) -> InputReport:
    def close(name: str) -> NDArray[np.bool_]:
        return np.abs(sent[name] - played[name]) < _STEP

    sticks = close("stick_x") & close("stick_y") & close("c_x") & close("c_y")
    buttons = sent["buttons"] == played["buttons"]
    trigger = close("shoulder")
    return InputReport(lag, float(sticks.mean()), float(buttons.mean()), float(trigger.mean()))
