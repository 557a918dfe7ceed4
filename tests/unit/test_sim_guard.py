"""Shields, clanks and V-cancels through the backend's face: two Foxes on Final Destination."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game import Action, Button
from tests.unit.duel import FORWARD_SMASH, JAB, NEUTRAL, UP_SMASH, Duel, pad

SHIELD = pad(Button.L)
BLASTER = pad(Button.B)
DOWN_TILT = pad(Button.A, stick_y=-0.4)


def reflected(press_frame: int) -> bool:
    """Whether a shield raised on this frame sends a laser fired on frame 0 back at its owner."""
    duel = Duel(gap=40.0)
    for frame in range(45):
        guard = SHIELD if press_frame <= frame < press_frame + 6 else NEUTRAL
        if duel.step(BLASTER if frame == 0 else NEUTRAL, guard)["percent"][0] > 0:
            return True
    return False


def test_only_a_fresh_shield_reflects_a_laser() -> None:
    """For two frames; a later press still meets a laser that is inside the bubble and has not reached the body."""
    frames = [frame for frame in range(6, 26) if reflected(frame)]
    assert frames == list(range(frames[0], frames[0] + len(frames)))
    assert 2 <= len(frames) <= 4


@pytest.mark.parametrize(("shoulder", "drain"), [(1.0, 0.28), (0.65, 0.147)])
def test_a_lightly_held_shield_drains_less(shoulder: float, drain: float) -> None:
    duel = Duel(gap=40.0)
    held = pad(shoulder=shoulder)
    for _ in range(3):
        duel.step(NEUTRAL, held)
    before = duel.get(1, "shield")
    duel.step(NEUTRAL, held)
    assert before - duel.get(1, "shield") == pytest.approx(drain, abs=1e-4)


def test_a_spent_shield_breaks_and_inputs_end_the_daze_sooner() -> None:
    spans = []
    for mash in (False, True):
        duel = Duel(gap=7.0)
        for _ in range(10):
            duel.step(NEUTRAL, SHIELD)
        duel.put(1, shield=4.0)
        actions = []
        for frame in range(900):
            foe = SHIELD if frame < 20 else (JAB if mash and frame % 2 else NEUTRAL)
            actions.append(int(duel.step(UP_SMASH if frame == 0 else NEUTRAL, foe)["action"][1]))
        assert Action.SHIELD_BREAK_FLY.value in actions
        spans.append(actions.count(Action.SHIELD_BREAK_TEETER.value))
    assert spans[0] == pytest.approx(490, abs=2)
    assert spans[1] < spans[0] / 2


def meet(first: np.ndarray, second: np.ndarray, delay: int, gap: float) -> tuple[set[int], np.ndarray]:
    """Action states of both seats when seat 1 attacks `delay` frames after seat 0, and the last frame's players."""
    duel, seen = Duel(gap=gap), set()
    for frame in range(24):
        players = duel.step(first if frame == 0 else NEUTRAL, second if frame == delay else NEUTRAL)
        seen |= {(seat, int(players["action"][seat])) for seat in range(2)}
    return seen, players


def test_equal_attacks_clank() -> None:
    seen, players = meet(DOWN_TILT, DOWN_TILT, 0, gap=24.0)
    assert {(0, Action.REBOUND.value), (1, Action.REBOUND.value)} <= seen
    assert list(players["percent"]) == [0.0, 0.0]
    assert players["x"][1] - players["x"][0] > 24.0


def test_an_attack_stronger_by_nine_percent_goes_through() -> None:
    """A forward smash (15 %) against a jab (4 %): only the jab is spent."""
    seen, players = meet(FORWARD_SMASH, JAB, 10, gap=17.0)
    assert (0, Action.REBOUND_STOP.value) not in seen
    assert list(players["percent"]) == [0.0, 15.0]


def launched(press_frame: int, action: Action, move: int = -1) -> tuple[float, float]:
    """Launch speed and hitstun by an up smash of a fighter in the air that presses a trigger on this frame."""
    duel = Duel(gap=6.0, percent=60.0)
    duel.put(1, y=9.0, prev_y=9.0, airborne=1, action=action.value, age=20.0, vy=0.3, move=move)
    for frame in range(12):
        players = duel.step(UP_SMASH if frame == 0 else NEUTRAL, SHIELD if frame == press_frame else NEUTRAL)
        if players["percent"][1] > 60.0:
            launch = players[1]
            return float(np.hypot(launch["speed_x_attack"], launch["speed_y_attack"])), float(launch["misc_timer"])
    raise AssertionError("the up smash missed")


def test_a_trigger_pressed_just_before_the_hit_slows_the_launch() -> None:
    """Its hitstun stays, and so does the launch of a fighter that was attacking (recorded hits)."""
    speed, hitstun = launched(99, Action.FALLING)
    for frame in (5, 6):  # the hit lands on 6
        assert launched(frame, Action.FALLING) == pytest.approx((0.95 * speed, hitstun), rel=1e-4)
        assert launched(frame, Action.FAIR, move=0) == (speed, hitstun)
    assert launched(7, Action.FALLING) == (speed, hitstun)
