"""The live stream: Slippi's events into the frame record, message by message, by one compiled function.

The layout comes from `envs.slippi.events`, as the reader's and the writer's does; every field of the frame record is
one 32-bit word, so a value is moved without being interpreted. A frame is given once, in its first version: what is
sent again after a rollback is told apart by its frame id and dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import ABSENT_FRAME, FRAME, ITEM, ITEM_SLOTS, PLAYER, SEATS, word_offset
from envs.game import INTERNAL_ID
from envs.jit import RECORDS, entry_of, kernel
from envs.slippi.events import ITEM as ITEM_FIELDS
from envs.slippi.events import MENU_BYTES, MENU_EVENT, POST_FRAME, PRE_FRAME, Command, Field, event_dtype
from envs.slippi.game import EndMethod, GameMeta, PlayerKind, SeatMeta
from envs.slippi.stream import BrokenStream, payload_sizes

OLDEST: Final = (3, 0, 0)
"""Before 3.0 nothing closes a frame."""

_PORTS = 4
_WORD, _BYTE, _SHORT, _SIGNED_BYTE = range(4)
_KINDS: Final = {">i4": _WORD, ">u4": _WORD, ">f4": _WORD, ">u1": _BYTE, ">u2": _SHORT, ">i1": _SIGNED_BYTE}
_WIDTHS: Final = np.array([4, 1, 2, 1], np.int32)


class Seen:
    """Bits of what a message brought; plain integers, for they are looked at every frame."""

    NOTHING: Final = 0
    FRAME: Final = 1
    """A new frame."""
    REPEAT: Final = 2
    """A frame that was given before: dropped, but the game waits for input after it too."""
    START: Final = 4
    """A game's header: `LiveParser.meta` is new."""
    END: Final = 8
    """A game's end: `LiveParser.end_method` says how."""
    MENU: Final = 16
    """A menu event among the game's: skipped."""


def _copies(fields: tuple[Field, ...], dtype: np.dtype[np.void]) -> NDArray[np.int32]:
    """[n, 3]: offset in the event, kind, word in the record."""
    rows = [(field.offset, _KINDS[field.code], field.word(dtype)) for field in fields if field.target]
    return np.array(rows, np.int32)


_PRE, _POST, _ITEM = _copies(PRE_FRAME, PLAYER), _copies(POST_FRAME, PLAYER), _copies(ITEM_FIELDS, ITEM)
_ABSENT: Final = np.frombuffer(ABSENT_FRAME.tobytes(), np.int32)

_AT_FRAME, _AT_STAGE, _AT_SEED = (word_offset(FRAME, name) for name in ("frame", "stage", "seed"))
_AT_LEFT, _AT_PORTS, _AT_PLAYERS = (word_offset(FRAME, name) for name in ("frames_left", "ports", "players"))
_AT_ITEMS, _AT_FOD_LEFT, _AT_FOD_RIGHT = (word_offset(FRAME, name) for name in ("items", "fod_left", "fod_right"))
_AT_WHISPY, _AT_STADIUM = (word_offset(FRAME, name) for name in ("whispy", "stadium"))
_PLAYER_WORDS, _ITEM_WORDS = PLAYER.itemsize // 4, ITEM.itemsize // 4

# The parser's own memory, one word each.
_LAST, _NOW, _ITEMS, _TIMER = range(4)
_STATE_WORDS = 4
_NO_FRAME = -10_000

_DONE, _FRAME_WHOLE, _FRAME_AGAIN, _AT_HEADER, _AT_END, _AT_SIZES, _AT_MENU, _UNKNOWN, _CUT = range(9)
_FRAME_START, _PRE_EVENT, _POST_EVENT = int(Command.FRAME_START), int(Command.PRE_FRAME), int(Command.POST_FRAME)
_ITEM_EVENT, _BOOKEND, _GAME_START = int(Command.ITEM), int(Command.BOOKEND), int(Command.GAME_START)
_GAME_END, _SIZES_EVENT, _FOD = int(Command.GAME_END), int(Command.PAYLOADS), int(Command.FOD_PLATFORM)
_WHISPY_EVENT, _STADIUM_EVENT = int(Command.WHISPY), int(Command.STADIUM)


class LiveParser:
    """Reads the stream of one instance, game after game."""

    def __init__(self, ports: tuple[int, int] | None = None, own_code: str = "") -> None:
        """own_code: connect code of the player who is to be seat 0, where the connection gives out the ports."""
        self.ports = ports
        """Controller port (0..3) of each seat in games from now on; None: their ports in ascending order."""
        self._own_code = own_code
        self._sizes = np.zeros(256, np.int32)
        self._words = _ABSENT.copy()
        self._header = _ABSENT.copy()
        self._state = np.full(_STATE_WORDS, _NO_FRAME, np.int32)
        self._seat_of = np.full(_PORTS, -1, np.int32)
        self.meta: GameMeta | None = None
        """Header of the game that began last."""
        self.end_method: EndMethod | None = None
        """How that game ended; None while it goes on."""
        self.lras_port = -1
        """Port that quit it, -1 nobody."""
        self.feed(b"", self._words)  # compiled now, not when the first frame is due

    def feed(self, message: bytes, out: NDArray[np.int32]) -> int:
        """Read one message's events; a new frame is written to `out` [WORDS]. Returns bits of Seen.

        Of several frames in one message the last is kept. Raises BrokenStream for bytes that are no Slippi events.
        """
        raw = np.frombuffer(message, np.uint8)
        seen, at = 0, 0
        while True:
            found, at = _read_events(
                raw, at, self._sizes, _PRE, _POST, _ITEM, self._header, self._words, self._seat_of, self._state, out
            )
            if found == _FRAME_WHOLE:
                seen |= Seen.FRAME
                if at == len(raw):
                    return seen
            elif found == _DONE:
                return seen
            else:
                flag, at = self._rare(found, message, at)
                seen |= flag
                if at >= len(raw):
                    return seen

    def _rare(self, found: int, message: bytes, at: int) -> tuple[int, int]:
        """What is not a frame, and where to go on."""
        if found == _FRAME_AGAIN:
            return Seen.REPEAT, at
        if found == _AT_SIZES:
            sizes = payload_sizes(message[at:])
            for command, size in sizes.items():
                self._sizes[command] = size + 1
            return Seen.NOTHING, at + 1 + sizes[int(Command.PAYLOADS)]
        if found == _AT_HEADER:
            self._begin(game_start(message[at : at + int(self._sizes[_GAME_START])]))
            return Seen.START, at + int(self._sizes[_GAME_START])
        if found == _AT_END:
            self._end(message[at : at + int(self._sizes[_GAME_END])])
            return Seen.END, at + int(self._sizes[_GAME_END])
        if found == _AT_MENU:
            return Seen.MENU, at + MENU_BYTES
        what = "an event of unknown length" if found == _UNKNOWN else "a cut event"
        raise BrokenStream(f"{what} (0x{message[at]:02x}) {len(message) - at} bytes before the end of a message")

    def _begin(self, meta: GameMeta) -> None:
        self.meta, self.end_method, self.lras_port = meta, None, -1
        first, second = meta.seats
        if self._own_code and second.code == self._own_code:
            first, second = second, first
        ports = self.ports or (first.port, second.port)
        if sorted(ports) != [seat.port for seat in meta.seats]:
            raise BrokenStream(f"the game has ports {[seat.port for seat in meta.seats]}, not {sorted(ports)}")
        self._header[:] = _ABSENT
        self._header[_AT_STAGE] = meta.stage
        self._seat_of[:] = -1
        for seat, port in enumerate(ports):
            self._header[_AT_PORTS + seat] = port
            self._seat_of[port] = seat
        self._words[:] = self._header
        self._state[:] = _NO_FRAME
        self._state[_TIMER] = min(meta.timer_s * 60, np.iinfo(np.int32).max) if meta.has_timer else -1

    def _end(self, event: bytes) -> None:
        try:
            self.end_method = EndMethod(event[1])
        except ValueError:
            self.end_method = EndMethod.UNRESOLVED
        self.lras_port = int.from_bytes(event[2:3], "big", signed=True) if len(event) > 2 else -1
        self._state[_LAST] = self._state[_NOW] = _NO_FRAME


def game_start(event: bytes) -> GameMeta:
    """The header of a two-player game from its Game Start event. Raises BrokenStream for any other game."""
    version = (event[1], event[2], event[3]) if len(event) > 3 else (0, 0, 0)
    if version < OLDEST:
        raise OldSlippi(f"Slippi {'.'.join(map(str, version))} sends no whole frames; 3.0 is the oldest that does")
    dtype = event_dtype(Command.GAME_START, version)
    if len(event) < dtype.itemsize:
        # A field may have come with a later build of the same version: read what is there.
        event = event + bytes(dtype.itemsize - len(event))
    row = np.frombuffer(event[: dtype.itemsize], dtype)[0]
    ports = [port for port in range(_PORTS) if row[f"player.{port}.type"] in (PlayerKind.HUMAN, PlayerKind.CPU)]
    if len(ports) != SEATS:
        raise BrokenStream(f"a game of {len(ports)} players, not of two")
    seats = [_seat(row, port) for port in ports]
    return GameMeta(
        version=version,
        stage=int(row["stage"]),
        seats=(seats[0], seats[1]),
        random_seed=int(row["random_seed"]),
        timer_s=int(row["timer"]),
        has_timer=bool(int(row["bitfield.0"]) & 3 == 2),
        is_frozen_stadium=bool(row["is_frozen_ps"]),
    )


class OldSlippi(BrokenStream):
    """The stream is of a Slippi too old to be followed; the message says which is new enough."""


def _seat(row: np.void, port: int) -> SeatMeta:
    external, kind = int(row[f"player.{port}.character"]), PlayerKind(int(row[f"player.{port}.type"]))
    return SeatMeta(
        port=port,
        external_id=external,
        character=INTERNAL_ID.get(external, -1),
        kind=kind,
        stocks=int(row[f"player.{port}.stocks"]),
        cpu_level=int(row[f"player.{port}.cpu_level"]) if kind is PlayerKind.CPU else 0,
        costume=int(row[f"player.{port}.costume"]),
        code=_code(row, port),
    )


def _code(row: np.void, port: int) -> str:
    """Connect code with an ASCII '#'; empty off line and before 3.9."""
    name = f"player.{port}.connect_code"
    raw = row[name] if name in (row.dtype.names or ()) else b""
    return bytes(raw).decode("cp932", "replace").replace("＃", "#")


@kernel
def _word(raw: Any, at: int) -> Any:
    value = (raw[at] << 24) | (raw[at + 1] << 16) | (raw[at + 2] << 8) | raw[at + 3]
    return np.int32(np.uint32(value))


@kernel
def _short(raw: Any, at: int) -> Any:
    return np.int32((raw[at] << 8) | raw[at + 1])


@kernel
def _copy(raw: Any, at: int, size: int, copies: Any, words: Any, base: int) -> None:
    """Every field of the event that its length has, to the record at word `base`."""
    for row in range(copies.shape[0]):
        offset, kind = copies[row, 0], copies[row, 1]
        if offset + _WIDTHS[kind] > size:
            continue
        here = at + offset
        if kind == _WORD:
            value = _word(raw, here)
        elif kind == _BYTE:
            value = np.int32(raw[here])
        elif kind == _SHORT:
            value = _short(raw, here)
        else:
            value = np.int32(np.int8(raw[here]))
        words[base + copies[row, 2]] = value


@kernel
def _begin_frame(frame: int, header: Any, words: Any, state: Any) -> None:
    """An empty frame with what the header knows; the state of the stage goes on."""
    for word in range(words.shape[0]):
        if not _AT_FOD_LEFT <= word <= _AT_STADIUM:
            words[word] = header[word]
    words[_AT_FRAME] = frame
    if state[_TIMER] >= 0:
        words[_AT_LEFT] = max(state[_TIMER] - max(frame, 0), 0)
    state[_NOW] = frame
    state[_ITEMS] = 0


@kernel
def _read_stage(raw: Any, at: int, command: int, words: Any) -> None:
    if command == _FOD:
        side = _AT_FOD_RIGHT if raw[at + 5] == 0 else _AT_FOD_LEFT
        words[side] = _word(raw, at + 6)
    elif command == _WHISPY_EVENT:
        words[_AT_WHISPY] = np.int32(raw[at + 5])
    else:
        words[_AT_STADIUM] = (_short(raw, at + 7) << 8) | _short(raw, at + 5)


@kernel
def _read_player(raw: Any, at: int, size: int, copies: Any, header: Any, words: Any, seat_of: Any, state: Any) -> None:
    frame, port = _word(raw, at + 1), raw[at + 5]
    if frame != state[_NOW]:
        _begin_frame(frame, header, words, state)
    if port < _PORTS and seat_of[port] >= 0:
        slot = 1 if raw[at + 6] else 0
        _copy(raw, at, size, copies, words, _AT_PLAYERS + (2 * seat_of[port] + slot) * _PLAYER_WORDS)


@entry_of((Path(__file__), Path(__file__).with_name("events.py"), *RECORDS))
def _read_events(
    raw: Any, at: int, sizes: Any, pre: Any, post: Any, items: Any, header: Any, words: Any, seat_of: Any, state: Any,
    out: Any,
) -> tuple[int, int]:  # fmt: skip
    """Read from `at` up to something the caller must know of: (what, where to go on, or where it is)."""
    while at < raw.shape[0]:
        command = raw[at]
        if command == _SIZES_EVENT:
            return _AT_SIZES, at
        if command == MENU_EVENT:
            return _AT_MENU, at
        size = sizes[command]
        if size == 0:
            return _UNKNOWN, at
        if at + size > raw.shape[0]:
            return _CUT, at
        if command == _GAME_START:
            return _AT_HEADER, at
        if command == _GAME_END:
            return _AT_END, at
        if command == _FRAME_START:
            _begin_frame(_word(raw, at + 1), header, words, state)
            words[_AT_SEED] = _word(raw, at + 5)
        elif command == _PRE_EVENT:
            _read_player(raw, at, size, pre, header, words, seat_of, state)
        elif command == _POST_EVENT:
            _read_player(raw, at, size, post, header, words, seat_of, state)
        elif command == _ITEM_EVENT:
            if state[_ITEMS] < ITEM_SLOTS:
                _copy(raw, at, size, items, words, _AT_ITEMS + state[_ITEMS] * _ITEM_WORDS)
                state[_ITEMS] += 1
        elif command in (_FOD, _WHISPY_EVENT, _STADIUM_EVENT):
            _read_stage(raw, at, command, words)
        at += size
        if command == _BOOKEND:
            if state[_NOW] <= state[_LAST]:
                return _FRAME_AGAIN, at
            state[_LAST] = state[_NOW]
            out[:] = words
            return _FRAME_WHOLE, at
    return _DONE, at
