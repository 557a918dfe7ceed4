"""A game as training rows, and the shard file that keeps them.

A row is one frame of one human seat: its observation, the controller of that frame as action parts, and the
reward terms of the step that follows. Labels, delays, returns and windows are cut from rows when they are
read, so a changed delay, window or reward parses nothing again.

A shard is an Arrow file: one record batch for each seat, one column for each feature. Features change slowly
and many are constant, so columns compress to a tenth of their size (measured on real games, LZ4: 33 bytes a
row instead of 364, a quarter of the .slp), and Arrow reads single columns.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from envs.backend import RESULT
from envs.controller import PARTS, encode
from envs.frame import FIRST_PLAYABLE_FRAME, LEADER
from envs.observation import FLOAT_NAMES, ID_NAMES, observe
from envs.reward import TERMS, reward_terms
from envs.slippi.game import Game
from exphil_league.replays.summary import winner

SHARD_BYTES_PER_SLP_BYTE: Final = 0.35
"""Disk a shard needs at most, relative to its .slp (measured on real games: 0.12 to 0.31)."""
_IDS: Final = tuple(f"id.{name}" for name in ID_NAMES)
_PARTS: Final = tuple(f"part.{name}" for name in PARTS)
_REWARDS: Final = tuple(f"reward.{name}" for name in TERMS)


class SeatRows(NamedTuple):
    """All rows of one seat of one game, in order."""

    floats: NDArray[np.float32]  # [n, F]
    ids: NDArray[np.int32]  # [n, K]
    parts: NDArray[np.uint8]  # [n, 6] controller of the row's own frame
    rewards: NDArray[np.float32]  # [n, K] terms of the step from this row to the next; the last row's are 0


def rows_of(game: Game) -> list[SeatRows]:
    """Rows of each human seat, from the first frame whose input counts. A game needs two such frames."""
    frames = game.frames[game.frames["frame"] >= FIRST_PLAYABLE_FRAME]
    seen = observe(frames)
    parts = encode(frames["players"]["controller"][:, :, LEADER])
    rewards = _rewards(frames, winner(game))
    return [
        SeatRows._make(np.ascontiguousarray(array[:, seat]) for array in (seen.floats, seen.ids, parts, rewards))
        for seat in game.meta.human_seats
    ]


def _rewards(frames: NDArray[np.void], winning_seat: int) -> NDArray[np.float32]:
    """Terms [n, P, K]; the game ends with its last step. Potentials are not discounted: rows know no learner."""
    rewards = np.zeros((len(frames), 2, len(TERMS)), np.float32)
    done = np.zeros(len(frames) - 1, np.bool_)
    done[-1:] = True
    result = np.zeros(len(done), RESULT)
    result["winner"] = winning_seat
    rewards[:-1] = reward_terms(frames[:-1], frames[1:], done, result)
    return rewards


def write_shard(path: Path, seats: list[SeatRows]) -> None:
    """Write a shard beside its place and rename it, so that no reader sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        with (
            pa.OSFile(beside, "wb") as file,
            pa.ipc.new_file(file, _SCHEMA, options=pa.ipc.IpcWriteOptions(compression="lz4")) as shard,
        ):
            for seat in seats:
                shard.write_batch(pa.record_batch(_columns(seat), schema=_SCHEMA))
        os.replace(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)


def read_shard(path: Path) -> list[SeatRows]:
    """All seats of a shard."""
    floats, ids, parts, rewards = (_read(path, names) for names in (FLOAT_NAMES, _IDS, _PARTS, _REWARDS))
    return [SeatRows(f, i.astype(np.int32), p, r) for f, i, p, r in zip(floats, ids, parts, rewards, strict=True)]


def read_parts(path: Path) -> list[NDArray[np.uint8]]:
    """Only the action parts [n, 6] of each seat of a shard; the rest is not decompressed."""
    return _read(path, _PARTS)


def _columns(seat: SeatRows) -> list[pa.Array]:
    arrays = (seat.floats, seat.ids.astype(np.int16), seat.parts, seat.rewards)
    return [pa.array(column) for array in arrays for column in np.ascontiguousarray(array.T)]


def _read(path: Path, names: tuple[str, ...]) -> list[NDArray[Any]]:
    wanted = [_SCHEMA.get_field_index(name) for name in names]
    options = pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False)
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file, options=options) as shard:
        batches = [shard.get_batch(i) for i in range(shard.num_record_batches)]
        return [np.stack([column.to_numpy() for column in batch.columns], 1) for batch in batches]


_SCHEMA: Final = pa.schema(
    [
        *((name, pa.float32()) for name in FLOAT_NAMES),
        *((name, pa.int16()) for name in _IDS),
        *((name, pa.uint8()) for name in _PARTS),
        *((name, pa.float32()) for name in _REWARDS),
    ]
)
