"""One frame of a game, phase by phase, and of a batch of games."""

from __future__ import annotations

from typing import Any

from envs.frame import FIRST_PLAYABLE_FRAME
from envs.sim.jit import entry, kernel
from envs.sim.kernel import contact, flight, script, surfaces, tech
from envs.sim.kernel.air import air_input
from envs.sim.kernel.animate import animate
from envs.sim.kernel.grab import advance_hold, hold_input, resolve_grabs
from envs.sim.kernel.ground import ground_input
from envs.sim.kernel.guard import tick_shield
from envs.sim.kernel.held import follow, wish_jump
from envs.sim.kernel.inputs import read
from envs.sim.kernel.items import publish_items, step_items
from envs.sim.kernel.ledge import ledge_input, place, try_catch
from envs.sim.kernel.life import check_death, check_end, count_down, halo_input, live
from envs.sim.kernel.physics import displace
from envs.sim.kernel.publish import publish
from envs.sim.kernel.push import overlap_push
from envs.sim.kernel.stage import collide, hold_frozen
from envs.sim.kernel.stage_motion import blow, move_stage
from envs.sim.states import Flag, Kind, Physics


@kernel
def _count_timers(me: Any) -> None:
    if me.intangible > 0:
        me.intangible -= 1
    if me.invincible > 0:
        me.invincible -= 1
    if me.ledge_cooldown > 0:
        me.ledge_cooldown -= 1
    me.l_cancel = 0


@kernel
def _input(me: Any, foe: Any, tables: Any, stage: Any) -> None:
    char, common = tables.characters[me.row], tables.common
    kind = char.states[me.action].kind
    if kind == Kind.LEDGE_HANG:
        ledge_input(me, char, common)
    elif kind == Kind.DOWN_WAIT:
        tech.lying_input(me, char, common)
    elif kind == Kind.DOWN_BOUND:
        tech.remember_attack(me)
    elif me.hitstun > 0.0 and (kind == Kind.DAMAGE or kind == Kind.TUMBLE):
        flight.buffer_jump(me, common)
    elif kind == Kind.DAMAGE and me.airborne and flight.take_buffered_jump(me, char, common):
        return
    elif kind == Kind.SPECIAL:
        script.special_input(me, char, stage, common)
    elif kind == Kind.CATCH_WAIT:
        hold_input(me, foe, tables)
    elif kind == Kind.HELD:
        wish_jump(me)
    elif kind == Kind.CLING and surfaces.hold_on(me, char, common):
        return
    elif me.airborne:
        if kind == Kind.HALO_WAIT:
            me.vy = 0.0
        air_input(me, char, common)
        tech.try_wiggle(me, char, common)
        if kind == Kind.HALO_WAIT:
            halo_input(me, char, common)
    else:
        ground_input(me, char, stage, common)


@kernel
def _begin(game: Any, me: Any, foe: Any, tables: Any, stage: Any) -> None:
    """Timers, hitlag and animation of one fighter; `phase` says how it takes part in the rest of the frame."""
    common = tables.common
    char = tables.characters[me.row]
    _count_timers(me)
    me.prev_x, me.prev_y, me.prev_feet = me.x, me.y, me.feet
    me.push = 0.0
    if live(me, char, stage, common):
        me.phase = flight.AWAY
        return
    me.phase = flight.count_hitlag(me)
    if me.phase == flight.FROZEN:
        return
    if me.phase == flight.RELEASED:
        flight.influence_released(me, common)
    flight.tick(me)
    tick_shield(me, char, common)
    animate(me, char, stage, common)
    advance_hold(game, me, foe, tables)
    me.push = overlap_push(me, foe, tables, stage)


@kernel
def _act(me: Any, foe: Any, tables: Any, stage: Any, pad: Any) -> None:
    """Read the controller and let it interrupt the present state."""
    common = tables.common
    read(me, pad, common)
    if me.phase == flight.AWAY:
        return
    tech.track(me, common)
    if me.phase != flight.FROZEN:
        _input(me, foe, tables, stage)


@kernel
def _move(game: Any, me: Any, char: Any, stage: Any, common: Any) -> None:
    """Speeds and displacement; a frozen fighter only shifts itself."""
    if me.phase == flight.AWAY:
        return
    if me.phase == flight.FROZEN:
        flight.influence_frozen(me, common)
        return
    state = char.states[me.action]
    if state.physics == Physics.SCRIPT:
        script.run(game, me, char, common)
    flight.decay_knockback(me, char, stage, common)
    displace(me, char, state, stage, common)
    blow(game, me, state, stage)


@kernel
def _settle(game: Any, me: Any, foe: Any, char: Any, stage: Any, common: Any) -> None:
    """Meet the stage: floors, walls, ledges."""
    if me.phase == flight.AWAY:
        return
    if me.phase == flight.FROZEN:
        me.ecb_lock = max(me.ecb_lock - 1, 0)
        hold_frozen(game, me, char, stage, common, me.prev_y)
        return
    if char.states[me.action].physics == Physics.LEDGE:
        place(me, char, stage)
        return
    collide(game, me, char, stage, common)
    if me.airborne and char.states[me.action].flags & Flag.LEDGE_GRAB:
        try_catch(me, foe, char, stage, common)


@kernel
def _fighters(game: Any, tables: Any, pads: Any, idle: Any) -> None:
    """Both fighters through the phases of a frame; each phase is over for both before the next (the game's order)."""
    common = tables.common
    stage = tables.stages[game.stage]
    first, second = game.fighters[0], game.fighters[1]
    _begin(game, first, second, tables, stage)
    _begin(game, second, first, tables, stage)
    locked = game.frame < FIRST_PLAYABLE_FRAME
    for seat in range(2):
        _act(game.fighters[seat], game.fighters[1 - seat], tables, stage, idle[0] if locked else pads[seat])
    for seat in range(2):
        me = game.fighters[seat]
        _move(game, me, tables.characters[me.row], stage, common)
    for seat in range(2):
        me = game.fighters[seat]
        _settle(game, me, game.fighters[1 - seat], tables.characters[me.row], stage, common)


@kernel
def step_game(game: Any, tables: Any, pads: Any, idle: Any) -> None:
    """Advance one running game by a frame under its two controllers [P]."""
    common = tables.common
    stage = tables.stages[game.stage]
    game.frame += 1
    game.frames_played += 1
    move_stage(game, tables)
    _fighters(game, tables, pads, idle)
    follow(game, tables)
    resolve_grabs(game, tables)
    contact.resolve(game, tables)
    step_items(game, tables)
    for seat in range(2):
        me = game.fighters[seat]
        check_death(game, me, tables.characters[me.row], stage, common)
    count_down(game)
    check_end(game)


@entry
def step_batch(games: Any, tables: Any, controllers: Any, idle: Any, frames: Any, done: Any) -> None:
    """Advance every running game [N] and publish it; a finished game stays as it is."""
    constants = tables[0]
    for n in range(games.shape[0]):
        if done[n]:
            continue
        game = games[n]
        step_game(game, constants, controllers[n], idle)
        publish(game, constants, frames[n])
        publish_items(game, frames[n])
        done[n] = game.ended_by != 0


@entry
def publish_batch(games: Any, tables: Any, frames: Any, mask: Any) -> None:
    """Publish the chosen games [N] without advancing them."""
    for n in range(games.shape[0]):
        if mask[n]:
            publish(games[n], tables[0], frames[n])
