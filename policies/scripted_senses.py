"""What a scripted player knows of a frame, read once per column into one `SENSES` record.

Everything is seen from the player's own side: `me_*` and `foe_*`, distances signed towards the foe, the
nearest ledge and the floor below. All from the same FRAME a network's observation is made of.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import FRAME, PLAYER, word_offset
from envs.stage_outlines import stage_outlines
from policies.scripted_jit import kernel
from policies.scripted_repertoire import REPERTOIRE, ROWS

_BODY = ("x", "y", "facing", "percent", "age", "hitlag", "hitstun", "vx", "vy", "kb_x", "kb_y")
_STATE = ("action", "airborne", "jumps", "untouchable")
SENSES: Final = np.dtype(
    [
        *((f"{who}_{name}", "<f4") for who in ("me", "foe") for name in _BODY),
        *((f"{who}_{name}", "<i4") for who in ("me", "foe") for name in _STATE),
        ("held", "<i4"),  # physical buttons held on the frame before
        ("stick_x", "<f4"),  # own sticks on the frame before
        ("stick_y", "<f4"),
        ("c_x", "<f4"),
        ("c_y", "<f4"),
        ("dx", "<f4"),  # foe's x minus own
        ("dy", "<f4"),
        ("distance", "<f4"),  # |dx|
        ("toward", "<f4"),  # +1 or -1: the direction of the foe
        ("edge_x", "<f4"),  # x of the right ledge
        ("inward", "<f4"),  # +1 or -1: the direction of the stage's middle
        ("outside", "<f4"),  # units beyond the ledge, negative over the stage
        ("foe_outside", "<f4"),
        ("floor_y", "<f4"),  # height of the floor below, -1000 with none
        ("landing_frames", "<f4"),  # frames until the present speed meets that floor, 1000 if it does not
        *REPERTOIRE.descr,
        ("blast_left", "<f4"),
        ("blast_right", "<f4"),
        ("blast_top", "<f4"),
        ("blast_bottom", "<f4"),
    ]
)

MAX_PLATFORMS: Final = 3
OUTLINE: Final = np.dtype(
    [
        ("stage", "<i4"),
        ("edge_x", "<f4"),
        ("edge_y", "<f4"),
        ("blast", "<f4", (4,)),
        ("platforms", "<f4", (MAX_PLATFORMS, 3)),  # NaN where the stage has fewer
    ]
)
NO_FLOOR: Final = -1000.0
NEVER: Final = 1000.0
_FEET_UNITS: Final = 2.5  # in the air the feet are drawn up: the body sinks so far below the floor before it lands


def outline_table() -> NDArray[np.void]:
    """Ledges, platforms and blast zones of the legal stages, [6] OUTLINE."""
    stages = stage_outlines()
    table = np.zeros(len(stages), OUTLINE)
    table["platforms"] = np.nan
    for row, (stage, shape) in zip(table, stages.items(), strict=True):
        row["stage"], row["edge_x"], row["blast"] = stage, shape.edge_x, shape.blast
        row["edge_y"] = shape.outline[0][1]
        for slot, platform in enumerate(shape.platforms):
            row["platforms"][slot] = platform
    return table


_SEAT0 = word_offset(FRAME, "players", 0, 0)
_SEAT_STRIDE = word_offset(FRAME, "players", 1, 0) - _SEAT0
_STAGE = word_offset(FRAME, "stage")
_X, _Y, _FACING = (word_offset(PLAYER, name) for name in ("x", "y", "facing"))
_PERCENT, _AGE, _HITLAG = (word_offset(PLAYER, name) for name in ("percent", "state_age", "hitlag"))
_MISC, _VX, _VY = (word_offset(PLAYER, name) for name in ("misc_timer", "speed_air_x", "speed_y"))
_KB_X, _KB_Y, _GROUND_V = (word_offset(PLAYER, n) for n in ("speed_x_attack", "speed_y_attack", "speed_ground_x"))
_ACTION, _AIRBORNE = (word_offset(PLAYER, name) for name in ("action", "airborne"))
_CHARACTER = word_offset(PLAYER, "character")
_JUMPS, _HURTBOX = (word_offset(PLAYER, name) for name in ("jumps_left", "hurtbox"))
_PAD = word_offset(PLAYER, "controller")
_STICK = _PAD + word_offset(CONTROLLER, "stick_x")
_FIRST_DAMAGE, _LAST_DAMAGE = 75, 91


@kernel
def _number(value):
    return np.float32(0.0) if np.isnan(value) else value


@kernel
def _stage_row(stage, outlines):
    for row in range(len(outlines)):
        if outlines[row].stage == stage:
            return row
    return 0


@kernel
def _floor_below(x, y, outline):
    """Height of the highest floor at or below (x, y)."""
    floor = np.float32(NO_FLOOR)
    if abs(x) <= outline.edge_x and y > outline.edge_y - 3.0:
        floor = np.float32(0.0)
    for slot in range(MAX_PLATFORMS):
        left, right, height = outline.platforms[slot, 0], outline.platforms[slot, 1], outline.platforms[slot, 2]
        if left <= x <= right and floor < height <= y + 0.1:
            floor = height
    return floor


@kernel
def _read_me(f, i, at, s):
    s.me_x, s.me_y, s.me_facing = _number(f[at + _X]), _number(f[at + _Y]), _number(f[at + _FACING])
    s.me_percent, s.me_age = _number(f[at + _PERCENT]), _number(f[at + _AGE])
    s.me_hitlag = _number(f[at + _HITLAG])
    s.me_vx, s.me_vy = _number(f[at + _VX]), _number(f[at + _VY])
    s.me_kb_x, s.me_kb_y = _number(f[at + _KB_X]), _number(f[at + _KB_Y])
    s.me_action, s.me_airborne = i[at + _ACTION], i[at + _AIRBORNE]
    s.me_jumps, s.me_untouchable = i[at + _JUMPS], max(i[at + _HURTBOX], 0)
    in_damage = _FIRST_DAMAGE <= s.me_action <= _LAST_DAMAGE
    s.me_hitstun = _number(f[at + _MISC]) if in_damage else np.float32(0.0)
    s.held = max(i[at + _PAD], 0)
    s.stick_x, s.stick_y = _number(f[at + _STICK]), _number(f[at + _STICK + 1])
    s.c_x, s.c_y = _number(f[at + _STICK + 2]), _number(f[at + _STICK + 3])


@kernel
def _read_foe(f, i, at, s):
    s.foe_x, s.foe_y, s.foe_facing = _number(f[at + _X]), _number(f[at + _Y]), _number(f[at + _FACING])
    s.foe_percent, s.foe_age = _number(f[at + _PERCENT]), _number(f[at + _AGE])
    s.foe_hitlag = _number(f[at + _HITLAG])
    s.foe_vx, s.foe_vy = _number(f[at + _VX]), _number(f[at + _VY])
    s.foe_kb_x, s.foe_kb_y = _number(f[at + _KB_X]), _number(f[at + _KB_Y])
    s.foe_action, s.foe_airborne = i[at + _ACTION], i[at + _AIRBORNE]
    s.foe_jumps, s.foe_untouchable = i[at + _JUMPS], max(i[at + _HURTBOX], 0)
    in_damage = _FIRST_DAMAGE <= s.foe_action <= _LAST_DAMAGE
    s.foe_hitstun = _number(f[at + _MISC]) if in_damage else np.float32(0.0)
    if s.foe_airborne == 0:
        s.foe_vx = _number(f[at + _GROUND_V])


@kernel
def _know_oneself(character, repertoires, s):
    mine = repertoires[character if 0 <= character < ROWS else ROWS - 1]
    s.reach, s.up_special, s.rise, s.rise_across = mine.reach, mine.up_special, mine.rise, mine.rise_across
    s.side_travels, s.down_strikes = mine.side_travels, mine.down_strikes
    s.side_chains, s.shoots = mine.side_chains, mine.shoots


@kernel
def sense(f, i, seat, outlines, repertoires, s):
    """Fill record `s` from the words of one frame as `seat` sees it."""
    _read_me(f, i, _SEAT0 + seat * _SEAT_STRIDE, s)
    _know_oneself(i[_SEAT0 + seat * _SEAT_STRIDE + _CHARACTER], repertoires, s)
    _read_foe(f, i, _SEAT0 + (1 - seat) * _SEAT_STRIDE, s)
    outline = outlines[_stage_row(i[_STAGE], outlines)]
    s.dx, s.dy = s.foe_x - s.me_x, s.foe_y - s.me_y
    s.distance = abs(s.dx)
    s.toward = np.float32(1.0) if s.dx >= 0 else np.float32(-1.0)
    s.edge_x = outline.edge_x
    s.inward = np.float32(-1.0) if s.me_x > 0 else np.float32(1.0)
    s.outside, s.foe_outside = abs(s.me_x) - outline.edge_x, abs(s.foe_x) - outline.edge_x
    s.blast_left, s.blast_right = outline.blast[0], outline.blast[1]
    s.blast_top, s.blast_bottom = outline.blast[2], outline.blast[3]
    s.floor_y = _floor_below(s.me_x, s.me_y, outline)
    fall = -(s.me_vy + s.me_kb_y)
    s.landing_frames = np.float32(NEVER)
    if s.floor_y > NO_FLOOR and fall > 0.05:
        s.landing_frames = (s.me_y - s.floor_y + _FEET_UNITS) / fall
