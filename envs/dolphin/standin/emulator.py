"""From boot to the last game, in lock-step with the pads: the thread that Dolphin calls emulation."""

from __future__ import annotations

import logging
import random
import sys
import time
from pathlib import Path
from typing import Final

from envs.dolphin.standin.content import make_content
from envs.dolphin.standin.faults import Faults
from envs.dolphin.standin.menus import Choice, Menus
from envs.dolphin.standin.pads import START, Pads
from envs.dolphin.standin.program import BuildName
from envs.dolphin.standin.scenario import Scenario
from envs.dolphin.standin.settings import read_settings
from envs.dolphin.standin.spectator import BIND_TRIES, Spectator
from envs.slippi.events import Command

log = logging.getLogger(__name__)

LOADING_POLLS: Final = 8
PAUSED_S: Final = 0.001
"""Between two looks at the pads of a paused game without a speed limit."""
_NEEDS_INPUT: Final = (Command.PAYLOADS, Command.FRAME_START, Command.PRE_FRAME)
"""First events of the messages after which the game asks for input: the header, and every frame."""


class Emulator:
    """Menus and games for ever."""

    def __init__(self, scenario: Scenario, user: Path, build: BuildName) -> None:
        """Starts the spectator server, then loads the content and opens the pads. Raises OSError, BrokenStream."""
        is_mainline = build.startswith("mainline")
        settings = read_settings(user, is_mainline, build.endswith("exiai"))
        self._spectator = Spectator(settings.port, _refusals(scenario, settings.spectator))
        self._content = make_content(scenario, settings.replays)
        one_flush = scenario.fault("one_flush") is not None
        self.pads = Pads(settings.pipes, settings.blocking, not is_mainline, one_flush)
        self._pausing, self._delay_frames = scenario.pausing, settings.delay_frames
        self._frame_s, self._next = settings.frame_s, 0.0
        self._faults = Faults(scenario, self._spectator, self._need_input)
        self._menus = Menus(self.pads, self._show, self._content.playable, scenario, settings.user)

    def run(self) -> None:
        """Until the process is ended."""
        self.pads.drain()
        self._menus.boot()
        while True:
            choice = self._menus.choose()
            for _ in range(LOADING_POLLS):
                self.pads.drain()
            log.info("stand-in: a game begins on stage %d", choice.stage)
            if not self._play(choice):
                self._menus.results()

    def _play(self, choice: Choice) -> bool:
        """A game to its end; whether somebody left it."""
        self._spectator.start_game()
        self.pads.delay(self._delay_frames)
        for message in self._content.game(choice, self.pads):
            self.pads.drain()
            self._faults.send(message)
            if message[0] in _NEEDS_INPUT:
                self._need_input()
                if self._pausing and not choice.is_online:
                    self._pause()
        is_left = self.pads.quits() is not None
        self.pads.delay(0)
        return is_left

    def _show(self, menu_frame: bytes) -> None:
        self._spectator.menu_event(menu_frame)
        self._need_input()

    def _need_input(self) -> None:
        self._pace()
        self.pads.need_input()

    def _pace(self) -> None:
        """Wait for the frame's time to be over."""
        if self._frame_s:
            now = time.monotonic()
            self._next = max(self._next + self._frame_s, now)
            time.sleep(self._next - now)

    def _pause(self) -> None:
        """Stand still from one START to the next, or until somebody leaves; pads are read and nothing is sent."""
        if not self.pads.pressed(START):
            return
        log.info("stand-in: paused")
        while self.pads.quits() is None:
            time.sleep(self._frame_s or PAUSED_S)
            self.pads.drain()
            self.pads.sample()
            if self.pads.pressed(START) and self.pads.quits() is None:
                return


def _refusals(scenario: Scenario, wanted: bool) -> int:
    """How often the spectator's port is refused."""
    if not wanted or scenario.fault("no_spectator") is not None:
        return BIND_TRIES
    refused = scenario.fault("bind_refused")
    return 0 if refused is None else int(refused.value)


def run(iso: Path, user: Path, build: BuildName) -> int:
    """Boot and play; returns an exit status only when the boot fails."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    try:
        scenario = Scenario.read(iso).drawn(random.Random())
        slow = scenario.fault("slow_boot")
        time.sleep(scenario.startup_s + (slow.value if slow is not None else 0.0))
        if scenario.fault("exit_at_boot") is not None:
            log.error("stand-in: cannot read the disc")
            return 1
        emulator = Emulator(scenario, user, build)
    except (OSError, ValueError) as error:
        log.error("stand-in: %s", error)
        return 1
    emulator.run()
    return 0
