"""The one place that touches peppi: its private module, its panics and its noise on standard error.

The public wrapper hides items, stage events and frame starts, so the raw module is used. Its failures are
`OSError`s and Rust panics; a panic is a `BaseException` whose class cannot be imported, and Rust prints it to
file descriptor 2 past Python. `parse` turns all of them into `ReplayError` and drops the panic's text alone.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from envs.slippi.errors import Reason, ReplayError
from envs.slippi.ubjson import RAW_MAGIC, RAW_START

_REASONS: Final = (
    ("No such file", Reason.MISSING),
    ("expected: [123, 85, 3, 114", Reason.NOT_SLP),
    ("invalid payload size", Reason.PAYLOAD_SIZES),
    ("in payload sizes", Reason.PAYLOAD_SIZES),
    ("zero-size event payload", Reason.PAYLOAD_SIZES),
    ("unknown event", Reason.UNKNOWN_EVENT),
    ("invalid game end method", Reason.SPECIAL_MODE),
    ("index out of bounds: the len is 4", Reason.SPECIAL_MODE),
    ("Invalid player placement", Reason.PLACEMENT),
    ("StructArray must contain at least one field", Reason.VERSION_UNREADABLE),
    ("`Option::unwrap()` on a `None`", Reason.VERSION_UNREADABLE),
    ("children must have an equal number", Reason.LOST_EVENTS),
    ("assertion `left == right` failed", Reason.FRAME_ORDER),
)
"""peppi 2.1.2's messages, by a part of each that does not vary."""


@dataclass(frozen=True)
class RawGame:
    """What peppi gives: Game Start and Game End as dictionaries, frames as one Arrow struct array."""

    start: dict[str, Any]
    end: dict[str, Any] | None
    metadata: dict[str, Any]
    frames: pa.StructArray | None


def parse(path: str | Path, skip_frames: bool = False) -> RawGame:
    """Parse one file. Raises ReplayError; KeyboardInterrupt and SystemExit pass."""
    from peppi_py._peppi import read_slippi

    try:
        with _panic_text_dropped():
            game = read_slippi(str(path), skip_frames)
    except OSError as error:
        raise _replay_error(path, str(error)) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _replay_error(path, str(error)) from None
    return RawGame(game.start, game.end, game.metadata or {}, game.frames)


def _replay_error(path: str | Path, message: str) -> ReplayError:
    detail = " ".join(message.split())[:160]
    for part, reason in _REASONS:
        if part in message:
            version = f"version {_version(Path(path))}: " if reason == Reason.VERSION_UNREADABLE else ""
            return ReplayError(path, reason, version + detail)
    if "fill whole buffer" in message or "Cannot skip to game end" in message:
        return ReplayError(path, _short_file_reason(Path(path)), detail)
    reason = Reason.UNREADABLE if re.search(r"\(os error \d+\)", message) else Reason.PARSER_FAILED
    return ReplayError(path, reason, detail)


def _short_file_reason(path: Path) -> Reason:
    """Why a file ended before its parser was done, from its first 15 bytes."""
    with path.open("rb") as file:
        head = file.read(RAW_START)
        size = os.fstat(file.fileno()).st_size
    if not head:
        return Reason.EMPTY
    if not RAW_MAGIC.startswith(head[: len(RAW_MAGIC)]):
        return Reason.NOT_SLP
    raw_length = int.from_bytes(head[len(RAW_MAGIC) :], "big")
    if len(head) < RAW_START or 0 < size - RAW_START < raw_length:
        return Reason.TRUNCATED
    return Reason.EVENT_LENGTH if raw_length else Reason.IN_PROGRESS


def _version(path: Path) -> str:
    """Slippi version in a file's Game Start event, which follows the Event Payloads event."""
    with path.open("rb") as file:
        head = file.read(RAW_START + 0x200)[RAW_START:]
    start = 1 + head[1] + 1
    return ".".join(str(part) for part in head[start : start + 3])


_capture_lock = threading.Lock()
_capture: dict[int, int] = {}
"""Process id -> descriptor of this process's capture file (a forked child must not share its parent's)."""
_PANIC_HEAD = rb"\n?thread '[^\n]*panicked at [^\n]*\n"
_PANIC_TAIL = rb"\n(stack backtrace:\n( +[^\n]*\n)*)?(note: [^\n]*\n)?"
"""What Rust prints around a panic's message; how much depends on RUST_BACKTRACE, the note on earlier panics."""


def _capture_file() -> int:
    pid = os.getpid()
    if pid not in _capture:
        with tempfile.TemporaryFile() as file:
            _capture[pid] = os.dup(file.fileno())
    return _capture[pid]


@contextmanager
def _panic_text_dropped() -> Iterator[None]:
    """Hold back what is written to descriptor 2 meanwhile; hand on all of it but the text of a panic."""
    panic = b""
    with _capture_lock:
        capture, stderr = _capture_file(), os.dup(2)
        os.dup2(capture, 2)
        try:
            yield
        except BaseException as error:
            panic = _PANIC_HEAD + re.escape(str(error).encode()) + _PANIC_TAIL
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            _hand_on(capture, panic)


def _hand_on(capture: int, panic: bytes) -> None:
    """Write the captured text to standard error, less what matches `panic` (nothing, if empty)."""
    size = os.lseek(capture, 0, os.SEEK_END)
    if not size:
        return
    text = os.pread(capture, size, 0)
    os.ftruncate(capture, 0)
    os.lseek(capture, 0, os.SEEK_SET)
    if panic:
        text = re.sub(panic, b"", text)
    if text:
        os.write(2, text)
