"""Why a .slp file gives no game: named reasons, so that a scan of a large folder can count them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Reason(StrEnum):
    """What is wrong with a file, for people and for counting."""

    MISSING = "missing"
    UNREADABLE = "unreadable"  # the system refuses: a folder, no permission, a failing disk
    EMPTY = "empty"
    NOT_SLP = "not_slp"
    IN_PROGRESS = "in_progress"  # raw length 0: still being written, or its writer was killed
    TRUNCATED = "truncated"
    PAYLOAD_SIZES = "payload_sizes"  # the Event Payloads event is broken
    UNKNOWN_EVENT = "unknown_event"
    EVENT_LENGTH = "event_length"  # an event is longer or shorter than its version says
    VERSION_UNREADABLE = "version_unreadable"  # a valid file of a version the parser does not read
    LOST_EVENTS = "lost_events"  # pre- and post-frame events do not pair up
    FRAME_ORDER = "frame_order"  # frame starts are missing, repeated or out of order
    FRAME_GAP = "frame_gap"  # frame ids are not contiguous
    NO_FRAMES = "no_frames"
    SPECIAL_MODE = "special_mode"  # single-player modes: their end or their players are none of a versus game
    PLACEMENT = "placement"  # impossible placement in Game End
    PLAYER_COUNT = "player_count"  # not two players
    PARSER_FAILED = "parser_failed"


_REMEDY = {
    Reason.MISSING: "check the path",
    Reason.UNREADABLE: "check that it is a file and its permissions",
    Reason.EMPTY: "delete it or copy it again",
    Reason.NOT_SLP: "only Slippi replays (.slp) can be read; unpack archives first",
    Reason.IN_PROGRESS: "wait for the game to end, or finalise it with envs.slippi.repair",
    Reason.TRUNCATED: "copy it again, or finalise it with envs.slippi.repair",
    Reason.VERSION_UNREADABLE: "re-save it with a newer Slippi; versions 3.0 to 3.6 and pre-releases are not read",
    Reason.PLAYER_COUNT: "only games of two players can be read",
}


class ReplayError(ValueError):
    """A file that gives no game. `reason` is for counting, the message says what was wrong and what to do."""

    def __init__(self, path: str | Path, reason: Reason, detail: str) -> None:
        remedy = _REMEDY.get(reason, "leave it out")
        super().__init__(f"{path}: {reason.value.replace('_', ' ')} ({detail}); {remedy}")
        self.path = Path(path)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[ReplayError], tuple[str, Reason, str]]:
        return (ReplayError, (str(self.path), self.reason, self.detail))
