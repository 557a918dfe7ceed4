"""Menu frames, as libmelee's `Extract Menu Info` code sends them and its console reads them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import melee

from envs.dolphin.standin.pads import Pads
from envs.game import EXTERNAL_ID, Character
from envs.slippi.events import MENU_BYTES, MENU_EVENT

TITLE, MAIN, CHARACTERS, STAGES, RESULTS, ONLINE_CHARACTERS = 0x0000, 0x0001, 0x0002, 0x0102, 0x0402, 0x0008
NOBODY: Final = 33
HUMAN, CPU, UNPLUGGED = 0, 1, 3
COIN_HELD, COIN_DOWN = 1, 2
NAME_ENTRY: Final = 5
"""At 0x40 while a code is typed."""
CURSOR_SPEED: Final = 1.23
"""Units a frame; no whole number, so that no boundary is hit by accident."""
_TILT: Final = 0.5

ZELDA, SHEIK = Character.ZELDA.value, Character.SHEIK.value
ICONS: Final = {
    melee.enums.from_internal(melee.Character(internal)): internal for internal in EXTERNAL_ID if internal != SHEIK
}
"""Place on the screen of characters -> internal id; Sheik is Zelda with A held while the game loads."""


@dataclass
class Seat:
    """One player on the screen of characters, and in the game."""

    port: int
    """In the game."""
    pad: int | None
    """Controller port of the pad that steers and plays; None: somebody at another console."""
    cursor: tuple[float, float] = (0.0, 0.0)
    status: int = HUMAN
    coin: int = COIN_HELD
    icon: int = NOBODY
    costume: int = 0
    cpu_level: int = 1
    holds_slider: bool = False
    is_sheik: bool = False
    name: str = ""
    code: str = ""

    @property
    def character(self) -> int:
        """Internal id."""
        return SHEIK if self.is_sheik else ICONS[self.icon]

    def near(self, place: tuple[float, float], reach: float) -> bool:
        """Whether the cursor is there."""
        return math.dist(self.cursor, place) < reach


class Screens:
    """Shows menu frames and takes the inputs after them."""

    def __init__(self, pads: Pads, show: Callable[[bytes], None], seats: Sequence[Seat]) -> None:
        """show: takes each menu frame; comes back when the inputs after it are there."""
        self.pads, self.seats = pads, seats
        self._show = show
        self._held: dict[int, tuple[int, int]] = {}

    def show(
        self,
        scene: int,
        frame: int,
        *,
        submenu: int = 0,
        selection: int = 0,
        cursor: tuple[float, float] = (0.0, 0.0),
        is_ready: bool = False,
        costume: int = 0,
        name_entry: int = 0,
    ) -> int:
        """Show one frame; returns the next one's number."""
        event = bytearray(MENU_BYTES)
        struct.pack_into(">BH", event, 0, MENU_EVENT, scene)
        event[0x25:0x29], event[0x29:0x2D] = bytes([UNPLUGGED] * 4), bytes([NOBODY] * 4)
        for seat in self.seats:
            assert seat.pad is not None
            struct.pack_into(">ff", event, 0x3 + 8 * seat.pad, *seat.cursor)
            values = (seat.status, seat.icon, seat.coin, seat.cpu_level, seat.holds_slider)
            for at, value in zip((0x25, 0x29, 0x2D, 0x41, 0x45), values, strict=True):
                event[at + seat.pad] = value
        event[0x23] = 0 if is_ready else 1
        struct.pack_into(">ff", event, 0x31, *cursor)
        struct.pack_into(">i", event, 0x39, frame)
        event[0x3D:0x41] = submenu, selection, costume, name_entry
        self._show(bytes(event))
        return frame + 1

    def tilts(self) -> tuple[int, int]:
        """(right, up) by one step where a stick has just been pushed, else 0."""
        found = (0, 0)
        for port, pad in self.pads.by_port.items():
            x, y = pad.held.stick
            now = (_way(x), _way(y))
            if now != self._held.get(port, (0, 0)) and found == (0, 0):
                found = now
            self._held[port] = now
        return found


def moved(cursor: tuple[float, float], stick: tuple[float, float], limit: float) -> tuple[float, float]:
    """A cursor after a frame of the stick."""
    x, y = (
        max(-limit, min(limit, at + tilt * CURSOR_SPEED)) for at, tilt in zip(cursor, stick, strict=True)
    )  # fmt: skip
    return x, y


def _way(stick: float) -> int:
    return int(stick > _TILT) - int(stick < -_TILT)
