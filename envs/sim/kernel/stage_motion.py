"""What a stage does on its own: the cloud of Yoshi's Story, the Fountain's platforms, the wind of Dream Land.

The cloud follows the frame; the others draw what they do next. The rules are the game's (decompiled, public).
"""

from __future__ import annotations

from typing import Any, Final

from envs.frame import FIRST_FRAME
from envs.sim.jit import kernel
from envs.sim.kernel import rng
from envs.sim.stage_layout import CLOUD_CYCLE, Motion
from envs.sim.states import Kind, Physics

_CLOUD, _FOUNTAIN, _WIND = int(Motion.CLOUD), int(Motion.FOUNTAIN), int(Motion.WIND)
_DEAD: Final = int(Kind.DEAD)
WAITS: Final = 0
MOVES: Final = 1
UNDER_WATER: Final = 2


@kernel
def start_stage(game: Any, stage: Any) -> None:
    """Set what moves on a stage to where it is when a game starts."""
    game.wind = 0
    for row in range(game.lifts.shape[0]):
        lift = game.lifts[row]
        lift.x, lift.dx, lift.dy = 0.0, 0.0, 0.0
        lift.y = stage.fountain.start[row]
        lift.solid, lift.phase, lift.target = 1, WAITS, lift.y
        lift.timer = _frames(game, rng.FOUNTAIN_TIME, row, stage.fountain.wait_min, stage.fountain.wait_max)
    wind = stage.wind
    first = _frames(game, rng.WIND_TIME, 0, wind.first_min, wind.first_max)
    game.wind_timer = first - (game.frame - FIRST_FRAME)


@kernel
def move_stage(game: Any, tables: Any) -> None:
    """Advance the stage of a game to the game's frame."""
    stage = tables.stages[game.stage]
    if stage.motion == _CLOUD:
        _follow_course(game, tables)
    elif stage.motion == _FOUNTAIN:
        for row in range(game.lifts.shape[0]):
            _rise_and_sink(game, stage.fountain, row)
    elif stage.motion == _WIND:
        _change_wind(game, tables, stage.wind)


@kernel
def _frames(game: Any, purpose: int, row: int, low: float, high: float) -> int:
    """A number of frames drawn evenly from [low, high)."""
    return int(low + (high - low) * rng.uniform(game.seed, game.frame, purpose, row))


@kernel
def _follow_course(game: Any, tables: Any) -> None:
    lift = game.lifts[0]
    now, before = game.frame % CLOUD_CYCLE, (game.frame - 1) % CLOUD_CYCLE
    lift.solid = 1
    lift.x, lift.y = tables.cloud[now, 0], tables.cloud[now, 1]
    lift.dx = lift.x - tables.cloud[before, 0]
    lift.dy = lift.y - tables.cloud[before, 1]


@kernel
def _rise_and_sink(game: Any, fountain: Any, row: int) -> None:
    """One frame of one platform of the Fountain."""
    lift = game.lifts[row]
    before = lift.y
    lift.timer -= 1
    if lift.phase == MOVES:
        _go_on(game, fountain, row)
    elif lift.timer < 0 and lift.phase == UNDER_WATER:
        lift.phase, lift.solid, lift.target = MOVES, 1, fountain.middle
    elif lift.timer < 0:
        _decide(game, fountain, row)
    lift.dy = lift.y - before


@kernel
def _go_on(game: Any, fountain: Any, row: int) -> None:
    """Move on to the target; a platform that has sunk all the way is gone for a while."""
    lift = game.lifts[row]
    if lift.y < lift.target:
        lift.y = min(lift.y + fountain.rise, lift.target)
    else:
        lift.y = max(lift.y - fountain.sink, lift.target)
    if lift.y != lift.target:
        return
    lift.phase = WAITS
    lift.timer = _frames(game, rng.FOUNTAIN_TIME, row, fountain.wait_min, fountain.wait_max)
    if lift.y < fountain.low:
        lift.phase, lift.solid = UNDER_WATER, 0
        lift.timer = _frames(game, rng.FOUNTAIN_TIME, row, fountain.under_min, fountain.under_max)


@kernel
def _decide(game: Any, fountain: Any, row: int) -> None:
    """Sink under water, move by some units, mostly toward the middle, or wait once more."""
    lift = game.lifts[row]
    lift.timer = _frames(game, rng.FOUNTAIN_TIME, row, fountain.wait_min, fountain.wait_max)
    draw = rng.uniform(game.seed, game.frame, rng.FOUNTAIN_CHOICE, row)
    if draw < fountain.under_chance:
        lift.phase, lift.target = MOVES, fountain.under
    elif draw < fountain.under_chance + fountain.move_chance:
        side = 1.0 if lift.y < fountain.middle else -1.0
        if rng.uniform(game.seed, game.frame, rng.FOUNTAIN_SIDE, row) < fountain.away_chance:
            side = -side
        share = rng.uniform(game.seed, game.frame, rng.FOUNTAIN_STEP, row)
        target = lift.y + side * (fountain.step_min + (fountain.step_max - fountain.step_min) * share)
        lift.phase, lift.target = MOVES, min(max(target, fountain.low), fountain.high)


@kernel
def _change_wind(game: Any, tables: Any, wind: Any) -> None:
    """Start or stop the wind when its time has come; it blows to the side that more living fighters are on."""
    game.wind_timer -= 1
    if game.wind_timer > 0:
        return
    if game.wind != 0:
        game.wind = 0
        game.wind_timer = _frames(game, rng.WIND_TIME, 0, wind.wait_min, wind.wait_max)
        return
    side = 0
    for seat in range(2):
        me = game.fighters[seat]
        if tables.characters[me.row].states[me.action].kind != _DEAD:
            side += 1 if me.x > 0.0 else -1
    if side == 0:
        side = 1 if rng.uniform(game.seed, game.frame, rng.WIND_SIDE, 0) < 0.5 else -1
    game.wind = 1 if side > 0 else -1
    game.wind_timer = int(wind.blow)


@kernel
def blow(game: Any, me: Any, state: Any, stage: Any) -> None:
    """Push a moved fighter by this frame's wind."""
    if game.wind == 0 or state.physics == Physics.FROZEN or state.physics == Physics.HALO:
        return
    wind = stage.wind
    left, right = wind.left_from, wind.left_to
    if game.wind > 0:
        left, right = wind.right_from, wind.right_to
    if left < me.x < right and wind.bottom < me.y < wind.top:
        me.x += game.wind * wind.push
