"""The action-state table: what every action state shares over all characters.

A row names the rules that drive a state: its physics class, its `Kind` (which animation-end and input rules
apply), what input may interrupt it (`Can` bits), and flags. Lengths, moves and scripts are a character's own
(facts/characters/*.toml) and are joined by envs.sim.compile. Ids are the game's, names libmelee's.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from melee.enums import Action

__all__ = ["COMMON_STATES", "Can", "Flag", "Kind", "Physics", "StateRow"]


class Physics(IntEnum):
    """How a state turns stick and speed into this frame's displacement."""

    FROZEN = 0  # no displacement: hanging on a ledge, dead
    GROUND = 1  # friction
    WALK = 2
    DASH = 3
    RUN = 4
    AIR = 5  # drift, gravity, fast fall
    AIR_JUMP = 6  # as AIR, but the first frame keeps its speed
    AIR_DODGE = 7
    ANIMATION = 8  # the animation's own displacement, on the ground
    LEDGE = 9  # the animation's own offset from the ledge
    FLIGHT = 10  # knockback, envs.sim.kernel.flight
    SCRIPT = 11  # specials, envs.sim.kernel.script
    HALO = 12  # descends with the respawn platform
    BRAKE = 13  # friction that is the same at any speed
    TURN_RUN = 14  # against the run's old direction at the dash's full acceleration
    AIR_CURVE = 15  # as AIR, but the animation sets the vertical speed
    THROW = 20  # the throw's own way along the ground
    HELD = 21  # where the holder's grip is, envs.sim.kernel.held
    CLING = 22  # still on a wall, then off it, envs.sim.kernel.surfaces


class Kind(IntEnum):
    """Rules of a state beyond its row: what its end and its input do."""

    PLAIN = 0
    WAIT = 1
    WALK = 2
    TURN = 3
    TURN_RUN = 4
    DASH = 5
    RUN = 6
    RUN_BRAKE = 7
    JUMP_SQUAT = 8
    SQUAT = 9
    SQUAT_WAIT = 10
    GUARD_ON = 11
    GUARD = 12
    GUARD_STUN = 13
    LEDGE_CATCH = 14
    LEDGE_HANG = 15
    LEDGE_JUMP = 16
    AIR = 17
    SPECIAL_FALL = 18
    LANDING = 19
    JAB = 20
    DAMAGE = 21
    TUMBLE = 22
    DOWN_BOUND = 23
    DOWN_WAIT = 24
    DOWN_HURT = 60
    GETUP = 25
    SPECIAL = 26
    DEAD = 27
    HALO = 28
    HALO_WAIT = 29
    ENTRY = 30
    PLATFORM_DROP = 31
    TEETER = 32
    SMASH = 33
    SHIELD_BREAK = 34
    LEDGE_OPTION = 35
    DODGE = 36
    RAPID_JAB = 37
    BOUND = 38
    CATCH = 50  # reaching for the other fighter
    CATCH_PULL = 51
    CATCH_WAIT = 52
    PUMMEL = 53
    THROW = 54
    HELD = 55  # pulled in, held, pummelled
    THROWN = 56
    REBOUND = 57
    GUARD_OFF = 58
    DAZED = 59  # after a broken shield
    CLING = 60


class Can(IntEnum):
    """What input may interrupt a state: bits, combined as plain integers (numba knows IntEnum only)."""

    SPECIAL = 1
    ATTACK = 2
    GUARD = 4
    JUMP = 8
    DASH = 16
    CROUCH = 32
    TURN = 64
    WALK = 128
    DROP = 256
    AERIAL = 512
    AIR_DODGE = 1024
    DOUBLE_JUMP = 2048
    AIR_SPECIAL = 4096
    FAST_FALL = 8192


GROUND_ANY = Can.SPECIAL | Can.ATTACK | Can.GUARD | Can.JUMP | Can.DASH | Can.CROUCH | Can.TURN | Can.WALK
AIR_ANY = Can.AERIAL | Can.AIR_DODGE | Can.DOUBLE_JUMP | Can.AIR_SPECIAL | Can.FAST_FALL


class Flag(IntEnum):
    """Further properties of a state: bits, combined as plain integers."""

    AIRBORNE = 1
    LEDGE_GRAB = 2  # may catch a ledge
    PASS = 4  # falls through platforms while the stick is held down
    TEETER = 8  # stops at an edge that it faces
    STAYS = 16  # never leaves an edge
    LOOPS = 32
    SHIELDED = 64  # the shield bubble is up
    CROUCHED = 128
    NO_CONTACT = 256  # neither pushed nor hit: dead, entering
    HITSTUN = 1024
    OVERLAPS = 2048  # not pushed apart from the other fighter
    GRIPS = 65536  # holds the other fighter or is held: neither pushes
    MISSES_FOOT = 131072  # tumbles off an edge that it has its back to
    LEDGE_BEHIND = 262144  # may catch a ledge that it has its back to


class StateRow(NamedTuple):
    """One row of the state table; see layout.STATE for the meaning of the fields."""

    physics: Physics
    kind: Kind = Kind.PLAIN
    can: int = 0
    flags: int = 0
    age_start: float = 0.0
    next: int = -1
    landing: int = -1


_FALL = Flag.AIRBORNE | Flag.LEDGE_GRAB | Flag.PASS
_G, _A = Physics.GROUND, Physics.AIR
_FLIGHT = Flag.AIRBORNE | Flag.HITSTUN
_HELD = Flag.AIRBORNE | Flag.NO_CONTACT | Flag.OVERLAPS


_TUMBLE = Can.AERIAL | Can.DOUBLE_JUMP | Can.AIR_SPECIAL | Can.FAST_FALL


def _rows(names: str, row: StateRow) -> dict[int, StateRow]:
    return {Action[name].value: row for name in names.split()}


def _movement() -> dict[int, StateRow]:
    a = Action
    crouch = Can.SPECIAL | Can.ATTACK | Can.JUMP | Can.GUARD | Can.DASH
    dash = Can.SPECIAL | Can.ATTACK | Can.GUARD | Can.JUMP
    return {
        **_rows("STANDING", StateRow(_G, Kind.WAIT, GROUND_ANY, Flag.LOOPS | Flag.TEETER, 0, a.STANDING.value)),
        **_rows(
            "WALK_SLOW WALK_MIDDLE WALK_FAST",
            StateRow(Physics.WALK, Kind.WALK, GROUND_ANY & ~Can.WALK, Flag.LOOPS | Flag.TEETER, 1),
        ),
        **_rows("TURNING", StateRow(_G, Kind.TURN, dash, 0, 1)),
        **_rows("TURNING_RUN", StateRow(Physics.TURN_RUN, Kind.TURN_RUN, Can.JUMP | Can.SPECIAL, Flag.STAYS, 0)),
        **_rows("DASHING", StateRow(Physics.DASH, Kind.DASH, dash, 0, 1)),
        **_rows("RUNNING", StateRow(Physics.RUN, Kind.RUN, dash, Flag.LOOPS, 0, a.RUNNING.value)),
        **_rows("RUN_BRAKE", StateRow(Physics.BRAKE, Kind.RUN_BRAKE, Can.JUMP | Can.CROUCH, Flag.TEETER)),
        **_rows("KNEE_BEND", StateRow(_G, Kind.JUMP_SQUAT)),
        **_rows("JUMPING_FORWARD JUMPING_BACKWARD", StateRow(Physics.AIR_JUMP, Kind.AIR, AIR_ANY, _FALL, 0, 29)),
        **_rows("JUMPING_ARIAL_FORWARD JUMPING_ARIAL_BACKWARD", StateRow(_A, Kind.AIR, AIR_ANY, _FALL, 0, 32)),
        **_rows("FALLING", StateRow(_A, Kind.AIR, AIR_ANY, _FALL | Flag.LOOPS, 0, 29)),
        **_rows("FALLING_AERIAL", StateRow(_A, Kind.AIR, AIR_ANY, _FALL | Flag.LOOPS, 0, 32)),
        **_rows("PLATFORM_DROP", StateRow(_A, Kind.PLATFORM_DROP, AIR_ANY, _FALL, 0, 29)),
        **_rows(
            "DEAD_FALL",
            StateRow(
                Physics.AIR,
                Kind.SPECIAL_FALL,
                Can.FAST_FALL,
                _FALL | Flag.LOOPS,
                0,
                35,
                a.LANDING_SPECIAL.value,
            ),
        ),
        **_rows("CROUCH_START", StateRow(_G, Kind.SQUAT, crouch, Flag.CROUCHED, 1, a.CROUCHING.value)),
        **_rows("CROUCHING", StateRow(_G, Kind.SQUAT_WAIT, crouch, Flag.CROUCHED | Flag.LOOPS, 0, 40)),
        **_rows("CROUCH_END", StateRow(_G, Kind.PLAIN, Can.SPECIAL | Can.ATTACK | Can.GUARD | Can.JUMP | Can.WALK)),
        **_rows("TAUNT_RIGHT", StateRow(Physics.ANIMATION, Kind.PLAIN, 0, Flag.STAYS)),
        **_rows("LANDING LANDING_SPECIAL", StateRow(_G, Kind.LANDING, 0, Flag.TEETER)),
        **_rows("EDGE_TEETERING_START", StateRow(_G, Kind.TEETER, GROUND_ANY, Flag.STAYS, 0, 246)),
        **_rows("EDGE_TEETERING", StateRow(_G, Kind.TEETER, GROUND_ANY, Flag.STAYS | Flag.LOOPS, 0, 246)),
    }


def _attacks() -> dict[int, StateRow]:
    ground = StateRow(Physics.ANIMATION, Kind.PLAIN, 0, Flag.STAYS, 1)
    aerial = Flag.AIRBORNE
    landing = {65: 70, 66: 71, 67: 72, 68: 73, 69: 74}
    return {
        **_rows("DASH_ATTACK FTILT_HIGH FTILT_MID FTILT_LOW UPTILT", ground),
        **_rows("DOWNTILT", ground._replace(next=Action.CROUCHING.value)),
        **_rows("NEUTRAL_ATTACK_1", ground._replace(kind=Kind.JAB)),
        **_rows("NEUTRAL_ATTACK_2", ground._replace(kind=Kind.JAB, age_start=0)),
        **_rows("LOOPING_ATTACK_START", ground._replace(next=Action.LOOPING_ATTACK_MIDDLE.value)),
        **_rows(
            "LOOPING_ATTACK_MIDDLE",
            ground._replace(kind=Kind.RAPID_JAB, age_start=0, next=Action.LOOPING_ATTACK_END.value),
        ),
        **_rows("LOOPING_ATTACK_END", ground),
        **_rows("FSMASH_MID UPSMASH DOWNSMASH", ground._replace(kind=Kind.SMASH)),
        **{state: StateRow(_A, Kind.AIR, Can.FAST_FALL, aerial, 1, 29, land) for state, land in landing.items()},
        **_rows("NAIR_LANDING FAIR_LANDING BAIR_LANDING UAIR_LANDING DAIR_LANDING", StateRow(_G, flags=Flag.TEETER)),
    }


def _defence() -> dict[int, StateRow]:
    shield = Flag.SHIELDED | Flag.MISSES_FOOT
    dodge = StateRow(Physics.ANIMATION, Kind.DODGE, 0, Flag.STAYS | Flag.OVERLAPS, 1)
    return {
        **_rows("SHIELD_START SHIELD_REFLECT", StateRow(_G, Kind.GUARD_ON, 0, shield, -1, 179)),
        **_rows("SHIELD", StateRow(_G, Kind.GUARD, 0, shield, -1)),
        **_rows("SHIELD_STUN", StateRow(_G, Kind.GUARD_STUN, 0, shield, 0)),
        **_rows("SHIELD_RELEASE", StateRow(_G, Kind.GUARD_OFF, 0, Flag.MISSES_FOOT)),
        **_rows("ROLL_FORWARD ROLL_BACKWARD SPOTDODGE", dodge),
        **_rows(
            "AIRDODGE",
            StateRow(Physics.AIR_DODGE, Kind.AIR, Can.FAST_FALL, Flag.AIRBORNE, 1, 35, Action.LANDING_SPECIAL.value),
        ),
        **_rows(
            "SHIELD_BREAK_FLY SHIELD_BREAK_FALL",
            StateRow(
                _A,
                Kind.SHIELD_BREAK,
                0,
                Flag.AIRBORNE | Flag.NO_CONTACT,
                0,
                Action.SHIELD_BREAK_FALL.value,
                Action.SHIELD_BREAK_DOWN_U.value,
            ),
        ),
        **_rows(
            "SHIELD_BREAK_DOWN_U",
            StateRow(_G, Kind.SHIELD_BREAK, 0, Flag.STAYS | Flag.NO_CONTACT, 0, Action.SHIELD_BREAK_STAND_U.value),
        ),
        **_rows(
            "SHIELD_BREAK_STAND_U",
            StateRow(_G, Kind.SHIELD_BREAK, 0, Flag.STAYS | Flag.NO_CONTACT, 0, Action.SHIELD_BREAK_TEETER.value),
        ),
        **_rows(
            "SHIELD_BREAK_TEETER",
            StateRow(_G, Kind.DAZED, 0, Flag.STAYS | Flag.LOOPS, 0, Action.SHIELD_BREAK_TEETER.value),
        ),
    }


def _damage() -> dict[int, StateRow]:
    getup = StateRow(Physics.ANIMATION, Kind.GETUP, 0, Flag.STAYS)
    hurt = StateRow(Physics.FLIGHT, Kind.DAMAGE, GROUND_ANY | AIR_ANY, _FLIGHT | Flag.MISSES_FOOT, 1)
    fly = hurt._replace(can=_TUMBLE, flags=_FLIGHT)
    lying = hurt._replace(kind=Kind.DOWN_HURT, can=0, flags=_FLIGHT)
    return {
        **_rows(
            "DAMAGE_HIGH_1 DAMAGE_HIGH_2 DAMAGE_HIGH_3 DAMAGE_NEUTRAL_1 DAMAGE_NEUTRAL_2 DAMAGE_NEUTRAL_3 "
            "DAMAGE_LOW_1 DAMAGE_LOW_2 DAMAGE_LOW_3 DAMAGE_AIR_1 DAMAGE_AIR_2 DAMAGE_AIR_3",
            hurt,
        ),
        **_rows("DAMAGE_FLY_HIGH DAMAGE_FLY_NEUTRAL DAMAGE_FLY_LOW DAMAGE_FLY_TOP", fly),
        **_rows("DAMAGE_FLY_ROLL", fly._replace(age_start=0, next=Action.DAMAGE_FLY_ROLL.value)),
        **_rows(
            "TUMBLING", StateRow(Physics.FLIGHT, Kind.TUMBLE, _TUMBLE, _FALL | Flag.LOOPS, 0, Action.TUMBLING.value)
        ),
        **_rows("TECH_MISS_UP", StateRow(Physics.FLIGHT, Kind.DOWN_BOUND, next=Action.LYING_GROUND_UP.value)),
        **_rows("TECH_MISS_DOWN", StateRow(Physics.FLIGHT, Kind.DOWN_BOUND, next=Action.LYING_GROUND_DOWN.value)),
        **_rows("LYING_GROUND_UP LYING_GROUND_DOWN", StateRow(Physics.FLIGHT, Kind.DOWN_WAIT, 0, Flag.LOOPS, 1)),
        **_rows("DAMAGE_GROUND", lying._replace(next=Action.LYING_GROUND_DOWN.value)),
        **_rows("LYING_GROUND_UP_HIT", lying._replace(next=Action.LYING_GROUND_UP.value)),
        **_rows("DAMAGE_BIND", StateRow(_G, Kind.BOUND, 0, Flag.STAYS)),
        **_rows("GROUND_GETUP NEUTRAL_GETUP NEUTRAL_TECH", getup._replace(flags=0)),
        **_rows("FORWARD_TECH BACKWARD_TECH", getup),
        **_rows(
            "SLIDING_OFF_EDGE",
            StateRow(_A, Kind.PLAIN, Can.FAST_FALL, Flag.AIRBORNE, 0, Action.TUMBLING.value),
        ),
        **_rows("GROUND_ATTACK_UP GETUP_ATTACK", getup._replace(age_start=1)),
        **_rows(
            "GROUND_ROLL_FORWARD_UP GROUND_ROLL_BACKWARD_UP GROUND_ROLL_FORWARD_DOWN GROUND_ROLL_BACKWARD_DOWN",
            getup._replace(age_start=1),
        ),
    }


def _holds() -> dict[int, StateRow]:
    a = Action
    reach = StateRow(Physics.BRAKE, Kind.CATCH)
    held = StateRow(Physics.HELD, Kind.HELD, 0, Flag.NO_CONTACT | Flag.OVERLAPS)
    throw = StateRow(Physics.THROW, Kind.THROW, 0, Flag.OVERLAPS)
    return {
        **_rows("GRAB GRAB_RUNNING", reach),
        **_rows("GRAB_PULLING GRAB_RUNNING_PULLING", StateRow(_G, Kind.CATCH_PULL, 0, Flag.OVERLAPS)),
        **_rows("GRAB_WAIT", StateRow(_G, Kind.CATCH_WAIT, 0, Flag.OVERLAPS | Flag.LOOPS, 0, a.GRAB_WAIT.value)),
        **_rows("GRAB_PUMMEL", StateRow(_G, Kind.PUMMEL, 0, Flag.OVERLAPS, 0, a.GRAB_WAIT.value)),
        **_rows("REBOUND_STOP", StateRow(_G, Kind.REBOUND, 0, 0, -1)),
        **_rows("REBOUND", StateRow(_G)),
        **_rows("GRAB_BREAK GRAB_ESCAPE", StateRow(Physics.BRAKE)),
        **_rows("GRAB_JUMP", StateRow(_G, Kind.AIR, 0, Flag.AIRBORNE, 0, a.FALLING.value)),
        **_rows("THROW_FORWARD THROW_BACK THROW_UP THROW_DOWN", throw),
        **_rows("GRAB_PULLING_HIGH GRABBED_WAIT_HIGH GRAB_PULL GRABBED", held),
        **_rows("PUMMELED_HIGH", held._replace(next=a.GRABBED_WAIT_HIGH.value)),
        **_rows("GRAB_PUMMELED", held._replace(next=a.GRABBED.value)),
        **_rows("THROWN_FORWARD THROWN_BACK THROWN_UP THROWN_DOWN", held._replace(kind=Kind.THROWN)),
        **_rows("THROWN_MEWTWO THROWN_MEWTWO_AIR", held._replace(kind=Kind.THROWN)),
    }


def _ledge_and_life() -> dict[int, StateRow]:
    option = StateRow(Physics.LEDGE, Kind.LEDGE_OPTION, 0, _HELD & ~Flag.NO_CONTACT, 1)
    return {
        **_rows("EDGE_CATCHING", option._replace(kind=Kind.LEDGE_CATCH, next=253)),
        **_rows("EDGE_HANGING", option._replace(kind=Kind.LEDGE_HANG, age_start=0, next=253)),
        **_rows(
            "EDGE_GETUP_SLOW EDGE_GETUP_QUICK EDGE_ATTACK_SLOW EDGE_ATTACK_QUICK EDGE_ROLL_SLOW EDGE_ROLL_QUICK", option
        ),
        **_rows("EDGE_JUMP_1_SLOW", option._replace(kind=Kind.LEDGE_JUMP, next=Action.EDGE_JUMP_2_SLOW.value)),
        **_rows("EDGE_JUMP_1_QUICK", option._replace(kind=Kind.LEDGE_JUMP, next=Action.EDGE_JUMP_2_QUICK.value)),
        **_rows(
            "EDGE_JUMP_2_SLOW EDGE_JUMP_2_QUICK", StateRow(Physics.AIR_JUMP, Kind.AIR, Can.FAST_FALL, _FALL, 1, 29)
        ),
        **_rows(
            "DEAD_DOWN DEAD_LEFT DEAD_RIGHT DEAD_UP DEAD_FLY_STAR DEAD_FLY",
            StateRow(Physics.FROZEN, Kind.DEAD, 0, _HELD, -1),
        ),
        **_rows("ON_HALO_DESCENT", StateRow(Physics.HALO, Kind.HALO, 0, _HELD, 0, Action.ON_HALO_WAIT.value)),
        **_rows("ON_HALO_WAIT", StateRow(Physics.FROZEN, Kind.HALO_WAIT, AIR_ANY, _HELD | Flag.LOOPS, 0, 13)),
        **_rows("ENTRY", StateRow(Physics.FROZEN, Kind.ENTRY, 0, _HELD, -1, Action.ENTRY_START.value)),
        **_rows("ENTRY_START", StateRow(Physics.FROZEN, Kind.ENTRY, 0, _HELD, 0, Action.ENTRY_END.value)),
        **_rows("ENTRY_END", StateRow(Physics.FROZEN, Kind.ENTRY, 0, _HELD, -1, Action.FALLING.value)),
    }


def _surfaces() -> dict[int, StateRow]:
    """At walls and ceilings."""
    cling = StateRow(Physics.CLING, Kind.CLING, AIR_ANY, Flag.AIRBORNE | Flag.LEDGE_GRAB, 0)
    bounce = StateRow(Physics.FLIGHT, Kind.DAMAGE, _TUMBLE, _FLIGHT, 0)
    return {
        **_rows("WALL_TECH WALL_TECH_JUMP", cling),
        **_rows("CEILING_TECH", StateRow(_A, Kind.PLAIN, 0, Flag.AIRBORNE | Flag.LEDGE_GRAB, 0)),
        **_rows("BOUNCE_WALL BOUNCE_CEILING", bounce),
        **_rows("BUMP_WALL", StateRow(_G, Kind.PLAIN, 0, Flag.STAYS)),
        **_rows("BUMP_CIELING", StateRow(Physics.HALO, Kind.PLAIN, 0, Flag.AIRBORNE, 0)),
    }


COMMON_STATES: dict[int, StateRow] = {
    **_movement(),
    **_attacks(),
    **_defence(),
    **_damage(),
    **_holds(),
    **_ledge_and_life(),
    **_surfaces(),
}
"""Row of every action state that all characters have and the simulator plays."""
