"""Stage part of the state and of the tables: lines, what moves, what a fighter touches.

`envs.sim.layout` joins these into the one state record; see there for the conventions.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

MAX_LINES: Final = 12
"""Floor lines of a stage (ground and platforms)."""
MAX_WALLS: Final = 12
"""Walls of one side of a stage, and its ceilings."""
LIFTS: Final = 2
"""Platforms of a stage that move."""
CLOUD_CYCLE: Final = 1200
"""Frames of one round of the cloud on Yoshi's Story (libmelee stages.py)."""


class Motion(IntEnum):
    """What moves on a stage."""

    NONE = 0
    CLOUD = 1  # a platform on a fixed course by frame
    FOUNTAIN = 2  # two platforms that rise and sink at random
    WIND = 3  # a tree blows fighters to one side


LIFT: Final = np.dtype(
    [
        ("x", "<f4"),  # what is added to the ends of the line that it carries
        ("y", "<f4"),
        ("dx", "<f4"),  # its displacement this frame
        ("dy", "<f4"),
    ]
)

GAME_STAGE: Final = [("lifts", LIFT, (LIFTS,))]
"""Fields of a GAME that its stage keeps."""

FIGHTER_STAGE: Final = [
    ("wall", "<i4"),  # side to which a wall pushed this fighter this frame: +1 right, -1 left, 0 none
    ("ceiling", "<i4"),  # 1 if its head was stopped by a ceiling this frame
]
"""Fields of a FIGHTER that the stage keeps."""

SEGMENT: Final = np.dtype([("x0", "<f4"), ("y0", "<f4"), ("x1", "<f4"), ("y1", "<f4")])
"""A wall from below, or a ceiling from the left."""

LINE: Final = np.dtype(
    [
        ("x0", "<f4"),
        ("y0", "<f4"),
        ("x1", "<f4"),
        ("y1", "<f4"),
        ("along", "<f4"),  # horizontal share of a step along the line: cosine of its slope
        ("platform", "<i4"),  # 1: can be fallen through
        ("left", "<i4"),  # line joined at the left end, -1 none
        ("right", "<i4"),
        ("ground", "<i4"),  # id that Slippi records
        ("lift", "<i4"),  # row of GAME.lifts that carries it, -1 none
    ]
)

STAGE: Final = np.dtype(
    [
        ("stage", "<i4"),  # Slippi stage id
        ("motion", "<i4"),  # Motion
        ("grounds_used", "<i4"),  # the first lines are the ground, from the left; platforms follow
        ("lines_used", "<i4"),
        ("left_walls_used", "<i4"),
        ("right_walls_used", "<i4"),
        ("ceilings_used", "<i4"),
        ("blast_left", "<f4"),
        ("blast_right", "<f4"),
        ("blast_top", "<f4"),
        ("blast_bottom", "<f4"),
        ("ledge_x", "<f4"),  # both ledges are at +-ledge_x
        ("ledge_y", "<f4"),
        ("start_x", "<f4", (2,)),
        ("start_y", "<f4", (2,)),
        ("respawn_x", "<f4", (2,)),
        ("respawn_y", "<f4", (2,)),
        ("halo_speed", "<f4"),  # of the respawn platform's descent
        ("lines", LINE, (MAX_LINES,)),
        ("left_walls", SEGMENT, (MAX_WALLS,)),  # they stop a fighter that moves right
        ("right_walls", SEGMENT, (MAX_WALLS,)),
        ("ceilings", SEGMENT, (MAX_WALLS,)),
    ]
)
