"""Which characters, stage and rules a match is played with."""

from __future__ import annotations

import numpy as np

from envs.backend import Matchup
from exphil_league.config.league import LeagueSetup
from exphil_league.league.model import Purpose


def draw_matchup(setup: LeagueSetup, purpose: Purpose, rng: np.random.Generator) -> Matchup:
    """Characters of both sides, their seats, the stage and the starting side, each drawn evenly.

    Training and rating matches differ in stocks and time limit only.
    """
    game = setup.game
    rules = game if purpose is Purpose.TRAIN else setup.evaluation
    first, second = (side[int(rng.integers(len(side)))] for side in game.sides)
    swapped = bool(game.opponents) and bool(rng.integers(2))
    return Matchup(
        characters=(second, first) if swapped else (first, second),
        stage=game.stages[int(rng.integers(len(game.stages)))],
        stocks=rules.stocks,
        time_limit_s=rules.time_limit_s,
        swap_start=bool(rng.integers(2)),
    )
