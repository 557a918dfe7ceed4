"""The menus as pads steer them: title, main menu, characters, stages, results; what is picked stays picked."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from envs.dolphin.standin.characters import Picker
from envs.dolphin.standin.online import Direct
from envs.dolphin.standin.pads import START, Pads
from envs.dolphin.standin.scenario import Scenario
from envs.dolphin.standin.screens import (
    CHARACTERS,
    COIN_DOWN,
    HUMAN,
    ICONS,
    MAIN,
    RESULTS,
    STAGES,
    TITLE,
    ZELDA,
    Screens,
    Seat,
    moved,
)
from envs.dolphin.standin.settings import User
from envs.game import Button, Stage

RESULTS_FRAMES: Final = 20
LEAVING_FRAMES: Final = 8
"""Frames of the screen of stages after one was picked."""
VS, DIRECT = "vs", "direct"
_ONE_PLAYER, _VERSUS, _ONLINE = 1, 2, 8
_ENTRIES: Final = 5
_WAYS: Final[dict[tuple[int, int], int | str]] = {
    (0, 0): _ONE_PLAYER,
    (0, 1): _VERSUS,
    (_VERSUS, 0): VS,
    (_ONE_PLAYER, 2): _ONLINE,
    (_ONLINE, 2): DIRECT,
}
"""(submenu, entry) -> where A leads: a submenu, or out of the main menu."""
_STAGE_PLACES: Final = {
    Stage.BATTLEFIELD: (1.0, -9.0),
    Stage.FINAL_DESTINATION: (6.7, -9.0),
    Stage.DREAM_LAND: (12.5, -9.0),
    Stage.POKEMON_STADIUM: (15.0, 3.5),
    Stage.YOSHIS_STORY: (3.5, 15.5),
    Stage.FOUNTAIN_OF_DREAMS: (10.0, 15.5),
}
_STAGE_REACH: Final = 2.6
_STAGE_EDGE: Final = 30.0


@dataclass(frozen=True)
class Choice:
    """What was picked for a game."""

    seats: tuple[Seat, ...]
    """In ascending order of ports."""
    stage: int  # Slippi stage id
    frozen_stadium: bool = False
    is_online: bool = False


class Menus:
    """The screens before and after games."""

    def __init__(
        self,
        pads: Pads,
        show: Callable[[bytes], None],
        playable: Collection[int] | None,
        scenario: Scenario,
        user: User | None,
    ) -> None:
        """show: see Screens. playable: see Picker. user: who is logged in."""
        self._pads = pads
        self._seats = [Seat(port, port, (-24.0 + 15.0 * port, -10.0)) for port in pads.by_port]
        self._screens = Screens(pads, show, self._seats)
        self._picker = Picker(playable)
        self._is_stuck = scenario.fault("stuck_menu") is not None
        self._frozen_stadium = False
        self._direct: Direct | None = None
        if user is not None and self._seats:
            self._direct = Direct(self._screens, self._picker, self._seats[0], user, scenario)
        self._mode: str = VS

    def boot(self) -> None:
        """From the title to a screen of characters."""
        frame = 0
        while not self._pads.pressed(START):
            frame = self._screens.show(TITLE, frame)
        self._mode = self._main()

    def choose(self) -> Choice:
        """From a screen of characters to a game."""
        if self._mode == DIRECT:
            assert self._direct is not None
            return Choice(self._direct.choose(), int(self._direct.stage()), is_online=True)
        while True:
            self._characters()
            stage = self._stages()
            if stage is not None:
                self._load()
                seats = tuple(seat for seat in self._seats if seat.coin == COIN_DOWN)
                return Choice(seats, int(stage), self._frozen_stadium)

    def results(self) -> None:
        """Until somebody presses START or A; games online have none."""
        frame = 0
        while self._mode == VS and not (frame > RESULTS_FRAMES and self._pads.pressed(START | Button.A)):
            frame = self._screens.show(RESULTS, frame)

    def _main(self) -> str:
        """Until an entry leads out."""
        submenu = selection = frame = 0
        while True:
            frame = self._screens.show(MAIN, frame, submenu=submenu, selection=selection)
            selection = (selection - self._screens.tilts()[1]) % _ENTRIES
            if self._pads.pressed(Button.B):
                submenu = selection = 0
            if not self._pads.pressed(Button.A):
                continue
            way = _WAYS.get((submenu, selection), submenu)
            if isinstance(way, int):
                submenu, selection = way, selection if way == submenu else 0
            elif way == VS or self._direct is not None:
                return way

    @property
    def _is_ready(self) -> bool:
        return sum(seat.coin == COIN_DOWN for seat in self._seats) >= 2

    def _characters(self) -> None:
        frame = 0
        while True:
            frame = self._screens.show(CHARACTERS, frame, is_ready=self._is_ready)
            for seat in self._seats:
                self._picker.steer(seat, self._pads.by_port[seat.port])
            if self._pads.pressed(START) and self._is_ready and not self._is_stuck:
                return

    def _stages(self) -> Stage | None:
        """The one picked; None: back to the characters."""
        cursor, frame = (0.0, 0.0), 0
        while True:
            frame = self._screens.show(STAGES, frame, cursor=cursor)
            for pad in self._pads.by_port.values():
                cursor = moved(cursor, pad.held.stick, _STAGE_EDGE)
            if self._pads.pressed(Button.Z):
                self._frozen_stadium = not self._frozen_stadium
            under = next((stage for stage, at in _STAGE_PLACES.items() if math.dist(at, cursor) < _STAGE_REACH), None)
            if self._pads.pressed(Button.A) and under is not None:
                for after in range(LEAVING_FRAMES):
                    self._screens.show(STAGES, frame + after, cursor=cursor)
                return under
            if self._pads.pressed(Button.B):
                return None

    def _load(self) -> None:
        """Who holds A with Zelda picked becomes Sheik."""
        for seat in self._seats:
            holds = self._pads.by_port[seat.port].held.buttons & Button.A
            seat.is_sheik = bool(holds) and seat.status == HUMAN and ICONS.get(seat.icon) == ZELDA
