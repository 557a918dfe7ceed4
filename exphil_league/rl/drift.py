"""How far a player's play has moved from the warm start's: the action states it is in.

A policy that found a degenerate way to collect reward (running away, never leaving the ledge, one move over and over)
shows in its histogram of action states before it shows in its rating. The promotion gate refuses by the same distance
from the same games of the warm start (`promotion.gate.warm_start_conduct`); here it is taken of the games that the
player learns from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.observation import ACTIONS, ID_NAMES
from exphil_league.evaluation.habits import GROUPS, group_shares

OWN_ACTION: Final = ID_NAMES.index("self.action")
UNKNOWN_ACTION: Final = ACTIONS - 1
"""Row of all action states that the observation does not know."""
_KEPT: Final = 0.95
"""Share of the present histogram that stays with every update: it covers about the last 20."""
METRICS: Final = ("action_distance", *(f"share_{g}" for g in GROUPS), *(f"change_{g}" for g in GROUPS))
"""What `Drift.update` tells of a player: the distance, the share of frames in each group of action states, and that
share less the warm start's."""


def action_counts(ids: NDArray[np.int32]) -> NDArray[np.int64]:
    """[ACTIONS] how often a player was in each action state; ids [..., K] are its observations'."""
    counts = np.bincount(ids[..., OWN_ACTION].ravel(), minlength=ACTIONS)
    counts[UNKNOWN_ACTION] = 0
    return counts


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
    """Each player's present action states against the warm start's."""

    def __init__(self, warm_start: Sequence[int]) -> None:
        """`warm_start` [ACTIONS]: frames that the warm start spent in each action state; empty when nobody counted."""
        self._warm_start = np.array(warm_start, np.float64)
        self._present: dict[str, NDArray[np.float64]] = {}

    def update(self, player: str, counts: NDArray[np.integer]) -> dict[str, float]:
        """Take in the action states [ACTIONS] of an update's samples; METRICS as they are now."""
        if not self._warm_start.sum():
            return {}
        present = self._present[player] = self._present.get(player, np.zeros(ACTIONS)) * _KEPT + counts
        shares, before = group_shares(present), group_shares(self._warm_start)
        return {
            "action_distance": jensen_shannon(present, self._warm_start),
            **{f"share_{group}": share for group, share in shares.items()},
            **{f"change_{group}": share - before[group] for group, share in shares.items()},
        }

    def restart(self, player: str) -> None:
        """The player begins anew, with other weights."""
        self._present.pop(player, None)

    def get_state(self) -> dict[str, Any]:
        return {"present": dict(self._present)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._present = dict(state["present"])
