"""THE frame record: one structured type filled identically from replays and by every backend.

Values are Slippi's raw post-frame values: sticks -1..1, positions in game units, speeds in units per
frame, percent in percent, `state_age` as recorded (frames, may be fractional or negative), internal
character id of this frame, Slippi's stage id. The controller in a player is the pre-frame input of the
same frame id: the input that produced this post-frame state. Rollbacks are resolved to the last version.

Every field is one 32-bit word, so that a frame array is also a matrix of words: `words_f32(frames)` and
`words_i32(frames)` are views [..., WORDS] that numba kernels index with offsets from `word_offset`.

Absent values: integers are -1, floats NaN (what a file's version lacks, an absent Nana, an empty item
slot). A slot is present when its `character` (player) or `kind` (item) is not -1.

Shape legend, used in every docstring of the project: T time, N game, B batch column, P seat (0 and 1),
S slot of a seat (0 leader, 1 follower, Nana only), I item slot, A action part, F feature, D hidden unit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER

SEATS: Final = 2
LEADER: Final = 0
FOLLOWER: Final = 1
ITEM_SLOTS: Final = 15
FIRST_FRAME: Final = -123
"""Slippi's first frame id."""
FIRST_PLAYABLE_FRAME: Final = -39
"""First frame whose input moves a fighter (slippi-js `FIRST_PLAYABLE`)."""

PLAYER: Final = np.dtype(
    [
        ("character", "<i4"),  # internal id
        ("action", "<i4"),  # action state id
        ("state_age", "<f4"),  # frames in this action state
        ("x", "<f4"),
        ("y", "<f4"),
        ("facing", "<f4"),  # +1 right, -1 left
        ("percent", "<f4"),
        ("shield", "<f4"),  # 0..60
        ("stocks", "<i4"),
        ("last_attack", "<i4"),  # id of the last attack landed
        ("combo_count", "<i4"),
        ("last_hit_by", "<i4"),  # port (0..3), 6 nobody
        ("state_flags", "<i4", (5,)),  # five bit-field bytes
        ("misc_timer", "<f4"),  # `misc_as`: hitstun frames left while in a damage state
        ("airborne", "<i4"),  # 1 in the air
        ("ground_id", "<i4"),  # id of the last ground stood on
        ("jumps_left", "<i4"),
        ("l_cancel", "<i4"),  # 0 none, 1 success, 2 missed
        ("hurtbox", "<i4"),  # 0 vulnerable, 1 invulnerable, 2 intangible
        ("speed_air_x", "<f4"),  # self-induced
        ("speed_y", "<f4"),  # self-induced
        ("speed_x_attack", "<f4"),  # knockback
        ("speed_y_attack", "<f4"),
        ("speed_ground_x", "<f4"),
        ("hitlag", "<f4"),  # frames left
        ("animation", "<i4"),
        ("controller", CONTROLLER),
        ("buttons_processed", "<i4"),
        ("raw_x", "<i4"),  # raw main stick, about -128..127
        ("raw_y", "<i4"),
        ("trigger_l", "<f4"),  # physical analog triggers
        ("trigger_r", "<f4"),
    ]
)

ITEM: Final = np.dtype(
    [
        ("kind", "<i4"),
        ("state", "<i4"),
        ("facing", "<f4"),
        ("speed_x", "<f4"),
        ("speed_y", "<f4"),
        ("x", "<f4"),
        ("y", "<f4"),
        ("damage", "<i4"),
        ("timer", "<f4"),
        ("spawn_id", "<i4"),
        ("misc", "<i4", (4,)),
        ("owner", "<i4"),  # port (0..3), -1 nobody
    ]
)

FRAME: Final = np.dtype(
    [
        ("frame", "<i4"),  # Slippi frame id, first -123
        ("stage", "<i4"),  # Slippi stage id
        ("seed", "<u4"),  # random seed at the frame's start
        ("frames_left", "<i4"),  # until the timer ends the game; -1 without a timer
        ("ports", "<i4", (SEATS,)),  # controller port (0..3) of each seat
        ("players", PLAYER, (SEATS, 2)),  # [seat, slot]
        ("items", ITEM, (ITEM_SLOTS,)),
        ("fod_left", "<f4"),  # Fountain of Dreams platform heights
        ("fod_right", "<f4"),
        ("whispy", "<i4"),  # Dream Land wind: 0 none, 1 left, 2 right
        ("stadium", "<i4"),  # Pokemon Stadium: transformation type << 8 | event
        ("fault", "<i4"),  # 0 fine; else a code of envs.backend.Fault
    ]
)

WORDS: Final = FRAME.itemsize // 4


def word_offset(dtype: np.dtype[np.void], *path: str | int) -> int:
    """Offset in 32-bit words of a nested field: `word_offset(FRAME, "players", 1, 0, "x")`.

    Integers step through a sub-array, one per dimension. Raises KeyError for an unknown field.
    """
    offset, current, shape = 0, dtype, ()
    for step in path:
        if isinstance(step, str):
            assert current.fields is not None, f"{current} has no fields"
            current, at = current.fields[step][:2]
            offset += at
            shape = current.shape
            current = current.base
        else:
            shape = shape[1:]
            stride = current.itemsize * int(np.prod(shape, dtype=np.int64))
            offset += stride * step
    return offset // 4


def words_f32(frames: NDArray[np.void]) -> NDArray[np.float32]:
    """View of contiguous frames [...] as float words [..., WORDS]."""
    return frames.view(np.float32).reshape(*frames.shape, WORDS)


def words_i32(frames: NDArray[np.void]) -> NDArray[np.int32]:
    """View of contiguous frames [...] as integer words [..., WORDS]."""
    return frames.view(np.int32).reshape(*frames.shape, WORDS)


def _absent_template() -> NDArray[np.void]:
    template = np.zeros((), FRAME)
    _poison(template)
    for name in ("frame", "stage", "seed", "fault"):
        template[name] = 0
    return template


def _poison(record: NDArray[np.void]) -> None:
    assert record.dtype.names is not None
    for name in record.dtype.names:
        field = record[name]
        if field.dtype.names is not None:
            _poison(field)
        elif field.dtype.kind == "f":
            record[name] = np.nan
        elif field.dtype.kind == "i":
            record[name] = -1


ABSENT_FRAME: Final = _absent_template()
"""A frame with every player and item absent."""


def empty_frames(*shape: int) -> NDArray[np.void]:
    """Frames [*shape] in which everything is absent (-1 / NaN) until it is written."""
    frames = np.empty(shape, FRAME)
    frames[...] = ABSENT_FRAME
    return frames
