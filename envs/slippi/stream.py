"""Cut a byte stream of Slippi events into events: for files that nobody finished, and for live streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from envs.slippi.events import Command

_MESSAGE_ENDS: Final = (Command.GAME_START, Command.BOOKEND, Command.GAME_END, Command.SPLITTER)


class BrokenStream(ValueError):
    """The bytes are no Slippi events."""


class Event(NamedTuple):
    """One complete event: bytes [start, end) of the stream, command byte included."""

    command: int
    start: int
    end: int


def payload_sizes(raw: bytes) -> dict[int, int]:
    """Command -> bytes after the command byte, from the Event Payloads event at the start of a stream.

    Raises BrokenStream.
    """
    if len(raw) < 2 or raw[0] != Command.PAYLOADS or (raw[1] - 1) % 3 or len(raw) < 1 + raw[1]:
        raise BrokenStream("the stream does not begin with a whole Event Payloads event")
    sizes = {int(Command.PAYLOADS): raw[1]}
    for at in range(2, 1 + raw[1], 3):
        sizes[raw[at]] = int.from_bytes(raw[at + 1 : at + 3], "big")
    return sizes


def whole_events(raw: bytes, sizes: Mapping[int, int], start: int = 0) -> Iterator[Event]:
    """The complete events from `start` on; ends before an incomplete or an unknown one."""
    while start < len(raw):
        size = sizes.get(raw[start])
        if size is None or start + 1 + size > len(raw):
            return
        yield Event(raw[start], start, start + 1 + size)
        start += 1 + size


def messages(raw: bytes) -> Iterator[bytes]:
    """The events of a file, cut into messages as Dolphin's spectator server sends them: a frame, or a header, each.

    Raises BrokenStream.
    """
    start = 0
    for event in whole_events(raw, payload_sizes(raw)):
        if event.command in _MESSAGE_ENDS:
            yield raw[start : event.end]
            start = event.end


def frame_id(raw: bytes, event: Event) -> int:
    """Frame of a frame event (its first field)."""
    return int.from_bytes(raw[event.start + 1 : event.start + 5], "big", signed=True)
