"""One emulator's life: the emulator with what reads it, steers it and watches over it. A new life begins afresh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from envs.dolphin.emulator import Emulator, Plant, Plug
from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.libmelee import LibmeleeReader
from envs.dolphin.menu import GameOrder, MenuWalk
from envs.dolphin.pads import NEUTRAL, QUIT_BLOCKS, PadWords, last_polled_first
from envs.dolphin.self_test import InputCheck
from envs.slippi.live import LiveParser

QUIT_STEP_S: Final = 1 / 60
"""Seconds between two inputs when a game is left: about a person's hands."""


class Life:
    """From the start of an emulator to its end."""

    def __init__(self, plant: Plant, plugs: tuple[Plug, ...], iso: Path | None, with_libmelee: bool) -> None:
        """with_libmelee: what reads the frames."""
        config = plant.config
        self._config = config
        self.emulator = Emulator(plant, plugs, iso)
        console = self.emulator.console
        self.walk = MenuWalk(console, self.emulator.menu_pads, config.frozen_stadium, config.menu_budget_frames)
        own = "" if plant.account is None else plant.account.code
        self.reader: LiveParser | LibmeleeReader = (
            LibmeleeReader(console) if with_libmelee else LiveParser(own_code=own)
        )
        self.inputs: InputCheck | None = None
        """The self-test of its first countdown."""
        self.frames = 0
        """Frames of games so far."""
        self.owes_answer = False
        """Whether it waits for input."""
        self.too_big = False
        """Whether its memory has been above the soft limit."""
        self._last_polled_first = last_polled_first(self.emulator.pads)
        """Builds that go on as soon as one pad has answered find the others' inputs there."""
        self._quit_step = 0
        self._quit_at = 0.0

    def begin(self, order: GameOrder) -> None:
        """Head for this game; seats may have other ports than in the one before."""
        self.reader.ports = None if order.connect_code else order.ports
        self.walk.begin(order)

    def send(self, pads: Sequence[PadWords], order: GameOrder, frame: int) -> None:
        """Inputs of both seats after a frame; the self-test's where it is under way. Raises InstanceFault."""
        self.owes_answer = False
        test = self.inputs if self.inputs is not None and self.inputs.is_open else None
        for pad in self._last_polled_first:
            if pad.port not in order.ports:
                pad.send(NEUTRAL)
                continue
            seat = 0 if order.connect_code else order.ports.index(pad.port)
            pad.send((test and test.input_after(frame, seat)) or pads[seat])

    def answer(self, again: bool) -> None:
        """Give the emulator the input it asks for: the last one again, or none. Raises InstanceFault."""
        self.owes_answer = False
        for pad in self._last_polled_first:
            pad.again() if again else pad.release()

    def leave_game(self, now: float) -> None:
        """Pause, then L, R, A and START; call it again and again. Raises InstanceFault."""
        if now - self._quit_at < QUIT_STEP_S:
            return
        self._quit_at = now
        block = QUIT_BLOCKS[self._quit_step % len(QUIT_BLOCKS)]
        self._quit_step += 1
        first, *others = self.emulator.pads
        first.write(block)
        for pad in others:
            pad.release()

    def check(self) -> None:
        """Raises InstanceFault for an emulator that has ended or grown too big."""
        self.check_exit()
        resident = self.emulator.resident_mib()
        if resident > self._config.hard_memory_mib:
            limit = self._config.hard_memory_mib
            raise InstanceFault(FaultKind.MEMORY, f"{resident:.0f} MiB resident, the limit is {limit}")
        self.too_big |= resident > self._config.soft_memory_mib

    def check_exit(self) -> None:
        """Raises InstanceFault for an emulator that has ended."""
        status = self.emulator.exit_status()
        if status is not None:
            raise InstanceFault(FaultKind.EXITED, f"Dolphin ended with status {status}")
