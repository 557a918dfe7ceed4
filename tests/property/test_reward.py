"""Reward terms: who gives to whom, what a potential adds up to, and what each term counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from envs.backend import RESULT
from envs.frame import LEADER, empty_frames
from envs.game import Action, character_id
from envs.reward import POTENTIALS, TERMS, ZERO_SUM, Reward, RewardWeights, reward_terms

STAGES = (2, 3, 8, 28, 31, 32)


def play(seed: int, length: int) -> NDArray[np.void]:
    """Frames [T] of a game of nonsense: everything that a term reads is random."""
    rng = np.random.default_rng(seed)
    frames = empty_frames(length)
    frames["stage"] = rng.choice(STAGES)
    frames["ports"] = (0, 1)
    players = frames["players"][:, :, LEADER]
    players["character"] = 1
    for name, low, high in (("x", -150, 150), ("y", -80, 80), ("percent", 0, 150), ("misc_timer", 0, 3)):
        players[name] = rng.uniform(low, high, (length, 2))
    players["stocks"] = rng.integers(1, 5, (length, 2))
    players["action"] = rng.choice([14, 75, 88, Action.EDGE_CATCHING.value, Action.EDGE_HANGING.value], (length, 2))
    players["last_hit_by"] = rng.choice([0, 1, 6], (length, 2))
    return frames


def step(before: NDArray[np.void], after: NDArray[np.void], gamma: float = 1.0, winner: int | None = None) -> dict:
    """Terms of one step by name, [P] each; `winner` ends the game."""
    result = np.zeros(1, RESULT)
    result["winner"] = -1 if winner is None else winner
    terms = reward_terms(before, after, np.array([winner is not None]), result, gamma)[0]
    return {name: terms[:, k] for k, name in enumerate(TERMS)}


def still() -> NDArray[np.void]:
    """Two players standing 40 units apart on Final Destination, 10 % each."""
    frames = play(0, 1)
    frames["stage"] = 32
    players = frames["players"][:, :, LEADER]
    players["x"], players["y"], players["percent"], players["stocks"] = (-20, 20), 0, 10, 4
    players["action"], players["misc_timer"], players["last_hit_by"] = 14, 0, 6
    return frames


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), winner=st.sampled_from([None, 0, 1, -1]))
def test_what_is_declared_zero_sum_is(seed: int, winner: int | None) -> None:
    frames = play(seed, 2)
    terms = step(frames[:1], frames[1:], 0.9, winner)
    for name in ZERO_SUM:
        assert terms[name][0] == -terms[name][1], name


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), gamma=st.floats(0.5, 1.0))
def test_a_potential_adds_up_to_its_start_whatever_happens(seed: int, gamma: float) -> None:
    """Over a whole game the discounted sum depends on the first frame only, so no policy gains by it."""
    one, other = play(seed, 12), play(seed + 1, 12)
    other["stage"] = one["stage"]
    other[0] = one[0]
    sums = []
    for frames in (one, other):
        done = np.arange(11) == 10
        terms = reward_terms(frames[:-1], frames[1:], done, np.zeros(11, RESULT), gamma)
        sums.append((terms * gamma ** np.arange(11)[:, None, None]).sum(0))
    for name in POTENTIALS:
        np.testing.assert_allclose(sums[0][:, TERMS.index(name)], sums[1][:, TERMS.index(name)], atol=1e-3)
    events = [TERMS.index(name) for name in ("stock", "damage")]
    assert np.abs(sums[0][:, events] - sums[1][:, events]).max() > 0


def test_every_term_counts_what_it_says() -> None:
    before = still()
    quiet = step(before, before)
    assert all(not quiet[name].any() for name in TERMS)
    foe = before["players"][0, 1, LEADER]

    after = before.copy()
    after["players"]["percent"][0, 1, LEADER] = 22
    assert step(before, after)["damage"].tolist() == [12, -12]
    assert step(before, after)["combo"].tolist() == [0, 0]
    foe["action"], foe["misc_timer"] = Action.DAMAGE_AIR_1.value, 5
    assert step(before, after)["combo"].tolist() == [12, -12]

    lost = before.copy()
    lost["players"]["stocks"][0, 1, LEADER] = 3
    lost["players"]["percent"][0, 1, LEADER] = 0
    foe["last_hit_by"] = 0
    assert step(before, lost)["stock"].tolist() == [1, -1]
    assert step(before, lost)["edge_guard"].tolist() == [0, 0], "it died over the stage"
    foe["x"] = 120
    assert step(before, lost)["edge_guard"].tolist() == [1, -1]
    foe["last_hit_by"] = 6
    assert step(before, lost)["edge_guard"].tolist() == [0, 0], "nobody hit it"
    assert step(before, lost, winner=0)["win"].tolist() == [1, -1]


def test_shaping_terms_point_the_right_way() -> None:
    before = still()
    nearer = before.copy()
    nearer["players"]["x"][0, 0, LEADER] = -10
    terms = step(before, nearer)
    assert terms["approach"].tolist() == pytest.approx([0.1, 0.1])
    assert terms["spacing"].tolist() == pytest.approx([0.1, 0.1])

    outside, back = before.copy(), before.copy()
    outside["players"]["x"][0, 0, LEADER], outside["players"]["y"][0, 0, LEADER] = -125.5657, -30
    back["players"]["x"][0, 0, LEADER], back["players"]["y"][0, 0, LEADER] = -105.5657, -30
    assert step(outside, back)["recovery"].tolist() == pytest.approx([0.2, -0.2], abs=1e-4)

    caught, hanging = before.copy(), before.copy()
    caught["players"]["action"][0, 0, LEADER] = Action.EDGE_CATCHING.value
    hanging["players"]["action"][0, 0, LEADER] = Action.EDGE_HANGING.value
    assert step(before, caught)["ledge_grab"].tolist() == [-1, 0]
    assert step(caught, caught)["ledge_grab"].tolist() == [0, 0]
    assert step(hanging, hanging)["stalling"].tolist() == pytest.approx([-1 / 60, 0])
    apart, fleeing = before.copy(), before.copy()
    apart["players"]["x"][0, :, LEADER], fleeing["players"]["x"][0, :, LEADER] = (-50, 50), (-52, 49)
    assert step(apart, fleeing)["stalling"].tolist() == pytest.approx([-1 / 60, 0]), "the second one comes nearer"


def test_weights_of_a_character_and_sparse() -> None:
    weights = RewardWeights(stock=0, damage=0, characters={"mewtwo": {"recovery": 0.5}})
    before = still()
    before["players"]["character"][0, 1, LEADER] = character_id("MEWTWO")
    outside = before.copy()
    outside["players"]["x"][0, 1, LEADER] = 105.5657
    no_end, nothing = np.zeros(1, np.bool_), np.zeros(1, RESULT)
    assert Reward(weights, 1.0)(before, outside, no_end, nothing).total[0].tolist() == pytest.approx([0, -0.1])

    hurt = before.copy()
    hurt["players"]["percent"][0, 0, LEADER] = 50
    unknown = before.copy()
    unknown["players"]["x"] = np.nan
    assert Reward(RewardWeights(), 1.0)(before, unknown, no_end, nothing).total.tolist() == [[0, 0]]
    sparse = Reward(RewardWeights(sparse=True, characters={"FOX": {"damage": 1.0}}), 1.0)
    assert not sparse(before, hurt, no_end, nothing).total.any()
    won = np.zeros(1, RESULT)
    won["winner"] = 1
    assert sparse(before, hurt, np.ones(1, np.bool_), won).total.tolist() == [[-1, 1]]
    with pytest.raises(ValidationError, match="MEWTOO"):
        RewardWeights(characters={"MEWTOO": {}})
