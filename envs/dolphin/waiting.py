"""What a game looks like that was begun but has not started: the fighters stand where the countdown will find them.

The menus between two games take seconds, and the other games of a backend do not wait for them. Until its first real
frame (-123) such a game shows this one, again and again, with the same frame id: inputs do nothing, as in the
countdown.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.dolphin.menu import GameOrder
from envs.frame import FIRST_FRAME, LEADER, empty_frames, words_i32

START_X_UNITS: Final = 40.0
"""About where the stages' starts are."""


def write_waiting(words: NDArray[np.int32], order: GameOrder, stocks: int, frames_left: int) -> None:
    """Fill words [WORDS] with the frame before the first one of `order`."""
    frame = empty_frames(1)
    frame["frame"], frame["stage"], frame["ports"] = FIRST_FRAME, order.stage, order.ports
    frame["frames_left"] = frames_left
    left = order.ports.index(min(order.ports))
    for seat, character in enumerate(order.characters):
        player = frame["players"][0, seat, LEADER]
        side = -1.0 if seat == left else 1.0
        player["character"], player["action"], player["stocks"] = character, Action.ENTRY.value, stocks
        player["x"], player["y"], player["facing"], player["airborne"] = side * START_X_UNITS, 0.0, -side, 0
        for name in ("state_age", "percent", "misc_timer", "hitlag", "speed_air_x", "speed_y"):
            player[name] = 0.0
        player["shield"], player["jumps_left"], player["hurtbox"] = 60.0, 2, 0
        player["controller"] = np.zeros((), player["controller"].dtype)
    words[:] = words_i32(frame)[0]
