"""The records every part agrees on: controller codec, frame words, observation, reward."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from envs.controller import CONTROLLER, PART_SIZES, STICK_CENTRES, STICK_EDGES, decode, encode
from envs.frame import FRAME, empty_frames, word_offset, words_f32, words_i32
from envs.observation import FLOAT_NAMES, ID_SIZES, observe

PARTS = st.tuples(*(st.integers(0, size - 1) for size in PART_SIZES))
THRESHOLDS = (0.28, 0.375, 0.55, 0.625, 0.6625, 0.7, 0.8)
"""Stick values at which the game's rules change (public tables of the common fighter data)."""


@given(PARTS)
def test_every_action_round_trips(parts):
    array = np.array(parts, np.uint8)
    assert (encode(decode(array)) == array).all()


@given(st.integers(-80, 80), st.sampled_from(THRESHOLDS))
def test_a_bucket_never_crosses_a_threshold_of_the_game(eightieths, threshold):
    value = np.float32(eightieths) / np.float32(80)
    controller = np.zeros((), CONTROLLER)
    controller["stick_x"] = value
    decoded = decode(encode(controller))["stick_x"]
    assert (abs(decoded) >= np.float32(threshold)) == (abs(value) >= np.float32(threshold))
    assert np.sign(decoded) == np.sign(value) or abs(value) < 0.28


def test_centres_lie_inside_their_own_buckets():
    assert np.all(np.diff(STICK_CENTRES) > 0)
    assert np.all(np.diff(STICK_EDGES) > 0)
    assert np.allclose(STICK_CENTRES, -STICK_CENTRES[::-1])
    assert np.allclose(STICK_CENTRES * 80, np.round(STICK_CENTRES * 80))


def _frames(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    frames = empty_frames(count)
    players = frames["players"][:, :, 0]
    for name in ("x", "y", "percent", "state_age", "speed_air_x", "speed_y", "hitlag", "misc_timer"):
        players[name] = rng.normal(0, 60, (count, 2))
    players["character"] = rng.integers(0, 33, (count, 2))
    players["action"] = rng.integers(0, 400, (count, 2))
    players["facing"] = rng.choice([-1, 1], (count, 2))
    players["stocks"] = rng.integers(0, 5, (count, 2))
    frames["players"][:, :, 0] = players
    frames["stage"] = 31
    return frames


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_observation_is_finite_in_range_and_symmetric_between_seats(seed):
    frames = _frames(seed, 7)
    seen = observe(frames)
    assert np.isfinite(seen.floats).all()
    assert (seen.ids >= 0).all()
    assert (seen.ids < np.array(ID_SIZES)).all()
    swapped = frames.copy()
    swapped["players"] = frames["players"][:, ::-1]
    swapped["ports"] = frames["ports"][:, ::-1]
    other = observe(swapped)
    assert np.array_equal(seen.floats[:, 0], other.floats[:, 1])
    assert np.array_equal(seen.ids[:, 0], other.ids[:, 1])


def test_facing_left_and_right_are_told_apart():
    frames = _frames(0, 1)
    at = FLOAT_NAMES.index("self.facing")
    for facing in (-1.0, 1.0):
        frames["players"]["facing"][0, 0, 0] = facing
        assert observe(frames).floats[0, 0, at] == facing


def test_an_absent_frame_is_seen_as_nothing():
    seen = observe(empty_frames(2))
    assert not seen.floats[..., FLOAT_NAMES.index("self.present")].any()
    assert np.isfinite(seen.floats).all()


@given(hnp.arrays(np.int64, (3,), elements=st.integers(0, 1)), st.integers(0, 14))
def test_word_offsets_reach_the_field_they_name(path, item):
    frames = empty_frames(2)
    seat, slot = int(path[0]), int(path[1])
    frames["players"]["y"][1, seat, slot] = 4.5
    frames["items"]["misc"][1, item, 2] = 77
    assert words_f32(frames)[1, word_offset(FRAME, "players", seat, slot, "y")] == 4.5
    assert words_i32(frames)[1, word_offset(FRAME, "items", item, "misc", 2)] == 77
