"""Movement of the simulator against Fox's known figures and rules worked out here, through the backend's face."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.game import Action, Button
from envs.sim.batch import SimBackend
from tests.unit.duel import FLOOR, NEUTRAL, pad

TRACTION = 0.08


class Solo:
    """Seat 0 of a game, the other fighter standing still at the far side."""

    def __init__(self, stage: str = "FINAL_DESTINATION") -> None:
        self.backend = SimBackend(1)
        row = np.stack([Matchup(stage=stage).row()])
        self.backend.reset(np.ones(1, np.bool_), row, np.zeros(1, np.uint64))

    def step(self, controller: NDArray[np.void] = NEUTRAL, frames: int = 1) -> np.void:
        """Hold a controller; returns the leader's last frame."""
        for _ in range(frames):
            seen = self.backend.step(np.stack([controller, NEUTRAL]).reshape(1, 2))
        return seen["players"][0, 0, 0].copy()

    def until(self, action: Action, controller: NDArray[np.void] = NEUTRAL, limit: int = 120) -> np.void:
        """Hold a controller until the leader is in an action state."""
        for _ in range(limit):
            seen = self.step(controller)
            if seen["action"] == action.value:
                return seen
        raise AssertionError(f"{action.name} did not come within {limit} frames")


def heights(solo: Solo, first: NDArray[np.void], frames: int = 45) -> list[float]:
    """Heights over the floor after a jump input held as `first` for one frame, while in the air."""
    start = float(solo.step(first)["y"])
    return [float(solo.step()["y"]) - start for _ in range(frames)]


def test_short_hop_full_hop_and_jump_squat() -> None:
    short = heights(Solo(), pad(Button.X))
    assert short[:2] == [0, 0]
    assert short[2] == pytest.approx(2.1)
    assert max(short) == pytest.approx(10.65, abs=1e-3)
    solo = Solo()
    solo.step(pad(Button.X), 3)
    full = [float(solo.step()["y"]) - FLOOR for _ in range(30)]
    assert full[0] == pytest.approx(3.68)
    assert max(full) == pytest.approx(31.28, abs=1e-3)


def test_double_jump_and_fall_speeds() -> None:
    solo = Solo()
    solo.step(pad(Button.X), 3)
    solo.step(frames=15)
    assert solo.step(pad(Button.Y))["speed_y"] == pytest.approx(4.416 - 0.23)
    assert solo.step()["jumps_left"] == 0
    falling = solo.step(frames=32)
    assert falling["speed_y"] == pytest.approx(-2.8)
    assert solo.step(pad(stick_y=-1.0))["speed_y"] == pytest.approx(-3.4)
    assert solo.step()["speed_y"] == pytest.approx(-3.4)


def test_dash_then_run() -> None:
    solo = Solo()
    start = float(solo.step()["x"])
    first = solo.step(pad(stick_x=1.0))
    assert first["action"] == Action.DASHING.value
    assert float(first["x"]) == start
    assert first["speed_ground_x"] == pytest.approx(1.9)
    assert float(solo.step(pad(stick_x=1.0))["x"]) == pytest.approx(start + 2.02, abs=1e-4)
    run = solo.until(Action.RUNNING, pad(stick_x=1.0), limit=14)
    assert run["speed_ground_x"] == pytest.approx(2.2)


def test_dash_back_takes_one_turn_frame() -> None:
    solo = Solo()
    turn = solo.step(pad(stick_x=-1.0))
    assert (turn["action"], turn["facing"]) == (Action.TURNING.value, 1.0)
    dash = solo.step(pad(stick_x=-1.0))
    assert (dash["action"], dash["facing"]) == (Action.DASHING.value, -1.0)


def test_a_slow_turn_faces_the_other_way_on_its_sixth_frame() -> None:
    solo = Solo()
    facing = [float(solo.step(pad(stick_x=-0.5))["facing"]) for _ in range(7)]
    assert facing == [1, 1, 1, 1, 1, -1, -1]


def test_wavedash_slides_by_traction() -> None:
    solo = Solo()
    solo.step(pad(Button.X))
    solo.step(frames=2)
    landing = solo.step(pad(Button.R, stick_x=0.8, stick_y=-0.6))
    assert landing["action"] == Action.LANDING_SPECIAL.value
    speed = 3.1 * 0.9 * 0.8
    assert landing["speed_ground_x"] == pytest.approx(speed, abs=1e-4)
    start, expected = float(landing["x"]), 0.0
    while speed > 0:
        speed = max(speed - (2 * TRACTION if speed > 1.6 else TRACTION), 0)
        expected += speed
    assert float(solo.step(frames=40)["x"]) - start == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("press_before_landing", "frames"), [(20, 15), (3, 7)])
def test_l_cancel_halves_the_landing_lag(press_before_landing: int, frames: int) -> None:
    lag = Action.NAIR_LANDING.value
    solo = Solo()
    solo.step(pad(Button.X))
    solo.step(frames=9)
    seen = solo.step(pad(Button.A))
    while seen["action"] != lag:
        near = seen["y"] < FLOOR + 3.0 * press_before_landing
        seen = solo.step(pad(Button.R if near else Button.D_UP, shoulder=1.0 if near else 0.0))
        if press_before_landing > 7 and near:
            seen = solo.until(Action.NAIR_LANDING)
    assert seen["l_cancel"] == (1 if frames == 7 else 2)
    counted = 1
    while solo.step()["action"] == lag:
        counted += 1
    assert counted == frames


def test_platform_is_landed_on_and_dropped_through() -> None:
    solo = Solo("BATTLEFIELD")
    assert solo.step()["y"] == pytest.approx(27.2 + FLOOR)
    drop = solo.step(pad(stick_y=-1.0), 4)
    assert drop["action"] == Action.PLATFORM_DROP.value
    landed = solo.until(Action.LANDING)
    assert landed["y"] == pytest.approx(FLOOR)
    assert (landed["ground_id"], landed["airborne"], landed["jumps_left"]) == (1, 0, 2)


def test_the_ledge_is_caught_hung_from_and_climbed() -> None:
    solo = Solo()
    fighter = solo.backend._games["fighters"][0, 0:1]
    fighter["x"], fighter["line"], fighter["facing"] = -80.0, 0, 1.0
    solo.step(pad(Button.X), 3)
    while solo.step(pad(stick_x=-1.0))["x"] > -90:
        pass
    caught = solo.until(Action.EDGE_CATCHING, pad(stick_x=0.5))
    assert (caught["facing"], caught["hurtbox"]) == (1.0, 2)
    hanging = solo.until(Action.EDGE_HANGING)
    assert hanging["x"] == pytest.approx(-85.5657 - 1.92, abs=1e-3)
    assert hanging["y"] == pytest.approx(-14.4, abs=1e-3)
    solo.step()
    solo.step(pad(stick_x=0.5))
    standing = solo.until(Action.STANDING)
    assert standing["airborne"] == 0
    assert -85.57 < float(standing["x"]) < -75.0


def test_shield_drains_and_heals_and_dodges() -> None:
    solo = Solo()
    raised = solo.step(pad(Button.L), 10)
    assert raised["action"] == Action.SHIELD.value
    assert raised["shield"] == pytest.approx(60 - 0.28 * 9, abs=0.3)
    assert solo.step(pad(Button.L, stick_y=-1.0))["action"] == Action.SPOTDODGE.value
    assert solo.step(frames=3)["hurtbox"] == 2
    healed = solo.step(frames=60)
    assert healed["shield"] == 60
    solo.step(pad(Button.L), 10)
    roll = solo.step(pad(Button.L, stick_x=1.0))
    assert roll["action"] == Action.ROLL_FORWARD.value
    end = solo.until(Action.STANDING)
    assert end["facing"] == -1.0
    assert float(end["x"]) - float(roll["x"]) == pytest.approx(33.6, abs=0.05)
