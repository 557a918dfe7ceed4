"""Controllers behind named pipes: the text that comes through them, and the inputs that the game makes of it.

A raw stick is floor((v - 0.5) * 254), kept within the circle of radius 80, with a dead zone of 22; a raw trigger is
floor(v * 255), 140 of which press it fully, with a dead zone of 42. Source: Dolphin's pipe device; common fighter data
of Melee.
"""

from __future__ import annotations

import math
import os
import select
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.game import Button

START: Final = 0x1000
QUIT: Final = frozenset({"L", "R", "A", "START"})
"""Held together they end a game."""
_MASKS: Final = {button.name: int(button) for button in Button} | {
    "START": START,
    "D_DOWN": 0x4,
    "D_LEFT": 0x1,
    "D_RIGHT": 0x2,
}
_RADIUS, _DEAD_STICK, _FULL_TRIGGER, _DEAD_TRIGGER = 80, 22, 140, 42
_IDLE_S: Final = 0.01


class Pad:
    """One controller."""

    def __init__(self, pipe: Path) -> None:
        """Opens the pipe, which has to be there. Raises OSError."""
        self._descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._unread = b""
        self._axes: dict[str, tuple[float, ...]] = {"MAIN": (0.5, 0.5), "C": (0.5, 0.5), "L": (0.0,), "R": (0.0,)}
        self.held: set[str] = set()
        self.new: frozenset[str] = frozenset()
        """Buttons that were pressed with the last flush."""

    def wait(self) -> None:
        """Take everything until the owner has said FLUSH."""
        before = frozenset(self.held)
        while not self._flushed():
            if self._poll.poll(1000):
                self._take()
        self.new = frozenset(self.held) - before

    def look(self) -> None:
        """Take what is there and wait for nothing."""
        before = frozenset(self.held)
        if self._poll.poll(0):
            self._take()
        while self._flushed():
            pass
        self.new = frozenset(self.held) - before

    def _take(self) -> None:
        data = os.read(self._descriptor, 65536)
        self._unread += data
        if not data:  # nobody writes, or nobody does any more
            time.sleep(_IDLE_S)

    def _flushed(self) -> bool:
        """Obey whole lines up to the next FLUSH; whether there was one."""
        while b"\n" in self._unread:
            line, self._unread = self._unread.split(b"\n", 1)
            words = line.decode().split()
            if words[0] == "FLUSH":
                return True
            if words[0] == "SET":
                self._axes[words[1]] = tuple(map(float, words[2:]))
            elif words[0] == "PRESS":
                self.held.add(words[1])
            else:
                self.held.discard(words[1])
        return False

    @property
    def stick(self) -> tuple[float, float]:
        """Main stick, -1..1."""
        return _processed(*self._axes["MAIN"])

    def controller(self) -> NDArray[np.void]:
        """What the game reads, as a CONTROLLER record (no shape)."""
        record = np.zeros((), CONTROLLER)
        record["buttons"] = sum(_MASKS.get(name, 0) for name in self.held)
        record["stick_x"], record["stick_y"] = self.stick
        record["c_x"], record["c_y"] = _processed(*self._axes["C"])
        record["shoulder"] = 1.0 if self.held & {"L", "R"} else max(_trigger(self._axes[name][0]) for name in "LR")
        return record


def _processed(x: float, y: float) -> tuple[float, float]:
    raw = [math.floor((value - 0.5) * 254 + 1e-6) for value in (x, y)]
    length = math.hypot(*raw)
    if length > _RADIUS:
        raw = [int(value * _RADIUS / length) for value in raw]
    first, second = (value / _RADIUS if abs(value) > _DEAD_STICK else 0.0 for value in raw)
    return first, second


def _trigger(value: float) -> float:
    raw = math.floor(value * 255 + 1e-6)
    return min(raw / _FULL_TRIGGER, 1.0) if raw > _DEAD_TRIGGER else 0.0


class Pads:
    """All controller ports of one emulator."""

    def __init__(self, pipes: tuple[Path | None, ...], blocking: bool) -> None:
        """Opens every pipe that is plugged in. Raises OSError."""
        self.by_port: dict[int, Pad] = {port: Pad(pipe) for port, pipe in enumerate(pipes) if pipe is not None}
        self._blocking = blocking

    def need_input(self) -> None:
        """The game asks for the inputs of a frame."""
        for pad in self.by_port.values():
            pad.wait() if self._blocking else pad.look()

    def pressed(self, button: str) -> bool:
        """Whether somebody has just pressed it."""
        return any(button in pad.new for pad in self.by_port.values())

    def quits(self) -> int | None:
        """The port that leaves the game, if one does."""
        return next((port for port, pad in self.by_port.items() if pad.held >= QUIT), None)


def own_controllers(pads: Pads, ports: tuple[int, int]) -> dict[int, Any]:
    """seat -> CONTROLLER of the seats that a pad plays."""
    return {seat: pads.by_port[port].controller() for seat, port in enumerate(ports) if port in pads.by_port}
