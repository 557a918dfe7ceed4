"""Dying, respawning, entering, the timer and the end of a game."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.backend import EndedBy
from envs.sim.hold_layout import FREE
from envs.sim.jit import kernel
from envs.sim.kernel import rng
from envs.sim.kernel.flight import forget_hits
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.kernel.transition import enter
from envs.sim.states import Kind

ENTRY_FRAMES = 30
"""Frames of each half of the entry: measured, recorded first frames."""
ENTRY_WAIT = (5, 10)
"""Frames before the entry of seat 0 and seat 1: measured."""
ENTRY_RISE = 1.3476 / 30.0
"""Rise per frame during the entry's first half, units: measured."""
STAR_SINK_FRAMES = 130
"""Frames for which a star KO sinks: measured, recorded star KOs."""
SCREEN_KO_SHARE = 0.05
"""Share of deaths over the top that fall toward the screen: measured, 2 of 46."""
NOBODY = 6
"""Slippi's `last_hit_by` when nobody has hit the fighter."""


@kernel
def reset_fighter(me: Any, char: Any) -> None:
    """A fighter as it is before a stock: unhurt, empty-handed, full shield."""
    me.percent = 0.0
    me.vx, me.vy, me.ground_v, me.kb_x, me.kb_y, me.ground_kb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    me.hitlag, me.hitstun, me.knockback, me.shieldstun = 0.0, 0.0, 0.0, 0.0
    me.in_tumble, me.di_pending = 0, 0
    me.dash_impulse = 0.0
    me.airborne = 1
    me.jumps_left = char.jumps
    me.fast_fall = 0
    me.shield = 60.0
    me.ledge, me.drop_line = -1, -1
    me.grip = FREE
    me.ledge_cooldown, me.ecb_lock = 0, 0
    me.feet, me.prev_feet = 0.0, 0.0
    me.tap_x = me.tap_y = me.guard_tap = me.trigger_age = LONG_AGO
    me.powershield = me.shield_reflect = 0
    me.intangible, me.invincible = 0, 0
    me.last_hit_by = NOBODY
    me.combo_count, me.l_cancel = 0, 0
    me.stored_charge, me.float_spent = 0, 0
    forget_hits(me)


@kernel
def out_of_bounds(me: Any, stage: Any, common: Any) -> int:
    """Action state of the death that the fighter's place means, 0 where it lives."""
    if me.y < stage.blast_bottom:
        return Action.DEAD_DOWN.value + 1
    if me.x < stage.blast_left:
        return Action.DEAD_LEFT.value + 1
    if me.x > stage.blast_right:
        return Action.DEAD_RIGHT.value + 1
    if me.y > stage.blast_top and me.kb_y >= common.star_speed:
        return Action.DEAD_FLY_STAR.value + 1
    return 0


@kernel
def check_death(game: Any, me: Any, char: Any, stage: Any, common: Any) -> None:
    """Take a stock from a fighter beyond a blast zone."""
    if char.states[me.action].kind == Kind.DEAD:
        return
    death = out_of_bounds(me, stage, common) - 1
    if death < 0:
        return
    me.stocks -= 1
    time = common.dead_time
    if death == Action.DEAD_FLY_STAR.value:
        time = common.star_time
        if rng.uniform(game.seed, game.frame, rng.STAR_KO, me.seat) < SCREEN_KO_SHARE:
            death = Action.DEAD_FLY.value
    reset_fighter(me, char)
    me.jumps_left = 0
    enter(me, char.states, death)
    me.life_timer = int(time)


@kernel
def live(me: Any, char: Any, stage: Any, common: Any) -> bool:
    """The frames of a fighter that is dead, respawning or entering; True if this frame was one."""
    kind = char.states[me.action].kind
    if kind == Kind.DEAD:
        me.life_timer -= 1
        if me.action == Action.DEAD_FLY_STAR.value:
            _sink(me, stage)
        if me.life_timer <= 0 and me.stocks > 0:
            _respawn(me, char, stage, common)
        return True
    if kind == Kind.HALO_WAIT:
        _halo_wait(me, char, common)
        return False
    if kind == Kind.ENTRY:
        _entry(me, char)
        return True
    return False


@kernel
def _sink(me: Any, stage: Any) -> None:
    """A star KO sinks in the background, always as long, then is out of sight."""
    me.ticks += 1
    if me.ticks == 1:
        me.vy = (stage.star_y - me.y) / STAR_SINK_FRAMES
    elif me.ticks > STAR_SINK_FRAMES:
        me.vy = 0.0
    me.y += me.vy


@kernel
def _respawn(me: Any, char: Any, stage: Any, common: Any) -> None:
    reset_fighter(me, char)
    enter(me, char.states, Action.ON_HALO_DESCENT.value)
    me.x = stage.respawn_x[me.seat]
    me.y = stage.respawn_y[me.seat] - stage.halo_speed * (common.rebirth_time - 1.0)
    me.vy = stage.halo_speed
    me.facing = -1.0 if me.x >= 0.0 else 1.0
    me.line = -1
    me.life_timer = int(common.rebirth_wait)


@kernel
def _halo_wait(me: Any, char: Any, common: Any) -> None:
    """The platform holds until the wait is over or the player moves."""
    me.life_timer -= 1
    if me.life_timer <= 0:
        enter(me, char.states, Action.FALLING.value)
        _leave_halo(me, common)


@kernel
def halo_input(me: Any, char: Any, common: Any) -> None:
    """On the respawn platform, after the ordinary input in the air: the stick alone steps off it too."""
    moved = max(abs(me.stick_x), abs(me.stick_y)) >= common.tilt
    if me.action == Action.ON_HALO_WAIT.value and moved:
        enter(me, char.states, Action.FALLING.value)
    if me.action != Action.ON_HALO_WAIT.value:
        _leave_halo(me, common)


@kernel
def _leave_halo(me: Any, common: Any) -> None:
    """Off the respawn platform, invincible for a while."""
    me.life_timer = 0
    me.invincible = int(common.respawn_invincible)
    me.airborne = 1


@kernel
def _entry(me: Any, char: Any) -> None:
    me.life_timer -= 1
    if me.action == Action.ENTRY_START.value:
        me.y += ENTRY_RISE
        me.age = min(me.age + 1.0, 10.0)
    elif me.action == Action.ENTRY_END.value:
        me.y -= ENTRY_RISE
    if me.life_timer <= 0:
        enter(me, char.states, char.states[me.action].next)
        me.life_timer = ENTRY_FRAMES


@kernel
def count_down(game: Any) -> None:
    """One frame of the game's clock, which starts at frame 0: 39 after the first playable one (Slippi's numbering)."""
    if game.frames_left > 0 and game.frame > 0:
        game.frames_left -= 1


@kernel
def check_end(game: Any) -> None:
    """End the game on the last stock or on time; equal stocks and percents are a draw."""
    a, b = game.fighters[0], game.fighters[1]
    if a.stocks <= 0 or b.stocks <= 0:
        game.ended_by = EndedBy.STOCKS.value
        game.winner = -1 if a.stocks <= 0 and b.stocks <= 0 else (0 if a.stocks > 0 else 1)
    elif game.frames_left == 0:
        game.ended_by = EndedBy.TIMER.value
        game.winner = _ahead(a, b)


@kernel
def _ahead(a: Any, b: Any) -> int:
    if a.stocks != b.stocks:
        return 0 if a.stocks > b.stocks else 1
    first, second = int(a.percent), int(b.percent)
    if first == second:
        return -1
    return 0 if first < second else 1
