"""The game's own players, levels 1 to 9: opponents that only the real game has (backends `dolphin`, `standin`).

Nobody presses anything for such a seat. A game that is to have one says so in its MATCHUP; the digest says which level.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS
from policies.agent import SeatView

CPU_PLAYERS: Final = tuple(f"cpu{level}" for level in range(1, 10))
"""Their names, weakest first."""
_PREFIX: Final = "cpu:"


def cpu_digest(name: str) -> str:
    """`cpu:LEVEL` of one of CPU_PLAYERS."""
    return f"{_PREFIX}{CPU_PLAYERS.index(name) + 1}"


def level_of(digest: str) -> int:
    """The level of a digest that `cpu_digest` gives; 0 for any other player's."""
    return int(digest.removeprefix(_PREFIX)) if digest.startswith(_PREFIX) else 0


class CpuPlayer:
    """Holds a seat that the game plays itself. An `Agent`."""

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.digest = cpu_digest(name)
        self.capacity = capacity

    def reset(self, columns: NDArray[np.int64]) -> None:
        """There is nothing to forget."""

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Parts [n, 6] of an untouched controller."""
        return np.tile(NEUTRAL_PARTS, (len(columns), 1))
