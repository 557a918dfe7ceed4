"""`bench sim`: game frames per CPU-second of the complete simulator, step only, on prepared random inputs.

The games are of every pair of its characters on every stage, both players acting at random.

Inputs are held for random durations so that fighters walk, jump, attack and die; finished games are reset
inside the timed loop. The same process times a fixed calibration loop, so that figures of different machines
(or of one machine under load) can be compared by their ratio.
"""

from __future__ import annotations

import time
from itertools import cycle, islice, product
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.controller import CONTROLLER, PART_SIZES, decode
from envs.sim.batch import SimBackend
from envs.sim.compile import CHARACTERS, STAGES

STEPS_PREPARED: Final = 256
HOLD_FRAMES: Final = 12
"""Mean number of frames that an input is held."""
WARM_UP_STEPS: Final = 300
"""Frames before the clock starts, so that the games have spread over the states of play."""
BEST_OF: Final = 5
CALIBRATION_ROUNDS: Final = 20_000_000


def measure(games: int = 1024, seconds: float = 10.0, seed: int = 0) -> dict[str, Any]:
    """Game frames per CPU-second of `games` games on one core, the best of five slices of `seconds` in all.

    Keys: frames_per_cpu_s, games, characters, stages, ratio_to_calibration (game frames per calibration round).
    """
    backend = SimBackend(games)
    matchups = _matchups(games)
    rng = np.random.default_rng(seed)
    inputs = sticky_inputs(rng, STEPS_PREPARED, games)
    backend.reset(np.ones(games, np.bool_), matchups, rng.integers(0, 2**63, games, np.uint64))
    for step in range(WARM_UP_STEPS):
        _step(backend, inputs[step % STEPS_PREPARED], matchups, step)
    rates = [_slice(backend, inputs, matchups, seconds / BEST_OF) for _ in range(BEST_OF)]
    calibration = calibrate()
    return {
        "frames_per_cpu_s": round(max(rates)),
        "games": games,
        "characters": list(CHARACTERS),
        "stages": list(STAGES),
        "ratio_to_calibration": max(rates) / calibration,
    }


def sticky_inputs(rng: np.random.Generator, steps: int, games: int) -> NDArray[np.void]:
    """Random controllers [T, N, P], each held for about HOLD_FRAMES frames; half of them press no button."""
    parts = np.stack([rng.integers(0, size, (steps, games, 2)) for size in PART_SIZES], axis=-1)
    one_button = 1 << rng.integers(0, 8, (steps, games, 2))
    parts[..., 0] = np.where(rng.random((steps, games, 2)) < 0.5, 0, one_button)
    parts[..., 3:5] = np.where(rng.random((steps, games, 2, 1)) < 0.8, PART_SIZES[3] // 2, parts[..., 3:5])
    parts[..., 5] = np.where(rng.random((steps, games, 2)) < 0.8, 0, parts[..., 5])
    fresh = rng.random((steps, games, 2)) < 1.0 / HOLD_FRAMES
    fresh[0] = True
    source = np.maximum.accumulate(np.where(fresh, np.arange(steps)[:, None, None], 0), axis=0)
    held = np.take_along_axis(parts, source[..., None], axis=0)
    return np.ascontiguousarray(decode(held), CONTROLLER)


def _matchups(games: int) -> NDArray[np.void]:
    """Every pair of characters on every stage in turn."""
    every = cycle(product(STAGES, CHARACTERS, CHARACTERS))
    return np.stack([Matchup((one, two), stage).row() for stage, one, two in islice(every, games)])


def _step(backend: SimBackend, controllers: NDArray[np.void], matchups: NDArray[np.void], seed: int) -> None:
    backend.step(controllers)
    done = backend.done
    if done.any():
        backend.reset(done.copy(), matchups, np.full(backend.num_games, seed, np.uint64))


def _slice(backend: SimBackend, inputs: NDArray[np.void], matchups: NDArray[np.void], seconds: float) -> float:
    started = time.process_time()
    steps = 0
    while (spent := time.process_time() - started) < seconds:
        _step(backend, inputs[steps % STEPS_PREPARED], matchups, steps)
        steps += 1
    return steps * backend.num_games / spent


@njit(cache=True)
def _calibration_loop(rounds: int) -> float:
    total, x = 0.0, 0.5
    for _ in range(rounds):
        x = 3.7 * x * (1.0 - x)
        total += x if x > 0.6 else -x
    return total


def calibrate() -> float:
    """Rounds per CPU-second of a fixed scalar loop, the best of five."""
    _calibration_loop(1)
    rates = []
    for _ in range(BEST_OF):
        started = time.process_time()
        _calibration_loop(CALIBRATION_ROUNDS)
        rates.append(CALIBRATION_ROUNDS / (time.process_time() - started))
    return max(rates)
