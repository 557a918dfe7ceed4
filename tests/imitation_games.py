"""Small games with a habit that can be learnt: each player runs at the other and presses A when near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.controller import STICK_CENTRES
from envs.frame import FIRST_PLAYABLE_FRAME, empty_frames
from envs.game import Button, Character
from envs.slippi.write import write_game
from exphil_league.config.replays import ReplaysConfig
from exphil_league.config.training import ImitationConfig

ANY_GAME = ReplaysConfig(min_length_s=0, min_stocks_lost=0, max_idle_frames=100_000, min_input_share=0)
"""Filters that let short games pass."""
_NEAR_UNITS = 40.0


def chase(seed: int, count: int) -> NDArray[np.void]:
    """Frames [count]: positions jump about; the controller of t + 1 follows from the positions at t."""
    rng = np.random.default_rng(seed)
    frames = empty_frames(count)
    frames["frame"] = FIRST_PLAYABLE_FRAME + np.arange(count)
    frames["stage"], frames["ports"], frames["seed"] = 32, (0, 1), seed
    frames["frames_left"] = 480 * 60 - np.maximum(frames["frame"], 0)
    leaders = frames["players"][:, :, 0]
    leaders["character"], leaders["stocks"], leaders["percent"] = Character.FOX.value, 4, 0.0
    leaders["action"], leaders["facing"], leaders["airborne"] = 14, 1.0, 0
    leaders["x"] = _positions(rng, count)
    leaders["y"] = 0.0
    controller = leaders["controller"]
    controller["buttons"] = 0
    for axis in ("stick_x", "stick_y", "c_x", "c_y", "shoulder"):
        controller[axis] = 0.0
    for seat in (0, 1):
        gap = leaders["x"][:-1, 1 - seat] - leaders["x"][:-1, seat]
        controller["stick_x"][1:, seat] = np.where(gap > 0, STICK_CENTRES[-1], STICK_CENTRES[0])
        controller["buttons"][1:, seat] = np.where(np.abs(gap) < _NEAR_UNITS, int(Button.A), 0)
    return frames


def _positions(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """x [count, P] that often changes sides: what was pressed last says little of what comes next."""
    x = rng.normal(0, 40, (count, 2))
    for t in range(1, count):
        x[t] += 0.7 * x[t - 1]
    return x


def write_games(folder: Path, count: int, frames: int = 400, first_seed: int = 0) -> list[Path]:
    """`count` games as .slp files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"game-{first_seed + number:03d}.slp" for number in range(count)]
    for number, path in enumerate(paths):
        write_game(path, chase(first_seed + number, frames))
    return paths


def quick_config(cache: Path, **changes: object) -> ImitationConfig:
    """A few seconds of training."""
    values: dict[str, object] = {
        "window_frames": 32,
        "batch_windows": 8,
        "epochs": 4,
        "learning_rate": 1e-2,
        "held_out_share": 0.2,
        "cache": str(cache),
    }
    return ImitationConfig.model_validate(values | changes)
