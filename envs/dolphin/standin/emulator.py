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
from envs.dolphin.standin.menus import Menus
from envs.dolphin.standin.pads import Pads
from envs.dolphin.standin.program import BuildName
from envs.dolphin.standin.scenario import Scenario
from envs.dolphin.standin.settings import read_settings
from envs.dolphin.standin.spectator import Spectator
from envs.slippi.events import Command

log = logging.getLogger(__name__)

_NEEDS_INPUT: Final = (Command.PAYLOADS, Command.FRAME_START, Command.PRE_FRAME)
"""First events of the messages after which the game asks for input: the header, and every frame."""


class Emulator:
    """Menus and games for ever."""

    def __init__(self, scenario: Scenario, user: Path, build: BuildName) -> None:
        """Starts the spectator server, then loads the content and opens the pads. Raises OSError, BrokenStream."""
        settings = read_settings(user, build.startswith("mainline"), build.endswith("exiai"))
        refused = scenario.fault("bind_refused") or scenario.fault("no_spectator") or not settings.spectator
        self._spectator = Spectator(settings.port, bind=not refused)
        self._content = make_content(scenario, settings.replays)
        self.pads = Pads(settings.pipes, settings.blocking)
        self._frame_s, self._next = settings.frame_s, 0.0
        self._faults = Faults(scenario, self._spectator, self._need_input)
        stuck = scenario.fault("stuck_menu") is not None
        self._menus = Menus(self.pads, self._show, self._content.playable, stuck)

    def run(self) -> None:
        """Until the process is ended."""
        self._menus.boot()
        while True:
            choice = self._menus.choose()
            log.info("stand-in: a game begins on stage %d", choice.stage)
            self._spectator.start_game()
            quits = None
            for message in self._content.game(choice, self.pads):
                self._faults.send(message)
                if message[0] in _NEEDS_INPUT:
                    self._need_input()
                    quits = self.pads.quits()
            if quits is None:
                self._menus.results()

    def _show(self, menu_frame: bytes) -> None:
        self._spectator.menu_event(menu_frame)
        self._need_input()

    def _need_input(self) -> None:
        self.pads.need_input()
        if self._frame_s:
            now = time.monotonic()
            self._next = max(self._next + self._frame_s, now)
            time.sleep(self._next - now)


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
