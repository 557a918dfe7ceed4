"""How far a player's play has moved from where it started: the action states it is in.

A policy that found a degenerate way to collect reward (running away, never leaving the ledge, one move over and over)
shows in its histogram of action states before it shows in its rating.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.observation import ACTIONS, ID_NAMES

OWN_ACTION: Final = ID_NAMES.index("self.action")
REFERENCE_UPDATES: Final = 32
"""First updates that make the reference: enough for games in every phase, few enough that play is still the start's."""
_KEPT: Final = 0.95
"""Share of the present histogram that stays with every update: it covers about the last 20."""
_NOTHING: Final[NDArray[np.float64]] = np.zeros(ACTIONS)


def action_counts(ids: NDArray[np.int32]) -> NDArray[np.int64]:
    """[ACTIONS] how often a player was in each action state; ids [..., K] are its observations'."""
    return np.bincount(ids[..., OWN_ACTION].ravel(), minlength=ACTIONS)


def jensen_shannon(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Jensen-Shannon distance of two histograms [A]: 0 equal, 1 nothing in common (Lin 1991; root, base 2)."""
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    divergence = 0.0
    for side in (p, q):
        seen = side > 0
        divergence += 0.5 * float((side[seen] * np.log2(side[seen] / middle[seen])).sum())
    return float(np.sqrt(max(divergence, 0.0)))


class Drift:
    """Distance of each player's present action states from those of its first updates."""

    def __init__(self, reference_updates: int = REFERENCE_UPDATES) -> None:
        self._reference_updates = reference_updates
        self._reference: dict[str, NDArray[np.float64]] = {}
        self._present: dict[str, NDArray[np.float64]] = {}
        self._updates: dict[str, int] = {}

    def update(self, player: str, counts: NDArray[np.integer]) -> float:
        """Take in the action states of an update's samples; the distance as it is now."""
        seen = self._updates.get(player, 0)
        if seen < self._reference_updates:
            self._reference[player] = self._reference.get(player, _NOTHING) + counts
        self._updates[player] = seen + 1
        self._present[player] = self._present.get(player, _NOTHING) * _KEPT + counts
        return jensen_shannon(self._present[player], self._reference[player])

    def restart(self, player: str) -> None:
        """The player begins anew, with other weights."""
        for kept in (self._reference, self._present, self._updates):
            kept.pop(player, None)

    def get_state(self) -> dict[str, Any]:
        return {"reference": dict(self._reference), "present": dict(self._present), "updates": dict(self._updates)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._reference = dict(state["reference"])
        self._present = dict(state["present"])
        self._updates = dict(state["updates"])
