"""Which situation a fighter is in, from its action state: the first branch of every scripted decision."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from policies.scripted_jit import kernel


class Situation(IntEnum):
    """What kind of input can matter now."""

    BUSY = 0  # nothing to decide: dead, entering, in an animation
    HALO = 1  # on the respawn platform
    GROUND = 2  # free to act on the ground
    SHIELD = 3
    JUMP_SQUAT = 4
    AIR = 5  # free to act in the air
    AERIAL = 6  # in an aerial attack
    HELPLESS = 7  # special fall
    DAMAGE = 8  # hit, until hitstun ends
    TUMBLE = 9
    LYING = 10
    LEDGE = 11
    SPECIAL = 12
    GROUND_ATTACK = 13
    LANDING = 14  # landing lag
    DODGING = 15
    STRUCK_DOWN = 16  # bouncing on the floor, getting up, teching
    HOLDING = 17  # has grabbed the foe
    HELD = 18  # grabbed


_MEMBERS: Final = {
    Situation.HALO: "ON_HALO_WAIT",
    Situation.GROUND: "STANDING WALK_SLOW WALK_MIDDLE WALK_FAST TURNING DASHING RUNNING RUN_DIRECT RUN_BRAKE "
    "CROUCH_START CROUCHING CROUCH_END EDGE_TEETERING_START EDGE_TEETERING TURNING_RUN",
    Situation.SHIELD: "SHIELD_START SHIELD SHIELD_STUN SHIELD_REFLECT",
    Situation.JUMP_SQUAT: "KNEE_BEND",
    Situation.AIR: "JUMPING_FORWARD JUMPING_BACKWARD JUMPING_ARIAL_FORWARD JUMPING_ARIAL_BACKWARD FALLING "
    "FALLING_FORWARD FALLING_BACKWARD FALLING_AERIAL FALLING_AERIAL_FORWARD FALLING_AERIAL_BACKWARD PLATFORM_DROP",
    Situation.AERIAL: "NAIR FAIR BAIR UAIR DAIR",
    Situation.HELPLESS: "DEAD_FALL SPECIAL_FALL_FORWARD SPECIAL_FALL_BACK",
    Situation.TUMBLE: "TUMBLING",
    Situation.LYING: "LYING_GROUND_UP LYING_GROUND_DOWN",
    Situation.LEDGE: "EDGE_HANGING",
    Situation.LANDING: "LANDING_SPECIAL NAIR_LANDING FAIR_LANDING BAIR_LANDING UAIR_LANDING DAIR_LANDING",
    Situation.DODGING: "ROLL_FORWARD ROLL_BACKWARD SPOTDODGE AIRDODGE",
    Situation.STRUCK_DOWN: "TECH_MISS_UP TECH_MISS_DOWN GROUND_GETUP NEUTRAL_GETUP NEUTRAL_TECH FORWARD_TECH "
    "BACKWARD_TECH GROUND_ROLL_FORWARD_UP GROUND_ROLL_BACKWARD_UP GROUND_ROLL_FORWARD_DOWN GROUND_ROLL_BACKWARD_DOWN",
    Situation.HOLDING: "GRAB_WAIT",
    Situation.HELD: "GRAB_PULLING_HIGH GRABBED_WAIT_HIGH GRAB_PULL GRABBED",
}
_FIRST_SPECIAL: Final = 341  # ids from here on are a character's own
_STATES: Final = 400


def _table() -> NDArray[np.int32]:
    table = np.full(_STATES, Situation.BUSY, np.int32)
    for situation, names in _MEMBERS.items():
        for name in names.split():
            table[Action[name].value] = situation
    table[Action.DAMAGE_HIGH_1.value : Action.DAMAGE_FLY_ROLL.value + 1] = Situation.DAMAGE
    table[Action.NEUTRAL_ATTACK_1.value : Action.DOWNSMASH.value + 1] = Situation.GROUND_ATTACK
    table[_FIRST_SPECIAL:] = Situation.SPECIAL
    return table


_SITUATION: Final[NDArray[np.int32]] = _table()


@kernel
def situation_of(action):
    """Situation of an action state id; BUSY for an unknown one."""
    if 0 <= action < _SITUATION.shape[0]:
        return _SITUATION[action]
    return 0
