"""Rules that all characters share, worked out here from the published game and played through the backend."""

from __future__ import annotations

import math
from typing import Any

import pytest

from envs.game import Action, Button
from tests.unit.duel import FLOOR, JAB, NEUTRAL, SHINE, UP_SMASH, Duel, pad

EDGE = 85.5657
AIR_MAX = 0.83
FALLING, TUMBLING = Action.FALLING.value, Action.TUMBLING.value


def alone(**fields: Any) -> Duel:
    """Seat 0 set up as given, seat 1 far away."""
    duel = Duel(gap=-60.0)
    duel.put(0, **fields)
    return duel


def action(duel: Duel, *pads: Any) -> int:
    """Seat 0's action state after these inputs."""
    for controller in pads:
        players = duel.step(controller)
    return int(players["action"][0])


def test_two_bodies_in_one_place_push_each_other_until_they_stand_side_by_side() -> None:
    duel = Duel(gap=2.0)
    apart = [float(abs(players["x"][1] - players["x"][0])) for players in (duel.step() for _ in range(12))]
    assert apart[0] == pytest.approx(2.6, abs=1e-4)
    assert apart[-1] == apart[-2] == pytest.approx(6.8, abs=1e-4)


def test_a_dodge_is_not_pushed_but_pushes() -> None:
    duel = Duel(gap=2.0)
    duel.put(0, action=Action.SPOTDODGE.value, age=5.0)
    players = duel.step()
    assert float(players["x"][0]) == 0.0
    assert float(players["x"][1]) == pytest.approx(2.3, abs=1e-4)


@pytest.mark.parametrize(
    ("state", "facing", "stick", "becomes"),
    [
        (Action.WALK_SLOW, 1.0, 0.5, Action.EDGE_TEETERING_START),
        (Action.WALK_SLOW, 1.0, 0.9, Action.FALLING),
        (Action.LANDING, 1.0, 0.0, Action.EDGE_TEETERING_START),
        (Action.LANDING, -1.0, 0.0, Action.FALLING),
        (Action.CROUCHING, 1.0, 0.0, Action.FALLING),
        (Action.SHIELD_RELEASE, -1.0, 0.0, Action.SLIDING_OFF_EDGE),
        (Action.SHIELD_RELEASE, 1.0, 0.0, Action.FALLING),
        (Action.FORWARD_TECH, 1.0, 0.0, Action.FORWARD_TECH),
    ],
)
def test_what_happens_at_an_edge_is_the_states_own(state: Action, facing: float, stick: float, becomes: Action) -> None:
    duel = alone(x=EDGE - 0.05, line=2, facing=facing, action=state.value, age=2.0, rate=1.0, ground_v=1.4, tap_x=20)
    down = -1.0 if state is Action.CROUCHING else 0.0
    players = duel.step(pad(stick_x=stick, stick_y=down))
    assert int(players["action"][0]) == becomes.value
    if players["airborne"][0]:
        assert abs(float(players["speed_air_x"][0])) <= AIR_MAX + 1e-6


def test_the_launch_turns_by_the_stick_of_the_last_frozen_frame() -> None:
    launch = {"action": Action.DAMAGE_FLY_NEUTRAL.value, "airborne": 1, "y": 30.0, "age": 1.0, "rate": 1.0}
    duel = alone(**launch, hitlag=2.0, hitstun=40.0, di_pending=1, kb_x=0.0, kb_y=3.0, tap_x=254, tap_y=254)
    frozen = duel.step(pad(stick_x=0.6))  # too short a way for a shift
    assert float(frozen["y"][0]) == 30.0
    freed = duel.step(pad(stick_x=-1.0))
    turn = math.atan2(float(freed["speed_x_attack"][0]), float(freed["speed_y_attack"][0]))
    assert math.degrees(turn) == pytest.approx(18 * 0.36, abs=0.01)


@pytest.mark.parametrize(("speed", "becomes"), [(0.4, Action.DAMAGE_AIR_1), (1.2, Action.LANDING)])
def test_a_light_hit_lands_by_its_speed(speed: float, becomes: Action) -> None:
    hurt = {"action": Action.DAMAGE_AIR_1.value, "age": 2.0, "rate": 1.0, "airborne": 1, "hitstun": 9.0}
    duel = alone(**hurt, y=-3.0, feet=4.35, kb_x=speed, vy=-2.0)
    players = duel.step()
    assert (int(players["action"][0]), int(players["airborne"][0])) == (becomes.value, 0)


@pytest.mark.parametrize(("attack", "stays"), [(JAB, True), (SHINE, True), (UP_SMASH, False)])
def test_a_weak_hit_leaves_a_fighter_on_the_floor(attack: Any, stays: bool) -> None:
    duel = Duel(gap=6.0)
    duel.put(1, action=Action.LYING_GROUND_UP.value, age=5.0, rate=1.0)
    players = duel.attack(attack)
    assert (int(players["action"][1]) == Action.LYING_GROUND_UP_HIT.value) == stays


def test_a_landing_turns_into_a_crouch_on_its_first_free_frame_only() -> None:
    down, landing = pad(stick_y=-1.0), {"action": Action.LANDING.value, "age": 2.0, "rate": 1.0}
    held = alone(**landing)
    assert action(held, down) == Action.LANDING.value
    assert action(held, down) == Action.CROUCHING.value
    late = alone(**landing)
    assert action(late, NEUTRAL, NEUTRAL, down) == Action.LANDING.value


def test_a_ledge_is_climbed_or_left_by_a_stick_that_has_rested() -> None:
    def hanging(**fields: Any) -> Duel:
        return alone(action=Action.EDGE_HANGING.value, airborne=1, ledge=1, facing=-1.0, rate=1.0, **fields)

    up, down = pad(stick_y=1.0), pad(stick_y=-1.0)
    assert action(hanging(tap_y=30, stick_y=1.0), up) == Action.EDGE_HANGING.value
    assert action(hanging(), NEUTRAL, pad(stick_y=0.5)) == Action.EDGE_GETUP_QUICK.value
    assert action(hanging(percent=100.0), NEUTRAL, pad(stick_x=-0.5)) == Action.EDGE_GETUP_SLOW.value
    assert action(hanging(), NEUTRAL, down) == FALLING
    assert action(hanging(ledge_timer=640), NEUTRAL) == TUMBLING


def test_an_aerial_and_a_fast_fall_start_together() -> None:
    duel = alone(action=FALLING, airborne=1, y=60.0, vy=-1.0, age=0.0, rate=1.0, tap_y=254)
    players = duel.step(pad(Button.A, stick_y=-1.0))
    assert int(players["action"][0]) == Action.DAIR.value
    assert float(players["speed_y"][0]) == pytest.approx(-3.4)


def test_a_flicked_stick_dashes_back_and_a_slow_one_turns() -> None:
    flicked, slow = alone(), alone()
    assert action(flicked, pad(stick_x=-0.4), pad(stick_x=-1.0)) == Action.DASHING.value
    assert action(slow, pad(stick_x=-0.4), pad(stick_x=-0.85)) == Action.TURNING.value
    assert float(slow.get(0, "y")) == pytest.approx(FLOOR)
