"""Controllers as Dolphin's named pipes take them: per frame one write of what has changed, and a FLUSH.

With several pads the one that Dolphin polls first is written last: old Ishiiruka builds go on as soon as one pad has
said FLUSH and would play the others' inputs a frame late; the others wake up once instead of twice.

Stick and trigger values are mapped as libmelee's `fix_analog_inputs` does, so that the game sees what was asked for:
raw stick -80..80 and raw trigger 0..140, nudged above the step at which Dolphin rounds down.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.posix import open_pipe
from envs.game import Button

PadWords = list[int]
"""A CONTROLLER as six 32-bit words: buttons, and the bit patterns of stick x, y, C-stick x, y and shoulder."""
NEUTRAL: Final[PadWords] = [0, 0, 0, 0, 0, 0]

_FLUSH = b"FLUSH\n"
_NAMES: Final = tuple((int(button), button.name.encode()) for button in Button)
_RELEASE_ALL: Final = (
    b"".join(b"RELEASE " + name + b"\n" for _, name in _NAMES)
    + b"RELEASE START\nRELEASE D_DOWN\nRELEASE D_LEFT\nRELEASE D_RIGHT\n"
    + b"SET MAIN 0.5 0.5\nSET C 0.5 0.5\nSET L 0\nSET R 0\n"
)
_LET_GO: Final = b"RELEASE A\nRELEASE L\nRELEASE R\nRELEASE START\nSET MAIN 0.5 0.5\nFLUSH\n"
QUIT_BLOCKS: Final = (
    *(_LET_GO,) * 4,
    *(b"PRESS START\nFLUSH\n",) * 3,
    *(_LET_GO,) * 10,
    *(b"PRESS L\nPRESS R\nPRESS A\nFLUSH\n",) * 3,
    *(b"PRESS START\nFLUSH\n",) * 6,
)
"""Pause, then L, R, A and START together: how a running game is left. One block a sixtieth of a second."""


class Pad:
    """One controller port of one emulator."""

    def __init__(self, pipe: Path, port: int) -> None:
        """port: 0..3."""
        self.path, self.port = pipe, port
        self._descriptor: int | None = None
        self._last = NEUTRAL

    def connect(self) -> bool:
        """Whether Dolphin has opened its end; until then ask again."""
        if self._descriptor is None:
            try:
                self._descriptor = open_pipe(self.path)
            except OSError as error:
                raise InstanceFault(FaultKind.PAD, f"{self.path.name}: {error.strerror}") from None
        return self._descriptor is not None

    def send(self, words: PadWords) -> None:
        """Hold these inputs in the next frame. Raises InstanceFault when nobody reads any more."""
        if words == self._last:
            self.write(_FLUSH)
            return
        self.write(changes(self._last, words) + _FLUSH)
        self._last = words

    def again(self) -> None:
        """Hold the inputs of the frame before in the next one too."""
        self.write(_FLUSH)

    def release(self) -> None:
        """Let go of everything, whatever was written before, for the next frame."""
        self.write(_RELEASE_ALL + _FLUSH)
        self._last = NEUTRAL

    def write(self, block: bytes) -> None:
        """Write commands as they are, in one call. Raises InstanceFault."""
        if self._descriptor is None:
            raise InstanceFault(FaultKind.PAD, f"{self.path.name} is not connected")
        try:
            written = os.write(self._descriptor, block)
        except OSError as error:
            why = "is full: nobody reads it" if error.errno == errno.EAGAIN else "was closed"
            raise InstanceFault(FaultKind.PAD, f"{self.path.name} {why}") from None
        if written != len(block):
            raise InstanceFault(FaultKind.PAD, f"{self.path.name} is full: nobody reads it")

    def close(self) -> None:
        """Close the pipe. Only after Dolphin is gone: mainline builds spin when a writer leaves."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def last_polled_first(pads: Sequence[Pad]) -> list[Pad]:
    """Pads in the opposite of the order in which Dolphin polls them: as the disk lists their folder (readdir)."""
    on_disk = [name for folder in {pad.path.parent for pad in pads} for name in os.listdir(folder)]
    return sorted(pads, key=lambda pad: -on_disk.index(pad.path.name))


def changes(before: PadWords, after: PadWords) -> bytes:
    """Commands that lead from one input to another."""
    block = b""
    if before[0] != after[0]:
        block += _buttons(before[0], after[0])
    if before[1:3] != after[1:3]:
        block += _stick(b"MAIN", after[1], after[2])
    if before[3:5] != after[3:5]:
        block += _stick(b"C", after[3], after[4])
    if before[5] != after[5]:
        block += _shoulder(after[5])
    return block


def _float(word: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<i", word))[0]
    return value


@lru_cache(maxsize=4096)
def _buttons(before: int, after: int) -> bytes:
    changed = before ^ after
    return b"".join(
        (b"PRESS " if after & mask else b"RELEASE ") + name + b"\n" for mask, name in _NAMES if changed & mask
    )


@lru_cache(maxsize=4096)
def _stick(name: bytes, x: int, y: int) -> bytes:
    values = ((round(_float(word) * 80) + 0.1) / 254 + 0.5 for word in (x, y))
    return b"SET %s %s\n" % (name, " ".join(f"{value:.6f}" for value in values).encode())


@lru_cache(maxsize=1024)
def _shoulder(word: int) -> bytes:
    return b"SET L %s\n" % f"{(round(_float(word) * 140) + 0.1) / 255:.6f}".encode()
