"""The player behind a CPU level. The game's own are not imitated: this one walks up and hits, more often by level."""

from __future__ import annotations

import importlib
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.controller import neutral
from envs.frame import LEADER
from envs.game import Button

REACH: Final = 14.0
"""Distance in game units at which it stops walking."""


class Cpu(Protocol):
    """One seat's player."""

    def __init__(self, level: int, seat: int, seed: int) -> None:
        """level: 1..9. seat: 0 or 1."""
        ...

    def __call__(self, frame: NDArray[np.void]) -> NDArray[np.void]:
        """Its CONTROLLER (no shape) for the frame after `frame` (FRAME, no shape)."""
        ...


class StandInCpu:
    """Walks to the other fighter and presses A; far from the stage's middle it goes back and jumps."""

    def __init__(self, level: int, seat: int, seed: int) -> None:
        """See Cpu."""
        self._level, self._seat = level, seat
        self._rng = np.random.default_rng([seed, seat])

    def __call__(self, frame: NDArray[np.void]) -> NDArray[np.void]:
        """See Cpu."""
        controller = neutral(())
        me, other = frame["players"][self._seat, LEADER], frame["players"][1 - self._seat, LEADER]
        away = float(other["x"] - me["x"])
        if abs(me["x"]) > 60:
            away = -float(me["x"])
            if self._rng.random() < 0.2:
                controller["buttons"] = int(Button.X)
        if abs(away) > REACH:
            controller["stick_x"] = np.sign(away)
        elif self._rng.random() < 0.03 * self._level:
            controller["buttons"] = int(Button.A)
        return controller


def cpu_class(name: str) -> type[Cpu]:
    """From `module:class`. Raises ImportError, AttributeError."""
    module, _, attribute = name.partition(":")
    found: type[Cpu] = getattr(importlib.import_module(module), attribute)
    return found
