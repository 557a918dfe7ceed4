"""Stage part of the state and of the tables: lines, what moves, what a fighter touches.

`envs.sim.layout` joins these into the one state record; see there for the conventions.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from envs.sim.combat_layout import ACTION_SLOTS

MAX_LINES: Final = 24
"""Floor lines of a stage (ground and platforms)."""
MAX_WALLS: Final = 16
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
        ("solid", "<i4"),  # 0 while it is under water
        ("phase", "<i4"),  # envs.sim.kernel.stage_motion: a lift of the Fountain waits, moves or is under water
        ("target", "<f4"),  # y that it moves to
        ("timer", "<i4"),  # frames until it does something else
    ]
)

GAME_STAGE: Final = [
    ("lifts", LIFT, (LIFTS,)),
    ("wind", "<i4"),  # side that the wind blows to: +1 right, -1 left, 0 none
    ("wind_timer", "<i4"),  # frames until it starts or stops
]
"""Fields of a GAME that its stage keeps."""

FIGHTER_STAGE: Final = [
    ("wall", "<i4"),  # side to which a wall pushed this fighter this frame: +1 right, -1 left, 0 none
    ("ceiling", "<i4"),  # 1 if its head was stopped by a ceiling this frame
    ("normal_x", "<f4"),  # of the wall or ceiling touched, pointing to the fighter
    ("normal_y", "<f4"),
]
"""Fields of a FIGHTER that the stage keeps."""

SIDE_ROWS: Final = 24
SIDE_AGES: Final = 64
CHARACTER_WALLS: Final = np.dtype(
    [
        ("top", "<f4"),  # height of the collision diamond's highest point over the root
        ("can_wall_jump", "<i4"),
        ("jump_x", "<f4"),  # speed of a wall jump, and of a wall tech that jumps
        ("jump_y", "<f4"),
        ("jump_gap", "<f4"),  # root from the wall before it
        ("tech_x", "<f4"),
        ("tech_gap", "<f4"),
        ("bounce_gap", "<f4"),
        ("ceiling_gap", "<f4"),  # root under the ceiling on teching it
        ("side_row", "<i4", (ACTION_SLOTS,)),  # row of `sides` by action state
        ("sides", "<f4", (SIDE_ROWS, SIDE_AGES)),  # half width of the collision diamond by age
    ]
)
"""What walls and ceilings know of one character; `CHARACTER.walls` in the tables."""

SEGMENT: Final = np.dtype([("x0", "<f4"), ("y0", "<f4"), ("x1", "<f4"), ("y1", "<f4")])
"""A wall from below, or a ceiling from the left."""

LINE: Final = np.dtype(
    [
        ("x0", "<f4"),
        ("y0", "<f4"),
        ("x1", "<f4"),
        ("y1", "<f4"),
        ("along", "<f4"),  # horizontal share of a step along the line: cosine of its slope
        ("rise", "<f4"),  # vertical share: its sine
        ("grip", "<f4"),  # times a fighter's traction against knockback
        ("platform", "<i4"),  # 1: can be fallen through
        ("left", "<i4"),  # line joined at the left end, -1 none
        ("right", "<i4"),
        ("ground", "<i4"),  # id that Slippi records
        ("lift", "<i4"),  # row of GAME.lifts that carries it, -1 none
    ]
)

FOUNTAIN: Final = np.dtype(
    [
        ("start", "<f4", (LIFTS,)),  # y of each lift when a game starts
        ("rise", "<f4"),  # units per frame
        ("sink", "<f4"),
        ("step_min", "<f4"),  # length of a move, units
        ("step_max", "<f4"),
        ("high", "<f4"),  # limits of a move
        ("low", "<f4"),
        ("middle", "<f4"),  # where it tends to, and where it comes up to
        ("under", "<f4"),  # y of a lift that is about to be under water
        ("scale", "<f4"),  # units per unit of Slippi's event
        ("wait_min", "<f4"),  # frames between two decisions
        ("wait_max", "<f4"),
        ("under_min", "<f4"),  # frames under water
        ("under_max", "<f4"),
        ("under_chance", "<f4"),  # of a decision
        ("move_chance", "<f4"),
        ("away_chance", "<f4"),  # of a move to lead away from the middle
    ]
)
"""How the platforms of Fountain of Dreams move."""

WIND: Final = np.dtype(
    [
        ("push", "<f4"),  # units per frame
        ("right_from", "<f4"),  # x that wind to the right reaches
        ("right_to", "<f4"),
        ("left_from", "<f4"),
        ("left_to", "<f4"),
        ("bottom", "<f4"),
        ("top", "<f4"),
        ("blow", "<f4"),  # frames
        ("wait_min", "<f4"),  # frames from its end to its next start
        ("wait_max", "<f4"),
        ("first_min", "<f4"),  # frames from the start of a game to the first
        ("first_max", "<f4"),
    ]
)
"""How the tree on Dream Land blows."""

STAGE: Final = np.dtype(
    [
        ("stage", "<i4"),  # Slippi stage id
        ("form", "<i4"),  # what it has turned into: Slippi's type of a transformation, 0 for the stage as it starts
        ("walls_top", "<f4"),  # no wall reaches higher
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
        ("star_y", "<f4"),  # height to which a star KO sinks
        ("lines", LINE, (MAX_LINES,)),
        ("left_walls", SEGMENT, (MAX_WALLS,)),  # they stop a fighter that moves right
        ("right_walls", SEGMENT, (MAX_WALLS,)),
        ("ceilings", SEGMENT, (MAX_WALLS,)),
        ("fountain", FOUNTAIN),
        ("wind", WIND),
    ]
)
