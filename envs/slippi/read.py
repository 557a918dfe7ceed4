"""From a .slp file to frames: peppi's columns copied into the frame record.

Values are copied as recorded. A field that the file's version lacks keeps the frame record's absent value (-1 or
NaN). A frame that was rolled back appears several times in a file; the last row of an id is what happened.
`frames_left` is the timer in frames minus the frames since "go": Slippi numbers frames so that the timer starts
to run at frame 0, and a game that times out ends at exactly 0. The seed is Frame Start's; before 2.2.0, which has
no such event, that of the first player's pre-frame event. Stage events only come when something changes, so the
last one is carried on; before the first one the state is unknown. `stadium` is the transformation's type (3 fire,
4 grass, 5 normal, 6 rock, 9 water) times 256 plus its event (0 done to 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from envs.frame import (
    ABSENT_FRAME,
    FOLLOWER,
    FRAME,
    ITEM,
    ITEM_SLOTS,
    LEADER,
    PLAYER,
    SEATS,
    WORDS,
    word_offset,
)
from envs.game import INTERNAL_ID
from envs.slippi.errors import Reason, ReplayError
from envs.slippi.events import ITEM as ITEM_FIELDS
from envs.slippi.events import POST_FRAME, PRE_FRAME, Field
from envs.slippi.game import EndMethod, Game, GameMeta, PlayerKind, SeatMeta
from envs.slippi.peppi import RawGame, parse

Ints = NDArray[np.integer[Any]]
Columns = dict[str, pa.Array]

_COUNTING_DOWN = 2
_ABSENT_WORDS: Final = np.frombuffer(ABSENT_FRAME.tobytes(), np.int32)
_ROWS_PER_PIECE: Final = 256
_PLAYER_WORDS: Final = PLAYER.itemsize // 4
_ITEM_WORDS: Final = ITEM.itemsize // 4


def read_game(path: str | Path) -> Game:
    """Read one two-player game.

    Frames are [T] FRAME, ids contiguous from the file's first. Raises ReplayError with a named reason for every
    file that is none.
    """
    raw = parse(path)
    if len(raw.start["players"]) != SEATS:
        raise ReplayError(path, Reason.PLAYER_COUNT, f"{len(raw.start['players'])} players")
    if raw.frames is None or len(raw.frames) == 0:
        raise ReplayError(path, Reason.NO_FRAMES, "the game has no frame")
    rows = _final_rows(raw.frames.field("id").to_numpy(), path)
    frames = _frames(raw.frames, raw.start, rows)
    return Game(frames, _meta(raw, frames))


def _final_rows(ids: Ints, path: str | Path) -> Ints | None:
    """Row of the last version of every frame, in frame order; None when the rows are that already."""
    first, last = int(ids.min()), int(ids.max())
    count = last - first + 1
    if count == len(ids) and (np.diff(ids) == 1).all():
        return None
    if count > len(ids):
        raise ReplayError(path, Reason.FRAME_GAP, f"frames {first} to {last} in {len(ids)} rows")
    rows = np.full(count, -1)
    rows[ids - first] = np.arange(len(ids))  # of repeated indices the last assignment stays
    if (rows < 0).any():
        raise ReplayError(path, Reason.FRAME_GAP, f"frame {first + int(rows.argmin())} is missing")
    return rows


def _frames(table: pa.StructArray, start: dict[str, Any], rows: Ints | None) -> NDArray[np.void]:
    columns = dict(_leaves(table, deep=("start",)))
    seeds = columns.get("start.random_seed", _first_seed(table))
    blocks = [(0, _header_block(start, columns["id"], seeds, rows))]
    for seat, port in enumerate(table.field("ports").flatten()):
        blocks += _seat_blocks(seat, port, rows)
    words = _assembled(blocks)
    if "item" in columns:
        _fill_items(words, columns["item"], rows)
    frames = words.view(FRAME).reshape(len(words))
    _fill_stage(frames, columns, rows)
    return frames


def _header_block(start: dict[str, Any], ids: pa.Array, seeds: pa.Array, rows: Ints | None) -> NDArray[np.int32]:
    """The words before the players, [words, rows]."""
    frame = _taken(ids, rows)
    header = np.empty((word_offset(FRAME, "players"), len(frame)), np.int32)
    header[word_offset(FRAME, "frame")] = frame
    header[word_offset(FRAME, "stage")] = start["stage"]
    header[word_offset(FRAME, "seed")] = _taken(seeds, rows).view(np.int32)
    timer_frames = min(start["timer"] * 60, np.iinfo(np.int32).max)
    left = np.maximum(timer_frames - np.maximum(frame, 0), 0) if _counts_down(start) else -1
    header[word_offset(FRAME, "frames_left")] = left
    for seat, player in enumerate(start["players"]):
        header[word_offset(FRAME, "ports", seat)] = _port(player["port"])
    return header


def _counts_down(start: dict[str, Any]) -> bool:
    return bool(start["bitfield"][0] & 3 == _COUNTING_DOWN)


def _leaves(
    struct: pa.StructArray, prefix: str = "", deep: tuple[str, ...] | None = None
) -> Iterator[tuple[str, pa.Array]]:
    """(dotted path, column) of a struct array; into its struct children too, or only those named in `deep`."""
    for field, column in zip(struct.type, struct.flatten(), strict=True):
        path = prefix + field.name
        if pa.types.is_struct(field.type):
            if deep is None or field.name in deep:
                yield from _leaves(column, path + ".")
        else:
            yield path, column


def _values(column: pa.Array) -> NDArray[Any]:
    """Values of a column; nulls (an absent Nana) become 0."""
    return (column.fill_null(0) if column.null_count else column).to_numpy(zero_copy_only=True)


def _taken(column: pa.Array, rows: Ints | None) -> NDArray[Any]:
    values = _values(column)
    return values if rows is None else values[rows]


def _first_seed(table: pa.StructArray) -> pa.Array:
    return table.field("ports").field(0).field("leader").field("pre").field("random_seed")


def _targets(fields: tuple[Field, ...], dtype: np.dtype[np.void], prefix: str = "") -> dict[str, tuple[int, bool]]:
    """peppi path -> (word in the record, is it a float) of the fields that the record has."""
    targets = {}
    for field in fields:
        if field.target:
            path = [int(step) if step.isdigit() else step for step in field.target.split(".")]
            targets[prefix + field.name] = (word_offset(dtype, *path), field.code == ">f4")
    return targets


_PLAYER_TARGETS: Final = _targets(PRE_FRAME, PLAYER, "pre.") | _targets(POST_FRAME, PLAYER, "post.")
_ITEM_TARGETS: Final = _targets(ITEM_FIELDS, ITEM)


def _block(
    struct: pa.StructArray, targets: dict[str, tuple[int, bool]], absent: NDArray[np.int32], rows: Ints | None
) -> NDArray[np.int32]:
    """Columns of `struct` as words [record words, rows]; what the struct lacks stays absent."""
    count = len(struct) if rows is None else len(rows)
    block = np.empty((len(absent), count), np.int32)
    floats = block.view(np.float32)
    missing = np.ones(len(absent), bool)
    for path, column in _leaves(struct):
        if path not in targets:
            continue
        word, is_float = targets[path]
        values = _taken(column, rows)
        (floats if is_float else block)[word] = values if values.dtype != np.uint32 else values.view(np.int32)
        missing[word] = False
    block[missing] = absent[missing, None]
    return block


def _seat_blocks(seat: int, port: pa.StructArray, rows: Ints | None) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """(word in the frame, words [player words, rows]) of a seat's leader and, with Ice Climbers, follower."""
    slots = {field.name: column for field, column in zip(port.type, port.flatten(), strict=True)}
    for slot, name in ((LEADER, "leader"), (FOLLOWER, "follower")):
        if name not in slots:
            continue
        at = word_offset(FRAME, "players", seat, slot)
        absent = _ABSENT_WORDS[at : at + _PLAYER_WORDS]
        block = _block(slots[name], _PLAYER_TARGETS, absent, rows)
        if slots[name].null_count:
            here = slots[name].is_valid().to_numpy(zero_copy_only=False)
            block[:, ~(here if rows is None else here[rows])] = absent[:, None]
        yield at, block


def _assembled(blocks: list[tuple[int, NDArray[np.int32]]]) -> NDArray[np.int32]:
    """Frame words [T, WORDS]: absent but for the blocks. In pieces that stay in the cache, for speed."""
    count = blocks[0][1].shape[1]
    words = np.empty((count, WORDS), np.int32)
    for start in range(0, count, _ROWS_PER_PIECE):
        piece = slice(start, start + _ROWS_PER_PIECE)
        words[piece] = _ABSENT_WORDS
        for at, block in blocks:
            words[piece, at : at + len(block)] = block[:, piece].T
    return words


def _events_of(column: pa.ListArray, rows: Ints | None) -> tuple[Ints, Ints, Ints]:
    """(frame index, position in that frame's list, index into the flat values) of a list column's events."""
    offsets = column.offsets.to_numpy()
    starts, lengths = offsets[:-1], np.diff(offsets)
    if rows is not None:
        starts, lengths = starts[rows], lengths[rows]
    frame = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(frame)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return frame, position, np.repeat(starts, lengths) + position


def _fill_items(words: NDArray[np.int32], column: pa.ListArray, rows: Ints | None) -> None:
    if not len(column.values):
        return
    frame, slot, value = _events_of(column, rows)
    fits = slot < ITEM_SLOTS
    frame, slot, value = frame[fits], slot[fits], value[fits]
    at = word_offset(FRAME, "items", 0)
    absent = _ABSENT_WORDS[at : at + _ITEM_WORDS]
    slots = words[:, at : at + ITEM_SLOTS * _ITEM_WORDS].reshape(len(words), ITEM_SLOTS, _ITEM_WORDS, copy=False)
    slots[frame, slot] = _block(column.values, _ITEM_TARGETS, absent, value).T


def _fill_stage(frames: NDArray[np.void], columns: Columns, rows: Ints | None) -> None:
    """Stage state from its events (3.18 and later), each carried on to the next one."""
    for name in ("fod_platform", "dreamland_whispy", "stadium_transformation"):
        column = columns.get(name)
        if column is None or not len(column.values):
            continue
        events = {leaf: _values(values) for leaf, values in _leaves(column.values)}
        for field, values, wanted in _stage_states(name, events):
            _carry_on(frames[field], column, values, wanted, rows)


def _stage_states(
    name: str, events: dict[str, NDArray[Any]]
) -> list[tuple[str, NDArray[Any], NDArray[np.bool_] | None]]:
    """(field of the frame, its value in each event, which events tell it) of one kind of stage event."""
    if name == "fod_platform":
        right = events["platform"] == 0
        return [("fod_right", events["height"], right), ("fod_left", events["height"], ~right)]
    if name == "dreamland_whispy":
        return [("whispy", events["direction"], None)]
    return [("stadium", events["type"].astype(np.int32) << 8 | events["event"], None)]


def _carry_on(
    out: NDArray[Any], column: pa.ListArray, values: NDArray[Any], wanted: NDArray[np.bool_] | None, rows: Ints | None
) -> None:
    """Set `out` [T] from each wanted event of a list column to the next; before the first it stays absent."""
    frame, _, value = _events_of(column, rows)
    if wanted is not None:
        frame, value = frame[wanted[value]], value[wanted[value]]
    latest = np.full(len(out), -1)
    latest[frame] = value
    np.maximum.accumulate(latest, out=latest)
    known = latest >= 0
    out[known] = values[latest[known]]


def _port(name: str) -> int:
    return int(name[1:]) - 1


def _meta(raw: RawGame, frames: NDArray[np.void]) -> GameMeta:
    start, end = raw.start, raw.end or {}
    scene, match = start.get("scene"), start.get("match") or {}
    first = frames["players"][0, :, LEADER]["character"]
    placements = {p["port"]: p["placement"] for p in end.get("players") or ()}
    seats = [_seat(p, int(first[i]), placements.get(p["port"], -1)) for i, p in enumerate(start["players"])]
    lras = end.get("lras_initiator")
    return GameMeta(
        version=tuple(start["slippi"]["version"]),
        stage=start["stage"],
        seats=(seats[0], seats[1]),
        random_seed=start["random_seed"],
        timer_s=start["timer"],
        has_timer=_counts_down(start),
        is_teams=start["is_teams"],
        item_spawn_frequency=start["item_spawn_frequency"],
        damage_ratio=start["damage_ratio"],
        scene=(scene["major"], scene["minor"]) if scene else None,
        is_pal=bool(start.get("is_pal")),
        is_frozen_stadium=bool(start.get("is_frozen_ps")),
        match_id=match.get("id", ""),
        match_game=match.get("game", 0),
        end_method=EndMethod[_snake(end["method"])] if end else None,
        lras_port=_port(lras) if lras else -1,
        started_at=str(raw.metadata.get("startAt", "")),
        played_on=str(raw.metadata.get("playedOn", "")),
    )


def _snake(name: str) -> str:
    return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()


def _seat(player: dict[str, Any], character: int, placement: int) -> SeatMeta:
    netplay = player.get("netplay") or {}
    return SeatMeta(
        port=_port(player["port"]),
        external_id=player["character"],
        character=character if character >= 0 else INTERNAL_ID.get(player["character"], -1),
        kind=PlayerKind[player["type"].upper()],
        stocks=player["stocks"],
        cpu_level=player["cpu_level"] or 0,
        costume=player["costume"],
        name=player.get("name_tag") or netplay.get("name", ""),
        code=netplay.get("code", "").replace("＃", "#"),
        placement=placement,
    )
