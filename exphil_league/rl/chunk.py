"""A chunk: what a runner hands the learner, time-major."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Chunk:
    """T decisions of B seats that one learning player controlled, `action_repeat` game frames apart.

    Row t holds what the player saw before its action, the action it sampled and what that brought. Buffers
    start poisoned (`rl.buffers`), so that a row nobody wrote is seen by the learner's check.
    """

    player: str
    """League id of the learning player; equals the RLModule's id."""
    floats: NDArray[np.float32]
    """[T + 1, B, F]; the last row is the bootstrap observation."""
    ids: NDArray[np.int32]
    """[T + 1, B, K]"""
    queue: NDArray[np.uint8]
    """[T + 1, B, delay_frames, 6] actions under way, oldest first (`policies.delay`)."""
    resets: NDArray[np.bool_]
    """[T + 1, B], True where a new game begins: the state is zeroed BEFORE this row."""
    parts: NDArray[np.uint8]
    """[T, B, 6] action parts sampled at this row (they apply the game's delay later)."""
    log_prob: NDArray[np.float32]
    """[T, B] behaviour log-probability of the whole action."""
    value: NDArray[np.float32]
    """[T + 1, B] behaviour value."""
    reward: NDArray[np.float32]
    """[T, B] of the frames until the next row, each discounted to this one."""
    terminated: NDArray[np.bool_]
    """[T, B] the game ended in these frames: nothing is bootstrapped through it."""
    truncated: NDArray[np.bool_]
    """[T, B] the game was cut (aborted): bootstrapped with the value of the row it was cut at."""
    state: tuple[NDArray[np.float32], ...]
    """Recurrent state [B, ...] before row 0."""
    env_frames: int
    """Game frames this chunk stands for (a self-play game counts once)."""
