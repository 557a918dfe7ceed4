"""Rows -> windows -> shuffled batches.

A window is T frames of one seat of one game and never crosses a game's border. Its recurrent state begins at
zero and every row counts in the loss: a policy is asked to act from a cold start too, and a row judged without
its past can only make the held-out loss worse. It hardly does: a GRU trained on windows of 64 predicts held-out
real games equally well with its state carried through whole games (1.232 nats a frame, 1.234 cold).

The label of a row at frame f is the controller of frame f + delay_frames + action_repeat, its queue holds those of
f + 1 .. f + delay_frames. With an action repeat of k the rows of a window are k frames apart, windows begin at each
of k phases, and the label is what a player does at the end of the k frames: so the controller that a row sees last
is the label of the row before it, as it is in play.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.rows import SeatRows, read_shard
from policies.delay import NOTHING, game_delays
from policies.spec import ActionTiming

POOL_GAMES: Final = 12
"""Games whose windows are mixed with each other (about 3,000 windows of 64 frames, 90 MB)."""


@dataclass(frozen=True)
class WindowSpec:
    """How rows become windows."""

    rows: int
    """T"""
    timing: ActionTiming
    reward_weights: tuple[float, ...]
    """In the order of `envs.reward.TERMS`."""
    gamma: float
    """Discount per frame of the value target."""


class Windows(NamedTuple):
    """Windows [B, T, ..] (`time_major` turns them)."""

    floats: NDArray[np.float32]  # [B, T, F]
    ids: NDArray[np.int32]  # [B, T, K]
    queue: NDArray[np.uint8]  # [B, T, d, 6] as `policies.delay` has it
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


def cut(seat: SeatRows, spec: WindowSpec, delay_frames: int | None = None) -> Windows | None:
    """All windows of one seat; every labelled frame is counted in exactly one. None for a game shorter than one.

    The last window of a phase ends with the game and overlaps the one before it. `delay_frames` of this game;
    default: the greatest.
    """
    pieces = [_at(phase, len(seat.parts), spec) for phase in range(spec.timing.action_repeat)]
    at, counted = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    if not len(at):
        return None
    delay = spec.timing.delay_frames if delay_frames is None else delay_frames
    returns = discounted(seat.rewards @ np.asarray(spec.reward_weights, np.float32), spec.gamma)
    last = at + delay
    queue = np.full((*at.shape, spec.timing.delay_frames, seat.parts.shape[1]), NOTHING, np.uint8)
    queue[:, :, spec.timing.delay_frames - delay :] = seat.parts[at[..., None] + np.arange(1, delay + 1)]
    labels = seat.parts[last + spec.timing.action_repeat]
    return Windows(seat.floats[at], seat.ids[at], queue, seat.parts[last], labels, returns[at], counted)


def _at(phase: int, frames: int, spec: WindowSpec) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Frames [B, T] of the rows of a phase's windows in a game of so many frames, and which of them are counted."""
    rows, repeat = _labelled(phase, frames, spec), spec.timing.action_repeat
    if rows < spec.rows:
        return np.empty((0, spec.rows), np.int64), np.empty((0, spec.rows), np.bool_)
    starts = np.arange(0, rows - spec.rows + 1, spec.rows)
    if rows % spec.rows:
        starts = np.append(starts, rows - spec.rows)
    at = starts[:, None] + np.arange(spec.rows)
    counted = np.ones(at.shape, np.bool_)
    counted[-1] = np.arange(spec.rows) >= -rows % spec.rows
    return phase + repeat * at, counted


def _labelled(phase: int, frames: int, spec: WindowSpec) -> int:
    """Rows of a phase that have a label, whatever the delay."""
    repeat = spec.timing.action_repeat
    return max(0, -(-(frames - repeat - spec.timing.delay_frames - phase) // repeat))


def window_count(frames: int, spec: WindowSpec) -> int:
    """How many windows `cut` makes of a seat with so many frames."""
    rows = [_labelled(phase, frames, spec) for phase in range(spec.timing.action_repeat)]
    return sum(-(-count // spec.rows) for count in rows if count >= spec.rows)


def delay_of(game: CachedGame, seat: int, spec: WindowSpec) -> int:
    """The delay that a seat of a game is learnt with; always the same one."""
    seed = np.array([zlib.crc32(game.game_id.encode())], np.uint32)
    return int(game_delays(spec.timing, seed, np.array([seat]))[0])


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
    cuts = [cut(seat, spec, delay_of(game, index, spec)) for index, seat in enumerate(chosen)]
    pieces = [windows for windows in cuts if windows is not None]
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
