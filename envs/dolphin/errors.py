"""What can go wrong with an emulator: kinds of faults, and what is the user's to mend."""

from __future__ import annotations

from enum import StrEnum


class DolphinSetupError(ValueError):
    """Something that no restart mends: a wrong path, a wrong ISO, an old build. The message says what to do."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(f"{found}; {remedy}" if remedy else found)
        self.found, self.remedy = found, remedy


class FaultKind(StrEnum):
    """Why an emulator was given up. Counted by kind; the game it played is aborted."""

    EXITED = "exited"
    """The process ended by itself: a crash, or an exit."""
    BOOT_TIMEOUT = "boot_timeout"
    """No connection, or pads not opened, in time."""
    DISCONNECTED = "disconnected"
    """The network connection broke while the process lived on."""
    FRAME_TIMEOUT = "frame_timeout"
    """Connected, but no frame came in time."""
    MENU_STUCK = "menu_stuck"
    """The menus did not lead into a game within their budget."""
    WRONG_GAME = "wrong_game"
    """Another character, costume or stage than was picked."""
    BROKEN_STREAM = "broken_stream"
    """Bytes that are no Slippi events."""
    INPUT = "input"
    """What was played is not what was sent."""
    PAD = "pad"
    """A controller's pipe was closed or is full."""
    MEMORY = "memory"
    """More resident memory than the hard limit."""


class InstanceFault(Exception):
    """Ends an emulator's life inside an instance; never leaves it."""

    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail
