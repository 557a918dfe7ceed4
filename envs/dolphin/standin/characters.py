"""The screen of characters in VS mode: cursors, coins, costumes, CPU levels; positions are those libmelee knows."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from typing import Final

from envs.dolphin.standin.pads import Pad
from envs.dolphin.standin.screens import COIN_DOWN, COIN_HELD, CPU, HUMAN, ICONS, SHEIK, ZELDA, Seat, moved
from envs.game import Button, character_name, costumes

log = logging.getLogger(__name__)

MAX_CPU_LEVEL: Final = 9
EDGE: Final = 36.0
"""How far cursors go."""
_TILT: Final = 0.25
_REACH: Final = 2.0
_TOGGLE, _SLIDER = (-32.2, -2.2, 15.82), (-30.9, -15.12, 15.4)
"""x of port 1, y, and x from port to port, of the switch between human and CPU, and of the CPU's level."""


class Picker:
    """What pads do to the seats."""

    def __init__(self, playable: Collection[int] | None) -> None:
        """playable: internal ids that the content has; None: all."""
        self._playable = playable

    def steer(self, seat: Seat, pad: Pad) -> None:
        """One frame of a seat's own pad."""
        if seat.holds_slider:
            _slide(seat, pad)
            return
        seat.cursor = moved(seat.cursor, pad.held.stick, EDGE)
        if pad.new & Button.B:
            seat.coin = COIN_HELD
        if pad.new & (Button.X | Button.Y) and seat.coin == COIN_DOWN:
            change_costume(seat, 1 if pad.new & Button.X else -1)
        if not pad.new & Button.A:
            return
        if seat.near(_own(_TOGGLE, seat), _REACH):
            seat.status = CPU if seat.status == HUMAN else HUMAN
        elif seat.status == CPU and seat.near(_own(_SLIDER, seat), _REACH):
            seat.holds_slider = True
        elif seat.coin != COIN_DOWN:
            self.put_coin(seat, icon_under(seat.cursor))

    def put_coin(self, seat: Seat, icon: int | None) -> None:
        """Pick who is at this place, if anybody is and the content has him."""
        if icon is None:
            return
        if not self.has(icon):
            names = ", ".join(character_name(one) for one in self._playable or ())
            log.error("stand-in: the simulator cannot play %s; it can play %s", character_name(ICONS[icon]), names)
            return
        seat.costume = seat.costume if seat.icon == icon else 0
        seat.icon, seat.coin = icon, COIN_DOWN

    def has(self, icon: int) -> bool:
        """Whether the content can play who is at this place."""
        characters = {ZELDA, SHEIK} if ICONS[icon] == ZELDA else {ICONS[icon]}
        return self._playable is None or not characters.isdisjoint(self._playable)


def change_costume(seat: Seat, step: int) -> None:
    """To the next one or the one before."""
    seat.costume = (seat.costume + step) % costumes(seat.character)


def icon_under(cursor: tuple[float, float]) -> int | None:
    """Place under a cursor; None: nobody's."""
    column, row = math.floor((cursor[0] + 32.5) / 7), 2 - math.floor((cursor[1] - 1) / 7)
    place = column - (row == 2)  # the lowest row begins with the random place
    icon = row * 9 + place
    is_there = 0 <= row <= 2 and 0 <= place <= (6 if row == 2 else 8)
    return icon if is_there and icon in ICONS else None


def _own(control: tuple[float, float, float], seat: Seat) -> tuple[float, float]:
    x, y, pitch = control
    return x + pitch * seat.port, y


def _slide(seat: Seat, pad: Pad) -> None:
    x, _ = pad.held.stick
    if abs(x) > _TILT:
        seat.cpu_level = max(1, min(MAX_CPU_LEVEL, seat.cpu_level + (1 if x > 0 else -1)))
    if pad.new & Button.A:
        seat.holds_slider = False
