"""Where games begin and stocks come back: Slippi's places on every stage, as recorded."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.frame import LEADER
from envs.game import Action, Stage
from envs.sim.batch import SimBackend
from envs.sim.compile import STAGES, tables
from envs.slippi.game import Game
from envs.slippi.read import read_game

REPLAYS = os.environ.get("EXPHIL_REPLAYS")
NETPLAY = (3, 12)
"""Neutral starts of two players are Slippi's own since online play; recordings from then on are looked at."""
NEAR_UNITS = 0.01
pytestmark = pytest.mark.skipif(REPLAYS is None, reason="EXPHIL_REPLAYS names no folder of recorded games")


def games_on(stage: str) -> list[Game]:
    files = sorted(Path(str(REPLAYS)).glob(f"clean/*_{stage.lower()}_*.slp"))
    games = [read_game(file) for file in files[-4:]]
    return [game for game in games if game.meta.version[:2] >= NETPLAY and game.frames["ports"][0].max() <= 1]


@pytest.mark.parametrize("stage", STAGES)
def test_games_start_where_recorded_ones_do(stage: str) -> None:
    backend = SimBackend(1)
    frames = backend.reset(
        np.ones(1, np.bool_), Matchup(stage=stage, countdown=True).row()[None], np.zeros(1, np.uint64)
    )
    ours = frames["players"][0, :, LEADER]
    for game in games_on(stage):
        recorded = game.frames["players"][0, :, LEADER]
        np.testing.assert_allclose(np.sort(recorded["x"]), np.sort(ours["x"]), atol=1e-3)
        np.testing.assert_allclose(recorded["y"], ours["y"], atol=1e-2)


@pytest.mark.parametrize("stage", STAGES)
def test_the_respawn_platform_waits_where_recorded_ones_do(stage: str) -> None:
    """Most do: who comes back while the other's platform is there gets another place."""
    known = tables()[0]["stages"]
    row = known[known["stage"].tolist().index(Stage[stage])]
    agree: list[NDArray[np.bool_]] = []
    for game in games_on(stage):
        for seat in range(2):
            seen = game.frames["players"][:, seat, LEADER]
            waiting = seen[seen["action"] == Action.ON_HALO_WAIT.value]
            port = int(game.frames["ports"][0, seat])
            near_x = np.abs(waiting["x"] - row["respawn_x"][port]) < NEAR_UNITS
            agree.append(near_x & (np.abs(waiting["y"] - row["respawn_y"][port]) < NEAR_UNITS))
    together = np.concatenate(agree)
    assert together.size
    assert together.mean() > 0.7
