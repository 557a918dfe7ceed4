"""Fingers of the scripted players: chance, presses that the game takes as new, sticks by the codec's centres.

A pad is one row of action parts [6] uint8; `memory` one MEMORY record, the only thing a player keeps.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from envs.controller import BUTTON_BITS, STICK_CENTRES
from policies.scripted_jit import kernel

SKILL: Final = np.dtype(
    [
        (name, "<f4")
        for name in (
            "attack",  # chance per frame to strike a foe in reach
            "punish",  # the same while the foe cannot answer: landing, missed attack, lying
            "dash",  # 1 dashes and runs, 0 walks
            "aerial",  # chance per frame to approach with a short hop and an aerial
            "double_jump",  # 1 double jumps back to the stage
            "up_special",  # 1 comes back with the up special, aimed at the ledge
            "side_special",  # share of recoveries by the side special
            "guard",  # chance per frame to shield an attack in reach
            "survive",  # chance per hit to hold the direction that lives longest (DI)
            "tech",  # chance per fall to tech
            "l_cancel",  # chance per landing to L-cancel
            "fast_fall",  # chance per descent
            "careful",  # 1 stays on the stage and away from an untouchable foe
            "finish",  # 1 uses smash attacks when they end the stock
            "dodge",  # chance per frame to roll or spot dodge away from pressure
            "wavedash",  # chance per frame of free movement to wavedash
            "special",  # share of close attacks that are the special which strikes
            "grab",  # share of close attacks on a shield that are grabs
        )
    ]
)


class Plan(IntEnum):
    """What a jump, or the next frames on the ground, are for."""

    NONE = 0
    HOP = 1  # short hop into an aerial
    JUMP = 2  # full jump
    WAVEDASH = 3
    UP_SMASH = 4  # an up smash out of the jump squat
    BACK_OFF = 5


MEMORY: Final = np.dtype(
    [
        ("rng", "<u8"),
        ("plan", "<i4"),  # Plan
        ("plan_x", "<f4"),  # direction the plan goes
        ("wait", "<i4"),  # frames left of a pause: on the ledge, lying, shielding, backing off
        ("situation", "<i4"),  # of the frame before
        ("choice", "<f4"),  # [0, 1), drawn anew whenever the situation changes
        ("in_hitlag", "<i4"),
        ("trigger_lock", "<i4"),  # frames until a trigger press can tech or L-cancel again
        ("skill", SKILL),
    ]
)

A, B, X, Y, Z, L, R = (1 << bit for bit in range(7))
"""Bits of the button block of the action parts."""
CENTRE: Final = 8
_GAME_BITS = BUTTON_BITS.copy()
_CENTRES = STICK_CENTRES.copy()

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@kernel
def uniform(memory):
    """Next number in [0, 1) of this column's stream (SplitMix64, Steele et al. 2014)."""
    memory.rng = memory.rng + _GOLDEN
    z = memory.rng
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = z ^ (z >> _S31)
    return (z >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def chance(memory, probability):
    """True with this probability."""
    return uniform(memory) < probability


@kernel
def pick(memory, options):
    """One of 0 .. options - 1."""
    return int(uniform(memory) * options)


@kernel
def release_all(pad):
    pad[0] = 0
    for part in range(1, 5):
        pad[part] = CENTRE
    pad[5] = 0


@kernel
def centre_of(value):
    """Index of the stick centre nearest to `value`."""
    best, error = CENTRE, 9.0
    for index in range(_CENTRES.shape[0]):
        off = abs(_CENTRES[index] - value)
        if off < error:
            best, error = index, off
    return best


@kernel
def hold(pad, x, y):
    """Main stick to (x, y)."""
    pad[1], pad[2] = centre_of(x), centre_of(y)


@kernel
def press(pad, buttons):
    pad[0] |= buttons


@kernel
def is_held(s, button):
    """Whether a single button was down on the frame before."""
    for bit in range(8):
        if button == 1 << bit:
            return s.held & _GAME_BITS[bit] != 0
    return False


@kernel
def tap(pad, s, button):
    """Press a button so that the game takes it as new: only if it was up. True when it was pressed."""
    if is_held(s, button):
        return False
    pad[0] |= button
    return True


@kernel
def flick_c(pad, s, x, y):
    """C-stick from neutral to (x, y). True when it was flicked."""
    if abs(s.c_x) > 0.2 or abs(s.c_y) > 0.2:
        return False
    pad[3], pad[4] = centre_of(x), centre_of(y)
    return True


@kernel
def flick_down(pad, s):
    """Main stick straight down as a new input (fast fall, platform drop); neutral first if it was held."""
    fresh = s.stick_y > -0.3
    hold(pad, 0.0, -1.0 if fresh else 0.0)
    return fresh
