"""Which characters, stage and rules a match is played with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from envs.backend import Matchup
from exphil_league.config.game import GameConfig, Repertoire
from exphil_league.config.league import LeagueSetup
from exphil_league.league.model import Purpose

_PLAIN: Final = Repertoire()


def draw_matchup(
    setup: LeagueSetup,
    purpose: Purpose,
    rng: np.random.Generator,
    roles: tuple[str, str] = ("", ""),
    host: int | None = None,
) -> Matchup:
    """Characters of both seats, the stage and the starting side.

    `roles` by seat: learner or root that a player is or was, whose repertoire it plays. A player draws its character
    by its own weights, whoever it meets; `host`, the seat that learns, draws the stage by its weights (None: either).
    What no repertoire says is drawn evenly from `game`. Training and rating matches differ in stocks and time only.
    """
    game = setup.game
    rules = game if purpose is Purpose.TRAIN else setup.evaluation
    own = tuple(game.players.get(role, _PLAIN) for role in roles) if game.players else ()
    return Matchup(
        characters=_characters(game, own, rng),
        stage=_stage(game, own, host, rng),
        stocks=rules.stocks,
        time_limit_s=rules.time_limit_s,
        swap_start=bool(rng.integers(2)),
    )


def _characters(game: GameConfig, own: tuple[Repertoire, ...], rng: np.random.Generator) -> tuple[str, str]:
    if any(repertoire.characters for repertoire in own):
        everybody = dict.fromkeys((*game.characters, *game.opponents), 1.0)
        first, second = (_weighted(repertoire.characters or everybody, rng) for repertoire in own)
        return first, second
    first, second = (_any_of(side, rng) for side in game.sides)
    if game.mirror:
        return first, first
    swapped = bool(game.opponents) and bool(rng.integers(2))
    return (second, first) if swapped else (first, second)


def _stage(game: GameConfig, own: tuple[Repertoire, ...], host: int | None, rng: np.random.Generator) -> str:
    if any(repertoire.stages for repertoire in own):
        weights = own[int(rng.integers(2)) if host is None else host].stages
        if weights:
            return _weighted(weights, rng)
    return _any_of(game.stages, rng)


def _any_of(names: tuple[str, ...], rng: np.random.Generator) -> str:
    return names[0] if len(names) == 1 else names[int(rng.integers(len(names)))]


def _weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    share = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]
