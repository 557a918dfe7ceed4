"""Combat part of the state and of the tables: fields of a fighter, rows of moves and hitboxes.

`envs.sim.layout` joins these into the one state record; see there for the conventions.
"""

from __future__ import annotations

from typing import Final

import numpy as np

STALE_SLOTS: Final = 10
BOXES: Final = 4
"""Hitboxes alive at once in libmelee's framedata.csv."""
MAX_MOVES: Final = 48
MAX_HIT_FRAMES: Final = 512
MAX_HURT_FRAMES: Final = 3584
MAX_OPERATIONS: Final = 192
MAX_PROJECTILES: Final = 4
"""Kinds of item that one character can make."""
ACTION_SLOTS: Final = 400
"""Action states that a hurt capsule and a script can be given for."""
FIRST_FLY: Final = 87
FLY_STATES: Final = 5
"""The action states of a launch: DAMAGE_FLY_HIGH and the four after it."""
UNLINKED: Final = 0
LINKED: Final = 1
LINKED_TO_SELF: Final = 2
"""Where a hitbox was a frame ago: nowhere, at the row before, or at the same offset from where the fighter was."""
TOUCHES_GROUND: Final = 1
TOUCHES_AIR: Final = 2

FIGHTER_COMBAT: Final = [
    ("percent", "<f4"),
    ("hitlag", "<f4"),  # frames left
    ("hitstun", "<f4"),  # frames left while in a damage state
    ("pushback", "<f4"),  # speed of a standing attacker off a shield
    ("knockback", "<f4"),  # of the last hit
    ("in_tumble", "<i4"),
    ("di_pending", "<i4"),  # 1 until the launch angle has been influenced at the end of hitlag
    ("flash_timer", "<i4"),  # unfrozen frames since the last hit (knockback merging)
    ("hit_damage", "<f4"),  # percent of the hit landed this frame, before staling
    ("hit_dealt", "<f4"),  # and after
    ("taken", "<f4"),  # percent of the last hit taken
    ("stale_ids", "<i4", (STALE_SLOTS,)),  # attack ids of the last hits, ring buffer
    ("stale_head", "<i4"),
    ("move", "<i4"),  # row of the present move, -1 none
    ("hit_mask", "<i4"),  # hit groups of the present move that have hit the other fighter
    ("staled", "<i4"),  # 1 once the present move has entered the stale queue
    ("charge", "<f4"),  # smash charge frames
    ("last_attack", "<i4"),
    ("last_hit_by", "<i4"),
    ("combo_count", "<i4"),
    ("tech_buffer", "<i4"),  # frames left in which a landing is a tech
    ("tech_lockout", "<i4"),
    ("jump_buffer", "<i4"),  # frames in which the end of hitstun is a jump
    ("shield", "<f4"),  # health 0..60
    ("shield_amount", "<f4"),  # 0..1 how hard the trigger is pressed beyond its dead zone
    ("shield_released", "<i4"),  # the trigger was let go since the shield came up
    ("shield_reflect", "<i4"),  # frames left in which the shield throws projectiles back
    ("daze_timer", "<f4"),  # frames left of being dazed after a broken shield
    ("rebound_frames", "<f4"),  # length of the bounce off another attack
    ("trigger_age", "<i4"),  # frames since a trigger was pressed beyond the dead zone
    ("shieldstun", "<f4"),
    ("shield_hold", "<i4"),  # frames that the guard must still be held
    ("powershield", "<i4"),  # frames left of the powershield window
    ("reflecting", "<i4"),
    ("reflect_into", "<i4"),  # action state that throwing something back leads to, -1 none
    ("reflect_radius", "<f4"),  # of the bubble that throws back; 0: the body does
    ("reflect_height", "<f4"),
    ("script_timer", "<f4"),
    ("script_flags", "<i4"),
    ("sink_wait", "<f4"),  # frames of the present special before its gravity began
    ("open_landing", "<i4"),  # 1 if the landing of the special fall under way may be interrupted
    ("script_x", "<f4"),
    ("script_y", "<f4"),
    ("stored_charge", "<i4"),  # levels of a charged special, kept between uses
    ("fall_share", "<f4"),  # of the top speed sideways that a special fall allows; 0 all of it
    ("float_spent", "<i4"),  # 1 once a special that floats has been used, until an ordinary landing
    ("counter_state", "<i4"),  # action state that a hit is answered by, 0 none
    ("counter_radius", "<f4"),  # of what can be hit in that stance
    ("counter_height", "<f4"),  # of its middle over the root
]
"""Fields of a FIGHTER that combat and specials keep."""

_BLOW: Final = [
    ("angle", "<f4"),
    ("base_knockback", "<f4"),
    ("growth", "<f4"),
    ("set_knockback", "<f4"),
    ("shield_damage", "<f4"),
    ("element", "<i4"),  # envs.sim.moves.Element
]
"""What a hit does besides its damage."""

HITBOX: Final = np.dtype(
    [
        ("active", "<i4"),
        ("group", "<i4"),  # bit of hit_mask that this box shares
        ("x", "<f4"),  # offset from the fighter at facing +1
        ("y", "<f4"),
        ("size", "<f4"),
        ("damage", "<f4"),
        *_BLOW,
        ("touches", "<i4"),  # TOUCHES_GROUND | TOUCHES_AIR: where the victim must be
        ("linked", "<i4"),  # UNLINKED, LINKED or LINKED_TO_SELF: the path it sweeps
    ]
)

MOVE: Final = np.dtype(
    [
        ("action", "<i4"),
        ("first_frame", "<i4"),
        ("last_frame", "<i4"),
        ("row", "<i4"),  # first row of hit_frames
        ("attack_id", "<i4"),
        ("charge_frame", "<f4"),  # age at which a held smash charges, 0 never
        ("charge_step", "<f4"),  # frames of charge that add charge_gain percent to a special, 0 none do
        ("charge_gain", "<f4"),
        ("reach", "<f4"),  # distance from the fighter's root that no hitbox of the move exceeds
        ("clank", "<i4"),  # envs.sim.moves.Clank
    ]
)

HURT_PARTS: Final = 3
"""Capsules that what can be hit of a fighter is made of."""
CAPSULE: Final = np.dtype([("x0", "<f4"), ("y0", "<f4"), ("x1", "<f4"), ("y1", "<f4"), ("radius", "<f4")])
"""What can be hit: a segment with a radius, offsets at facing +1."""

POSE: Final = np.dtype([("row", "<i4"), ("frames", "<i4"), ("loops", "<i4")])
"""Rows of `hurt_frames` of an action state, by frames since it began: the last one stays, or they start over."""

PROJECTILE: Final = np.dtype(
    [
        ("kind", "<i4"),  # Slippi's item id
        ("state", "<i4"),  # as published, without charge
        ("attack_id", "<i4"),
        ("charges", "<i4"),  # levels of charge it can be fired with; 0 always the same
        ("speed", "<f4"),
        ("first_step", "<f4"),  # share of its speed that it moves by in the frame that fires it
        ("life", "<f4"),  # frames
        ("damage", "<f4"),
        ("size", "<f4"),
        ("full_speed", "<f4"),  # these at full charge; between them linear
        ("full_first_step", "<f4"),
        ("full_damage", "<f4"),
        ("full_size", "<f4"),
        *_BLOW,
        ("effect", "<i4"),  # envs.sim.projectiles.Effect
        ("bind_base", "<f4"),  # frames that it binds, ...
        ("bind_per_percent", "<f4"),  # ... and per percent of the victim
        ("sway_speed", "<f4"),  # mean speed across its path at which it begins to sway; 0 straight
        ("sway_spread", "<f4"),  # width of the uniform distribution around that
        ("sway_frames", "<i4"),  # frames after which it sways another way
    ]
)

OPERATION: Final = np.dtype(
    [
        ("code", "<i4"),  # envs.sim.scripts.Op
        ("first", "<f4"),  # ages in which it applies
        ("last", "<f4"),
        ("a", "<f4"),
        ("b", "<f4"),
        ("target", "<i4"),  # action state to go to
        ("mask", "<i4"),  # buttons, or the row of an item
    ]
)

CHARACTER_COMBAT: Final = np.dtype(
    [
        ("weight", "<f4"),
        ("moves", MOVE, (MAX_MOVES,)),
        ("hit_frames", HITBOX, (MAX_HIT_FRAMES, BOXES)),
        ("poses", POSE, (ACTION_SLOTS,)),
        ("hurt_frames", CAPSULE, (MAX_HURT_FRAMES, HURT_PARTS)),
        ("hurt_reach", "<f4"),  # distance from the root that no capsule exceeds
        ("shield_x", "<f4"),  # centre of the full shield bubble
        ("shield_y", "<f4"),
        ("shield_radius", "<f4"),
        ("face_up", "<f4", (FLY_STATES,)),  # age up to which a launched body falls on its back
        ("lift_age", "<f4", (2,)),  # age from which a knockdown on the back, on the front slides as in the air
        ("lift_end", "<f4", (2,)),  # age from which it is back on its floor
        ("script_first", "<i4", (ACTION_SLOTS,)),  # operations of an action state: [first, last)
        ("script_last", "<i4", (ACTION_SLOTS,)),
        ("operations", OPERATION, (MAX_OPERATIONS,)),
        ("projectiles", PROJECTILE, (MAX_PROJECTILES,)),
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
        ("damage", "<f4"),
        ("fresh_damage", "<f4"),  # before staling
        ("attack_id", "<i4"),  # that it lands as
        ("part_of_throw", "<i4"),  # has entered the queue of landed attacks with the throw that fired it
        ("row", "<i4"),  # of TABLES.characters: whose projectile it is
        ("projectile", "<i4"),  # row of that character's projectiles
        ("charge", "<f4"),  # share of the full charge it was fired with
        ("first_step", "<f4"),  # of its speed, in the frame that fires it
        ("sway_y", "<f4"),  # where its hitbox is off its path, upwards and into the screen
        ("sway_z", "<f4"),
        ("sway_angle", "<f4"),  # radians, 0 into the screen
        ("sway_speed", "<f4"),
        ("sway_pull", "<f4"),
        ("sway_timer", "<i4"),
    ]
)
ITEM_SLOTS: Final = 15
"""Items at once in a game, as many as a frame can hold."""
