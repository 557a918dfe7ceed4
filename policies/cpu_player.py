"""The game's own players, levels 1 to 9: opponents that only emulators have (backends `dolphin` and `standin`).

Nobody presses anything for such a seat: a game's MATCHUP says that the game plays it, at which level. Name and digest
of such a player are the same, `cpu:LEVEL`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS
from policies.agent import SeatView

_PREFIX: Final = "cpu:"
CPU_PLAYERS: Final = tuple(f"{_PREFIX}{level}" for level in range(1, 10))
"""Their names, weakest first."""


def cpu_level(digest: str) -> int:
    """The level of one of CPU_PLAYERS; 0 for the digest of anybody else."""
    return int(digest.removeprefix(_PREFIX)) if digest in CPU_PLAYERS else 0


class CpuPlayer:
    """Holds a seat that the game plays itself. An `Agent`."""

    def __init__(self, name: str, capacity: int) -> None:
        """`name`: one of CPU_PLAYERS."""
        self.name = self.digest = name
        self.capacity = capacity

    def reset(self, columns: NDArray[np.int64]) -> None:
        """There is nothing to forget."""

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Parts [n, 6] of a controller that nobody touches."""
        return np.tile(NEUTRAL_PARTS, (len(columns), 1))
