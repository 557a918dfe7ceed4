"""Styles: the warm start, fine-tuned a little to one way of playing each.

A style is a set of seats of the games that imitation learnt from: one player's, one character's, or a cluster of
seats that were played alike (k-means over shares of action states and the distance kept). Each becomes a checkpoint
of its own; what is done is skipped when a run goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from envs.game import character_name
from envs.observation import FLOAT_NAMES, ID_NAMES
from exphil_league.config.recipe import Recipe
from exphil_league.config.styles import StylesConfig
from exphil_league.evaluation.habits import GROUPS, group_shares, histogram
from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.job import CloneJob, make_job
from exphil_league.imitation.metrics import total_nll
from exphil_league.imitation.rows import SeatRows, read_shard
from exphil_league.imitation.train import CHECKPOINTS, TrainingPlace, clone_engine, games_of, window_spec
from exphil_league.observe.console import say
from exphil_league.run_folder import read_json, write_json
from policies import checkpoint
from policies.policy import Policy

STYLES_FILE: Final = "styles.json"
PREFIX: Final = "style_"
FEATURES: Final = (*GROUPS, "airborne", "far")
"""What clusters are made of: shares of frames, and the mean horizontal distance to the opponent in 50 units."""
_ACTION: Final = ID_NAMES.index("self.action")
_AIRBORNE, _DX = FLOAT_NAMES.index("self.airborne"), FLOAT_NAMES.index("dx")

Seats = dict[int, list[int]]
"""Index of a game -> seats of its shard."""


@dataclass(frozen=True)
class Style:
    """A name, and the games to learn it from, each narrowed to the seats that play so."""

    name: str
    games: tuple[CachedGame, ...]


def run_styles(
    recipe: Recipe, replays: Path, out: Path, start: str, serial: bool, place: TrainingPlace
) -> dict[str, Any]:
    """Fine-tune the warm start `start` to every style of the games below `replays`; writes out/styles.json.

    Returns {"by", "done", "styles": [{"style", "checkpoint", "games", "seats", "nll", "features"}]}; `nll` in nats a
    frame of the style's held-out games. Raises UserError when no style has enough games, or as imitation does.
    """
    file = out / STYLES_FILE
    found = read_json(file) if file.is_file() else {"by": recipe.styles.by, "done": False, "styles": []}
    if found["done"]:
        return found
    parser, clone = clone_engine(serial or not place.gpus_per_worker, place, out)
    styles = divide(recipe.styles, games_of(recipe.imitation, replays, recipe.replays, parser), recipe.seed)
    for style in styles:
        if style.name in {row["style"] for row in found["styles"]}:
            continue
        job = fine_tuning(recipe, style, out / CHECKPOINTS / start)
        say(f"{style.name}: {len(job.train)} games to learn from, {len(job.held_out)} held out")
        fitted = clone(job)
        policy = Policy(job.spec)
        policy.load_state_dict(fitted.weights)
        digest = checkpoint.save(policy, out / CHECKPOINTS, {"kind": "style", "style": style.name})
        row = {"style": style.name, "checkpoint": digest, **_describe(style), "nll": total_nll(fitted.parts)}
        found = found | {"styles": [*found["styles"], row]}
        write_json(file, found)
        if fitted.stopped_by == "interrupt":
            raise KeyboardInterrupt
    found = found | {"done": True}
    write_json(file, found)
    return found


def fine_tuning(recipe: Recipe, style: Style, start: Path) -> CloneJob:
    """The job of one style: a short imitation of its games that begins at checkpoint `start`."""
    config = recipe.imitation.model_copy(
        update={
            "epochs": recipe.styles.epochs,
            "max_minutes": recipe.styles.max_minutes,
            "learning_rate": recipe.styles.learning_rate,
        }
    )
    spec = recipe.policy.spec(recipe.game.played)
    windows = window_spec(config, spec, recipe.ppo.reward, recipe.ppo.gamma)
    return replace(make_job(config, spec, windows, style.games, recipe.seed), start=start)


def divide(config: StylesConfig, games: Sequence[CachedGame], seed: int) -> list[Style]:
    """The styles of these games, commonest first. One seed, one division."""
    parts = _clusters(games, config.count, seed) if config.by == "cluster" else _labelled(games, config.by)
    large = {name: seats for name, seats in parts.items() if len(seats) >= config.min_games}
    common = sorted(large, key=lambda name: (-len(large[name]), name))[: config.count]
    if not common:
        say(f"styles: no style of {len(games)} games has styles.min_games ({config.min_games}); there are none")
    return [Style(name, _narrowed(games, large[name])) for name in common]


def _narrowed(games: Sequence[CachedGame], seats: Seats) -> tuple[CachedGame, ...]:
    return tuple(replace(games[index], only=tuple(chosen)) for index, chosen in seats.items())


def _labelled(games: Sequence[CachedGame], by: str) -> dict[str, Seats]:
    parts: dict[str, Seats] = {}
    for index, game in enumerate(games):
        for seat, (character, player) in enumerate(zip(game.characters, game.players, strict=True)):
            label = character_name(character) if by == "character" else player
            if slug := re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_"):
                parts.setdefault(PREFIX + slug, {}).setdefault(index, []).append(seat)
    return parts


def _clusters(games: Sequence[CachedGame], count: int, seed: int) -> dict[str, Seats]:
    """k-means over the standardised features of all seats; a cluster is named by what it does more than others."""
    places = [(index, seat) for index, game in enumerate(games) for seat in range(len(game.characters))]
    features = np.array([_features(rows) for game in games for rows in read_shard(game.shard)])
    scaled = (features - features.mean(0)) / np.maximum(features.std(0), 1e-6)
    centres, labels = kmeans2(scaled, min(count, len(scaled)), minit="++", seed=np.random.default_rng(seed))
    parts: dict[str, Seats] = {}
    for label in np.unique(labels):
        name = _fresh(PREFIX + FEATURES[int(np.argmax(centres[label]))], parts)
        seats = parts[name] = {}
        for row in np.flatnonzero(labels == label):
            index, seat = places[row]
            seats.setdefault(index, []).append(seat)
    return parts


def _fresh(name: str, taken: Mapping[str, object]) -> str:
    return next(n for n in (name, *(f"{name}_{k}" for k in range(2, 1000))) if n not in taken)


def _features(rows: SeatRows) -> NDArray[np.float64]:
    """[FEATURES] of one seat of one game."""
    shares = group_shares(histogram(rows.ids[:, _ACTION]))
    far = np.abs(rows.floats[:, _DX]).mean()
    return np.array([*shares.values(), rows.floats[:, _AIRBORNE].mean(), far], np.float64)


def _describe(style: Style) -> dict[str, Any]:
    seats = [rows for game in style.games for rows in game.seats_of(read_shard(game.shard), ())]
    means = np.mean([_features(rows) for rows in seats], axis=0)
    features = {name: round(float(mean), 4) for name, mean in zip(FEATURES, means, strict=True)}
    return {"games": len(style.games), "seats": len(seats), "features": features}
