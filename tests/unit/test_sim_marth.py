"""Marth through the backend's face: his specials against recorded figures and public frame data."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.game import Action, Button
from tests.unit.duel import NEUTRAL, Duel, pad

GRAVITY, AIR_FRICTION = 0.085, 0.005
SWING_1, SWING_2_UP, SWING_2, SWING_3_DOWN, SWING_4_UP = 349, 350, 351, 354, 355
AIR_SWING_1 = 358
SLASH, AIR_SLASH = 367, 368
COUNTER, COUNTER_HIT = 369, 370
CHARGING, RELEASED, FULL = 342, 343, 344
SIDE_B, UP_B, DOWN_B = (pad(Button.B, stick_x=1.0), pad(Button.B, stick_y=1.0), pad(Button.B, stick_y=-1.0))
B = pad(Button.B)
COUNTER_FREEZE = 11
"""Frames between being hit in the stance and striking back, of the one who counters (meleelight, MIT)."""


def duel(gap: float = 80.0, foe: str = "FOX") -> Duel:
    return Duel(gap=gap, characters=("MARTH", foe))


def airborne(made: Duel, x: float = 0.0, y: float = 60.0, **fields: float) -> None:
    made.put(0, x=x, y=y, prev_x=x, prev_y=y, airborne=1, action=Action.FALLING.value, **fields)


def actions_of(made: Duel, controller: NDArray[np.void], frames: int) -> list[int]:
    return [int(made.step(controller)["action"][0]) for _ in range(frames)]


def until(made: Duel, action: int, controller: NDArray[np.void] = NEUTRAL, limit: int = 150) -> NDArray[np.void]:
    """Step until Marth is in an action state; returns the leaders of that frame."""
    for _ in range(limit):
        players = made.step(controller)
        if players["action"][0] == action:
            return players
    raise AssertionError(f"state {action} did not come within {limit} frames")


def at_age(made: Duel, age: float) -> None:
    while made.get(0, "age") < age:
        made.step()


@pytest.mark.parametrize(
    ("presses", "swings"),
    [
        (((8, 1.0), (16, -1.0), (18, 1.0)), [SWING_1, SWING_2_UP, SWING_3_DOWN, SWING_4_UP]),
        (((26, 0.0),), [SWING_1, SWING_2]),
        (((27, 0.0),), [SWING_1]),  # too late
        (((4, 0.0), (12, 0.0)), [SWING_1]),  # too early, which spoils the second try
    ],
)
def test_dancing_blade_goes_on_by_the_stick_in_its_windows(
    presses: tuple[tuple[int, float], ...], swings: list[int]
) -> None:
    made = duel()
    made.step(SIDE_B)
    seen = [made.get(0, "action")]
    for age, stick in presses:
        at_age(made, age - 1)
        made.step(pad(Button.A, stick_y=stick))
        seen.append(made.get(0, "action"))
    assert list(dict.fromkeys(int(action) for action in seen)) == swings
    until(made, Action.STANDING.value)


def test_dancing_blade_floats_once_until_an_ordinary_landing() -> None:
    made = duel()
    airborne(made, vx=0.5, vy=-2.0)
    assert made.step(SIDE_B)["action"][0] == AIR_SWING_1
    assert made.get(0, "vy") == pytest.approx(1.0 - 0.06)
    assert made.get(0, "vx") == pytest.approx(0.5 * 0.8 - 0.0025)
    until(made, Action.FALLING.value)
    made.step(SIDE_B)
    assert made.get(0, "vy") == pytest.approx(-0.06)
    until(made, Action.FALLING.value)
    until(made, Action.LANDING.value)
    airborne(made, vy=-2.0)
    made.step(SIDE_B)
    assert made.get(0, "vy") == pytest.approx(1.0 - 0.06)


@pytest.mark.parametrize(("stick", "degrees"), [(0.0, 0.0), (0.775, 11.0), (1.0, 20.0), (-1.0, -20.0)])
def test_dolphin_slash_leans_with_the_stick(stick: float, degrees: float) -> None:
    made = duel()
    airborne(made)
    made.step(UP_B)
    for _ in range(5):
        assert made.get(0, "vy") < 0.0
        made.step(pad(stick_x=stick))
    assert made.get(0, "action") == AIR_SLASH
    side = -1.0 if degrees < 0 else 1.0
    upright = np.arctan2(0.75685 * side, 14.41555)
    assert np.arctan2(made.get(0, "vx"), made.get(0, "vy")) == pytest.approx(upright + np.radians(degrees), abs=1e-4)
    assert np.hypot(made.get(0, "vx"), made.get(0, "vy")) == pytest.approx(14.4354, abs=1e-3)
    assert made.get(0, "facing") == side


@pytest.mark.parametrize("lands_in_it", [False, True])
def test_dolphin_slash_ends_in_a_long_landing(lands_in_it: bool) -> None:
    made = duel()
    made.step(UP_B)
    assert made.get(0, "action") == SLASH
    at_age(made, 6)
    assert made.get(0, "airborne") == 1
    if lands_in_it:
        at_age(made, 25)
        made.put(0, y=2.0, prev_y=2.0)
    until(made, Action.LANDING_SPECIAL.value)
    assert actions_of(made, NEUTRAL, 34).count(Action.LANDING_SPECIAL.value) == 33


def test_dolphin_slash_catches_the_ledge() -> None:
    made = duel()
    airborne(made, x=-98.0, y=-62.0, facing=1.0)
    seen = [int(made.step(UP_B)["action"][0])]
    while seen[-1] == AIR_SLASH:
        seen.append(int(made.step()["action"][0]))
    assert seen[-1] == Action.EDGE_CATCHING.value
    assert len(seen) < 30  # in the slash itself, long before it ends in a special fall


@pytest.mark.parametrize(("held", "percent", "swing"), [(5, 7.0, RELEASED), (75, 17.0, RELEASED), (130, 28.0, FULL)])
def test_shield_breaker_hits_by_its_charge(held: int, percent: float, swing: int) -> None:
    made = duel(gap=17.0)
    for _ in range(held):
        made.step(B)
    until(made, swing, B if swing == FULL else NEUTRAL, limit=12)
    for _ in range(12):
        made.step()
    assert made.get(1, "percent") == percent


def test_a_counter_answers_a_hit_and_takes_none() -> None:
    made = duel(gap=11.0)
    made.step(DOWN_B)
    at_age(made, 6)
    made.put(1, facing=-1.0)
    answered = made.step(NEUTRAL, pad(Button.A))
    while answered["action"][0] == COUNTER:
        answered = made.step()
    assert answered["action"][0] == COUNTER_HIT
    assert made.get(0, "percent") == 0.0
    frozen = 1
    while made.get(0, "hitlag") > 1:
        made.step()
        frozen += 1
    assert frozen == COUNTER_FREEZE
    at_age(made, 9)
    assert made.get(1, "percent") == 7.0
    assert made.get(0, "percent") == 0.0


def test_a_counter_is_open_before_and_after_its_stance() -> None:
    for age in (1, 40):
        made = duel(gap=11.0)
        made.step(DOWN_B)
        at_age(made, age)
        made.put(1, facing=-1.0)
        made.step(NEUTRAL, pad(Button.A))
        for _ in range(2):
            made.step()
        assert made.get(0, "percent") > 0.0


def test_the_tip_hits_harder_than_the_hilt() -> None:
    percents = []
    for gap in (8.0, 35.0):
        made = duel(gap=gap)
        made.step(pad(Button.A, stick_x=1.0))
        for _ in range(16):
            made.step()
        percents.append(made.get(1, "percent"))
    assert percents == [14.0, 20.0]
