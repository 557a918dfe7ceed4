"""THE state layout of the simulator and of its constant tables.

A game is one `GAME` record, both fighters inside it; N games are one contiguous buffer, so saving and
restoring is a copy of that buffer. Kernels receive pointers: `game` (one GAME record), `me`/`foe` (FIGHTER
records inside it) and `tables` (one TABLES record with every constant), and touch nothing else.

Every field is a 32-bit word except the game's 64-bit seed. Units are the game's: units, frames, degrees.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.combat_layout import CHARACTER_COMBAT, FIGHTER_COMBAT, GAME_ITEM, ITEM_SLOTS
from envs.sim.hold_layout import FIGHTER_HOLD, HOLD
from envs.sim.stage_layout import CHARACTER_WALLS, CLOUD_CYCLE, FIGHTER_STAGE, GAME_STAGE, STAGE

STATE_SLOTS: Final = 400
"""Action states per character; ids are the game's, specials start at 341."""
MAX_CHARACTERS: Final = 16
"""Rows of the character table; the last ones stay free for envs.sim.fidelity's stand-ins."""
MAX_STAGES: Final = 10

FIGHTER: Final = np.dtype(
    [
        ("row", "<i4"),  # row of TABLES.characters
        ("seat", "<i4"),
        # action state
        ("action", "<i4"),
        ("age", "<f4"),  # frame of the animation, as Slippi records it
        ("rate", "<f4"),  # animation speed
        ("ticks", "<i4"),  # whole frames spent in this state
        # body
        ("x", "<f4"),
        ("y", "<f4"),
        ("prev_x", "<f4"),
        ("prev_y", "<f4"),
        ("facing", "<f4"),
        ("vx", "<f4"),  # self-induced speed in the air
        ("vy", "<f4"),
        ("ground_v", "<f4"),  # self-induced speed along the ground
        ("kb_x", "<f4"),  # knockback speed
        ("kb_y", "<f4"),
        ("ground_kb", "<f4"),  # knockback speed along the ground
        ("airborne", "<i4"),
        ("line", "<i4"),  # floor line stood on, or stood on last
        ("jumps_left", "<i4"),
        ("fast_fall", "<i4"),
        ("dash_impulse", "<f4"),  # added to ground speed after this frame's displacement
        ("push", "<f4"),  # displacement by the other fighter standing in the same place
        # input, this frame and the one before
        ("buttons", "<i4"),
        ("prev_buttons", "<i4"),
        ("pressed", "<i4"),  # buttons newly down
        ("stick_x", "<f4"),
        ("stick_y", "<f4"),
        ("prev_stick_x", "<f4"),
        ("prev_stick_y", "<f4"),
        ("c_x", "<f4"),
        ("c_y", "<f4"),
        ("prev_c_x", "<f4"),
        ("prev_c_y", "<f4"),
        ("shoulder", "<f4"),
        ("prev_shoulder", "<f4"),
        ("tap_x", "<i4"),  # frames since the stick left the neutral zone, capped at 254
        ("tap_y", "<i4"),
        ("guard_tap", "<i4"),  # frames since L, R, Z or an analog trigger was newly pressed
        # movement bookkeeping
        ("short_hop", "<i4"),  # the jump button or stick was released during the squat
        ("jump_input", "<i4"),  # 1 button, 2 stick
        ("turn_dash", "<i4"),  # a smash turn that may become a dash
        ("turn_facing", "<f4"),
        ("turn_from", "<f4"),  # horizontal stick of the frame before the turn
        ("landing_lag", "<f4"),
        ("l_cancel", "<i4"),  # as published: 0 none, 1 success, 2 missed
        ("drop_line", "<i4"),  # platform being fallen through, -1 none
        ("ecb_lock", "<i4"),  # frames in which the feet stay at the root after leaving the ground
        ("feet", "<f4"),  # height of the collision diamond's lowest point over the root
        ("prev_feet", "<f4"),
        ("ledge", "<i4"),  # -1 none, 0 left, 1 right
        ("ledge_timer", "<i4"),
        ("ledge_free", "<i4"),  # 1 once the stick has rested while hanging
        ("ledge_cooldown", "<i4"),
        # invulnerability
        ("intangible", "<i4"),  # frames left
        ("invincible", "<i4"),  # frames left (respawn)
        # life
        ("stocks", "<i4"),
        ("life_timer", "<i4"),  # dead, rebirth and entry timers
        ("phase", "<i4"),  # how it takes part in this frame: flight.FREE and the values after it
        *FIGHTER_COMBAT,
        *FIGHTER_STAGE,
        *FIGHTER_HOLD,
    ]
)

GAME: Final = np.dtype(
    [
        ("seed", "<u8"),
        ("frame", "<i4"),  # Slippi frame id
        ("stage", "<i4"),  # row of TABLES.stages
        ("frames_left", "<i4"),  # -1 without a timer
        ("ended_by", "<i4"),  # envs.backend.EndedBy
        ("winner", "<i4"),
        ("frames_played", "<i4"),
        ("next_spawn_id", "<i4"),
        ("items_live", "<i4"),  # projectiles under way
        ("fighters", FIGHTER, (2,)),
        ("items", GAME_ITEM, (ITEM_SLOTS,)),
        *GAME_STAGE,
    ]
)

STATE: Final = np.dtype(
    [
        ("physics", "<i4"),  # envs.sim.states.Physics
        ("kind", "<i4"),  # envs.sim.states.Kind: which interrupt and end rules apply
        ("interrupts", "<i4"),  # bits of envs.sim.states.Can
        ("length", "<f4"),  # animation frames; 0 holds until something else ends it
        ("iasa", "<f4"),  # first age at which any grounded or aerial action may interrupt; 0 never
        ("next", "<i4"),  # state after the last frame, -1 Wait or Fall by whether airborne
        ("landing", "<i4"),  # state when it lands, -1 by physics class
        ("landing_lag", "<f4"),
        ("autocancel_before", "<f4"),  # ages below this land without lag
        ("autocancel_after", "<f4"),  # ages from this on land without lag
        ("age_start", "<f4"),  # first recorded age
        ("intangible_from", "<f4"),
        ("intangible_to", "<f4"),
        ("turn_age", "<f4"),  # age from which it faces the other way, 0 never
        ("follow_up", "<f4"),  # age from which a jab goes on to the next, 0 never
        ("flags", "<i4"),  # bits of envs.sim.states.Flag
        ("move", "<i4"),  # row of combat.moves, -1 none
        ("script", "<i4"),  # special script row, -1 none
        ("locomotion", "<i4"),  # row of CHARACTER.locomotion of frame 0, -1 none
        ("locomotion_last", "<i4"),
        ("feet_row", "<i4"),  # row of CHARACTER.feet
        ("modelled", "<i4"),  # 1 if the simulator plays this state
    ]
)

MAX_LOCOMOTION: Final = 2048
FEET_ROWS: Final = 40
FEET_AGES: Final = 64
CHARACTER: Final = np.dtype(
    [
        ("character", "<i4"),  # internal id
        ("gravity", "<f4"),
        ("terminal", "<f4"),
        ("fast_fall", "<f4"),
        ("air_max", "<f4"),
        ("air_friction", "<f4"),
        ("drift_base", "<f4"),
        ("drift_stick", "<f4"),
        ("traction", "<f4"),
        ("walk_base", "<f4"),
        ("walk_stick", "<f4"),
        ("walk_max", "<f4"),
        ("walk_mid", "<f4"),  # speed over which the walk animation is the middle one
        ("walk_fast", "<f4"),
        ("dash_speed", "<f4"),
        ("dash_base", "<f4"),
        ("dash_stick", "<f4"),
        ("run_max", "<f4"),
        ("run_after", "<f4"),  # dash age from which a held stick runs
        ("turn_frames", "<f4"),  # frames a slow turn keeps facing the old way
        ("jump_v", "<f4"),
        ("hop_v", "<f4"),
        ("double_v", "<f4"),
        ("jump_h", "<f4"),
        ("jump_h_max", "<f4"),
        ("ground_to_air", "<f4"),
        ("double_h", "<f4"),
        ("jumps", "<i4"),
        ("landing_lag", "<f4"),
        ("weight", "<f4"),
        ("ledge_x", "<f4"),  # half width of the ledge-grab box
        ("ledge_y", "<f4"),
        ("ledge_below", "<f4"),
        ("width", "<f4"),  # half width of the body that pushes the other fighter
        ("hang_x", "<f4"),  # offset of the root from the ledge while hanging
        ("hang_y", "<f4"),
        ("ledge_jump_x", "<f4"),  # first speed of the second half of a ledge jump
        ("ledge_jump_y", "<f4"),
        ("dodge_cut", "<f4"),  # share of its way that a dodge out of the jump squat into the floor loses
        ("specials", "<i4", (4, 2)),  # first state of neutral, side, up, down special; grounded, airborne
        ("states", STATE, (STATE_SLOTS,)),
        ("locomotion", "<f4", (MAX_LOCOMOTION, 2)),
        ("feet", "<f4", (FEET_ROWS, FEET_AGES)),  # height of the collision diamond's lowest point by age
        ("combat", CHARACTER_COMBAT),
        ("hold", HOLD),
        ("walls", CHARACTER_WALLS),
    ]
)

COMMON: Final = np.dtype([(name, "<f4") for section in facts.load("common").values() for name in section])
"""One float word per number of facts/common.toml, by its name there."""

TABLES: Final = np.dtype(
    [
        ("common", COMMON),
        ("characters", CHARACTER, (MAX_CHARACTERS,)),
        ("stages", STAGE, (MAX_STAGES,)),
        ("cloud", "<f4", (CLOUD_CYCLE, 2)),  # course of the left end of the cloud's floor line
    ]
)
"""Every constant a kernel reads; filled by envs.sim.compile."""


def new_games(count: int) -> NDArray[np.void]:
    """Zeroed games [count] GAME."""
    return np.zeros(count, GAME)
