"""The first state of a game: Slippi's neutral starts, before the countdown or at the first playable frame."""

from __future__ import annotations

from typing import Any

from melee.enums import Action

from envs.frame import FIRST_FRAME, FIRST_PLAYABLE_FRAME
from envs.sim.jit import entry, kernel
from envs.sim.kernel.floors import floor_height, shift_x
from envs.sim.kernel.life import ENTRY_WAIT, reset_fighter
from envs.sim.kernel.stage_motion import move_stage, start_stage
from envs.sim.kernel.transition import enter
from envs.sim.stages import FLOOR_GAP


@entry
def start_game(games: Any, tables: Any, matchup: Any, characters: Any, stage_row: int, seed: int) -> None:
    """Fill games[0] with the start of a matchup; `characters` and `stage_row` are rows of the tables."""
    game = games[0]
    stage = tables[0].stages[stage_row]
    game.seed = seed
    game.stage = stage_row
    game.frame = matchup.start_frame
    game.frames_left = matchup.time_limit_frames if matchup.time_limit_frames > 0 else -1
    game.ended_by = 0
    game.winner = -1
    game.frames_played = 0
    game.next_spawn_id = 0
    game.items_live = 0
    for slot in range(game.items.shape[0]):
        game.items[slot].kind = -1
    start_stage(game, stage)
    move_stage(game, tables[0])
    for seat in range(2):
        me = game.fighters[seat]
        place = 1 - seat if matchup.swap_start else seat
        me.row = characters[seat]
        me.seat = seat
        char = tables[0].characters[me.row]
        _start_fighter(game, me, char, stage, matchup, place)


@kernel
def _start_fighter(game: Any, me: Any, char: Any, stage: Any, matchup: Any, place: int) -> None:
    reset_fighter(me, char)
    me.stocks = matchup.stocks
    me.x = stage.start_x[place]
    me.y = stage.start_y[place]
    me.facing = -1.0 if me.x > 0.0 else 1.0
    me.line = -1
    me.stale_head = 0
    for slot in range(me.stale_ids.shape[0]):
        me.stale_ids[slot] = 0
    me.last_attack = 0
    if matchup.start_frame < FIRST_PLAYABLE_FRAME:
        enter(me, char.states, Action.ENTRY.value)
        me.life_timer = ENTRY_WAIT[me.seat] - (matchup.start_frame - FIRST_FRAME)
    else:
        _stand(game, me, char, stage)


@kernel
def _stand(game: Any, me: Any, char: Any, stage: Any) -> None:
    """On the floor under the start, as the countdown leaves it."""
    best = -1e9
    for row in range(stage.lines_used):
        line = stage.lines[row]
        left, right = line.x0 + shift_x(game, line), line.x1 + shift_x(game, line)
        height = floor_height(game, line, me.x)
        if left <= me.x <= right and best < height <= me.y:
            me.line, best = row, height
    me.y = best + FLOOR_GAP
    me.airborne = 0
    me.jumps_left = char.jumps + 1
    enter(me, char.states, Action.STANDING.value)
