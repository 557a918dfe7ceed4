"""Laws of the simulator under arbitrary inputs: determinism, saved states, mirror symmetry, sane numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.frame import words_i32
from envs.game import Stage
from envs.sim.batch import SimBackend
from exphil_league.bench.sim import sticky_inputs

GAMES = 8
LONGEST_STATE_FRAMES = 700
"""Respawn platforms and ledges hold a fighter longest; inputs change every few frames."""
SYMMETRICAL = ("FINAL_DESTINATION", "BATTLEFIELD", "POKEMON_STADIUM")
seeds = st.integers(0, 2**32 - 1)


def inputs_of(seed: int, steps: int, games: int = GAMES) -> NDArray[np.void]:
    return sticky_inputs(np.random.default_rng(seed), steps, games)


def started(
    seed: int, games: int = GAMES, stages: tuple[str, ...] = tuple(Stage.__members__), **rules: object
) -> SimBackend:
    backend = SimBackend(games)
    rows = np.stack([Matchup(stage=stages[n % len(stages)], **rules).row() for n in range(games)])  # type: ignore[arg-type]
    backend.reset(np.ones(games, np.bool_), rows, np.random.default_rng(seed).integers(0, 2**63, games, np.uint64))
    return backend


def played(backend: SimBackend, inputs: NDArray[np.void]) -> NDArray[np.int32]:
    """Words of every frame of every game under the inputs [T, N, P]."""
    return np.stack([words_i32(backend.step(pads)).copy() for pads in inputs])


@settings(deadline=None, max_examples=5)
@given(seeds)
def test_equal_seeds_and_inputs_give_equal_bytes(seed: int) -> None:
    inputs = inputs_of(seed, 200)
    assert (played(started(seed), inputs) == played(started(seed), inputs)).all()


@settings(deadline=None, max_examples=8)
@given(seeds, st.integers(1, 199))
def test_a_saved_state_goes_on_as_the_original(seed: int, at: int) -> None:
    inputs = inputs_of(seed, 200)
    backend = started(seed)
    played(backend, inputs[:at])
    saved = backend.save()
    original = played(backend, inputs[at:])
    other = SimBackend(GAMES)
    other.restore(saved)
    assert (played(other, inputs[at:]) == original).all()


def mirrored(inputs: NDArray[np.void]) -> NDArray[np.void]:
    flipped = inputs.copy()
    flipped["stick_x"] *= -1
    flipped["c_x"] *= -1
    return flipped


@settings(deadline=None, max_examples=6)
@given(seeds)
def test_the_mirrored_game_is_the_mirror_image(seed: int) -> None:
    """Until a stock is lost: the two respawn places are not mirror images."""
    inputs = inputs_of(seed, 250)
    left, right = (started(seed, stages=SYMMETRICAL, swap_start=swap) for swap in (False, True))
    alive = np.ones(GAMES, np.bool_)
    for pads, flipped in zip(inputs, mirrored(inputs), strict=True):
        a = left.step(pads)["players"][:, :, 0]
        b = right.step(flipped)["players"][:, :, 0]
        alive &= (a["stocks"] == 4).all(axis=1)
        for field, sign in (("x", -1), ("y", 1), ("facing", -1), ("percent", 1), ("action", 1), ("speed_air_x", -1)):
            assert (a[field][alive] == sign * b[field][alive]).all(), field


def check_sane(steps: int, games: int, seed: int) -> None:
    backend = started(seed, games, stocks=99, time_limit_s=0)
    last = np.zeros((games, 2), np.int32)
    since = np.zeros((games, 2), np.int32)
    inputs = inputs_of(seed, 512, games)
    for step in range(steps):
        players = backend.step(inputs[step % 512])["players"][:, :, 0]
        for field in ("x", "y", "speed_air_x", "speed_y", "percent", "shield", "state_age", "hitlag", "speed_x_attack"):
            assert np.isfinite(players[field]).all(), field
        assert (np.abs(players["x"]) < 400).all()
        assert (np.abs(players["y"]) < 400).all()
        assert ((players["shield"] >= 0) & (players["shield"] <= 60)).all()
        assert np.isin(players["facing"], (-1, 1)).all()
        since = np.where(players["action"] == last, since + 1, 0)
        last = players["action"].copy()
        assert since.max() < LONGEST_STATE_FRAMES, last.ravel()[since.argmax()]


def test_random_play_stays_sane() -> None:
    check_sane(steps=3000, games=32, seed=1)


@pytest.mark.slow
def test_ten_million_frames_stay_sane() -> None:
    check_sane(steps=5000, games=2048, seed=2)
