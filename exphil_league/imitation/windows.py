"""Rows -> windows -> shuffled batches.

A window is T frames of one seat of one game and never crosses a game's border. Its recurrent state begins at
zero and every row counts in the loss: a policy is asked to act from a cold start too, and a row judged without
its past can only make the held-out loss worse. It hardly does: a GRU trained on windows of 64 predicts held-out
real games equally well with its state carried through whole games (1.232 nats a frame, 1.234 cold). The label
of row t is the controller of frame t + 1 + delay_frames, its queue holds those of t + 1 .. t + delay_frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.rows import SeatRows, read_shard

POOL_GAMES: Final = 12
"""Games whose windows are mixed with each other (about 3,000 windows of 64 frames, 90 MB)."""


@dataclass(frozen=True)
class WindowSpec:
    """How rows become windows."""

    frames: int
    """T"""
    delay_frames: int
    reward_weights: tuple[float, ...]
    """In the order of `envs.reward.TERMS`."""
    gamma: float
    """Discount per frame of the value target."""


class Windows(NamedTuple):
    """Windows [B, T, ..] (`time_major` turns them)."""

    floats: NDArray[np.float32]  # [B, T, F]
    ids: NDArray[np.int32]  # [B, T, K]
    queue: NDArray[np.uint8]  # [B, T, d, 6]
    last: NDArray[np.uint8]  # [B, T, 6] the controller before the label
    labels: NDArray[np.uint8]  # [B, T, 6]
    returns: NDArray[np.float32]  # [B, T] discounted reward from this row on
    counted: NDArray[np.bool_]  # [B, T] False where another window counts this row

    def take(self, rows: NDArray[np.integer] | slice) -> Windows:
        """Some of the windows."""
        return Windows._make(array[rows] for array in self)

    @staticmethod
    def join(parts: Sequence[Windows]) -> Windows:
        """Windows of several games."""
        return Windows._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def cut(seat: SeatRows, spec: WindowSpec) -> Windows | None:
    """All windows of one seat; every labelled row is counted in exactly one. None for a game shorter than one.

    The last window ends with the game and overlaps the one before it.
    """
    delay, length = spec.delay_frames, spec.frames
    if not window_count(len(seat.parts), spec):
        return None
    labelled = len(seat.parts) - 1 - delay
    starts = np.arange(0, labelled - length + 1, length)
    if labelled % length:
        starts = np.append(starts, labelled - length)
    at = starts[:, None] + np.arange(length)
    counted = np.ones(at.shape, np.bool_)
    counted[-1] = np.arange(length) >= -labelled % length
    returns = discounted(seat.rewards @ np.asarray(spec.reward_weights, np.float32), spec.gamma)
    queue = seat.parts[at[..., None] + np.arange(1, delay + 1)]
    return Windows(
        seat.floats[at], seat.ids[at], queue, seat.parts[at + delay], seat.parts[at + delay + 1], returns[at], counted
    )


def window_count(rows: int, spec: WindowSpec) -> int:
    """How many windows `cut` makes of a seat with so many rows."""
    labelled = rows - 1 - spec.delay_frames
    return -(-labelled // spec.frames) if labelled >= spec.frames else 0


@njit(cache=True)
def discounted(rewards: NDArray[np.float32], gamma: float) -> NDArray[np.float32]:
    """returns[t] = rewards[t] + gamma * returns[t + 1], 0 beyond the end."""
    returns = np.empty_like(rewards)
    following = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


def windows_of(game: CachedGame, spec: WindowSpec, characters: Sequence[int] = ()) -> Windows | None:
    """Windows of a game's human seats; with `characters`, of the seats that play one of them."""
    chosen = game.seats_of(read_shard(game.shard), characters)
    pieces = [windows for seat in chosen if (windows := cut(seat, spec)) is not None]
    return Windows.join(pieces) if pieces else None


def batches(
    games: Sequence[CachedGame], spec: WindowSpec, size: int, characters: Sequence[int] = (), seed: int | None = None
) -> Iterator[Windows]:
    """All windows once, in batches of `size` (the last may be smaller); memory holds POOL_GAMES games at most.

    With a seed games are shuffled, and windows within a pool of games; without one the order is fixed.
    """
    random = np.random.default_rng(seed) if seed is not None else None
    order = random.permutation(len(games)) if random else np.arange(len(games))
    left: Windows | None = None
    for first in range(0, len(order), POOL_GAMES):
        loaded = [windows_of(games[i], spec, characters) for i in order[first : first + POOL_GAMES]]
        pieces = [windows for windows in (left, *loaded) if windows is not None]
        if not pieces:
            continue
        pool = Windows.join(pieces)
        count = len(pool.labels)
        mixed = random.permutation(count) if random else np.arange(count)
        whole = count - count % size
        yield from (pool.take(mixed[start : start + size]) for start in range(0, whole, size))
        left = pool.take(mixed[whole:]) if whole < count else None
    if left is not None:
        yield left
