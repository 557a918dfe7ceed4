"""Pokemon Stadium turned into something else: recorded fighters stand on the floors of the form that is shown."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backend import MATCHUP, Matchup
from envs.controller import CONTROLLER
from envs.frame import LEADER, empty_frames
from envs.sim.batch import SimBackend
from envs.sim.fidelity.bodies import harness_tables
from envs.sim.fidelity.seed import seed_games
from envs.sim.kernel.step import step_batch

WATER, NORMAL = 9, 5
HILL = {"x": -40.0, "y": 5.0001, "ground_id": 57}
"""A place on the water form's left hill, whose floor has the id 57."""


@pytest.mark.parametrize(("form", "event", "height"), [(WATER, 0, 5.0001), (WATER, 3, None), (NORMAL, 0, None)])
def test_a_finished_form_holds_fighters_on_its_own_floor(form: int, event: int, height: float | None) -> None:
    backend = SimBackend(1)
    matchups = np.zeros(1, MATCHUP)
    matchups[:] = Matchup(stage="POKEMON_STADIUM").row()
    frames = backend.reset(np.ones(1, np.bool_), matchups, np.zeros(1, np.uint64)).repeat(2)
    frames["stadium"] = form << 8 | event
    for field, value in HILL.items():
        frames["players"][field][:, 0, LEADER] = value
    games = seed_games(frames)[1:]
    out = empty_frames(1)
    step_batch(
        games, harness_tables(), np.zeros((1, 2), CONTROLLER), np.zeros(1, CONTROLLER), out, np.zeros(1, np.bool_)
    )
    y = float(out["players"]["y"][0, 0, LEADER])
    assert (y == pytest.approx(5.0001, abs=1e-4)) == (height is not None)


def test_every_form_is_a_row_of_its_own_behind_the_stages() -> None:
    stages = harness_tables()[0]["stages"]
    forms = stages[stages["form"] > 0]
    assert sorted(forms["form"]) == [3, 4, 6, 9]
    assert set(forms["stage"]) == {3}
    for stage in stages:
        grounds = stage["lines"]["ground"][: stage["lines_used"]]
        assert len(set(grounds.tolist())) == len(grounds)
