"""A fighter in the other's grip: where it is, how it struggles, how it comes free.

Only the holder's animation says where the held fighter is. Offsets are those of a held Fox; a character's own
`thrown` and `hang` move them. Rules: decompiled game, public; offsets: measured (facts/characters/*_throws.toml).
"""

from __future__ import annotations

from typing import Any, Final

from melee.enums import Action

from envs.game import Button
from envs.sim.hold_layout import FREE, GRIP_AGES, HELD, HOLDS
from envs.sim.jit import kernel
from envs.sim.kernel.floors import floor_height
from envs.sim.kernel.inputs import JUMP_BUTTONS
from envs.sim.kernel.ledge import FLOOR_GAP
from envs.sim.kernel.transition import enter, leave_ground, stand_or_fall
from envs.sim.states import Kind

PULLED_LOW: Final = int(Action.GRAB_PULL.value)
PULLED_HIGH: Final = int(Action.GRAB_PULLING_HIGH.value)
LOW_TO_HIGH: Final = PULLED_HIGH - PULLED_LOW
"""From a state of being held on the ground to the same in the air."""
HELD_LOW: Final = int(Action.GRABBED.value)
HELD_HIGH: Final = int(Action.GRABBED_WAIT_HIGH.value)
STRUCK_LOW: Final = int(Action.GRAB_PUMMELED.value)
STRUCK_HIGH: Final = int(Action.PUMMELED_HIGH.value)
_BREAK, _ESCAPE, _JUMP = (int(a.value) for a in (Action.GRAB_BREAK, Action.GRAB_ESCAPE, Action.GRAB_JUMP))
_RUNNING_PULL: Final = int(Action.GRAB_RUNNING_PULLING.value)
_WAIT: Final = int(Action.GRAB_WAIT.value)
_PUMMEL: Final = int(Action.GRAB_PUMMEL.value)
_FIRST_THROW: Final = int(Action.THROW_FORWARD.value)
MASH_BUTTONS: Final = int(Button.A | Button.B | Button.X | Button.Y | Button.L | Button.R | Button.Z)


@kernel
def along(hold: Any, first: int, end: int, age: float) -> tuple[float, float]:
    """Point of a path [first, end) of `hold.points` at an age: straight between its points, still beyond its ends."""
    row = first
    while row < end - 1 and hold.points[row].age < age:
        row += 1
    point = hold.points[row]
    if row == first or age >= point.age:
        return point.x, point.y
    before = hold.points[row - 1]
    share = (age - before.age) / (point.age - before.age)
    return before.x + (point.x - before.x) * share, before.y + (point.y - before.y) * share


@kernel
def follow(game: Any, tables: Any) -> None:
    """After both have moved: the held fighter is where the grip is; a grip whose other end is gone opens."""
    for seat in range(2):
        me, other = game.fighters[seat], game.fighters[1 - seat]
        if me.grip == FREE:
            continue
        if other.grip != -me.grip:
            me.grip = FREE
            stand_or_fall(me, tables.characters[me.row])
        elif me.grip == HOLDS and me.hitlag <= 0:
            carry(game, me, other, tables)


@kernel
def seizes(me: Any, hold: Any) -> bool:
    """Whether the fighter is in its special that takes hold of the other one."""
    first, second = hold.seizure.actions[0], hold.seizure.actions[1]
    return first > 0 and (me.action == first or me.action == second)


@kernel
def carry(game: Any, me: Any, foe: Any, tables: Any) -> None:
    """Put the fighter that I hold where my animation has it."""
    char, held = tables.characters[me.row], tables.characters[foe.row].hold
    if seizes(me, char.hold):
        x, y = along(char.hold, char.hold.seizure.path[0], char.hold.seizure.path[1], me.age)
        foe.x, foe.y = me.x + me.facing * x, me.y + y
        return
    if char.states[me.action].kind == Kind.THROW:
        throw = char.hold.throws[me.action - _FIRST_THROW]
        x, y = along(char.hold, throw.path[0], throw.path[1], me.age)
        foe.x = me.x + me.facing * (x + held.thrown[0])
        foe.y = me.y + y + held.thrown[1]
        return
    slot = 0
    if me.action == _RUNNING_PULL:
        slot = 1
    elif me.action == _WAIT:
        slot = 2
    elif me.action == _PUMMEL:
        slot = 3
    grip = char.hold.grip[slot, min(int(me.age), GRIP_AGES - 1)]
    foe.x = me.x + me.facing * grip[0]
    if not foe.airborne:
        _drag(game, foe, tables)
    if foe.airborne:
        part = (0 if foe.age < 2.0 else 1) if foe.action == PULLED_HIGH else 2
        foe.y = me.y + grip[1] + held.hang[part]


@kernel
def _drag(game: Any, foe: Any, tables: Any) -> None:
    """A fighter held on the ground stays on its floor; beyond the floor's end it hangs."""
    stage = tables.stages[game.stage]
    line = stage.lines[foe.line]
    if foe.x > line.x1 and line.right >= 0:
        foe.line = line.right
    elif foe.x < line.x0 and line.left >= 0:
        foe.line = line.left
    line = stage.lines[foe.line]
    if line.x0 <= foe.x <= line.x1:
        foe.y = floor_height(game, line, foe.x) + FLOOR_GAP
        return
    char, age = tables.characters[foe.row], foe.age
    leave_ground(foe, char)
    enter(foe, char.states, foe.action + LOW_TO_HIGH)
    foe.age = age


@kernel
def struggle(me: Any, foe: Any, tables: Any) -> None:
    """One frame of a held fighter, by last frame's input: buttons and turns of the stick shorten the hold."""
    common = tables.common
    if me.action == PULLED_LOW or me.action == PULLED_HIGH or me.grip != HELD:
        return
    me.held_frames += 1.0
    me.grab_timer -= 1.0
    mashed = _mashes(me, common)
    if mashed:
        me.grab_timer -= common.mash_frames
    if me.grab_timer <= 0.0:
        _break_free(me, foe, tables)
        return
    if me.action != HELD_LOW and me.action != HELD_HIGH:
        return
    if me.mash_frames > 0.0:
        me.mash_frames -= 1.0
        if me.mash_frames <= 0.0 and not mashed:
            me.rate = 1.0
    if me.mash_frames <= 0.0 and mashed:
        me.mash_frames = common.mash_animation_frames
        me.rate = common.mash_animation_speed


@kernel
def _mashes(me: Any, common: Any) -> bool:
    """Whether the last input counts: a fresh button, or the stick beyond another side than before."""
    side_x, side_y = me.mash_x, me.mash_y
    if abs(me.stick_x) > common.mash_stick:
        side_x = 1 if me.stick_x > 0.0 else -1
    if abs(me.stick_y) > common.mash_stick:
        side_y = 1 if me.stick_y > 0.0 else -1
    turned = side_x != me.mash_x or side_y != me.mash_y
    me.mash_x, me.mash_y = side_x, side_y
    return turned or me.pressed & MASH_BUTTONS != 0


@kernel
def wish_jump(me: Any) -> None:
    """A held fighter that presses jump will jump when it comes free."""
    if me.pressed & JUMP_BUTTONS:
        me.wants_jump = 1


@kernel
def _break_free(me: Any, foe: Any, tables: Any) -> None:
    """The held fighter pushes itself off, or jumps; its holder stumbles back."""
    common, char = tables.common, tables.characters[me.row]
    me.grip = foe.grip = FREE
    enter(foe, tables.characters[foe.row].states, _BREAK)
    foe.ground_v = -foe.facing * common.release_speed
    if me.wants_jump or me.stick_y >= common.tap_jump:
        if not me.airborne:
            leave_ground(me, char)
        me.vx = -me.facing * common.release_speed
        me.vy = common.release_jump_speed
        enter(me, char.states, _JUMP)
        return
    if me.airborne:
        me.vx = -me.facing * common.release_speed
    else:
        me.ground_v = -me.facing * common.release_speed
    enter(me, char.states, _ESCAPE)
