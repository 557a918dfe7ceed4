"""What a stage does on its own: the cloud of Yoshi's Story, the Fountain's platforms, the wind of Dream Land."""

from __future__ import annotations

from typing import Any, Final

from envs.sim.jit import kernel
from envs.sim.stage_layout import CLOUD_CYCLE, Motion

_CLOUD: Final = int(Motion.CLOUD)


@kernel
def move_stage(game: Any, tables: Any) -> None:
    """Advance the stage of a game to the game's frame."""
    motion = tables.stages[game.stage].motion
    if motion == _CLOUD:
        _follow_course(game, tables)


@kernel
def _follow_course(game: Any, tables: Any) -> None:
    lift = game.lifts[0]
    now, before = game.frame % CLOUD_CYCLE, (game.frame - 1) % CLOUD_CYCLE
    lift.x, lift.y = tables.cloud[now, 0], tables.cloud[now, 1]
    lift.dx = lift.x - tables.cloud[before, 0]
    lift.dy = lift.y - tables.cloud[before, 1]
