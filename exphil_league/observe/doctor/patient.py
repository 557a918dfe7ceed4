"""One emulator, driven by hand: into a game, through it, and out of it again. What breaks is told as Trouble."""

from __future__ import annotations

import logging
import os
import select
import signal
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from envs.controller import CONTROLLER
from envs.dolphin.emulator import Emulator, Plant
from envs.dolphin.errors import DolphinSetupError, FaultKind
from envs.dolphin.home import locks_dir
from envs.dolphin.instance import Instance, State
from envs.dolphin.menu import GameOrder
from envs.dolphin.pads import NEUTRAL, PadWords
from envs.dolphin.ports import lease_port
from envs.dolphin.posix import processes_with
from envs.game import Character, Stage
from exphil_league.observe.doctor.check import Trouble

MARK: Final = "EXPHIL_DOCTOR"
"""Environment variable by which everything that was started is known again."""
ORDER: Final = GameOrder((Character.FOX.value, Character.FOX.value), Stage.FINAL_DESTINATION.value)
"""Without CPU levels: the self-test of inputs needs both pads."""
TICK_S: Final = 0.05
GONE_S: Final = 5.0
"""Seconds within which nothing must be left."""
REMEDIES: Final = {
    FaultKind.EXITED: "start it by hand with this ISO and read what it says; xvfb-run gives it a display",
    FaultKind.BOOT_TIMEOUT: "try again, a first start is slow; then update Slippi: its spectator server must be there",
    FaultKind.DISCONNECTED: "look for what blocks UDP on 127.0.0.1, or for what kills Dolphin",
    FaultKind.FRAME_TIMEOUT: "start it by hand with this ISO; the machine may lack memory or a graphics library",
    FaultKind.MENU_STUCK: "use an unmodified ISO and an up to date Slippi: menus or their codes differ",
    FaultKind.WRONG_GAME: "use an unmodified ISO and an up to date Slippi: characters or stages are numbered otherwise",
    FaultKind.BROKEN_STREAM: "update Slippi; should it be new: please report this",
    FaultKind.INPUT: "try another build; ExiAI builds take inputs by EXI only",
    FaultKind.PAD: "look for what removes files in the run folder",
    FaultKind.MEMORY: "give the machine more memory, or try another build",
}


class Patient:
    """The emulator and what it has left behind so far."""

    def __init__(self, plant: Plant) -> None:
        """Nothing is started yet. A fault is final: no second try hides it."""
        changes = {"tries_per_game": 1, "restarts": 100, "backoff_s": 0.0, "recycle_frames": 0}
        self._plant = replace(plant, config=plant.config.model_copy(update=changes))
        self.instance = Instance(self._plant)
        self._id = uuid.uuid4().hex
        os.environ[MARK] = self._id
        self._seen: dict[Path, Emulator] = {}
        self._said = _Said()

    @property
    def frames(self) -> int:
        """Frames of games so far."""
        return self.instance.tally.frames

    @property
    def in_game(self) -> bool:
        """Whether a game runs and has shown a frame."""
        return self.instance.state is State.PLAYING and self.instance.fresh

    @property
    def emulator(self) -> Emulator:
        """The one that runs now."""
        assert self.instance.emulator is not None
        return self.instance.emulator

    def begin(self, stocks: int = 4, time_limit_frames: int = 0) -> None:
        """Head for a game; see Instance.begin."""
        self._said.lines.clear()
        self.instance.begin(ORDER, stocks, time_limit_frames)

    def until(self, reached: Callable[[], bool], seat_0: PadWords = NEUTRAL) -> None:
        """Go on until then; in a game the first player holds `seat_0`. Raises Trouble when it breaks before."""
        while not reached():
            if self.instance.done:
                raise self._trouble()
            if self.in_game:
                self.instance.send([seat_0, NEUTRAL])
            self._serve()

    def killed(self) -> float:
        """Kill the running emulator as `kill -9` does; seconds until that was noticed. Raises Trouble."""
        pid = self.emulator.pid()
        assert pid is not None
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        with suppress(Trouble):
            self.until(lambda: False)
        return time.monotonic() - began

    def said(self) -> str:
        """What the emulator's rooms warned of since the game was begun."""
        return "; ".join(self._said.lines)

    def close(self) -> None:
        """End it; may be called again."""
        self.instance.close()
        self._said.detach()
        if os.environ.get(MARK) == self._id:
            del os.environ[MARK]

    def processes(self) -> list[int]:
        """What still runs of all that was started."""
        return processes_with(MARK, self._id)

    def left(self) -> list[str]:
        """Homes with their pipes, and ports, that were not given back; wait for `close` first."""
        found = [str(home) for home in self._seen if home.exists()]
        for port in {emulator.port for emulator in self._seen.values()}:
            try:
                lease_port(locks_dir(self._plant.run_dir), (port, port)).release()
            except DolphinSetupError:
                found.append(f"port {port}")
        return found

    def _serve(self) -> None:
        self.instance.tick(time.monotonic())
        emulator = self.instance.emulator
        if emulator is not None:
            self._seen[emulator.home.folder] = emulator
        if select.select(self.instance.descriptors, [], [], TICK_S)[0]:
            self.instance.read()

    def _trouble(self) -> Trouble:
        kind = next(reversed(self.instance.tally.faults), "")
        remedy = REMEDIES[FaultKind(kind)] if kind else "please report this"
        return Trouble(self.said() or "the game was over before its time", remedy)


class _Said(logging.Handler):
    """Warnings of the emulator's rooms."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        logging.getLogger("envs.dolphin").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def detach(self) -> None:
        logging.getLogger("envs.dolphin").removeHandler(self)


def to_the_left() -> PadWords:
    """The main stick held to the left: on Final Destination it leads off the stage."""
    held = np.zeros(1, CONTROLLER)
    held["stick_x"] = -1.0
    words: PadWords = held.view(np.int32).tolist()
    return words
