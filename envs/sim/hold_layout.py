"""Grabs and throws in the state and in the tables: what a fighter keeps while it holds or is held, a throw's facts.

`envs.sim.layout` joins these into the one state record; see there for the conventions. Offsets of a held fighter
are those that Fox would have; `HOLD.thrown` and `HOLD.hang` say how far another character's root is from his.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from envs.sim.combat_layout import HITBOX

GRAB_BOXES: Final = 4
GRIP_AGES: Final = 32
GRIPS: Final = 4
"""Grips with a table of their own: pulled in, pulled in out of a run, held, pummelled."""
THROWS: Final = 4
MAX_PATH: Final = 320
MAX_THROW_HITS: Final = 8
MAX_SHOTS: Final = 16

FREE, HOLDS, HELD = 0, 1, -1
"""What a fighter's `grip` says: neither holds nor is held, holds the other fighter, is held by it."""

FIGHTER_HOLD: Final = [
    ("grip", "<i4"),
    ("grab_timer", "<f4"),  # frames until a held fighter breaks free
    ("held_frames", "<f4"),
    ("mash_x", "<i4"),  # side of the stick that counted last
    ("mash_y", "<i4"),
    ("mash_frames", "<f4"),  # frames left in which the held animation runs fast
    ("wants_jump", "<i4"),  # a jump button was pressed early: breaking free is a jump
]
"""Fields of a FIGHTER that grabs keep."""

GRAB: Final = np.dtype(
    [
        ("first", "<f4"),  # ages in which it catches
        ("last", "<f4"),
        ("used", "<i4"),  # boxes
        ("x", "<f4", (GRAB_BOXES,)),
        ("y", "<f4", (GRAB_BOXES,)),
        ("size", "<f4", (GRAB_BOXES,)),
    ]
)

SEIZURE: Final = np.dtype(
    [
        ("actions", "<i4", (2,)),  # states of the special that seizes, grounded and airborne; 0 none
        ("grab", GRAB),
        ("release", "<f4"),  # age from which the victim falls
        ("damage", "<f4"),
        ("attack_id", "<i4"),
        ("path", "<i4", (2,)),  # first row and end of `points`: root of the held fighter from the holder's
    ]
)
"""A special that takes hold of the other fighter without a grip and lets it fall."""

PATH_POINT: Final = np.dtype([("age", "<f4"), ("x", "<f4"), ("y", "<f4")])
THROW_HIT: Final = np.dtype([("age", "<f4"), ("damage", "<f4"), ("freezes", "<i4")])
"""A blow at the held fighter; `freezes`: hitlag of the thrower is the victim's, else one frame less."""
SHOT: Final = np.dtype([("age", "<f4"), ("x", "<f4"), ("y", "<f4"), ("vx", "<f4"), ("vy", "<f4")])
"""A projectile fired during a throw: place and speed at facing +1."""

THROW: Final = np.dtype(
    [
        ("box", HITBOX),  # what the release does; it has no place
        ("release", "<f4"),  # age from which the victim flies
        ("weighted", "<i4"),  # slower for heavy victims
        ("turns", "<i4"),  # the thrower turns round at the release
        ("attack_id", "<i4"),
        ("shot_damage", "<f4"),
        ("path", "<i4", (2,)),  # first row and end of `points`: root of the held fighter from the thrower's
        ("root", "<i4", (2,)),  # the thrower's own way, as x; empty where it stands
        ("hits", "<i4", (2,)),  # of `throw_hits`
        ("shots", "<i4", (2,)),  # of `shots`
    ]
)

HOLD: Final = np.dtype(
    [
        ("grabs", GRAB, (2,)),  # standing, out of a run
        ("pulled", "<f4", (2,)),  # age at which a catch becomes the hold
        ("pummel_age", "<f4"),
        ("pummel_damage", "<f4"),
        ("grip", "<f4", (GRIPS, GRIP_AGES, 2)),
        ("thrown", "<f4", (2,)),
        ("hang", "<f4", (3,)),  # height of a held fighter in the air: first and second frame of the pull, then
        ("throws", THROW, (THROWS,)),  # forward, back, up, down
        ("seizure", SEIZURE),
        ("points", PATH_POINT, (MAX_PATH,)),
        ("throw_hits", THROW_HIT, (MAX_THROW_HITS,)),
        ("shots", SHOT, (MAX_SHOTS,)),
    ]
)
"""What grabs know of one character, as thrower and as victim; `CHARACTER.hold` in the tables."""
