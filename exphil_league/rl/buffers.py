"""Unroll buffers: the arrays of a chunk, allocated once and poisoned before each use.

A row that nobody wrote keeps NaN, -1 or sticks at 254, which there are not, and is found by `check_written`,
instead of training the policy on whatever the last chunk left there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from envs.controller import PARTS
from exphil_league.rl.chunk import Chunk

UNWRITTEN_PART: Final = 254
"""Sticks and shoulder have fewer values (`envs.controller.PART_SIZES`), and an empty place of the queue holds 255."""


class UnwrittenRow(RuntimeError):
    """A chunk has rows that were never filled in; the message names the array and the place."""


@dataclass(frozen=True)
class ChunkShape:
    """Sizes of a chunk's arrays."""

    rows: int  # T
    columns: int  # B
    floats: int  # F
    ids: int  # K
    delay_frames: int


def allocate(player: str, shape: ChunkShape, for_gpu: bool = False) -> Chunk:
    """A chunk of this shape with unwritten arrays and an empty state.

    for_gpu: what the network reads lies in pinned memory, from which a GPU fetches it while the CPU goes on.
    """
    t, b = shape.rows, shape.columns

    def read(dtype: torch.dtype, *sizes: int) -> np.ndarray:
        return torch.empty((t + 1, b, *sizes), dtype=dtype, pin_memory=for_gpu).numpy()

    return Chunk(
        player=player,
        floats=read(torch.float32, shape.floats),
        ids=read(torch.int32, shape.ids),
        queue=read(torch.uint8, shape.delay_frames, len(PARTS)),
        resets=np.empty((t + 1, b), np.bool_),
        parts=np.empty((t, b, len(PARTS)), np.uint8),
        log_prob=np.empty((t, b), np.float32),
        value=np.empty((t + 1, b), np.float32),
        reward=np.empty((t, b), np.float32),
        terminated=np.empty((t, b), np.bool_),
        truncated=np.empty((t, b), np.bool_),
        state=(),
        env_frames=0,
    )


def poison(chunk: Chunk) -> None:
    """Make every row of a chunk visibly unwritten: NaN, -1 and UNWRITTEN_PART, flags False."""
    for array in (chunk.floats, chunk.log_prob, chunk.value, chunk.reward):
        array.fill(np.nan)
    chunk.ids.fill(-1)
    for actions in (chunk.queue, chunk.parts):
        actions.fill(UNWRITTEN_PART)
    for flags in (chunk.resets, chunk.terminated, chunk.truncated):
        flags.fill(False)


def check_written(chunk: Chunk) -> None:
    """Raise UnwrittenRow when any number of the chunk is NaN, infinite or -1, or a stick is at UNWRITTEN_PART."""
    for name in ("floats", "log_prob", "value", "reward"):
        array = getattr(chunk, name)
        # A sum is finite only if all of its terms are; it reads the array once and allocates nothing.
        if not np.isfinite(array.sum(dtype=np.float64)):
            row = np.argwhere(~np.isfinite(array))[0]
            raise UnwrittenRow(f"chunk of {chunk.player}: {name} has no number at row {row[0]}, column {row[1]}")
    if chunk.ids.size and chunk.ids.min() < 0:
        row = np.argwhere(chunk.ids < 0)[0]
        raise UnwrittenRow(f"chunk of {chunk.player}: ids were never written at row {row[0]}, column {row[1]}")
    for name in ("queue", "parts"):
        sticks = getattr(chunk, name)[..., 1:]  # any number is a block of buttons
        if (unwritten := sticks == UNWRITTEN_PART).any():
            row = np.argwhere(unwritten)[0]
            raise UnwrittenRow(f"chunk of {chunk.player}: {name} was never written at row {row[0]}, column {row[1]}")


def concatenate(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks of one player side by side: columns [B] of all of them, env frames summed."""
    if len(chunks) == 1:
        return chunks[0]

    def columns(name: str) -> np.ndarray:
        return np.concatenate([getattr(c, name) for c in chunks], axis=1)

    return Chunk(
        player=chunks[0].player,
        floats=columns("floats"),
        ids=columns("ids"),
        queue=columns("queue"),
        resets=columns("resets"),
        parts=columns("parts"),
        log_prob=columns("log_prob"),
        value=columns("value"),
        reward=columns("reward"),
        terminated=columns("terminated"),
        truncated=columns("truncated"),
        state=tuple(np.concatenate(layer) for layer in zip(*(c.state for c in chunks), strict=True)),
        env_frames=sum(c.env_frames for c in chunks),
    )
