"""Which attack or special an input means, on the ground and in the air."""

from __future__ import annotations

import math
from typing import Any

from melee.enums import Action

from envs.game import Button
from envs.sim.jit import kernel
from envs.sim.kernel.inputs import c_pressed, guard_held
from envs.sim.kernel.transition import enter, facing_of

TILT_SLOPE = math.tan(math.radians(50.0))
"""Sticks steeper than 50 degrees point up or down: common fighter data (PlCo.dat), public tables."""
NEUTRAL, SIDE, UP, DOWN = 0, 1, 2, 3


@kernel
def direction(x: float, y: float, zone: float) -> int:
    """NEUTRAL, SIDE, UP or DOWN of a stick."""
    if abs(x) < zone and abs(y) < zone:
        return NEUTRAL
    if abs(y) > abs(x) * TILT_SLOPE:
        return UP if y > 0.0 else DOWN
    return SIDE


@kernel
def _smash_direction(me: Any, common: Any) -> int:
    """Direction of a smash attack meant this frame by A and a tapped stick or by the C-stick, else NEUTRAL."""
    if c_pressed(me, common.c_stick_smash):
        return direction(me.c_x, me.c_y, common.c_stick_smash)
    if not me.pressed & Button.A.value:
        return NEUTRAL
    if abs(me.stick_x) >= common.smash_x and me.tap_x < common.smash_window:
        return SIDE
    if abs(me.stick_y) >= common.smash_y and me.tap_y < common.smash_window:
        return UP if me.stick_y > 0.0 else DOWN
    return NEUTRAL


@kernel
def try_smash(me: Any, states: Any, common: Any) -> bool:
    """Start a smash attack if the input means one."""
    meant = _smash_direction(me, common)
    if meant == NEUTRAL:
        return False
    if meant == SIDE:
        x = me.c_x if c_pressed(me, common.c_stick_smash) else me.stick_x
        me.facing = facing_of(x, me.facing)
        enter(me, states, Action.FSMASH_MID.value)
    elif meant == UP:
        enter(me, states, Action.UPSMASH.value)
    else:
        enter(me, states, Action.DOWNSMASH.value)
    return True


@kernel
def try_ground_attack(me: Any, states: Any, common: Any) -> bool:
    """Start a smash, tilt or jab if the input means one."""
    if try_smash(me, states, common):
        return True
    if not me.pressed & Button.A.value:
        return False
    meant = direction(me.stick_x, me.stick_y, common.tilt)
    if meant == SIDE and me.stick_x * me.facing > 0.0:
        _forward_tilt(me, states, common)
    elif meant == UP:
        enter(me, states, Action.UPTILT.value)
    elif meant == DOWN:
        enter(me, states, Action.DOWNTILT.value)
    else:
        enter(me, states, Action.NEUTRAL_ATTACK_1.value)
    return True


@kernel
def _forward_tilt(me: Any, states: Any, common: Any) -> None:
    action = Action.FTILT_MID.value
    if me.stick_y >= common.tilt:
        action = Action.FTILT_HIGH.value
    elif me.stick_y <= -common.tilt:
        action = Action.FTILT_LOW.value
    enter(me, states, action if states[action].modelled else Action.FTILT_MID.value)


@kernel
def try_dash_attack(me: Any, states: Any, common: Any) -> bool:
    """Out of a dash or run: A is the dash attack, an early tap a forward smash."""
    if _smash_direction(me, common) == SIDE and me.ticks < common.smash_window:
        return try_smash(me, states, common)
    if me.pressed & Button.A.value or c_pressed(me, common.c_stick_smash):
        enter(me, states, Action.DASH_ATTACK.value)
        return True
    return False


@kernel
def try_aerial(me: Any, states: Any, common: Any) -> bool:
    """Start an aerial attack: the C-stick's direction first, else A (or Z) and the stick's."""
    if c_pressed(me, common.aerial_zone):
        x, y = me.c_x, me.c_y
    elif me.pressed & (Button.A.value | Button.Z.value):
        x, y = me.stick_x, me.stick_y
    else:
        return False
    meant = direction(x, y, common.aerial_zone)
    if meant == UP:
        enter(me, states, Action.UAIR.value)
    elif meant == DOWN:
        enter(me, states, Action.DAIR.value)
    elif meant == NEUTRAL:
        enter(me, states, Action.NAIR.value)
    elif x * me.facing > 0.0:
        enter(me, states, Action.FAIR.value)
    else:
        enter(me, states, Action.BAIR.value)
    return True


@kernel
def special_direction(me: Any, common: Any) -> int:
    """Which special B and the stick mean. In the air up and down come before the sides (recorded games)."""
    if abs(me.stick_y) >= common.vertical_special and (me.airborne or abs(me.stick_y) >= abs(me.stick_x)):
        return UP if me.stick_y > 0.0 else DOWN
    if abs(me.stick_x) >= common.side_special:
        return SIDE
    if abs(me.stick_y) >= common.vertical_special:
        return UP if me.stick_y > 0.0 else DOWN
    return NEUTRAL


@kernel
def try_special(me: Any, char: Any, common: Any) -> bool:
    """Start a special; a side special faces the stick. False where the character lacks it."""
    if not me.pressed & Button.B.value:
        return False
    meant = special_direction(me, common)
    action = char.specials[meant, me.airborne]
    if action <= 0:
        return False
    if meant in (SIDE, NEUTRAL):
        me.facing = facing_of(me.stick_x, me.facing)
    enter(me, char.states, action)
    return True


@kernel
def holds_charge(me: Any, char: Any, common: Any) -> bool:
    """Whether a smash attack stays on its charging frame because A is held, and count the charge."""
    if me.age != char.combat.moves[me.move].charge_frame or me.charge >= common.charge_time:
        return False
    if not me.buttons & Button.A.value:
        return False
    me.charge += 1.0
    return True


@kernel
def try_grab(me: Any, states: Any, common: Any, running: bool) -> bool:
    """Reach out if Z, or A with a trigger held, is pressed."""
    if not (me.pressed & Button.Z.value or (me.pressed & Button.A.value and guard_held(me, common))):
        return False
    enter(me, states, Action.GRAB_RUNNING.value if running else Action.GRAB.value)
    return True


@kernel
def try_boost_grab(me: Any, states: Any, common: Any) -> bool:
    """A trigger held in the first frames of a dash attack makes it a running grab."""
    if me.ticks >= common.boost_grab_window or not (guard_held(me, common) or me.buttons & Button.Z.value):
        return False
    enter(me, states, Action.GRAB_RUNNING.value)
    return True
