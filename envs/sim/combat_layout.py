"""Combat part of the state and of the tables: fields of a fighter, rows of moves and hitboxes.

`envs.sim.layout` joins these into the one state record; see there for the conventions.
"""

from __future__ import annotations

from typing import Final

import numpy as np

STALE_SLOTS: Final = 10
BOXES: Final = 4
"""Hitboxes alive at once in libmelee's framedata.csv."""
MAX_MOVES: Final = 64
MAX_HIT_FRAMES: Final = 512

FIGHTER_COMBAT: Final = [
    ("percent", "<f4"),
    ("hitlag", "<f4"),  # frames left
    ("hitstun", "<f4"),  # frames left while in a damage state
    ("knockback", "<f4"),  # of the last hit
    ("in_tumble", "<i4"),
    ("di_pending", "<i4"),  # 1 until the launch angle has been influenced at the end of hitlag
    ("flash_timer", "<i4"),  # frames since the last hit (knockback merging)
    ("stale_ids", "<i4", (STALE_SLOTS,)),  # attack ids of the last hits, ring buffer
    ("stale_head", "<i4"),
    ("move", "<i4"),  # row of the present move, -1 none
    ("move_serial", "<i4"),  # counts started moves, so that hit-once masks reset
    ("hit_mask", "<i4"),  # hit groups of the present move that have hit the other fighter
    ("staled", "<i4"),  # 1 once the present move has entered the stale queue
    ("charge", "<f4"),  # smash charge frames
    ("last_attack", "<i4"),
    ("last_hit_by", "<i4"),
    ("combo_count", "<i4"),
    ("combo_timer", "<i4"),
    ("tech_buffer", "<i4"),  # frames left in which a landing is a tech
    ("tech_lockout", "<i4"),
    ("shield", "<f4"),  # health 0..60
    ("shield_amount", "<f4"),  # 0..1 how hard the trigger is pressed
    ("shieldstun", "<f4"),
    ("shield_hold", "<i4"),  # frames that the guard must still be held
    ("powershield", "<i4"),  # frames left of the powershield window
    ("reflecting", "<i4"),
    ("script_pc", "<i4"),
    ("script_timer", "<f4"),
    ("script_flags", "<i4"),
    ("script_x", "<f4"),
    ("script_y", "<f4"),
]
"""Fields of a FIGHTER that combat and specials keep."""

HITBOX: Final = np.dtype(
    [
        ("active", "<i4"),
        ("group", "<i4"),  # bit of hit_mask that this box shares
        ("x", "<f4"),  # offset from the fighter at facing +1
        ("y", "<f4"),
        ("size", "<f4"),
        ("damage", "<f4"),
        ("angle", "<f4"),
        ("base_knockback", "<f4"),
        ("growth", "<f4"),
        ("set_knockback", "<f4"),
        ("shield_damage", "<f4"),
        ("element", "<i4"),
    ]
)

MOVE: Final = np.dtype(
    [
        ("action", "<i4"),
        ("first_frame", "<i4"),
        ("last_frame", "<i4"),
        ("row", "<i4"),  # first row of hit_frames
        ("attack_id", "<i4"),
    ]
)

CHARACTER_COMBAT: Final = np.dtype(
    [
        ("weight", "<f4"),
        ("moves", MOVE, (MAX_MOVES,)),
        ("hit_frames", HITBOX, (MAX_HIT_FRAMES, BOXES)),
    ]
)
"""What combat knows of one character; `CHARACTER.combat` in the tables."""

GAME_ITEM: Final = np.dtype(
    [
        ("kind", "<i4"),  # -1 empty
        ("owner", "<i4"),  # seat
        ("x", "<f4"),
        ("y", "<f4"),
        ("vx", "<f4"),
        ("vy", "<f4"),
        ("facing", "<f4"),
        ("timer", "<f4"),
        ("spawn_id", "<i4"),
        ("state", "<i4"),
    ]
)
ITEM_SLOTS: Final = 6
