"""Reading a controller into a fighter: newly pressed buttons and the tap timers every rule looks at."""

from __future__ import annotations

from typing import Any

from envs.game import Button
from envs.sim.jit import kernel

LONG_AGO = 254
"""Where tap timers stop counting, as the game's do."""
TRIGGERS = int(Button.L | Button.R)
JUMP_BUTTONS = int(Button.X | Button.Y)


@kernel
def _tap(timer: int, before: float, now: float, zone: float) -> int:
    """Frames since the stick entered the side of the zone that it is on; LONG_AGO inside the zone."""
    if now >= zone:
        return min(timer + 1, LONG_AGO) if before >= zone else 0
    if now <= -zone:
        return min(timer + 1, LONG_AGO) if before <= -zone else 0
    return LONG_AGO


@kernel
def read(me: Any, pad: Any, common: Any) -> None:
    """Take one CONTROLLER record as this frame's input of a fighter."""
    me.prev_buttons = me.buttons
    me.buttons = pad.buttons
    me.pressed = me.buttons & ~me.prev_buttons
    me.prev_stick_x, me.prev_stick_y = me.stick_x, me.stick_y
    me.stick_x = min(max(pad.stick_x, -1.0), 1.0)
    me.stick_y = min(max(pad.stick_y, -1.0), 1.0)
    me.prev_c_x, me.prev_c_y = me.c_x, me.c_y
    me.c_x = min(max(pad.c_x, -1.0), 1.0)
    me.c_y = min(max(pad.c_y, -1.0), 1.0)
    me.prev_shoulder = me.shoulder
    me.shoulder = 1.0 if me.buttons & TRIGGERS else min(max(pad.shoulder, 0.0), 1.0)
    if me.buttons & Button.Z.value:
        me.shoulder = max(me.shoulder, common.z_shoulder)
    me.tap_x = _tap(me.tap_x, me.prev_stick_x, me.stick_x, common.tap_zone)
    me.tap_y = _tap(me.tap_y, me.prev_stick_y, me.stick_y, common.tap_zone)
    dead = common.trigger_dead_zone
    held = me.shoulder >= dead
    me.trigger_age = (
        min(me.trigger_age + 1, LONG_AGO) if held and me.prev_shoulder >= dead else (0 if held else LONG_AGO)
    )
    fresh = me.pressed & (TRIGGERS | Button.Z.value) or (me.shoulder >= dead and me.prev_shoulder < dead)
    me.guard_tap = 0 if fresh else min(me.guard_tap + 1, LONG_AGO)


@kernel
def guard_held(me: Any, common: Any) -> bool:
    """Whether a trigger is pressed far enough to shield."""
    return me.shoulder >= common.trigger_dead_zone


@kernel
def jump_pressed(me: Any, common: Any) -> int:
    """Whether a jump starts this frame: 1 by a button, 2 by the stick, 0 not."""
    if me.pressed & JUMP_BUTTONS:
        return 1
    if me.stick_y >= common.tap_jump and me.tap_y < common.tap_jump_window:
        return 2
    return 0


@kernel
def spend_tap(me: Any) -> None:
    """An upward tap that has caused a jump causes no second one."""
    me.tap_y = LONG_AGO


@kernel
def c_pressed(me: Any, zone: float) -> bool:
    """Whether the C-stick left the zone this frame."""
    now = max(abs(me.c_x), abs(me.c_y)) >= zone
    before = max(abs(me.prev_c_x), abs(me.prev_c_y)) >= zone
    return now and not before
