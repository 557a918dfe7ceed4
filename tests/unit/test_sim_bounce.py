"""A Fire Fox or Fire Bird straight into the floor leaves it again, and its user is not left helpless on the ground."""

from __future__ import annotations

import pytest

from envs.game import Action, Button
from tests.unit.duel import Duel, pad

BOUNCE = 359


@pytest.mark.parametrize("character", ["FOX", "FALCO"])
def test_a_steep_flight_bounces_and_then_lands(character: str) -> None:
    duel = Duel(80.0, characters=(character, "FOX"))
    duel.put(0, y=30.0, prev_y=30.0, airborne=1, line=-1, action=Action.FALLING.value, vy=0.0)
    duel.step(pad(Button.B, stick_y=1.0))
    states = [duel.step(pad(stick_y=-1.0))[0].copy() for _ in range(120)]
    bouncing = [state for state in states if state["action"] == BOUNCE]
    assert bouncing
    assert all(state["airborne"] == 1 for state in bouncing)
    assert bouncing[0]["speed_y"] > 0
    after = states[max(i for i, state in enumerate(states) if state["action"] == BOUNCE) + 1 :]
    assert not any(state["action"] == Action.DEAD_FALL.value and state["airborne"] == 0 for state in after)
    assert after[-1]["airborne"] == 0
