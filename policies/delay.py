"""Actions under way: what a column decided but has not pressed yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS


class DelayQueue:
    """For each column the last `delay_frames` actions, oldest first; neutral where a game begins."""

    def __init__(self, columns: int, delay_frames: int) -> None:
        self.delay_frames = delay_frames
        self.pending: NDArray[np.uint8] = np.empty((columns, delay_frames, len(NEUTRAL_PARTS)), np.uint8)
        """[n, d, 6] as the policy observes it BEFORE it decides."""
        self.pending[:] = NEUTRAL_PARTS

    def reset(self, columns: NDArray[np.integer] | NDArray[np.bool_]) -> None:
        """A new game begins in these columns (indices or a mask)."""
        self.pending[columns] = NEUTRAL_PARTS

    def push(self, columns: NDArray[np.integer], parts: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Columns decided on parts [n, 6]; returns the parts [n, 6] to press now (those, without a delay)."""
        if not self.delay_frames:
            return parts.astype(np.uint8)
        rows = self.pending[columns]
        self.pending[columns] = np.concatenate([rows[:, 1:], parts[:, None].astype(np.uint8)], 1)
        return rows[:, 0]
