"""What goes wrong in a stand-in, at the frame its scenario says."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from envs.dolphin.standin.scenario import FaultKind, FaultSwitch, Scenario
from envs.dolphin.standin.spectator import Spectator
from envs.game import EXTERNAL_ID, Character
from envs.slippi.events import MENU_BYTES, MENU_EVENT, Command
from envs.slippi.stream import payload_sizes, whole_events

EXIT_STATUS: Final = 3
LONGEST_ROLLBACK: Final = 7
"""Slippi's own limit in frames."""
_INPUTS: Final = slice(0x19, 0x33)  # of a pre-frame event: sticks, trigger, buttons
_TRIGGER_AT: Final = 0x29
_CHARACTER_AT: Final = 0x7
_KIBI2: Final = 1 << 20


class Faults:
    """Strikes at messages of games on their way to the spectator."""

    def __init__(self, scenario: Scenario, spectator: Spectator, need_input: Callable[[], None]) -> None:
        """scenario: as one process has drawn it. need_input: takes the inputs of a frame."""
        self._scenario, self._spectator, self._need_input = scenario, spectator, need_input
        self._frames = 0
        self._leak: list[bytes] = []
        self._late: dict[int, deque[bytes]] = {}
        self._sizes: dict[int, int] = {}
        self._recent: deque[bytes] = deque(maxlen=LONGEST_ROLLBACK)

    def send(self, message: bytes) -> None:
        """Pass one message on, or what has become of it."""
        if message[0] == Command.PAYLOADS:
            self._sizes = payload_sizes(message)
        if message[0] == Command.GAME_END:
            times = 0 if self._has("missing_end") else 2 if self._has("duplicate_end") else 1
            for _ in range(times):
                self._spectator.game_event(message)
            return
        if message[0] in (Command.FRAME_START, Command.PRE_FRAME):
            self._frames += 1
            whole = self._altered(message)
            message = self._struck(whole)
            self._recent.append(whole)
        self._spectator.game_event(message)

    def _has(self, kind: FaultKind) -> bool:
        return self._scenario.fault(kind) is not None

    def _struck(self, message: bytes) -> bytes:
        for fault in self._scenario.faults:
            if fault.at_frame != self._frames:
                continue
            self._end(fault)
            if fault.kind == "late":
                time.sleep(fault.value)
            elif fault.kind == "rollback":
                for again in list(self._recent)[-int(fault.value) :]:
                    self._spectator.game_event(again)
                    self._need_input()
            elif fault.kind == "menu_in_frame":
                message = bytes([MENU_EVENT, *[0] * (MENU_BYTES - 1)]) + message
            elif fault.kind == "unknown_event":
                message = b"\xee\x01" + message
            elif fault.kind == "truncated":
                message = message[:-20]
        self._go_on()
        return message

    def _end(self, fault: FaultSwitch) -> None:
        """Those after which nothing comes any more."""
        if fault.kind == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif fault.kind == "exit":
            os._exit(EXIT_STATUS)
        elif fault.kind == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif fault.kind == "disconnect":
            self._spectator.disconnect()
        while fault.kind == "hang":
            time.sleep(60)

    def _go_on(self) -> None:
        """Those that begin and stay."""
        for fault in self._scenario.faults:
            if fault.kind == "leak" and self._frames >= fault.at_frame:
                self._leak.append(os.urandom(1) * int(fault.value * _KIBI2))
            elif fault.kind == "slow_frames" and self._frames >= fault.at_frame:
                time.sleep(fault.value)

    def _altered(self, message: bytes) -> bytes:
        """Inputs that do not arrive, or late, and fighters that nobody picked."""
        kinds = {fault.kind for fault in self._scenario.faults}
        if not kinds & {"deaf_pad", "no_trigger", "lag", "wrong_character"}:
            return message
        out = bytearray(message)
        for event in whole_events(message, self._sizes):
            if event.command == Command.PRE_FRAME:
                part = bytearray(out[event.start : event.end])
                self._alter_inputs(part)
                out[event.start : event.end] = part
            elif event.command == Command.POST_FRAME and "wrong_character" in kinds:
                was = out[event.start + _CHARACTER_AT]
                other = Character.FOX if was != Character.FOX.value else Character.FALCO
                assert other.value in EXTERNAL_ID
                out[event.start + _CHARACTER_AT] = other.value
        return bytes(out)

    def _alter_inputs(self, event: bytearray) -> None:
        if self._has("deaf_pad"):
            event[_INPUTS] = bytes(_INPUTS.stop - _INPUTS.start)
        if self._has("no_trigger"):
            struct.pack_into(">f", event, _TRIGGER_AT, 0.0)
        lag = self._scenario.fault("lag")
        if lag is not None:
            line = self._late.setdefault(event[5], deque())
            line.append(bytes(event[_INPUTS]))
            event[_INPUTS] = line.popleft() if len(line) > lag.value else bytes(_INPUTS.stop - _INPUTS.start)
