"""Controllers behind named pipes: Dolphin's pipe device, and the inputs that the game makes of what it holds.

A poll takes all that lies in a pipe. One that waits ends when the last command it took is FLUSH, so answers that pile
up count as one, and what arrives while the game asks for nothing is taken and gone (Pipes.cpp of
project-slippi/Ishiiruka and of vladfi1/dolphin). When the last writer has closed, an Ishiiruka build goes on with what
it has, a mainline build waits for ever.

A raw stick is floor((v - 0.5) * 254), kept within the circle of radius 80, with a dead zone of 22; a raw trigger is
floor(v * 255), 140 of which press it fully, with a dead zone of 42. Source: the same files; common fighter data of
Melee.
"""

from __future__ import annotations

import math
import os
import select
import time
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from envs.controller import CONTROLLER
from envs.game import Button

START: Final = 0x1000
QUIT: Final = Button.L | Button.R | Button.A | START
"""Held together they leave a game."""
INPUT: Final = np.dtype(
    [
        ("controller", CONTROLLER),
        ("buttons_processed", "<i4"),
        ("raw_x", "<i4"),
        ("raw_y", "<i4"),
        ("trigger_l", "<f4"),
        ("trigger_r", "<f4"),
    ]
)
"""What a pre-frame event says of a player's hands: this part of PLAYER."""

_MASKS: Final = {button.name.encode(): int(button) for button in Button} | {
    b"START": START,
    b"D_LEFT": 0x1,
    b"D_RIGHT": 0x2,
    b"D_DOWN": 0x4,
}
_RADIUS, _DEAD_STICK, _FULL_TRIGGER, _DEAD_TRIGGER = 80, 22, 140, 42
_READ_BYTES: Final = 65536
_ORPHAN_S: Final = 0.01
"""Pause of a mainline build without a writer, which in truth keeps a core busy."""


class Held(NamedTuple):
    """What a controller is doing."""

    buttons: int = 0
    main: tuple[float, float] = (0.5, 0.5)
    c: tuple[float, float] = (0.5, 0.5)
    left: float = 0.0
    right: float = 0.0

    @property
    def stick(self) -> tuple[float, float]:
        """Main stick, -1..1."""
        return _processed(self.main)


@lru_cache(maxsize=8192)
def inputs_of(held: Held) -> tuple[tuple[float, ...], int, int, int, float, float]:
    """What the game reads, as the values of INPUT."""
    left, right = _trigger(held.left), _trigger(held.right)
    shoulder = 1.0 if held.buttons & (Button.L | Button.R) else max(left, right)
    controller = (held.buttons, *_processed(held.main), *_processed(held.c), shoulder)
    return (controller, held.buttons, *_raw(held.main), left, right)


def _raw(stick: tuple[float, float]) -> tuple[int, int]:
    return math.floor((stick[0] - 0.5) * 254), math.floor((stick[1] - 0.5) * 254)


@lru_cache(maxsize=8192)
def _processed(stick: tuple[float, float]) -> tuple[float, float]:
    x, y = _raw(stick)
    length = math.hypot(x, y)
    if length > _RADIUS:
        x, y = int(x * _RADIUS / length), int(y * _RADIUS / length)
    return x / _RADIUS if abs(x) > _DEAD_STICK else 0.0, y / _RADIUS if abs(y) > _DEAD_STICK else 0.0


def _trigger(value: float) -> float:
    raw = int(value * 255)
    return min(raw / _FULL_TRIGGER, 1.0) if raw > _DEAD_TRIGGER else 0.0


class Pad:
    """One controller."""

    def __init__(self, pipe: Path, gives_up: bool) -> None:
        """Opens the pipe, which has to be there. gives_up: goes on when nobody writes any more. Raises OSError."""
        self.pipe = pipe
        self._descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._readable = select.poll()
        self._readable.register(self._descriptor, select.POLLIN)
        self._gives_up = gives_up
        self._unread = b""
        self._device = Held()
        self._on_the_way: deque[Held] = deque()
        self.held = Held()
        """In the frame that is played."""
        self.new = 0
        """Buttons that are held in it and were not in the frame before."""

    def poll(self, waits: bool) -> None:
        """Take what there is; waits: until a FLUSH has come."""
        while True:
            if waits:
                self._readable.poll()
            data = self._read()
            if data and self._obey(data):
                return
            if not waits or (data == b"" and self._gives_up):
                return
            if data == b"":
                time.sleep(_ORPHAN_S)

    def sample(self) -> None:
        """The game reads the controller for a frame."""
        self._on_the_way.append(self._device)
        before, self.held = self.held.buttons, self._on_the_way.popleft()
        self.new = self.held.buttons & ~before

    def delay(self, frames: int) -> None:
        """From now on the game reads what was there so many frames earlier."""
        self._on_the_way = deque([Held()] * frames)

    def _read(self) -> bytes | None:
        """All that is buffered; None if nothing is, b"" if nobody writes."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return None
        return data if len(data) < _READ_BYTES else data + (self._read() or b"")

    def _obey(self, data: bytes) -> bool:
        """Whether the last whole command was FLUSH."""
        *commands, self._unread = (self._unread + data).split(b"\n")
        for command in commands:
            if command != b"FLUSH":
                self._command(command.split())
        return bool(commands) and commands[-1] == b"FLUSH"

    def _command(self, words: list[bytes]) -> None:
        """Change the device; commands that it does not know are passed over, as Dolphin does."""
        match words:
            case [b"PRESS", button]:
                self._device = self._device._replace(buttons=self._device.buttons | _MASKS.get(button, 0))
            case [b"RELEASE", button]:
                self._device = self._device._replace(buttons=self._device.buttons & ~_MASKS.get(button, 0))
            case [b"SET", b"MAIN", x, y]:
                self._device = self._device._replace(main=(_axis(x), _axis(y)))
            case [b"SET", b"C", x, y]:
                self._device = self._device._replace(c=(_axis(x), _axis(y)))
            case [b"SET", b"L", value]:
                self._device = self._device._replace(left=_axis(value))
            case [b"SET", b"R", value]:
                self._device = self._device._replace(right=_axis(value))


def _axis(text: bytes) -> float:
    return min(max(float(text), 0.0), 1.0)


class Pads:
    """All controller ports of one emulator."""

    def __init__(self, pipes: tuple[Path | None, ...], blocking: bool, gives_up: bool, one_flush: bool = False) -> None:
        """Opens every pipe that is plugged in. Raises OSError.

        one_flush: the FLUSH of the pad that is polled first is enough for all, as in old Ishiiruka builds.
        """
        self.by_port = {port: Pad(pipe, gives_up) for port, pipe in enumerate(pipes) if pipe is not None}
        on_disk = [name for folder in {pad.pipe.parent for pad in self.by_port.values()} for name in os.listdir(folder)]
        self._pads = sorted(
            self.by_port.values(), key=lambda pad: on_disk.index(pad.pipe.name)
        )  # as Dolphin finds them
        self._waits = [blocking and not (one_flush and number) for number in range(len(self._pads))]

    def need_input(self) -> None:
        """The game asks for the inputs of a frame."""
        for pad, waits in zip(self._pads, self._waits, strict=True):
            pad.poll(waits)
        self.sample()

    def drain(self) -> None:
        """A poll while the game asks for nothing."""
        for pad in self._pads:
            pad.poll(waits=False)

    def sample(self) -> None:
        """The game reads every controller."""
        for pad in self._pads:
            pad.sample()

    def delay(self, frames: int) -> None:
        """From now on the game reads what was there so many frames earlier."""
        for pad in self._pads:
            pad.delay(frames)

    def pressed(self, button: int) -> bool:
        """Whether somebody has just pressed it."""
        return any(pad.new & button for pad in self._pads)

    def quits(self) -> int | None:
        """The port that leaves the game, if one does."""
        return next((port for port, pad in self.by_port.items() if pad.held.buttons & QUIT == QUIT), None)
