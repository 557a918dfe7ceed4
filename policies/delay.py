"""Actions under way: what a column decided but has not pressed yet."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS
from policies.spec import ActionTiming

NOTHING: Final = 255
"""In every part of a queue's slot: the delay of this game leaves it empty. No stick has so many positions."""


class DelayQueue:
    """For each column the actions of its last `delay_frames` frames, oldest first; neutral where a game begins.

    A column may have a shorter delay (`reset`); the slots that it leaves over come first and hold NOTHING.
    """

    def __init__(self, columns: int, delay_frames: int) -> None:
        self.delay_frames = delay_frames
        self.delays = np.full(columns, delay_frames, np.int64)
        """[n] frames from a column's decision to its effect."""
        self.pending: NDArray[np.uint8] = np.empty((columns, delay_frames, len(NEUTRAL_PARTS)), np.uint8)
        """[n, d, 6] as the policy observes it BEFORE it decides."""
        self.pending[:] = NEUTRAL_PARTS
        self.console_delay_frames = 0
        """The console holds actions back so long itself: they are pressed so much earlier."""

    def reset(self, columns: NDArray[np.integer], delays: NDArray[np.integer] | None = None) -> None:
        """A new game begins in these columns [n], with these delays [n]; default: the greatest."""
        self.pending[columns] = NEUTRAL_PARTS
        self.delays[columns] = self.delay_frames if delays is None else delays
        if delays is not None:
            empty = np.arange(self.delay_frames) < self.delay_frames - delays[:, None]
            self.pending[columns] = np.where(empty[..., None], NOTHING, self.pending[columns])

    def push(self, columns: NDArray[np.integer], parts: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Columns decided on parts [n, 6]; returns the parts [n, 6] to press now (those, without a delay)."""
        if not self.delay_frames:
            return parts.astype(np.uint8)
        under_way = np.concatenate([self.pending[columns], parts[:, None].astype(np.uint8)], 1)
        due = self.delay_frames - self.delays[columns]  # index of the action whose time has come
        early = np.minimum(due + self.console_delay_frames, self.delay_frames)
        pressed: NDArray[np.uint8] = under_way[np.arange(len(columns)), early]
        shorter = np.flatnonzero(due)
        under_way[shorter, due[shorter]] = NOTHING
        self.pending[columns] = under_way[:, 1:]
        return pressed


def game_delays(
    timing: ActionTiming, seeds: NDArray[np.unsignedinteger], seats: NDArray[np.integer]
) -> NDArray[np.int64]:
    """[n] delays in frames of games whose first frames have these `seed` fields [n], for these seats [n].

    The same wherever the game is played. Drawn evenly by SplitMix64's finaliser (Steele et al. 2014).
    """
    least = timing.least_delay_frames
    z = seeds.astype(np.uint64) * np.uint64(2) + seats.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return least + (z % np.uint64(timing.delay_frames - least + 1)).astype(np.int64)
