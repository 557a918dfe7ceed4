"""Frames -> what a policy sees, by one compiled function for replays and every backend alike.

Both seats of a game get an observation from their own point of view (self first, opponent second).
`floats` [..., P, F] is scaled to about -1..1 and never NaN: a value that the source lacks becomes 0 and the
"known" flag beside it is 0. `ids` [..., P, K] index learned embeddings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.controller import BUTTON_BITS, CONTROLLER
from envs.frame import FRAME, ITEM, ITEM_SLOTS, PLAYER, SEATS, WORDS, word_offset, words_f32, words_i32
from envs.game import LEGAL_STAGES
from envs.jit import RECORDS, entry_of, kernel

OBSERVATION_VERSION: Final = 1
"""Raised whenever a feature, its order or its scale changes; checkpoints of another version are refused."""

CHARACTERS: Final = 33
"""Embedding rows for a character: internal ids 0..31, then unknown or absent."""
ACTIONS: Final = 400
"""Embedding rows for an action state: 0..398, then unknown or absent."""
STAGES: Final = 7
"""Embedding rows for a stage: the six legal ones in `LEGAL_STAGES` order, then unknown."""
ITEM_KINDS: Final = 240
"""Embedding rows for an item kind: 0..238, then unknown or absent."""
SEEN_ITEMS: Final = 4
"""Items observed: the first present ones, in slot order."""

_PLAYER_FEATURES: Final = (
    "present x y facing percent shield stocks airborne jumps_left invulnerable state_age hitlag hitstun "
    "speeds_known speed_air_x speed_y speed_x_attack speed_y_attack speed_ground_x"
).split()
_OWN_CONTROLLER: Final = "A B X Y Z L R D_UP stick_x stick_y c_x c_y shoulder".split()
_ITEM_FEATURES: Final = "present dx dy speed_x speed_y mine".split()

FLOAT_NAMES: Final[tuple[str, ...]] = (
    *(f"{who}.{name}" for who in ("self", "opponent") for name in _PLAYER_FEATURES),
    *("dx", "dy", "dx_forward", "frames_left", "fod_left", "fod_right", "wind"),
    *(f"controller.{name}" for name in _OWN_CONTROLLER),
    *(f"item{i}.{name}" for i in range(SEEN_ITEMS) for name in _ITEM_FEATURES),
)
"""Name of each float feature, in order."""
ID_NAMES: Final[tuple[str, ...]] = (
    "self.character",
    "opponent.character",
    "self.action",
    "opponent.action",
    "stage",
    *(f"item{i}.kind" for i in range(SEEN_ITEMS)),
)
ID_SIZES: Final[tuple[int, ...]] = (CHARACTERS, CHARACTERS, ACTIONS, ACTIONS, STAGES, *(ITEM_KINDS,) * SEEN_ITEMS)
FLOATS: Final = len(FLOAT_NAMES)
IDS: Final = len(ID_NAMES)


class Observation(NamedTuple):
    """floats [..., P, F] float32 and ids [..., P, K] int32."""

    floats: NDArray[np.float32]
    ids: NDArray[np.int32]


def observe(frames: NDArray[np.void], out: Observation | None = None) -> Observation:
    """Observation of contiguous frames [...] from both seats; written into `out` when given."""
    if out is None:
        out = Observation(
            np.empty((*frames.shape, SEATS, FLOATS), np.float32), np.empty((*frames.shape, SEATS, IDS), np.int32)
        )
    _observe(
        words_f32(frames).reshape(-1, WORDS),
        words_i32(frames).reshape(-1, WORDS),
        out.floats.reshape(-1, SEATS, FLOATS),
        out.ids.reshape(-1, SEATS, IDS),
    )
    return out


# Word offsets inside a frame and inside a player, from THE record's dtype.
_SEAT0 = word_offset(FRAME, "players", 0, 0)
_SEAT_STRIDE = word_offset(FRAME, "players", 1, 0) - _SEAT0
_STAGE = word_offset(FRAME, "stage")
_FRAMES_LEFT = word_offset(FRAME, "frames_left")
_PORTS = word_offset(FRAME, "ports")
_ITEM0 = word_offset(FRAME, "items", 0)
_ITEM_STRIDE = ITEM.itemsize // 4
_FOD_LEFT = word_offset(FRAME, "fod_left")
_FOD_RIGHT = word_offset(FRAME, "fod_right")
_WHISPY = word_offset(FRAME, "whispy")
_CHARACTER, _ACTION, _AGE = (word_offset(PLAYER, n) for n in ("character", "action", "state_age"))
_X, _Y, _FACING = (word_offset(PLAYER, n) for n in ("x", "y", "facing"))
_PERCENT, _SHIELD, _STOCKS = (word_offset(PLAYER, n) for n in ("percent", "shield", "stocks"))
_AIRBORNE, _JUMPS, _HURTBOX = (word_offset(PLAYER, n) for n in ("airborne", "jumps_left", "hurtbox"))
_HITLAG, _MISC, _SPEED0 = (word_offset(PLAYER, n) for n in ("hitlag", "misc_timer", "speed_air_x"))
_CONTROLLER = word_offset(PLAYER, "controller")
_STICK0 = _CONTROLLER + word_offset(CONTROLLER, "stick_x")
_IKIND, _ISPEED, _IX, _IOWNER = (word_offset(ITEM, n) for n in ("kind", "speed_x", "x", "owner"))
_STAGE_ROWS = np.array(LEGAL_STAGES, np.int32)
_BITS = BUTTON_BITS.copy()
_FIRST_DAMAGE, _LAST_DAMAGE = 75, 91  # DamageHi1 .. DamageFlyRoll: only there is misc_timer hitstun
_PLAYER_WIDTH = len(_PLAYER_FEATURES)


_entry = entry_of((Path(__file__), *RECORDS))


@kernel
def _known(value):
    return np.float32(0.0) if np.isnan(value) else value


@kernel
def _clip(value, limit):
    return max(-limit, min(limit, value))


@kernel
def _player_features(f, i, at, out):
    """Nineteen features of the player whose words start at `at`."""
    out[:_PLAYER_WIDTH] = 0.0
    if i[at + _CHARACTER] < 0:
        return
    out[0] = 1.0
    out[1] = _clip(_known(f[at + _X]) * 0.02, 6.0)
    out[2] = _clip(_known(f[at + _Y]) * 0.02, 6.0)
    out[3] = _known(f[at + _FACING])
    out[4] = _known(f[at + _PERCENT]) * 0.01
    out[5] = _known(f[at + _SHIELD]) / 60.0
    out[6] = i[at + _STOCKS] * 0.25
    out[7] = 1.0 if i[at + _AIRBORNE] == 1 else 0.0
    out[8] = max(i[at + _JUMPS], 0) * 0.5
    out[9] = 1.0 if i[at + _HURTBOX] > 0 else 0.0
    out[10] = _clip(_known(f[at + _AGE]) * 0.02, 3.0)
    out[11] = _known(f[at + _HITLAG]) * 0.1
    if _FIRST_DAMAGE <= i[at + _ACTION] <= _LAST_DAMAGE:
        out[12] = _clip(_known(f[at + _MISC]) * 0.02, 3.0)
    if not np.isnan(f[at + _SPEED0]):
        out[13] = 1.0
        for k in range(5):
            out[14 + k] = _clip(_known(f[at + _SPEED0 + k]) * 0.3, 5.0)


@kernel
def _controller_features(f, i, at, out):
    """Thirteen features: the seat's own last input, so that a press can be told from a hold."""
    mask = i[at + _CONTROLLER]
    for bit in range(8):
        out[bit] = 1.0 if mask & _BITS[bit] else 0.0
    for axis in range(5):
        out[8 + axis] = _known(f[at + _STICK0 + axis])


@kernel
def _item_features(f, i, me, port, floats, ids):
    """The first SEEN_ITEMS present items, relative to the player at `me`."""
    floats[:] = 0.0
    ids[:] = ITEM_KINDS - 1
    seen = 0
    for slot in range(ITEM_SLOTS):
        at = _ITEM0 + slot * _ITEM_STRIDE
        kind = i[at + _IKIND]
        if kind < 0:
            continue
        base = seen * 6
        floats[base] = 1.0
        floats[base + 1] = _clip(_known(f[at + _IX] - f[me + _X]) * 0.02, 6.0)
        floats[base + 2] = _clip(_known(f[at + _IX + 1] - f[me + _Y]) * 0.02, 6.0)
        floats[base + 3] = _clip(_known(f[at + _ISPEED]) * 0.3, 5.0)
        floats[base + 4] = _clip(_known(f[at + _ISPEED + 1]) * 0.3, 5.0)
        floats[base + 5] = 1.0 if i[at + _IOWNER] == port else 0.0
        ids[seen] = min(kind, ITEM_KINDS - 1)
        seen += 1
        if seen == SEEN_ITEMS:
            return


@kernel
def _row(value, rows):
    return value if 0 <= value < rows - 1 else rows - 1


@kernel
def _observe_seat(f, i, seat, floats, ids):
    me = _SEAT0 + seat * _SEAT_STRIDE
    other = _SEAT0 + (1 - seat) * _SEAT_STRIDE
    _player_features(f, i, me, floats)
    _player_features(f, i, other, floats[_PLAYER_WIDTH:])
    at = 2 * _PLAYER_WIDTH
    dx = _known(f[other + _X] - f[me + _X]) * 0.02
    floats[at] = _clip(dx, 6.0)
    floats[at + 1] = _clip(_known(f[other + _Y] - f[me + _Y]) * 0.02, 6.0)
    floats[at + 2] = _clip(dx * _known(f[me + _FACING]), 6.0)
    floats[at + 3] = max(i[_FRAMES_LEFT], 0) / 28800.0
    floats[at + 4] = _known(f[_FOD_LEFT]) * 0.02
    floats[at + 5] = _known(f[_FOD_RIGHT]) * 0.02
    floats[at + 6] = 0.0 if i[_WHISPY] <= 0 else (-1.0 if i[_WHISPY] == 1 else 1.0)
    _controller_features(f, i, me, floats[at + 7 :])
    _item_features(f, i, me, i[_PORTS + seat], floats[at + 20 :], ids[5:])
    ids[0] = _row(i[me + _CHARACTER], CHARACTERS)
    ids[1] = _row(i[other + _CHARACTER], CHARACTERS)
    ids[2] = _row(i[me + _ACTION], ACTIONS)
    ids[3] = _row(i[other + _ACTION], ACTIONS)
    ids[4] = STAGES - 1
    for row in range(STAGES - 1):
        if i[_STAGE] == _STAGE_ROWS[row]:
            ids[4] = row


@_entry
def _observe(words, integers, floats, ids):
    for n in range(words.shape[0]):
        for seat in range(SEATS):
            _observe_seat(words[n], integers[n], seat, floats[n, seat], ids[n, seat])
