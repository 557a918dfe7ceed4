"""From any menu into the wanted game: libmelee's menu helper, with a budget and with what it leaves out.

Left out by the helper: the title and results screens, costumes off line, cursors that stop exactly where it does
nothing. What it needs is that every controller answers every menu frame.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import melee
from melee.menuhelper import MenuHelper

from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.libmelee import Console, MenuPad
from envs.dolphin.link import Message
from envs.game import EXTERNAL_ID, Stage

_STAGES: Final = {Stage[name]: melee.Stage[name.replace("DREAM_LAND", "DREAMLAND")] for name in Stage.__members__}
_NUDGE_EVERY, _NUDGE_FRAMES = 300, 10
"""Menu frames on one screen before it is poked, and for how long."""
RETYPE_EVERY: Final = 1800
"""Menu frames after which a search on line is broken off and begun again: one letter may have been mistyped."""
_PRESS: Final = (melee.Button.BUTTON_START, None, melee.Button.BUTTON_A, None)
_SELECT: Final = (melee.Menu.CHARACTER_SELECT, melee.Menu.SLIPPI_ONLINE_CSS)
_HELPED: Final = (*_SELECT, melee.Menu.STAGE_SELECT, melee.Menu.MAIN_MENU)


@dataclass(frozen=True)
class GameOrder:
    """The game that is wanted."""

    characters: tuple[int, int]
    """Internal id by seat."""
    stage: int
    """Slippi's id."""
    ports: tuple[int, int] = (0, 1)
    """Controller port (0..3) of each seat."""
    costumes: tuple[int, int] | None = None
    """Costume by seat; None: whatever the game gives."""
    cpu_levels: tuple[int, int] = (0, 0)
    """1..9 for a seat that the game's own player takes."""
    person: int | None = None
    """Seat of somebody who picks character, costume and stage, and begins the game; None: all of it is picked here."""
    connect_code: str = ""
    """Whom seat 0 meets on line, by direct code, as the person of seat 1; there the connection gives out the ports."""

    @property
    def external_ids(self) -> tuple[int, int]:
        """Characters as the game's header numbers them."""
        return EXTERNAL_ID[self.characters[0]], EXTERNAL_ID[self.characters[1]]


class MenuWalk:
    """Presses what leads into one game after another, on one emulator."""

    def __init__(self, console: Console, pads: Sequence[MenuPad], frozen_stadium: bool, budget_frames: int) -> None:
        self._console, self._pads = console, pads
        self._frozen, self._budget = frozen_stadium, budget_frames
        self._helpers = {pad.port: MenuHelper() for pad in pads}
        self._costumes: dict[int, tuple[int, int]] = {}
        self._random = random.Random(0)
        self._order: GameOrder | None = None
        self._scene: melee.Menu | None = None
        self._on_scene = 0
        self.frames = 0
        """Menu frames of this visit."""

    def begin(self, order: GameOrder) -> None:
        """Head for this game from now on."""
        self._order, self._scene, self._on_scene, self.frames = order, None, 0, 0
        for helper in self._helpers.values():
            helper.stage_selected, helper.frames_on_stage = False, 0

    def on_menu(self, message: Message) -> None:
        """Answer one menu frame with every pad. Raises InstanceFault when the budget is spent."""
        state = self._console.read(message)
        self.frames += 1
        if self.frames > self._budget:
            raise InstanceFault(FaultKind.MENU_STUCK, f"{self._budget} menu frames, the last in {self._scene}")
        if state is None:
            return
        self._on_scene = self._on_scene + 1 if state.menu_state == self._scene else 0
        self._scene = state.menu_state
        for pad in self._pads:
            if self._is_to_be_typed_again:
                pad.release_all()
                pad.press_button(melee.Button.BUTTON_B)
            elif self._is_to_be_poked:
                self._nudge(pad)
            elif state.menu_state in _HELPED:
                self._help(state, pad)
            else:
                self._press_on(pad)
            pad.flush()

    def _help(self, state: melee.GameState, pad: MenuPad) -> None:
        assert self._order is not None
        seat = self._seat(pad)
        if seat is None:
            pad.release_all()
            return
        character = melee.Character(self._order.characters[seat])
        if state.menu_state is melee.Menu.CHARACTER_SELECT and self._change_costume(state, pad, seat):
            return
        if not self._order.cpu_levels[seat] and _is_cpu(state, pad):
            MenuHelper.change_controller_status(pad, state, pad.port, melee.ControllerStatus.CONTROLLER_HUMAN)
            return
        self._helpers[pad.port].menu_helper_simple(
            state,
            pad,
            character,
            _STAGES[Stage(self._order.stage)],
            connect_code=self._order.connect_code or None,
            cpu_level=self._order.cpu_levels[seat],
            costume=0 if self._order.costumes is None else self._order.costumes[seat],
            autostart=pad is self._pads[0] and self._may_start(state),
            frozen_stadium=self._frozen,
        )

    def _seat(self, pad: MenuPad) -> int | None:
        assert self._order is not None
        port = pad.port - 1
        if self._order.connect_code:
            return 0
        return self._order.ports.index(port) if port in self._order.ports else None

    @property
    def _is_to_be_poked(self) -> bool:
        """Whether this screen has been there too long; one that a person looks at never is."""
        assert self._order is not None
        too_long = self._on_scene % _NUDGE_EVERY >= _NUDGE_EVERY - _NUDGE_FRAMES
        return too_long and (self._order.person is None or self._scene not in _HELPED)

    @property
    def _is_to_be_typed_again(self) -> bool:
        assert self._order is not None
        return bool(self._order.connect_code) and self._on_scene % RETYPE_EVERY >= RETYPE_EVERY - 2

    def _may_start(self, state: melee.GameState) -> bool:
        """Whether nothing is left to set, so that the game may begin; a person begins it themselves."""
        assert self._order is not None
        if self._order.person is not None:
            return bool(self._order.connect_code)
        return not self._waits_for_costumes() and not self._waits_for_levels(state)

    def _wanted_costume(self, pad: MenuPad) -> tuple[int, int] | None:
        """(character on the screen, costume) that a pad's seat wants; None: any."""
        assert self._order is not None
        seat = self._seat(pad)
        if seat is None or self._order.costumes is None:
            return None
        character = melee.Character(self._order.characters[seat])
        on_screen = melee.Character.ZELDA if character is melee.Character.SHEIK else character
        return on_screen.value, self._order.costumes[seat]

    def _waits_for_costumes(self) -> bool:
        wanted = ((pad.port, self._wanted_costume(pad)) for pad in self._pads)
        return any(costume not in (None, self._costumes.get(port)) for port, costume in wanted)

    def _waits_for_levels(self, state: melee.GameState) -> bool:
        """Whether a CPU level is not set yet: the helper sets it after the coin is down, when others could start."""
        if state.menu_state is not melee.Menu.CHARACTER_SELECT:
            return False
        assert self._order is not None
        for port, level in zip(self._order.ports, self._order.cpu_levels, strict=True):
            player = state.players[port + 1]
            if player.is_holding_cpu_slider or player.cpu_level != level:
                return True
        return False

    def _change_costume(self, state: melee.GameState, pad: MenuPad, seat: int) -> bool:
        """One press of X per step, once the character is picked; whether the pad is busy with it."""
        wanted, player = self._wanted_costume(pad), state.players.get(pad.port)
        if wanted is None or player is None or not player.coin_down or player.character.value != wanted[0]:
            return False
        character, costume = self._costumes.get(pad.port, (wanted[0], 0))
        if character != wanted[0]:
            costume = 0
        self._costumes[pad.port] = (wanted[0], costume)
        if costume == wanted[1]:
            return False
        if costume > wanted[1]:
            raise InstanceFault(FaultKind.WRONG_GAME, "costumes only go forward; a new start begins with the first")
        is_held = pad.current.button[melee.Button.BUTTON_X]
        if self.frames % 4 == 0 and not is_held:
            pad.press_button(melee.Button.BUTTON_X)
        elif self.frames % 4 == 2 and is_held:
            pad.release_button(melee.Button.BUTTON_X)
            self._costumes[pad.port] = (wanted[0], costume + 1)
        return True

    def _press_on(self, pad: MenuPad) -> None:
        """Title and results screens: START and A in turn."""
        pad.release_all()
        button = _PRESS[self.frames % len(_PRESS)]
        if button is not None:
            pad.press_button(button)

    def _nudge(self, pad: MenuPad) -> None:
        """Off the spot where the helper does nothing; later back and START too."""
        pad.release_all()
        x, y = (0.5 + self._random.uniform(-0.3, 0.3) for _ in range(2))
        pad.tilt_analog(melee.Button.BUTTON_MAIN, x, y)
        if self.frames > self._budget * 2 // 3 and self.frames % 4 == 0:
            pad.press_button(melee.Button.BUTTON_B if self._on_scene % 8 == 0 else melee.Button.BUTTON_START)


def _is_cpu(state: melee.GameState, pad: MenuPad) -> bool:
    """Whether a pad's own seat was left to the game's player, in the game before."""
    player = state.players.get(pad.port)
    chosen = state.menu_state is melee.Menu.CHARACTER_SELECT and player is not None
    return chosen and player.controller_status is melee.ControllerStatus.CONTROLLER_CPU
