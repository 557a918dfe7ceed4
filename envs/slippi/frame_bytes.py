"""Frames as Slippi events, one or many at once.

Every field of the frame record is one 32-bit word, and an event holds such words, or the lower half or quarter of
them, in big-endian order. So each byte of an event is a byte of the frame, of the frame before it, or a constant, and
which ones they are depends only on the version and on what the frame has: its fighters, its items, news of its stage.
For each such shape a table of positions is made once; frames are then encoded by one look-up in it.

What the frame record lacks is filled so that parsers and viewers agree: the pre-frame position, action and percent
are the previous frame's post-frame values (the state before the input), identifiers of hits are 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_FRAME, FRAME, ITEM, ITEM_SLOTS, PLAYER, SEATS, WORDS, word_offset, words_i32
from envs.slippi.events import FIELDS, Command, Version, event_dtype, has_event

_FIGHTERS: Final = tuple((seat, slot) for seat in range(SEATS) for slot in (0, 1))
_STAGE: Final = ("fod_right", "fod_left", "whispy", "stadium")
"""In the order of the events that tell of them."""


def _words(*paths: tuple[str | int, ...]) -> NDArray[np.intp]:
    return np.array([word_offset(FRAME, *path) for path in paths])


_AT_FRAME, _AT_SEED, _AT_STADIUM = (word_offset(FRAME, name) for name in ("frame", "seed", "stadium"))
_LOOKED_AT: Final = _words(
    *(("players", *fighter, "character") for fighter in _FIGHTERS),
    *(("items", slot, "kind") for slot in range(ITEM_SLOTS)),
    *((name,) for name in _STAGE),
)
"""Words that say what a frame has: fighters, items, stage."""
_KNOWN: Final = np.uint32(0x7F800000)
"""Neither these integers nor these floats are more, if they are not negative or NaN."""

# A row of the source: the frame, the frame before, three numbers that are not in the record, and every byte value.
_BEFORE: Final = WORDS
_COUNTER, _STADIUM_EVENT, _STADIUM_TYPE, _BYTES = range(2 * WORDS, 2 * WORDS + 4)
_BYTE_VALUES: Final = np.arange(256, dtype=np.uint8).view(np.int32)
_ROW: Final = _BYTES + len(_BYTE_VALUES)


def frame_events(frames: NDArray[np.void], before: NDArray[np.void] | None, version: Version) -> bytes:
    """All events of consecutive frames [T] FRAME, T at least 1; `before` is the frame before the first, if any."""
    now = words_i32(np.ascontiguousarray(frames))
    previous = np.empty_like(now)
    previous[0] = now[0] if before is None else words_i32(before.reshape(1))[0]
    previous[1:] = now[:-1]
    source = _source(now, previous)
    shapes = _shapes(now, previous, is_start=before is None)
    if (shapes == shapes[0]).all():
        return source.take(_table(int(shapes[0]), version), axis=1).tobytes()
    return _interleaved(source, shapes, version)


def _interleaved(source: NDArray[np.uint8], shapes: NDArray[np.uint32], version: Version) -> bytes:
    """Frames of several shapes, in their order."""
    kinds, kind_of = np.unique(shapes, return_inverse=True)
    tables = [_table(int(shape), version) for shape in kinds]
    sizes = np.array([len(table) for table in tables])[kind_of]
    starts = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    for kind, table in enumerate(tables):
        rows = np.flatnonzero(kind_of == kind)
        out[starts[rows, None] + np.arange(len(table))] = source[rows[:, None], table]
    return out.tobytes()


def _source(now: NDArray[np.int32], previous: NDArray[np.int32]) -> NDArray[np.uint8]:
    """[T, 4 * _ROW]: what the bytes of events are chosen from."""
    source = np.empty((len(now), _ROW), np.int32)
    source[:, :_BEFORE], source[:, _BEFORE:_COUNTER] = now, previous
    source[:, _COUNTER] = now[:, _AT_FRAME] - FIRST_FRAME
    source[:, _STADIUM_EVENT], source[:, _STADIUM_TYPE] = now[:, _AT_STADIUM] & 0xFF, now[:, _AT_STADIUM] >> 8
    source[:, _BYTES:] = _BYTE_VALUES
    return source.view(np.uint8)


def _shapes(now: NDArray[np.int32], previous: NDArray[np.int32], is_start: bool) -> NDArray[np.uint32]:
    """[T]: the bits of what each frame has, in the order in which `_table` reads them."""
    new, old = now.take(_LOOKED_AT, axis=1), previous.take(_LOOKED_AT, axis=1)
    looked_at, fighters, stage = len(_LOOKED_AT), len(_FIGHTERS), len(_STAGE)
    bits = np.zeros((len(now), 32), np.bool_)
    np.less_equal(new.view(np.uint32), _KNOWN, out=bits[:, :looked_at])
    news = new[:, -stage:] != old[:, -stage:]
    news[0] |= is_start
    bits[:, looked_at - stage : looked_at] &= news
    np.less_equal(old.view(np.uint32)[:, :fighters], _KNOWN, out=bits[:, looked_at : looked_at + fighters])
    return np.packbits(bits, bitorder="little").view(np.uint32)


@lru_cache(maxsize=4096)
def _table(shape: int, version: Version) -> NDArray[np.intp]:
    """Where in its source row each byte of a frame of this shape lies."""
    bits = iter(bool(shape >> bit & 1) for bit in range(32))
    fighters, items, news, earlier = (
        [next(bits) for _ in range(number)] for number in (len(_FIGHTERS), ITEM_SLOTS, len(_STAGE), len(_FIGHTERS))
    )
    events = (
        _event(Command.FRAME_START, version, {"random_seed": _AT_SEED, "scene_frame_counter": _COUNTER}),
        *_fighter_events(Command.PRE_FRAME, version, fighters, earlier),
        *(_stage_event(name, version) for name, new in zip(_STAGE, news, strict=True) if new),
        *(_item_event(slot, version) for slot, there in enumerate(items) if there),
        *_fighter_events(Command.POST_FRAME, version, fighters, earlier),
        _event(Command.BOOKEND, version, {"latest_finalized_frame": _AT_FRAME}),
    )
    return np.concatenate(events)


def _event(
    command: Command, version: Version, words: Mapping[str, int], constants: Mapping[str, int] | None = None
) -> NDArray[np.intp]:
    """Positions of the bytes of one event, empty if the version lacks it; `words`: where its fields lie."""
    if not has_event(command, version):
        return np.empty(0, np.intp)
    dtype = event_dtype(command, version)
    table = np.full(dtype.itemsize, 4 * _BYTES)
    table[0] += command
    assert dtype.fields is not None
    for name, (kind, offset, *_) in dtype.fields.items():
        bytes_of_field = offset + np.arange(kind.itemsize)
        word = _AT_FRAME if name == "frame" else words.get(name)
        if word is not None:
            table[bytes_of_field] = 4 * word + np.arange(kind.itemsize)[::-1]
        elif constants is not None and name in constants:
            table[bytes_of_field[-1]] += constants[name]
    return table


def _fighter_events(
    command: Command, version: Version, present: list[bool], earlier: list[bool]
) -> Iterator[NDArray[np.intp]]:
    """Pre- or post-frame events; who was not there in the frame before was as he is now."""
    for number, (seat, slot) in enumerate(_FIGHTERS):
        if present[number]:
            at = word_offset(FRAME, "players", seat, slot, "character")
            words = {field.name: at + field.word(PLAYER) for field in FIELDS[command] if field.target}
            words["port"] = word_offset(FRAME, "ports", seat)
            if command == Command.PRE_FRAME:
                words |= {"random_seed": _AT_SEED, **_state(at + (_BEFORE if earlier[number] else 0))}
            yield _event(command, version, words, {"follower": slot})


def _state(player: int) -> dict[str, int]:
    """The state before the input, from the player at a word."""
    names = {"state": "action", "position.x": "x", "position.y": "y", "direction": "facing", "percent": "percent"}
    return {field: player + word_offset(PLAYER, name) for field, name in names.items()}


def _item_event(slot: int, version: Version) -> NDArray[np.intp]:
    at = word_offset(FRAME, "items", slot, "kind")
    words = {field.name: at + field.word(ITEM) for field in FIELDS[Command.ITEM] if field.target}
    return _event(Command.ITEM, version, words)


def _stage_event(name: str, version: Version) -> NDArray[np.intp]:
    at = word_offset(FRAME, name)
    if name == "whispy":
        return _event(Command.WHISPY, version, {"direction": at})
    if name == "stadium":
        return _event(Command.STADIUM, version, {"event": _STADIUM_EVENT, "type": _STADIUM_TYPE})
    return _event(Command.FOD_PLATFORM, version, {"height": at}, {"platform": int(name == "fod_left")})
