"""What a fighter does, in numbers: from its action states alone, so that any source of frames will do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.game import Action
from envs.observation import ACTIONS


def _span(first: Action, last: Action) -> range:
    return range(first.value, last.value + 1)


AERIALS: Final = _span(Action.NAIR, Action.DAIR)
"""Aerial attacks up to their landing."""
LEDGE: Final = _span(Action.EDGE_CATCHING, Action.EDGE_JUMP_2_QUICK)
"""From catching a ledge to standing on the stage again."""
GROUPS: Final[Mapping[str, range]] = {
    "dashing": _span(Action.DASHING, Action.RUN_BRAKE),
    "jumping": _span(Action.JUMPING_FORWARD, Action.FALLING_AERIAL_BACKWARD),
    "crouching": _span(Action.CROUCH_START, Action.CROUCH_END),
    "ground_attacks": _span(Action.NEUTRAL_ATTACK_1, Action.DOWNSMASH),
    "aerials": _span(Action.NAIR, Action.DAIR_LANDING),
    "shielding": _span(Action.SHIELD_START, Action.SHIELD_REFLECT),
    "grabs": _span(Action.GRAB, Action.GRAB_BREAK),
    "dodging": _span(Action.ROLL_FORWARD, Action.AIRDODGE),
    "ledge": LEDGE,
    "specials": range(341, ACTIONS - 1),
}
"""Groups of action states; what a character's own specials do lies above all common states,
the last of ACTIONS is any unknown one."""


def histogram(actions: NDArray[np.integer]) -> NDArray[np.int64]:
    """[ACTIONS] frames in each action state; actions [T] of one fighter, unknown states left out."""
    known = actions[(actions >= 0) & (actions < ACTIONS)]
    return np.bincount(known, minlength=ACTIONS)


def group_shares(counts: NDArray[np.number]) -> dict[str, float]:
    """Share of frames in each group, from a `histogram`; its rows may be weighted."""
    total = max(float(counts.sum()), 1.0)
    return {name: float(counts[span.start : span.stop].sum()) / total for name, span in GROUPS.items()}


def begun(actions: NDArray[np.integer], states: range) -> int:
    """How often one of these states began; actions [T] of one fighter."""
    inside = (actions >= states.start) & (actions < states.stop)
    return int((inside[1:] & (actions[1:] != actions[:-1])).sum()) + int(inside[:1].sum())
