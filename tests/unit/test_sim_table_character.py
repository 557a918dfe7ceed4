"""A character that is tables alone, without specials or a line of code: Captain Falcon."""

from __future__ import annotations

import numpy as np
import pytest

from envs.frame import empty_frames
from envs.game import Action, Button, Stage, character_id
from envs.sim.coverage import ignored_inputs
from tests.unit.duel import Duel, pad

FALCON_PUNCH = 347


def falcon_duel(gap: float = 8.0) -> Duel:
    return Duel(gap, characters=("CAPTAIN_FALCON", "FOX"))


@pytest.mark.parametrize("stick", [(0.0, 0.0), (0.7, 0.0), (0.0, 0.6), (0.0, -0.6)])
def test_b_does_nothing_without_specials(stick: tuple[float, float]) -> None:
    with_b, without = falcon_duel(80.0), falcon_duel(80.0)
    for frame in range(60):
        buttons = (Button.B,) if frame % 8 == 0 else ()
        pressed = with_b.step(pad(*buttons, stick_x=stick[0], stick_y=stick[1]))[0]
        other = without.step(pad(stick_x=stick[0], stick_y=stick[1]))[0]
        assert (pressed["action"], pressed["x"], pressed["y"]) == (other["action"], other["x"], other["y"])


def test_he_jumps_and_falls_by_his_table() -> None:
    duel = falcon_duel(80.0)
    states = [duel.step(pad(Button.X))[0].copy() for _ in range(40)]
    squat = [state for state in states if state["action"] == Action.KNEE_BEND.value]
    assert len(squat) == 4
    speeds = np.array([float(state["speed_y"]) for state in states[len(squat) :]])
    assert speeds[0] == pytest.approx(3.1)
    np.testing.assert_allclose(np.diff(speeds), -0.13, atol=1e-5)


def test_his_normals_hit() -> None:
    victim = falcon_duel(12.0).attack(pad(Button.A, stick_x=1.0))[1]
    assert victim["percent"] == pytest.approx(20)


def test_recorded_specials_count_as_ignored() -> None:
    frames = empty_frames(4)
    frames["frame"] = np.arange(4)
    frames["stage"] = Stage.BATTLEFIELD
    leaders = frames["players"][:, :, 0]
    leaders["character"] = (character_id("CAPTAIN_FALCON"), character_id("FOX"))
    leaders["action"] = Action.STANDING.value
    leaders["action"][:3, 0] = FALCON_PUNCH
    leaders["action"][:1, 1] = FALCON_PUNCH
    frames["players"][:, :, 0] = leaders
    assert ignored_inputs(frames).ignored == 3


def test_he_throws_by_his_table() -> None:
    inputs = [pad(Button.Z), *[pad()] * 20, pad(stick_y=1.0)]
    thrower, victim = falcon_duel(6.0).attack(*inputs)
    assert thrower["action"] == Action.THROW_UP.value
    assert victim["percent"] > 0


def test_he_can_be_grabbed_and_thrown() -> None:
    duel = Duel(8.0, characters=("FOX", "CAPTAIN_FALCON"))
    thrown = [pad(Button.Z), *[pad()] * 20, pad(stick_y=1.0)]
    assert duel.attack(*thrown)["action"][1] in (Action.THROWN_UP.value, *range(75, 92))
