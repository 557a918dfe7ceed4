"""Direct play: a character, the other side's code, and somebody appears who has it."""

from __future__ import annotations

import logging
import random
from typing import Final

from envs.dolphin.standin.characters import EDGE, Picker, change_costume, icon_under
from envs.dolphin.standin.pads import START, Pad
from envs.dolphin.standin.scenario import Scenario
from envs.dolphin.standin.screens import (
    COIN_DOWN,
    COIN_HELD,
    ICONS,
    NAME_ENTRY,
    NOBODY,
    ONLINE_CHARACTERS,
    SHEIK,
    ZELDA,
    Screens,
    Seat,
    moved,
)
from envs.dolphin.standin.settings import User
from envs.game import LEGAL_STAGES, Button, character_id

log = logging.getLogger(__name__)

DEAD_FRAMES: Final = 5
"""Frames after which the screen where codes are typed listens."""
CODE_LENGTH: Final = 8
FIRST_KEY: Final = 45
_ROWS: Final = ("ABCDEFGHIJ", "KLMNOPQRST", "UVWXYZ   #", "0123456789")
_RANDOM_PLACE: Final = (-29.0, 4.5)
_RANDOM_REACH: Final = 3.5


class Direct:
    """One visit after the other; the connection stays."""

    def __init__(self, screens: Screens, picker: Picker, seat: Seat, user: User, scenario: Scenario) -> None:
        """seat: of the pad that plays. user: who is logged in."""
        self._screens, self._picker, self._seat = screens, picker, seat
        self._user, self._opponent = user, scenario.opponent
        self._is_connected = False
        self._rng = random.Random(scenario.seed)

    def choose(self) -> tuple[Seat, ...]:
        """Both players of the next game, in ascending order of ports."""
        self._characters()
        while not self._is_connected:
            self._is_connected = self._search(self._type_code())
        for frame in range(self._opponent.search_frames):
            self._show(frame)
        own, other = self._seat, self._opponent
        them = character_id(other.character)
        icon = next(icon for icon, character in ICONS.items() if character == (ZELDA if them == SHEIK else them))
        seats = (
            Seat(
                1 - other.port, own.pad, icon=own.icon, costume=own.costume, name=self._user.name, code=self._user.code
            ),
            Seat(other.port, None, icon=icon, costume=other.costume, cpu_level=other.level, name=other.name),
        )
        for seat in seats:
            seat.is_sheik = ICONS[seat.icon] == ZELDA and (seat.pad is not None or them == SHEIK)
        seats[1].code = other.code
        return tuple(sorted(seats, key=lambda seat: seat.port))

    def stage(self) -> int:
        """A legal one by lot."""
        return self._rng.choice(LEGAL_STAGES)

    @property
    def _pad(self) -> Pad:
        assert self._seat.pad is not None
        return self._screens.pads.by_port[self._seat.pad]

    def _show(self, frame: int, selection: int = 0, name_entry: int = 0) -> int:
        costume = self._seat.costume
        return self._screens.show(ONLINE_CHARACTERS, frame, selection=selection, costume=costume, name_entry=name_entry)

    def _characters(self) -> None:
        """Until a character is picked and START pressed."""
        frame = 0
        while True:
            frame = self._show(frame)
            seat, pad = self._seat, self._pad
            seat.cursor = moved(seat.cursor, pad.held.stick, EDGE)
            if pad.new & Button.B:
                seat.coin, seat.icon = COIN_HELD, NOBODY
            elif pad.new & Button.A and seat.coin != COIN_DOWN:
                self._picker.put_coin(seat, self._random() if self._is_at_random else icon_under(seat.cursor))
            elif pad.new & Button.Y and seat.coin == COIN_DOWN:
                change_costume(seat, 1)
            elif pad.new & START and seat.coin == COIN_DOWN:
                return

    @property
    def _is_at_random(self) -> bool:
        return self._seat.near(_RANDOM_PLACE, _RANDOM_REACH)

    def _random(self) -> int:
        return self._rng.choice([icon for icon in ICONS if self._picker.has(icon)])

    def _type_code(self) -> str:
        """What is typed before START."""
        column = row = frame = 0
        code = ""
        while True:
            frame = self._show(frame, FIRST_KEY - 5 * column + row, NAME_ENTRY)
            if frame <= DEAD_FRAMES:
                continue
            right, up = self._screens.tilts()
            column, row = (column + right) % len(_ROWS[0]), (row - up) % len(_ROWS)
            if self._pad.new & Button.A and len(code) < CODE_LENGTH:
                code += _ROWS[row][column]
            elif self._pad.new & Button.B:
                code = code[:-1]
            elif self._pad.new & START:
                return code

    def _search(self, code: str) -> bool:
        """Whether somebody was found; until then B leads back."""
        if code != self._opponent.code:
            log.error("stand-in: nobody has the code that was typed; %s is there", self._opponent.code)
        frame = 0
        while code != self._opponent.code and not self._pad.new & Button.B:
            frame = self._show(frame)
        return code == self._opponent.code
