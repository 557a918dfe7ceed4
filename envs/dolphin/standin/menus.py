"""The menus as a pad steers them and as libmelee sees them: title, main menu, characters, stages, results.

Positions are those that libmelee's menu helper steers to; the layout of the menu event is that of its `Extract Menu
Info` code, as its console reads it.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import melee

from envs.dolphin.standin.pads import Pad, Pads
from envs.game import EXTERNAL_ID, Stage, character_name
from envs.slippi.events import MENU_BYTES, MENU_EVENT

log = logging.getLogger(__name__)

TITLE, MAIN, CHARACTERS, STAGES, RESULTS = 0x0000, 0x0001, 0x0002, 0x0102, 0x0402
VS_MODE: Final = 2
VS_IN_MAIN: Final = 1
MAIN_ENTRIES: Final = 5
NOBODY: Final = 33
HUMAN, CPU, UNPLUGGED = 0, 1, 3
COIN_HELD, COIN_DOWN = 1, 2
CURSOR_SPEED: Final = 1.23
"""Units a frame; no whole number, so that no boundary is hit by accident."""
RESULTS_FRAMES: Final = 20
MAX_CPU_LEVEL: Final = 9
_TILT: Final = 0.25
_MENU_TILT: Final = 0.5
_COSTUMES: Final = tuple(map(int, "6 5 4 4 6 4 5 4 5 5 4 4 5 4 4 5 5 6 5 5 4 5 5 5 4 5".split()))
"""By external id."""
_ICONS: Final = {
    melee.enums.from_internal(melee.Character(internal)): internal
    for internal in EXTERNAL_ID
    if internal != melee.Character.SHEIK.value
}
"""Place on the screen -> internal id; Sheik is Zelda with A held, which is not imitated."""
_STAGE_PLACES: Final = {
    Stage.BATTLEFIELD: (1.0, -9.0),
    Stage.FINAL_DESTINATION: (6.7, -9.0),
    Stage.DREAM_LAND: (12.5, -9.0),
    Stage.POKEMON_STADIUM: (15.0, 3.5),
    Stage.YOSHIS_STORY: (3.5, 15.5),
    Stage.FOUNTAIN_OF_DREAMS: (10.0, 15.5),
}
_ICON_REACH: Final = 2.6
_TOGGLE, _SLIDER = (-32.2, -2.2, 15.82), (-30.9, -15.12, 15.4)
"""x of port 1, y, and x from port to port, of the switch between human and CPU, and of the CPU's level."""


@dataclass
class Seat:
    """One controller port on the screen of characters."""

    port: int
    cursor: list[float]
    status: int = HUMAN
    coin: int = COIN_HELD
    icon: int = NOBODY
    costume: int = 0
    cpu_level: int = 1
    holds_slider: bool = False

    @property
    def character(self) -> int:
        """Internal id."""
        return _ICONS[self.icon]

    def near(self, place: tuple[float, float, float]) -> bool:
        """Whether the cursor is on this port's own switch or slider."""
        x, y, pitch = place
        return math.dist(self.cursor, (x + pitch * self.port, y)) < 2.0


@dataclass(frozen=True)
class Choice:
    """What was picked for a game."""

    seats: tuple[Seat, ...]
    """In ascending order of ports."""
    stage: int  # Slippi stage id


@dataclass
class Menus:
    """The screens before and after games, and what stays picked between them."""

    pads: Pads
    show: Callable[[bytes], None]
    """Takes each menu frame; comes back when the inputs after it are there."""
    playable: Collection[int] | None
    """Internal ids that the content has; None: all."""
    is_stuck: bool = False
    seats: list[Seat] = field(init=False)

    def __post_init__(self) -> None:
        self.seats = [Seat(port, [-24.0 + 15.0 * port, -10.0]) for port in self.pads.by_port]

    def boot(self) -> None:
        """From the title to the screen of characters."""
        frame = 0
        while not self.pads.pressed("START"):
            frame = self._frame(TITLE, frame)
        self._main()

    def choose(self) -> Choice:
        """From the screen of characters to a game."""
        while True:
            self._characters()
            stage = self._stages()
            if stage is not None:
                return Choice(tuple(seat for seat in self.seats if seat.coin == COIN_DOWN), int(stage))

    def results(self) -> None:
        """Until somebody presses START or A."""
        frame = 0
        while frame < RESULTS_FRAMES or not (self.pads.pressed("START") or self.pads.pressed("A")):
            frame = self._frame(RESULTS, frame)

    def _main(self) -> None:
        submenu = selection = frame = 0
        held = 0
        while True:
            frame = self._frame(MAIN, frame, submenu, selection)
            tilt = next((_way(pad.stick[1]) for pad in self.pads.by_port.values() if _way(pad.stick[1])), 0)
            if tilt != held:
                held, selection = tilt, (selection - tilt) % MAIN_ENTRIES
            if self.pads.pressed("A") and submenu == VS_MODE and selection == 0:
                return
            if self.pads.pressed("A") and submenu == 0 and selection == VS_IN_MAIN:
                submenu, selection = VS_MODE, 0
            elif self.pads.pressed("B"):
                submenu = selection = 0

    @property
    def _ready(self) -> bool:
        return sum(seat.coin == COIN_DOWN for seat in self.seats) >= 2

    def _characters(self) -> None:
        frame = 0
        while True:
            frame = self._frame(CHARACTERS, frame)
            for seat in self.seats:
                self._pick(seat, self.pads.by_port[seat.port])
            if self.pads.pressed("START") and self._ready and not self.is_stuck:
                return

    def _pick(self, seat: Seat, pad: Pad) -> None:
        if seat.holds_slider:
            self._slide(seat, pad)
            return
        for axis in (0, 1):
            seat.cursor[axis] = max(-36.0, min(36.0, seat.cursor[axis] + pad.stick[axis] * CURSOR_SPEED))
        if "B" in pad.new:
            seat.coin = COIN_HELD
        if "X" in pad.new and seat.coin == COIN_DOWN:
            seat.costume = (seat.costume + 1) % _COSTUMES[EXTERNAL_ID[seat.character]]
        if "A" not in pad.new:
            return
        if seat.near(_TOGGLE):
            seat.status = CPU if seat.status == HUMAN else HUMAN
        elif seat.status == CPU and seat.near(_SLIDER):
            seat.holds_slider = True
        elif seat.coin != COIN_DOWN:
            self._put_coin(seat)

    def _slide(self, seat: Seat, pad: Pad) -> None:
        if abs(pad.stick[0]) > _TILT:
            seat.cpu_level = max(1, min(MAX_CPU_LEVEL, seat.cpu_level + (1 if pad.stick[0] > 0 else -1)))
        if "A" in pad.new:
            seat.holds_slider = False

    def _put_coin(self, seat: Seat) -> None:
        column, row = math.floor((seat.cursor[0] + 32.5) / 7), 2 - math.floor((seat.cursor[1] - 1) / 7)
        place = column - (row == 2)  # the lowest row begins with the random place
        icon = row * 9 + place
        if not (0 <= row <= 2 and 0 <= place <= 8) or icon not in _ICONS or (row == 2 and place > 6):
            return
        character = _ICONS[icon]
        if self.playable is not None and character not in self.playable:
            names = ", ".join(character_name(one) for one in self.playable)
            log.error("stand-in: the simulator cannot play %s; it can play %s", character_name(character), names)
            return
        seat.costume = seat.costume if seat.icon == icon else 0
        seat.icon, seat.coin = icon, COIN_DOWN

    def _stages(self) -> Stage | None:
        """The one picked; None: back to the characters."""
        cursor, frame = [0.0, 0.0], 0
        while True:
            frame = self._frame(STAGES, frame, cursor=cursor)
            for pad in self.pads.by_port.values():
                for axis in (0, 1):
                    cursor[axis] = max(-30.0, min(30.0, cursor[axis] + pad.stick[axis] * CURSOR_SPEED))
            under = next((stage for stage, at in _STAGE_PLACES.items() if math.dist(at, cursor) < _ICON_REACH), None)
            if self.pads.pressed("A") and under is not None:
                return under
            if self.pads.pressed("B"):
                return None

    def _frame(
        self, scene: int, frame: int, submenu: int = 0, selection: int = 0, cursor: list[float] | None = None
    ) -> int:
        """Show one frame; returns the next one's number."""
        event = bytearray(MENU_BYTES)
        struct.pack_into(">BH", event, 0, MENU_EVENT, scene)
        event[0x25:0x29], event[0x29:0x2D] = bytes([UNPLUGGED] * 4), bytes([NOBODY] * 4)
        for seat in self.seats:
            struct.pack_into(">ff", event, 0x3 + 8 * seat.port, *seat.cursor)
            values = (seat.status, seat.icon, seat.coin, seat.cpu_level, seat.holds_slider)
            for at, value in zip((0x25, 0x29, 0x2D, 0x41, 0x45), values, strict=True):
                event[at + seat.port] = value
        event[0x23] = 0 if self._ready else 1
        struct.pack_into(">ff", event, 0x31, *(cursor or (0.0, 0.0)))
        struct.pack_into(">i", event, 0x39, frame)
        event[0x3D], event[0x3E] = submenu, selection
        self.show(bytes(event))
        return frame + 1


def _way(stick: float) -> int:
    """Up 1, down -1, neither 0."""
    return int(stick > _MENU_TILT) - int(stick < -_MENU_TILT)
