"""What input does on the ground, in the game's order of precedence."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.game import Button
from envs.sim.jit import kernel
from envs.sim.kernel.attacks import (
    UP,
    _smash_direction,
    special_direction,
    try_boost_grab,
    try_dash_attack,
    try_grab,
    try_ground_attack,
    try_special,
)
from envs.sim.kernel.guard import guard_input, guard_off_input, try_guard
from envs.sim.kernel.inputs import JUMP_BUTTONS
from envs.sim.kernel.jump import can_drop, drop, try_jump_squat
from envs.sim.kernel.transition import enter, stand_or_fall
from envs.sim.kernel.turns import continue_turn, start_dash, start_turn, start_turn_run
from envs.sim.states import Can, Kind

RAPID_JAB_GOES_ON = 1
"""Bit of `script_flags`: A was pressed during this round of rapid jabs, so another follows."""
JAB_GOES_ON = 2
"""Bit of `script_flags`: A was pressed during this jab, so the next follows."""
JAB_LISTENS = 3.0
"""Age of a jab from which A is heard: meleelight (MIT)."""


@kernel
def ground_input(me: Any, char: Any, stage: Any, common: Any) -> None:
    """Interrupt the present grounded state as its row and its kind allow."""
    state = char.states[me.action]
    kind = state.kind
    if kind == Kind.GUARD or kind == Kind.GUARD_ON:
        guard_input(me, char, stage, common)
        return
    if kind == Kind.GUARD_OFF:
        guard_off_input(me, char, stage, common)
        return
    if kind == Kind.JUMP_SQUAT:
        _jump_squat(me, char, common)
        return
    if me.action == Action.DASH_ATTACK.value and try_boost_grab(me, char.states, common):
        return
    can = state.interrupts
    if state.iasa > 0.0 and me.age >= state.iasa:
        can = _ANY if me.action != Action.DOWNTILT.value else _ANY & ~Can.CROUCH
    elif kind == Kind.LANDING:
        can = _landed(me, char)
    elif kind == Kind.JAB and _next_jab(me, char):
        return
    elif kind == Kind.RAPID_JAB and me.pressed & Button.A.value:
        me.script_flags = RAPID_JAB_GOES_ON
    if can and _act(me, char, stage, common, can, kind):
        return
    _continue(me, char, stage, common, kind)


_ANY = int(Can.SPECIAL | Can.ATTACK | Can.GUARD | Can.JUMP | Can.DASH | Can.CROUCH | Can.TURN | Can.WALK)


@kernel
def _landed(me: Any, char: Any) -> int:
    """An ordinary or open landing takes input after a while, a crouch on the first such frame only."""
    if (me.landing_lag > 0.0 and not me.open_landing) or me.age < char.landing_lag:
        return 0
    return _ANY if me.age < char.landing_lag + me.rate else _ANY & ~Can.CROUCH


@kernel
def _next_jab(me: Any, char: Any) -> bool:
    """The second jab out of the first, the rapid jabs out of the second, where the character has them."""
    if me.age >= JAB_LISTENS and me.pressed & Button.A.value:
        me.script_flags |= JAB_GOES_ON
    follow_up = char.states[me.action].follow_up
    if follow_up <= 0.0 or me.age < follow_up or not me.script_flags & JAB_GOES_ON:
        return False
    following = Action.LOOPING_ATTACK_START.value
    if me.action == Action.NEUTRAL_ATTACK_1.value and char.states[Action.NEUTRAL_ATTACK_2.value].modelled:
        following = Action.NEUTRAL_ATTACK_2.value
    enter(me, char.states, following)
    return True


@kernel
def _act(me: Any, char: Any, stage: Any, common: Any, can: int, kind: int) -> bool:
    """Attacks, guard and jump, then movement; True if something was started."""
    if _strike(me, char, common, can, kind):
        return True
    if can & Can.GUARD and try_guard(me, char, common):
        _slow_down(me, char, kind, common)
        return True
    if can & Can.GUARD and me.pressed & Button.D_UP.value:
        enter(me, char.states, Action.TAUNT_RIGHT.value)
        return True
    if can & Can.JUMP and try_jump_squat(me, char, common):
        return True
    return _move(me, char, stage, common, can)


@kernel
def _strike(me: Any, char: Any, common: Any, can: int, kind: int) -> bool:
    """Specials and attacks; out of a turn they face where it leads."""
    moving = kind == Kind.DASH or kind == Kind.RUN
    facing = me.facing
    if kind == Kind.TURN:
        me.facing = me.turn_facing
    if can & Can.SPECIAL and try_special(me, char, common):
        return True
    if can & Can.ATTACK and try_grab(me, char.states, common, moving):
        return True
    if can & Can.ATTACK and _try_attack(me, char, common, moving):
        _slow_down(me, char, kind, common)
        return True
    me.facing = facing
    return False


@kernel
def _try_attack(me: Any, char: Any, common: Any, moving: bool) -> bool:
    if moving:
        return try_dash_attack(me, char.states, common)
    return try_ground_attack(me, char.states, common)


@kernel
def _slow_down(me: Any, char: Any, kind: int, common: Any) -> None:
    """An interrupted dash keeps a quarter of its speed, which counts as the run's at most."""
    if kind == Kind.DASH:
        me.ground_v = min(max(me.ground_v, -char.run_max), char.run_max)
        me.ground_v *= 1.0 - common.dash_interrupt_speed


@kernel
def _move(me: Any, char: Any, stage: Any, common: Any, can: int) -> bool:
    forward = me.stick_x * me.facing
    if can & Can.DASH and forward >= common.dash and me.tap_x < common.dash_window:
        start_dash(me, char)
        return True
    if can & Can.CROUCH and me.stick_y <= -common.crouch:
        landed = char.states[me.action].kind == Kind.LANDING
        enter(me, char.states, Action.CROUCHING.value if landed else Action.CROUCH_START.value)
        return True
    if can & Can.TURN and forward <= -common.turn:
        start_turn(me, char, common)
        return True
    if can & Can.WALK and forward >= common.walk:
        enter(me, char.states, _walk_action(me, char))
        return True
    return False


@kernel
def _jump_squat(me: Any, char: Any, common: Any) -> None:
    """In the squat: up smash, up special; releasing the jump makes it a short hop."""
    if me.jump_input == 1 and not me.buttons & JUMP_BUTTONS:
        me.short_hop = 1
    if me.jump_input == 2 and me.stick_y < common.tap_jump_release:
        me.short_hop = 1
    if special_direction(me, common) == UP and try_special(me, char, common):
        return
    if try_grab(me, char.states, common, False):
        return
    if _smash_direction(me, common) == UP:
        enter(me, char.states, Action.UPSMASH.value)


@kernel
def _continue(me: Any, char: Any, stage: Any, common: Any, kind: int) -> None:
    """What a held stick does to a state that nothing interrupted."""
    forward = me.stick_x * me.facing
    if kind == Kind.WALK:
        _walk(me, char, common, forward)
    elif kind == Kind.TURN:
        continue_turn(me, char, common)
    elif kind == Kind.DASH:
        _dash(me, char, common, kind, forward)
    elif kind == Kind.RUN:
        _run(me, char, common, forward)
    elif kind == Kind.RUN_BRAKE:
        if forward <= -common.turn_run:
            start_turn_run(me, char, me.age)
    elif kind == Kind.SQUAT:
        _drop_from_squat(me, char, stage, common)
    elif kind == Kind.SQUAT_WAIT and me.stick_y > -common.crouch_release:
        enter(me, char.states, Action.CROUCH_END.value)


@kernel
def _drop_from_squat(me: Any, char: Any, stage: Any, common: Any) -> None:
    """A crouch that began with a tap falls through a platform some frames later."""
    if me.script_timer > 0.0:
        me.script_timer -= 1.0
        if me.script_timer == 0.0:
            drop(me, char, common)
    elif me.ticks > 0 and can_drop(me, stage, common):
        me.script_timer = common.squat_drop_frames


@kernel
def _walk(me: Any, char: Any, common: Any, forward: float) -> None:
    if forward < common.walk:
        stand_or_fall(me, char)
        return
    wanted = _walk_action(me, char)
    if wanted != me.action:
        age = me.age
        enter(me, char.states, wanted)
        me.age = age


@kernel
def _walk_action(me: Any, char: Any) -> int:
    """The walk animation of the present speed."""
    speed = abs(me.ground_v)
    if speed >= char.walk_fast:
        return Action.WALK_FAST.value
    if speed >= char.walk_mid:
        return Action.WALK_MIDDLE.value
    return Action.WALK_SLOW.value


@kernel
def _dash(me: Any, char: Any, common: Any, kind: int, forward: float) -> None:
    if forward <= -common.dash and me.tap_x < common.dash_window:
        _slow_down(me, char, kind, common)
        start_turn(me, char, common)
    elif me.age >= char.run_after and forward >= common.run:
        enter(me, char.states, Action.RUNNING.value)


@kernel
def _run(me: Any, char: Any, common: Any, forward: float) -> None:
    if forward <= -common.turn_run:
        start_turn_run(me, char, 0.0)
    elif forward < common.run:
        enter(me, char.states, Action.RUN_BRAKE.value)
