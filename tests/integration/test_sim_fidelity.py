"""One-step predictions of recorded Fox games: floors that only move up (measured share minus a little)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from envs.game import Action, character_id
from envs.sim.fidelity.one_step import Rows, modelled, one_step
from envs.slippi.read import read_game

REPLAYS = os.environ.get("EXPHIL_REPLAYS")
GAMES = (
    "20230430_battlefield_fox-vs-fox_1f0a3640.slp",
    "20220630_final_destination_fox-vs-falco_13b0acb1.slp",
    "20221228_final_destination_fox-vs-marth_e9d72044.slp",
)
MOVEMENT = (
    *range(Action.STANDING.value, Action.LANDING_SPECIAL.value + 1),
    *range(Action.NAIR.value, Action.DAIR_LANDING.value + 1),
    Action.PLATFORM_DROP.value,
    Action.EDGE_TEETERING_START.value,
    Action.EDGE_TEETERING.value,
)
"""Standing, walking, dashing, running, crouching, jumping, falling, aerial attacks and every landing."""
pytestmark = pytest.mark.skipif(REPLAYS is None, reason="EXPHIL_REPLAYS names no folder of recorded games")


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Predictions of every Fox of GAMES."""
    seen = []
    for name in GAMES:
        frames = read_game(Path(str(REPLAYS)) / "clean" / name).frames
        for seat in range(2):
            if frames["players"]["character"][0, seat, 0] == character_id("FOX"):
                seen.append(one_step(frames, seat))
    return Rows(*(np.concatenate(column) for column in zip(*seen, strict=True)))


def test_movement_is_predicted(rows: Rows) -> None:
    moving = np.isin(rows.before, MOVEMENT) & np.isin(rows.after, MOVEMENT)
    assert moving.sum() > 10_000
    assert rows.exact[moving].mean() > 0.98
    assert rows.action_right[moving].mean() > 0.98


def test_everything_modelled_is_predicted(rows: Rows) -> None:
    played = modelled(rows.before) & modelled(rows.after)
    assert rows.exact[played].mean() > 0.97
    assert rows.action_right[played].mean() > 0.98


@pytest.mark.parametrize(
    ("states", "exact"),
    [
        (("DASHING",), 0.99),
        (("JUMPING_FORWARD", "FALLING"), 0.98),
        (("NAIR", "BAIR", "UAIR", "DAIR"), 0.98),
        (("SWORD_DANCE_4_MID",), 0.88),  # Firefox on its way
        (("DOWN_B_AIR",), 0.94),  # the reflector held in the air
    ],
)
def test_single_states_are_predicted(rows: Rows, states: tuple[str, ...], exact: float) -> None:
    chosen = np.isin(rows.before, [Action[name].value for name in states])
    assert rows.exact[chosen].mean() > exact
