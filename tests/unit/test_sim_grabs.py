"""Grabs and throws through the backend's face: two Foxes on Final Destination."""

from __future__ import annotations

import math

import pytest

from envs.game import Action, Button
from tests.unit.duel import NEUTRAL, Duel, pad

GRAB = pad(Button.Z)
SHIELD = pad(Button.L)
UP = pad(stick_y=1.0)
HOLD_FRAMES = 76.0
"""Frames of a hold at 0 % without mashing (SmashWiki)."""


def held_duel(percent: float = 0.0) -> Duel:
    """Seat 0 holds seat 1."""
    duel = Duel(gap=9.0, percent=percent)
    for frame in range(12):
        players = duel.step(GRAB if frame == 0 else NEUTRAL)
        if players["action"][0] == Action.GRAB_WAIT.value:
            assert players["action"][1] == Action.GRABBED.value
            return duel
    raise AssertionError("the grab never caught")


def frames_held(duel: Duel, mash: bool) -> int:
    for frame in range(400):
        inputs = pad(Button.A) if mash and frame % 2 == 0 else NEUTRAL
        if duel.step(NEUTRAL, inputs)["action"][0] == Action.GRAB_BREAK.value:
            return frame
    raise AssertionError("the hold never ended")


def test_a_grab_catches_a_shielding_fighter() -> None:
    duel = Duel(gap=9.0)
    for _ in range(12):
        duel.step(NEUTRAL, SHIELD)
    shield = duel.get(1, "shield")
    actions = [tuple(duel.step(GRAB if n == 0 else NEUTRAL, SHIELD)["action"]) for n in range(9)]
    assert actions[0] == (Action.GRAB.value, Action.SHIELD.value)
    assert actions[6] == (Action.GRAB_PULLING.value, Action.GRAB_PULL.value)
    assert actions[8] == (Action.GRAB_WAIT.value, Action.GRABBED.value)
    assert duel.get(1, "shield") == pytest.approx(shield, abs=2.5)


def test_an_up_throw_releases_its_victim_at_age_8_with_its_knockback() -> None:
    """Fox's up throw: 2 %, 90 degrees, growth 110, base 75, whatever the victim weighs; 100/75 ages per frame."""
    duel = held_duel(percent=24.5)
    actions = [int(duel.step(UP if n == 0 else NEUTRAL)["action"][1]) for n in range(6)]
    assert actions[:5] == [Action.THROWN_UP.value] * 5
    assert actions[5] == Action.DAMAGE_FLY_TOP.value
    strength = ((24 + 2) * (1 / 10 + 2 / 20) * 1.4 + 18) * 1.10 + 75
    assert duel.get(1, "percent") == pytest.approx(26.5)
    assert duel.get(1, "kb_y") == pytest.approx(0.03 * strength - 0.051, abs=1e-4)
    assert duel.get(1, "hitstun") == math.floor(0.4 * strength) - 1


def test_a_pummel_hurts_and_keeps_the_hold() -> None:
    duel = held_duel()
    players = [duel.step(pad(Button.A) if n == 0 else NEUTRAL) for n in range(40)]
    assert players[-1]["percent"][1] == 3.0
    assert {int(p["action"][1]) for p in players} == {Action.GRABBED.value, Action.GRAB_PUMMELED.value}
    assert players[-1]["action"][0] == Action.GRAB_WAIT.value


def test_mashing_and_low_percent_shorten_the_hold() -> None:
    alone, mashed, hurt = (
        frames_held(held_duel(percent), mash) for percent, mash in ((0.0, False), (0.0, True), (100.0, False))
    )
    assert alone == HOLD_FRAMES - 2  # one frame is over when the hold is seen, and counting starts at 0
    assert mashed < alone / 2
    assert hurt == alone + 160


def test_a_fighter_that_wants_to_jump_jumps_out_of_the_hold() -> None:
    duel = held_duel()
    for _ in range(100):
        players = duel.step(NEUTRAL, pad(Button.Y))
        if players["action"][0] == Action.GRAB_BREAK.value:
            break
    assert players["action"][1] == Action.GRAB_JUMP.value
    assert players["speed_y"][1] > 1.5
