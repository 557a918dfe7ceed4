"""What happened between the two fighters of a game from one frame to the next, recorded or predicted."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHIELD_FIRST, _SHIELD_LAST = 178, 182
_DAMAGE_FIRST, _DAMAGE_LAST = 75, 91
_CAPTURED: Final = (223, 226)
"""The two states in which a grab takes hold of a fighter."""
_HELD: Final = (*range(223, 233), *range(239, 244))
"""Being grabbed, held, pummelled and thrown."""


def reached(before: NDArray[np.void], after: NDArray[np.void]) -> NDArray[np.bool_]:
    """[R] whether the other fighter's attack reached this one between PLAYERs `before` and `after`, a frame apart.

    Its percent rose, it was frozen while struck or shielding, or a grab took hold of it.
    """
    action = after["action"]
    struck = (action >= _DAMAGE_FIRST) & (action <= _DAMAGE_LAST) | (action >= _SHIELD_FIRST) & (action <= _SHIELD_LAST)
    frozen = struck & (after["hitlag"] > before["hitlag"])
    grabbed = np.isin(action, _CAPTURED) & (action != before["action"])
    return (after["percent"] > before["percent"]) | frozen | grabbed


def struck_by_body(
    victim_before: NDArray[np.void],
    victim_after: NDArray[np.void],
    attacker_before: NDArray[np.void],
    attacker_after: NDArray[np.void],
) -> NDArray[np.bool_]:
    """[R] whether the attacker's own body struck the victim or its shield, so that both froze; pummels apart."""
    froze = (victim_after["hitlag"] > victim_before["hitlag"]) & (attacker_after["hitlag"] > attacker_before["hitlag"])
    return reached(victim_before, victim_after) & froze & ~np.isin(victim_after["action"], _HELD)


def incoming_hits(seen: NDArray[np.void]) -> NDArray[np.bool_]:
    """[T] whether the other fighter's attack reached this one at each frame of PLAYERs [T]; see `reached`."""
    return np.concatenate([[False], reached(seen[:-1], seen[1:])])


def melee_hits(attacker: NDArray[np.void], victim: NDArray[np.void]) -> NDArray[np.bool_]:
    """[T] whether the attacker's own body struck the victim at each frame; see `struck_by_body`."""
    return np.concatenate([[False], struck_by_body(victim[:-1], victim[1:], attacker[:-1], attacker[1:])])
