"""Frames with arbitrary values in every field, for tests of the Slippi reader and writer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME, ITEM, PLAYER, empty_frames
from envs.game import EXTERNAL_ID, Character

REPLAYS = os.environ.get("EXPHIL_REPLAYS", "")
POPO = Character.POPO.value
needs_replays = pytest.mark.skipif(not REPLAYS, reason="EXPHIL_REPLAYS names no folder of real replays")

BYTES = {
    **dict.fromkeys(("character", "stocks", "last_attack", "combo_count", "last_hit_by", "state_flags"), 255),
    **dict.fromkeys(("airborne", "jumps_left", "l_cancel", "hurtbox", "state", "misc"), 255),
    **dict.fromkeys(("action", "ground_id", "kind", "damage", "buttons"), 65535),
    **dict.fromkeys(("animation", "buttons_processed", "spawn_id"), 2**31 - 1),
}
"""Largest value of every integer field as Slippi stores it; fields not named are signed bytes."""


def replay_set(name: str) -> Path:
    """The folder `clean` or `edge` of the real replays."""
    return Path(REPLAYS) / name


def random_frames(seed: int, count: int, stage: int = 32, first: int = FIRST_PLAYABLE_FRAME) -> NDArray[np.void]:
    """Consecutive frames [count] of a game of two, Nana and items in some of them."""
    rng = np.random.default_rng(seed)
    frames = empty_frames(count)
    frames["frame"] = first + np.arange(count)
    frames["stage"], frames["ports"] = stage, np.sort(rng.choice(4, 2, replace=False))
    frames["frames_left"] = 480 * 60 - np.maximum(frames["frame"], 0)
    frames["seed"] = rng.integers(0, 2**32, count, dtype=np.uint32)
    _randomise(frames["players"], PLAYER, rng)
    characters = rng.choice([*EXTERNAL_ID, *[POPO] * len(EXTERNAL_ID)], 2)
    frames["players"]["character"] = characters[None, :, None]
    alone = (characters != POPO) | (rng.random((count, 2)) < 0.5)  # Nana may be dead
    frames["players"][:, :, 1][alone] = empty_frames()["players"][0, 1]
    items = empty_frames(count)["items"]
    _randomise(items, ITEM, rng)
    here = np.arange(15) < rng.integers(0, 16, count)[:, None]
    frames["items"][here] = items[here]
    _randomise_stage(frames, stage, rng)
    return frames


def _randomise(records: NDArray[np.void], dtype: np.dtype[np.void], rng: np.random.Generator) -> None:
    assert dtype.names is not None
    for name in dtype.names:
        values = records[name]
        if values.dtype.names is not None:
            _randomise(values, values.dtype, rng)
        elif values.dtype.kind == "f":
            records[name] = rng.normal(0, 50, values.shape)
        else:
            low, high = (0, BYTES[name]) if name in BYTES else (-128, 127)
            records[name] = rng.integers(low, high, values.shape, endpoint=True)


def _randomise_stage(frames: NDArray[np.void], stage: int, rng: np.random.Generator) -> None:
    steps = rng.integers(0, 3, len(frames)) // 2
    if stage == 2:
        frames["fod_left"], frames["fod_right"] = 20 + np.cumsum(steps), 28 - np.cumsum(steps[::-1]) / 50
        frames["fod_left"][: len(frames) // 4] = np.nan
    if stage == 28:
        frames["whispy"] = np.cumsum(steps) % 3
    if stage == 3:
        frames["stadium"] = np.cumsum(steps) % 7 | 9 << 8
