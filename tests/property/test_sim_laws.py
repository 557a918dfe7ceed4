"""Laws of the simulator under arbitrary inputs, for every pair of characters and every stage.

Determinism, saved states, mirror symmetry, sane numbers, and that nobody is ever stuck.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.frame import words_i32
from envs.sim.batch import SimBackend
from envs.sim.compile import CHARACTERS, STAGES, tables
from exphil_league.bench.sim import sticky_inputs

GAMES: Final = 30
LONGEST_STATE_FRAMES: Final = 700
"""Respawn platforms and ledges hold a fighter longest; inputs change every few frames."""
LONGEST_HELPLESS_FRAMES: Final = 1500
"""A broken shield, a knockdown with its lying, a death and the way back: all end well before, one after another."""
SYMMETRICAL: Final = ("FINAL_DESTINATION", "BATTLEFIELD", "POKEMON_STADIUM")
FINITE: Final = ("x", "y", "speed_air_x", "speed_y", "percent", "shield", "state_age", "hitlag", "speed_x_attack")
MIRRORED: Final = (("x", -1), ("y", 1), ("facing", -1), ("percent", 1), ("action", 1), ("speed_air_x", -1))
seeds = st.integers(0, 2**32 - 1)


def inputs_of(seed: int, steps: int, games: int = GAMES) -> NDArray[np.void]:
    return sticky_inputs(np.random.default_rng(seed), steps, games)


def started(seed: int, games: int = GAMES, stages: tuple[str, ...] = STAGES, **rules: object) -> SimBackend:
    """Games of every pair of characters on every stage in turn, the first of them drawn."""
    rng = np.random.default_rng(seed)
    matchups = list(product(CHARACTERS, CHARACTERS, stages))
    first = int(rng.integers(len(matchups)))
    chosen = [matchups[(first + n * _stride(len(matchups), games)) % len(matchups)] for n in range(games)]
    rows = [Matchup(characters=(one, two), stage=stage, **rules).row() for one, two, stage in chosen]  # type: ignore[arg-type]
    backend = SimBackend(games)
    backend.reset(np.ones(games, np.bool_), np.stack(rows), rng.integers(0, 2**63, games, np.uint64))
    return backend


def _stride(matchups: int, games: int) -> int:
    """A step through the matchups that meets as different ones as fit, all of them where there are games enough."""
    stride = max(matchups // games, 1) + 1
    while np.gcd(stride, matchups) > 1:
        stride += 1
    return stride


def played(backend: SimBackend, inputs: NDArray[np.void]) -> NDArray[np.int32]:
    """Words of every frame of every game under the inputs [T, N, P]."""
    return np.stack([words_i32(backend.step(pads)).copy() for pads in inputs])


@settings(deadline=None, max_examples=4)
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
    """Until a stock is lost, for the two respawn places are not mirror images, or two stand in one place.

    Then the push that parts them goes by port, as in the game.
    """
    inputs = inputs_of(seed, 250)
    left, right = (started(seed, stages=SYMMETRICAL, swap_start=swap) for swap in (False, True))
    alive = np.ones(GAMES, np.bool_)
    for pads, flipped in zip(inputs, mirrored(inputs), strict=True):
        a = left.step(pads)["players"][:, :, 0]
        b = right.step(flipped)["players"][:, :, 0]
        alive &= (a["stocks"] == 4).all(axis=1)
        for field, sign in MIRRORED:
            assert (a[field][alive] == sign * b[field][alive]).all(), field
        alive &= a["x"][:, 0] != a["x"][:, 1]


class Watch:
    """Follows every fighter of a batch and notices what must not happen."""

    def __init__(self, backend: SimBackend) -> None:
        players = backend.restore(backend.save())["players"][:, :, 0]
        known = tables()[0]["characters"]
        rows = (players["character"][..., None] == known["character"]).argmax(axis=-1)
        self._free = (known["states"]["interrupts"] != 0)[rows]  # [N, P, state]
        self._last = np.zeros(players.shape, np.int32)
        self._same = np.zeros(players.shape, np.int32)
        self._helpless = np.zeros(players.shape, np.int32)

    def look(self, players: NDArray[np.void]) -> None:
        """Check one frame's leaders [N, P] PLAYER."""
        for field in FINITE:
            assert np.isfinite(players[field]).all(), field
        assert (np.abs(players["x"]) < 400).all()
        assert (np.abs(players["y"]) < 400).all()
        assert ((players["shield"] >= 0) & (players["shield"] <= 60)).all()
        assert np.isin(players["facing"], (-1, 1)).all()
        assert ((players["action"] >= 0) & (players["action"] < self._free.shape[-1])).all()
        self._same = np.where(players["action"] == self._last, self._same + 1, 0)
        self._last = players["action"].copy()
        assert self._same.max() < LONGEST_STATE_FRAMES, f"stuck in state {self._last.ravel()[self._same.argmax()]}"
        free = np.take_along_axis(self._free, players["action"][..., None], axis=-1)[..., 0]
        self._helpless = np.where(free, 0, self._helpless + 1)
        worst = self._last.ravel()[self._helpless.argmax()]
        assert self._helpless.max() < LONGEST_HELPLESS_FRAMES, f"no input matters any more, now in state {worst}"


def check_sane(steps: int, games: int, seed: int) -> None:
    backend = started(seed, games, stocks=99, time_limit_s=0)
    watch = Watch(backend)
    inputs = inputs_of(seed, 512, games)
    for step in range(steps):
        frames = backend.step(inputs[step % 512])
        watch.look(frames["players"][:, :, 0])
        assert not frames["fault"].any()


def test_random_play_stays_sane() -> None:
    check_sane(steps=2000, games=len(CHARACTERS) ** 2 * len(STAGES), seed=1)


@pytest.mark.slow
def test_ten_million_frames_stay_sane() -> None:
    """Also: a state that random input never leaves would stop its game, and be found."""
    check_sane(steps=5000, games=2100, seed=2)
