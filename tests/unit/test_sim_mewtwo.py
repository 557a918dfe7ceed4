"""Mewtwo through the backend's face: his double jump and specials against figures read off recorded games."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.game import Action, Button, character_id
from tests.unit.duel import NEUTRAL, Duel, pad

GRAVITY, TRACTION = 0.082, 0.04
RECORDED_RISE = {0: 0.0, 1: 0.1129, 9: 1.0885, 12: 0.9744, 23: 1.9841, 32: 2.4489, 40: 0.4386, 47: -0.8002}
"""Vertical speed of recorded double jumps by animation age."""
CHARGING, KEPT, FIRED = 342, 344, 345
WARPING = 357
SHADOW_BALL, DISABLE = 112, 110
B = pad(Button.B)


def duel(gap: float = 80.0, foe: str = "FOX") -> Duel:
    return Duel(gap=gap, characters=("MEWTWO", foe))


def airborne(height: float = 60.0) -> Duel:
    made = duel()
    made.put(0, x=0.0, y=height, prev_x=0.0, prev_y=height, airborne=1, action=Action.FALLING.value, jumps_left=1)
    return made


def until(made: Duel, action: int, controller: NDArray[np.void] = NEUTRAL, limit: int = 80) -> NDArray[np.void]:
    """Step until Mewtwo is in an action state; returns the leaders of that frame."""
    for _ in range(limit):
        players = made.step(controller)
        if players["action"][0] == action:
            return players
    raise AssertionError(f"state {action} did not come within {limit} frames")


def item(made: Duel, kind: int) -> np.void:
    found = made.items[made.items["kind"] == kind]
    assert len(found) == 1
    return found[0]


def test_the_double_jump_rises_as_recorded() -> None:
    made, speeds = airborne(), []
    made.step(pad(Button.X))
    speeds.append(made.get(0, "vy"))
    for _ in range(47):
        made.step()
        speeds.append(made.get(0, "vy"))
    for age, speed in RECORDED_RISE.items():
        assert speeds[age] == pytest.approx(speed, abs=1e-4)
    assert made.step()["action"][0] == Action.FALLING_AERIAL.value


@pytest.mark.parametrize("cancel", [pad(Button.A), pad(Button.B, stick_x=1.0)])
def test_a_cancelled_double_jump_keeps_its_speed(cancel: NDArray[np.void]) -> None:
    made = airborne()
    made.put(0, float_spent=1)  # Confusion has lifted him once already
    made.step(pad(Button.X))
    for _ in range(23):
        made.step()
    made.step(cancel)
    assert made.get(0, "vy") == pytest.approx(RECORDED_RISE[23] - GRAVITY, abs=1e-4)


def test_shadow_ball_keeps_its_charge_and_is_fired_with_it() -> None:
    made = duel()
    made.step(B)
    until(made, CHARGING)
    for _ in range(3 * 17):
        made.step()
    assert made.step(pad(Button.L))["action"][0] == KEPT
    until(made, Action.STANDING.value)
    made.step(B)
    until(made, CHARGING)
    assert made.step(B)["action"][0] == FIRED
    while made.get(0, "age") < 8:
        made.step()
    ball = item(made, SHADOW_BALL)
    assert ball["state"] == 4
    assert ball["speed_x"] == pytest.approx(1.6 + 0.1 * 3 / 7, abs=1e-5)
    assert made.get(0, "ground_v") == pytest.approx(-(0.2 * 3 - TRACTION), abs=1e-5)
    assert made.get(0, "stored_charge") == 0
    made.put(1, x=float(ball["x"]) + 12.0, y=20.0, prev_x=float(ball["x"]) + 12.0, prev_y=20.0, airborne=1)
    made.put(1, action=Action.FALLING.value)
    while made.get(1, "percent") == 0 and made.get(1, "airborne"):
        made.put(1, y=6.0, prev_y=6.0, vy=0.0)
        made.step()
    assert made.get(1, "percent") == 11


def test_a_full_charge_is_fired_at_once() -> None:
    made = duel()
    made.put(0, stored_charge=7)
    made.step(B)
    until(made, FIRED, limit=18)


def test_confusion_turns_a_laser_round_and_leaves_it_its_owner() -> None:
    made = duel(gap=60.0)
    made.step(pad(Button.B, stick_x=1.0), B)
    seen = []
    for _ in range(30):
        made.step()
        seen += [(float(i["speed_x"]), int(i["owner"])) for i in made.items if i["kind"] > 0]
    assert seen[0] == (-7.0, 1)
    assert seen[-1] == (7.0, 1)
    assert made.get(0, "percent") == made.get(1, "percent") == 0


@pytest.mark.parametrize(("air", "held"), [(0, Action.THROWN_MEWTWO), (1, Action.THROWN_MEWTWO_AIR)])
def test_confusion_spins_the_other_fighter_and_lets_it_fall(air: int, held: Action) -> None:
    made = duel(gap=20.0)
    if air:
        for seat, x, y in ((0, 0.0, 60.0), (1, 20.0, 70.0)):
            made.put(seat, x=x, y=y, prev_x=x, prev_y=y, airborne=1, action=Action.FALLING.value, vy=0.0)
        made.put(0, float_spent=1)
    made.step(pad(Button.B, stick_x=1.0))
    players = [made.step() for _ in range(40)]
    states = [int(p["action"][1]) for p in players]
    first, last = states.index(held.value), len(states) - states[::-1].index(held.value) - 1
    assert (players[first]["state_age"][0], players[last]["state_age"][0]) == (12, 38)
    assert players[first]["facing"][1] == players[first]["facing"][0] == 1
    middle = players[first + 10]
    assert middle["x"][1] - middle["x"][0] == pytest.approx(19.093, abs=1e-3)
    assert middle["y"][1] - middle["y"][0] == pytest.approx(8.886, abs=1e-3)
    assert states[last + 1] == Action.TUMBLING.value
    assert made.get(1, "percent") == 10


@pytest.mark.parametrize(("stick_x", "stick_y"), [(1.0, 0.0), (0.0, 1.0), (0.6, 0.0), (-0.6, 0.8)])
def test_teleport_goes_where_it_is_aimed_at_a_speed_by_the_stick(stick_x: float, stick_y: float) -> None:
    made = airborne()
    made.step(pad(Button.B, stick_y=1.0))
    aim = pad(stick_x=stick_x, stick_y=stick_y)
    start_x, start_y = 0.0, 0.0
    while made.get(0, "action") != WARPING:
        start_x, start_y = made.get(0, "x"), made.get(0, "y")
        players = made.step(aim)
    for _ in range(9):
        assert players["hurtbox"][0] == 2
        players = made.step(aim)
    assert players["action"][0] == WARPING
    length = np.hypot(stick_x, stick_y)
    moved = np.array([made.get(0, "x") - start_x, made.get(0, "y") - start_y])
    np.testing.assert_allclose(moved, 10 * (3 + 2 * length) * np.array([stick_x, stick_y]) / length, atol=1e-3)
    assert made.step(aim)["action"][0] != WARPING


@pytest.mark.parametrize(("facing", "air", "bound"), [(-1.0, 0, True), (1.0, 0, False), (-1.0, 1, False)])
def test_disable_binds_only_a_standing_foe_that_faces_it(facing: float, air: int, bound: bool) -> None:
    made = duel(gap=16.0)
    made.put(1, facing=facing)
    made.step(pad(Button.B, stick_y=-1.0))
    states = set()
    for _ in range(24):
        if air:
            made.put(1, airborne=1, y=4.0, prev_y=4.0, vy=0.0)
            if made.get(1, "percent") == 0:
                made.put(1, action=Action.FALLING.value)
        states.add(int(made.step()["action"][1]))
    assert made.get(1, "percent") == 1
    assert (Action.DAMAGE_BIND.value in states) == bound


def test_he_is_a_character_of_the_simulator() -> None:
    assert duel().step()["character"][0] == character_id("MEWTWO")
