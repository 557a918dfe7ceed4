"""One frame of a game, phase by phase, and of a batch of games."""

from __future__ import annotations

from typing import Any

from envs.frame import FIRST_PLAYABLE_FRAME
from envs.sim.jit import entry, kernel
from envs.sim.kernel import contact, flight, script, tech
from envs.sim.kernel.air import air_input
from envs.sim.kernel.animate import animate
from envs.sim.kernel.ground import ground_input
from envs.sim.kernel.guard import shield_health
from envs.sim.kernel.inputs import read
from envs.sim.kernel.items import publish_items, step_items
from envs.sim.kernel.ledge import ledge_input, place, try_catch
from envs.sim.kernel.life import check_death, check_end, count_down, halo_input, live
from envs.sim.kernel.physics import displace
from envs.sim.kernel.publish import publish
from envs.sim.kernel.stage import collide, rest_on_floor
from envs.sim.kernel.stage_motion import move_stage
from envs.sim.states import Flag, Kind, Physics

SAME_FLOOR = 1.0
"""Fighters whose roots differ less in height stand side by side, units."""


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
def _input(me: Any, char: Any, stage: Any, common: Any) -> None:
    kind = char.states[me.action].kind
    if kind == Kind.LEDGE_HANG:
        ledge_input(me, char, common)
    elif kind == Kind.DOWN_WAIT:
        tech.lying_input(me, char, common)
    elif me.hitstun > 0.0 and (kind == Kind.DAMAGE or kind == Kind.TUMBLE):
        flight.buffer_jump(me, common)
    elif kind == Kind.DAMAGE and me.airborne and flight.take_buffered_jump(me, char, common):
        return
    elif kind == Kind.SPECIAL:
        script.special_input(me, char, common)
    elif me.airborne:
        air_input(me, char, common)
        tech.try_wiggle(me, char, common)
        if kind == Kind.HALO_WAIT:
            halo_input(me, char, common)
    else:
        ground_input(me, char, stage, common)


@kernel
def _fighter(game: Any, me: Any, foe: Any, char: Any, stage: Any, common: Any, pad: Any) -> None:
    """Animation, input, physics and stage of one fighter."""
    _count_timers(me)
    if live(me, char, stage, common):
        read(me, pad, common)
        return
    hitlag = flight.count_hitlag(me)
    if hitlag == flight.FROZEN:
        read(me, pad, common)
        tech.track(me, common)
        before_y = me.y
        flight.influence_frozen(me, common)
        rest_on_floor(game, me, stage, before_y)
        return
    if hitlag == flight.FREE:
        me.prev_x, me.prev_y, me.prev_feet = me.x, me.y, me.feet
    flight.tick(me)
    animate(me, char, stage, common)
    read(me, pad, common)
    tech.track(me, common)
    if hitlag == flight.RELEASED:
        flight.influence_released(me, common)
    _input(me, char, stage, common)
    shield_health(me, char, common)
    state = char.states[me.action]
    if state.physics == Physics.SCRIPT:
        script.run(game, me, char, common)
    flight.decay_knockback(me, char, common)
    displace(me, char, state, stage, common)
    if state.physics == Physics.LEDGE:
        place(me, char, stage)
        return
    collide(game, me, char, stage, common)
    if me.airborne and char.states[me.action].flags & Flag.LEDGE_GRAB:
        try_catch(me, foe, char, stage, common)


@kernel
def push_apart(game: Any, tables: Any) -> None:
    """Two fighters standing in the same place push each other away, by where they were a frame ago."""
    a, b = game.fighters[0], game.fighters[1]
    a.push, b.push = 0.0, 0.0
    if a.airborne or b.airborne or abs(a.y - b.y) > SAME_FLOOR:
        return
    first, second = tables.characters[a.row], tables.characters[b.row]
    if (first.states[a.action].flags | second.states[b.action].flags) & Flag.OVERLAPS:
        return
    if abs(a.x - b.x) >= first.width + second.width:
        return
    a.push = tables.common.push_apart if a.x > b.x else -tables.common.push_apart
    b.push = -a.push


@kernel
def step_game(game: Any, tables: Any, pads: Any, idle: Any) -> None:
    """Advance one running game by a frame under its two controllers [P]."""
    common = tables.common
    stage = tables.stages[game.stage]
    game.frame += 1
    game.frames_played += 1
    locked = game.frame < FIRST_PLAYABLE_FRAME
    move_stage(game, tables)
    push_apart(game, tables)
    for seat in range(2):
        me = game.fighters[seat]
        pad = idle[0] if locked else pads[seat]
        _fighter(game, me, game.fighters[1 - seat], tables.characters[me.row], stage, common, pad)
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
