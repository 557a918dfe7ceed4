"""One game after another on one emulator, which may be replaced under it. Nothing here ever waits.

`begin` says which game is wanted, `read` takes one message, `tick` looks at the clock. In lock-step the emulator asks
for input after every menu frame, every game frame and every game's header, and gets exactly one answer to each: a
surplus answer would make it play one frame ahead of us for the rest of the game.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, EndedBy, Fault
from envs.dolphin.emulator import Emulator, Plant, Plug, boot_slot
from envs.dolphin.errors import DolphinSetupError, FaultKind, InstanceFault
from envs.dolphin.health import SPEED_FRAMES, Budget, Tally, check_speed
from envs.dolphin.libmelee import menu_scene
from envs.dolphin.life import Life
from envs.dolphin.link import GAME, MENU, Message
from envs.dolphin.menu import GameOrder
from envs.dolphin.pads import PadWords
from envs.dolphin.ports import Lease
from envs.dolphin.referee import Referee, check_fighters, check_header, ended_by, result_of
from envs.dolphin.self_test import InputCheck
from envs.dolphin.waiting import write_waiting
from envs.frame import FIRST_FRAME, FRAME, WORDS, word_offset
from envs.slippi.live import OldSlippi, Seen
from envs.slippi.stream import BrokenStream

log = logging.getLogger(__name__)

IN_GAME_SCENE: Final = 0x0202
GLANCE_S: Final = 1.0  # between two looks at memory and process
KICK_S: Final = 0.5
"""A freshly booted emulator that says nothing for so long waits for its first input."""
SETTLE_S: Final = 0.15
"""Silence after which all surplus answers have been used up."""
QUIT_S: Final = 5.0  # within which a game must be left, before the emulator is replaced instead
BROKEN_BEFORE_LIBMELEE: Final = 2  # broken streams after which libmelee reads the frames

_AT_FRAME: Final = word_offset(FRAME, "frame")
_AT_FAULT: Final = word_offset(FRAME, "fault")


class State(Enum):
    """Where an instance is."""

    IDLE = auto()
    """No game is wanted, or the last one is over."""
    STARTING = auto()
    """An emulator is to be started, when back-off and boot slots allow."""
    BOOTING = auto()
    MENU = auto()
    PLAYING = auto()
    QUITTING = auto()
    """A game runs that nobody wants."""
    SETTLING = auto()
    """It was left; surplus answers are being used up."""


class Instance:
    """Plays games to order. Faults are counted and repaired; only a spent budget raises BackendLost."""

    def __init__(self, plant: Plant, words: NDArray[np.int32] | None = None, plugs: tuple[Plug, ...] = ()) -> None:
        """words: where frames are written [WORDS]. plugs: what is in the controller ports; default two pads."""
        self._plant, self._config = plant, plant.config
        self._plugs = plugs or (Plug(0), Plug(1))
        self.words = np.zeros(WORDS, np.int32) if words is None else words
        self.state = State.IDLE
        self.fresh = False
        """Whether a frame of the running game came since the last `send`."""
        self.done = False
        """Whether the game that was begun is over; `result` is its RESULT."""
        self.result = np.zeros((), RESULT)
        self.tally = Tally()
        self._budget = Budget(plant.config)
        self._life: Life | None = None
        self._remains: list[Emulator] = []
        self._order: GameOrder | None = None
        self._referee = Referee(4, 0)
        self._iso: Path | None = None
        self._slot: Lease | None = None
        self._scratch = self.words.copy()
        self._tries = self._broken = 0
        self._not_before = self._deadline = self._glance = 0.0
        self._entered_at = self._event_at = self._sent_at = 0.0
        self._kick_at: float | None = None
        self._life_end = float("inf")
        self._in_game = self._ending = False

    # What the owner asks

    def begin(self, order: GameOrder, stocks: int = 4, time_limit_frames: int = 0, iso: Path | None = None) -> None:
        """Head for this game; the one before is given up if it still runs.

        stocks, time_limit_frames: as in MATCHUP. iso: what to start the emulator with, if not what it runs.
        """
        self._order, self._referee = order, Referee(stocks, time_limit_frames)
        self.done, self.fresh, self._tries = False, False, 0
        fresh_iso, self._iso = iso not in (None, self._iso), iso or self._iso
        write_waiting(self.words, order, stocks, time_limit_frames or -1)
        if self._life is None:
            self.state = State.STARTING
        elif fresh_iso or self._running.too_big or self._running.frames >= self._life_end:
            self._replace()
        elif self._in_game and not self._ending:
            self._enter(State.QUITTING, QUIT_S)
        else:
            self._to_menu()

    def send(self, pads: Sequence[PadWords]) -> None:
        """Inputs of both seats for the next frame of the running game."""
        assert self.state is State.PLAYING, self.state
        assert self._order is not None
        self.fresh = False
        self._sent_at = time.monotonic()
        try:
            self._running.send(pads, self._order, int(self.words[_AT_FRAME]))
        except InstanceFault as fault:
            self._fail(fault)

    def read(self) -> None:
        """Take one message, if there is one."""
        if self._life is None:
            return
        try:
            message = self._running.emulator.link.receive()
            if message is None:
                self._running.check_exit()
            else:
                self._take(message)
        except InstanceFault as fault:
            self._fail(fault)

    def tick(self, now: float) -> None:
        """Do what is due by the clock (time.monotonic). Raises BackendLost, DolphinSetupError."""
        if self._remains:
            self._remains = [gone for gone in self._remains if not gone.reaped()]
        try:
            self._by_state(now)
            if self._life is not None and now >= self._glance:
                self._glance = now + GLANCE_S
                self._running.check()
        except InstanceFault as fault:
            self._fail(fault)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Readable when `read` has something to do."""
        return () if self._life is None else self._running.emulator.descriptors

    @property
    def waiting(self) -> bool:
        """Whether a wanted game has not begun."""
        return not self.done and self._order is not None and self.state is not State.PLAYING

    @property
    def due(self) -> bool:
        """Whether the running game owes a frame."""
        return self.state is State.PLAYING and not self.fresh

    def presses(self, now: float) -> bool:
        """Whether the frame it owes is worth waiting for."""
        return self.state is State.PLAYING and not self.fresh and now - self._sent_at < self._config.patience_s

    @property
    def inputs(self) -> InputCheck | None:
        """The running emulator's self-test of inputs."""
        return None if self._life is None else self._life.inputs

    @property
    def emulator(self) -> Emulator | None:
        """The one that runs now."""
        return None if self._life is None else self._life.emulator

    def close(self, wait_s: float = 10.0) -> None:
        """End everything; may be called again."""
        self._retire()
        self.state, self._order = State.IDLE, None
        until = time.monotonic() + wait_s
        while self._remains and time.monotonic() < until:
            self._remains = [gone for gone in self._remains if not gone.reaped()]
            if self._remains:
                time.sleep(0.01)

    @property
    def _running(self) -> Life:
        assert self._life is not None
        return self._life

    # Messages

    def _take(self, message: Message) -> None:
        self._event_at = time.monotonic()
        if message.kind == GAME:
            self._take_events(message.payload)
        elif message.kind == MENU:
            self._take_menu(message)
        else:
            self._running.emulator.linked = True

    def _take_events(self, payload: bytes) -> None:
        life = self._running
        try:
            seen = life.reader.feed(payload, self.words if self.state is State.PLAYING else self._scratch)
        except OldSlippi as error:
            self.close()
            raise DolphinSetupError(f"{self._plant.build.label}: {error}", "update Slippi") from None
        except BrokenStream as error:
            self._broken += 1
            raise InstanceFault(FaultKind.BROKEN_STREAM, str(error)) from None
        if seen & Seen.START:
            self._on_start()
        if seen & (Seen.FRAME | Seen.REPEAT):
            life.owes_answer = True
            if self.state is State.PLAYING:
                self._on_frame(life, seen)
            elif self.state is State.MENU:
                life.answer(again=False)
        if seen & Seen.END:
            self._on_end(ended_by(life.reader.end_method))

    def _on_start(self) -> None:
        assert self._order is not None
        before, self._in_game, self._ending = self._in_game, True, False
        if self.state is State.PLAYING and before:
            self._over(EndedBy.FAULT)  # a new game began and nobody said how the old one ended
        elif self.state is State.MENU:
            assert self._running.reader.meta is not None
            check_header(self._running.reader.meta, self._order)
            self._referee.begin(self._running.reader.meta)
            self._enter(State.PLAYING, self._config.boot_timeout_s)
            self.fresh, self._sent_at = False, self._event_at
            if self._running.inputs is None and self._config.self_test:
                self._running.inputs = InputCheck(self._order.cpu_levels, 1 + self._config.online_delay_frames)
            self._running.answer(again=False)

    def _on_frame(self, life: Life, seen: int) -> None:
        if not seen & Seen.FRAME:
            life.answer(again=True)
            return
        frame = int(self.words[_AT_FRAME])
        if frame == FIRST_FRAME:
            assert self._order is not None
            check_fighters(self.words, self._order)
        if life.inputs is not None and life.inputs.is_open:
            life.inputs.look(frame, self.words)
        self.fresh = True
        life.frames += 1
        self.tally.frames += 1
        self.tally.waited_s += self._event_at - self._sent_at
        if life.frames == SPEED_FRAMES:
            check_speed(self.tally, self._config, self._plant.build.label)
        how = self._referee.look(self.words)
        if how is not EndedBy.RUNNING:
            self._ending = not self._referee.goes_on(self.words)
            self._over(how)

    def _on_end(self, how: EndedBy) -> None:
        self._in_game = self._ending = False
        if self.state is State.PLAYING:
            self._over(how)
        elif self.state is State.QUITTING:
            self._enter(State.SETTLING, SETTLE_S)

    def _take_menu(self, message: Message) -> None:
        self._running.owes_answer = True
        if self._in_game and menu_scene(message.payload) == IN_GAME_SCENE:
            if self.state in (State.PLAYING, State.MENU):
                self._running.answer(again=True)
            return
        if self._in_game:
            self._on_end(EndedBy.FAULT)  # the game is gone and nobody said how it ended
        if self.state is State.MENU:
            self._running.owes_answer = False
            self._deadline = self._event_at + self._config.boot_timeout_s
            self._running.walk.on_menu(message)
        elif self.state is State.SETTLING and self._config.lockstep:
            self._deadline = self._event_at + SETTLE_S

    # Clock

    def _by_state(self, now: float) -> None:
        if self.state is State.STARTING and now >= self._not_before:
            self._slot = boot_slot(self._plant)
            if self._slot is not None:
                self._start()
        elif self.state is State.BOOTING:
            self._see_boot(now)
        elif self.state is State.MENU:
            self._see_menu(now)
        elif self.due:
            self._see_frame(now)
        elif self.state is State.QUITTING:
            self._replace() if now > self._deadline else self._running.leave_game(now)
        elif self.state is State.SETTLING and now >= self._deadline:
            self._to_menu()

    def _see_boot(self, now: float) -> None:
        if self._running.emulator.connect_pads() and self._running.emulator.linked:
            self._free_slot()
            self.tally.boots += 1
            self._to_menu(kick_at=now + KICK_S)
        elif now > self._deadline:
            what = (
                "its pads were not opened" if self._running.emulator.linked else "its spectator server did not answer"
            )
            raise InstanceFault(FaultKind.BOOT_TIMEOUT, f"{what} within {self._config.boot_timeout_s:g} s")

    def _see_menu(self, now: float) -> None:
        if self._kick_at is not None and now >= self._kick_at:
            self._kick_at = None
            if not self._event_at > self._entered_at:
                self._running.answer(again=False)
        if now > self._deadline:
            raise InstanceFault(FaultKind.FRAME_TIMEOUT, f"nothing came in {self._config.boot_timeout_s:g} s of menu")

    def _see_frame(self, now: float) -> None:
        loading = int(self.words[_AT_FRAME]) <= FIRST_FRAME
        limit_s = self._config.boot_timeout_s if loading else self._config.frame_timeout_s
        if now - self._sent_at > limit_s:
            raise InstanceFault(FaultKind.FRAME_TIMEOUT, f"no frame in {limit_s:g} s")

    # Changes of state

    def _enter(self, state: State, limit_s: float) -> None:
        self.state = state
        self._entered_at = time.monotonic()
        self._deadline = self._entered_at + limit_s

    def _to_menu(self, kick_at: float | None = None) -> None:
        assert self._order is not None
        self._enter(State.MENU, self._config.boot_timeout_s)
        self._running.begin(self._order)
        self._kick_at = kick_at
        if self._running.owes_answer:
            self._running.answer(again=False)

    def _start(self) -> None:
        self._life = Life(self._plant, self._plugs, self._iso, self._reads_with_libmelee())
        self._life_end = self._budget.life_frames()
        self._in_game = self._ending = False
        self._enter(State.BOOTING, self._config.boot_timeout_s)

    def _reads_with_libmelee(self) -> bool:
        if self._broken == BROKEN_BEFORE_LIBMELEE and self._config.parser == "own":
            log.error("the stream could not be read %d times: libmelee reads it from now on, more slowly", self._broken)
        return self._config.parser == "libmelee" or self._broken >= BROKEN_BEFORE_LIBMELEE

    def _replace(self) -> None:
        """A planned restart."""
        self._retire()
        self.tally.recycled += 1
        self._not_before, self.state = 0.0, State.STARTING

    def _retire(self) -> None:
        self._free_slot()
        if self._life is not None:
            self._running.emulator.retire()
            self._remains.append(self._running.emulator)
            self._life = None

    def _free_slot(self) -> None:
        if self._slot is not None:
            self._slot.release()
            self._slot = None

    def _over(self, how: EndedBy) -> None:
        self.done, self.state = True, State.IDLE
        self.tally.games += 1
        if how is EndedBy.FAULT:
            self.words[_AT_FAULT] = Fault.LOST
        self.result[...] = result_of(self.words, how)

    def _fail(self, fault: InstanceFault) -> None:
        """Count a fault, throw the emulator away, and abort its game or try again."""
        self.tally.faults[fault.kind] += 1
        tail = self._running.emulator.home.log_tail() if self._life is not None else ""
        log.warning("emulator lost: %s%s", fault, f"\n{tail}" if tail else "")
        never_ran = not self.tally.boots
        self._retire()
        self._tries += 1
        if self.state is State.PLAYING or (self.waiting and self._tries >= self._config.tries_per_game):
            self._over(EndedBy.FAULT)
        else:
            self.state = State.STARTING if self.waiting else State.IDLE
        if never_ran and fault.kind is FaultKind.EXITED and self.done:
            told = f"{self._plant.build.executable} ended right after its start, {self._tries} times ({fault.detail})"
            raise DolphinSetupError(
                f"{told}\n{tail}".rstrip(), "run it by hand with this ISO; xvfb-run gives it a display"
            )
        self._not_before = self._budget.spend(fault, tail)
