"""What happened in a game, as sentences: the stocks lost, when, at what percent and by which attack."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from envs.frame import LEADER, SEATS
from envs.slippi.game import Game
from exphil_league.observe.watch_names import attack_title

_OWN_FALL_FRAMES: Final = 300
"""A stock lost so long after the last hit is the fighter's own doing."""
_SIDE_OF_STATE: Final = {0: "bottom", 1: "left", 2: "right"}  # action state of the death; every other one is the top


def stock_losses(game: Game) -> list[dict[str, Any]]:
    """[{"index" of the frame, "seat", "percent", "by" attack, "side"}] in order of time."""
    found = [loss for seat in range(SEATS) for loss in _losses_of(game, seat)]
    return sorted(found, key=lambda loss: loss["index"])


def _losses_of(game: Game, seat: int) -> list[dict[str, Any]]:
    players = game.frames["players"][:, :, LEADER]
    mine, foe = players[:, seat], players[:, 1 - seat]
    losses = []
    for index in np.flatnonzero(np.diff(mine["stocks"]) < 0) + 1:
        action = int(mine["action"][index])
        losses.append(
            {
                "index": int(index),
                "seat": seat,
                "percent": int(mine["percent"][index - 1]),
                "by": attack_title(int(foe["last_attack"][index])) if _was_hit(mine["percent"][:index]) else "",
                "side": _SIDE_OF_STATE.get(action, "top"),
            }
        )
    return losses


def _was_hit(percent: np.ndarray) -> bool:
    """Whether the percent rose in the last frames before the loss."""
    return bool((np.diff(percent[-_OWN_FALL_FRAMES:]) > 0).any())
