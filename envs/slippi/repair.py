"""Finish a .slp file whose writer was killed: keep its whole frames, set the length, add metadata."""

from __future__ import annotations

import os
from pathlib import Path

from envs.slippi.errors import Reason, ReplayError
from envs.slippi.events import Command
from envs.slippi.stream import BrokenStream, Event, frame_id, payload_sizes, whole_events
from envs.slippi.ubjson import LENGTH_AT, RAW_MAGIC, RAW_START, head, tail


def repair(path: str | Path, out: str | Path | None = None) -> Path:
    """Finalise an unfinished file; returns where the whole one is.

    `out` defaults to the same file; a `NAME.part` becomes `NAME`. The result replaces what is there in one step,
    so that the broken file stays until the whole one exists; a file that is repaired to `out` stays as it is, and
    so does a whole one. Everything after the last complete frame is dropped, unless Game End is there. Raises
    ReplayError for a file without a complete frame or that is no .slp.
    """
    path = Path(path)
    data = _contents(path)
    length = int.from_bytes(data[LENGTH_AT:RAW_START], "big")
    if length and len(data) > RAW_START + length:
        return path
    is_part = out is None and path.suffix == ".part"
    target = path.with_suffix("") if is_part else Path(out or path)
    raw, last_frame = _whole_frames(path, data[RAW_START:])
    part = target.with_name(target.name + ".repaired")
    part.write_bytes(head(len(raw)) + raw + tail({"lastFrame": last_frame}))
    os.replace(part, target)
    if is_part:
        path.unlink()
    return target


def _contents(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = Reason.MISSING if isinstance(error, FileNotFoundError) else Reason.UNREADABLE
        raise ReplayError(path, reason, str(error)) from None
    if not data.startswith(RAW_MAGIC):
        raise ReplayError(path, Reason.NOT_SLP if data else Reason.EMPTY, "no Slippi header")
    return data


def _whole_frames(path: Path, raw: bytes) -> tuple[bytes, int]:
    """(the events up to the last complete frame or Game End, the last frame's id)."""
    try:
        sizes = payload_sizes(raw)
    except BrokenStream as error:
        raise ReplayError(path, Reason.PAYLOAD_SIZES, str(error)) from None
    end, last_frame = 0, None
    frame_start: Event | None = None
    for event in whole_events(raw, sizes):
        if event.command == Command.GAME_END:
            end = event.end
            break
        if event.command == Command.BOOKEND:
            end, last_frame = event.end, frame_id(raw, event)
        elif event.command == Command.PRE_FRAME and Command.BOOKEND not in sizes:
            # Before 3.0 nothing closes a frame: it is complete when the next one begins.
            if frame_start is not None and frame_id(raw, event) != frame_id(raw, frame_start):
                end, last_frame = event.start, frame_id(raw, frame_start)
                frame_start = event
            frame_start = frame_start or event
    if last_frame is None:
        raise ReplayError(path, Reason.NO_FRAMES, "not one complete frame")
    return raw[:end], last_frame
