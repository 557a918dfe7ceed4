"""Styles: which seats make one, and that fine-tunings of a run that goes on are not done twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from envs.controller import PARTS
from envs.game import Action, Character
from envs.observation import FLOAT_NAMES, ID_NAMES
from envs.reward import TERMS
from exphil_league.config.loader import load_recipe
from exphil_league.config.policy import PolicyConfig
from exphil_league.config.recipe import Recipe
from exphil_league.config.styles import StylesConfig
from exphil_league.errors import UserError
from exphil_league.imitation import styles
from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.rows import SeatRows, write_shard
from exphil_league.imitation.train import TrainingPlace, run_imitation
from policies import checkpoint
from policies.spec import CoreSpec
from tests.imitation_games import ANY_GAME, quick_config, write_games

FOX, FALCO = Character.FOX.value, Character.FALCO.value


def seat(action: Action, rng: np.random.Generator) -> SeatRows:
    """A seat that spends two thirds of its frames in one action state."""
    count = 300
    ids = np.zeros((count, len(ID_NAMES)), np.int32)
    often = rng.random(count) < 2 / 3
    ids[:, ID_NAMES.index("self.action")] = np.where(often, action.value, Action.STANDING.value)
    floats = np.zeros((count, len(FLOAT_NAMES)), np.float32)
    return SeatRows(floats, ids, np.zeros((count, len(PARTS)), np.uint8), np.zeros((count, len(TERMS)), np.float32))


@pytest.fixture
def games(tmp_path: Path) -> list[CachedGame]:
    """Twelve games: in the first six a shielder, in the last six a dasher meets somebody who hangs at the ledge."""
    rng, made = np.random.default_rng(0), []
    for number in range(12):
        shard = tmp_path / f"{number}.arrow"
        habit = Action.SHIELD if number < 6 else Action.DASHING
        write_shard(shard, [seat(habit, rng), seat(Action.EDGE_HANGING, rng)])
        players = ("ABC#1" if number < 6 else "Mango", "HAX$0")
        made.append(CachedGame(str(number), (FOX, FALCO), shard, shard, players=players))
    return made


def seats_of(found: list[styles.Style]) -> dict[str, list[tuple[str, tuple[int, ...] | None]]]:
    return {style.name: [(game.game_id, game.only) for game in style.games] for style in found}


def test_clusters_find_who_plays_alike_and_are_named_by_what_they_do(games: list[CachedGame]) -> None:
    found = seats_of(styles.divide(StylesConfig(by="cluster", count=3), games, seed=1))
    assert found == {
        "style_ledge": [(str(n), (1,)) for n in range(12)],
        "style_dashing": [(str(n), (0,)) for n in range(6, 12)],
        "style_shielding": [(str(n), (0,)) for n in range(6)],
    }


def test_players_and_characters_make_styles_and_rare_ones_are_left_out(games: list[CachedGame]) -> None:
    by_player = seats_of(styles.divide(StylesConfig(by="player", min_games=6), games, seed=1))
    assert list(by_player) == ["style_hax_0", "style_abc_1", "style_mango"]
    assert seats_of(styles.divide(StylesConfig(by="player", min_games=7), games, seed=1)).keys() == {"style_hax_0"}
    assert seats_of(styles.divide(StylesConfig(by="character", count=1), games, seed=1)).keys() == {"style_falco"}


def test_only_the_seats_of_a_style_are_learnt_from(games: list[CachedGame]) -> None:
    (falco,) = styles.divide(StylesConfig(by="character", count=1), games, seed=1)
    assert falco.games[0].seats_of(["of fox", "of falco"], ()) == ["of falco"]
    assert falco.games[0].seats_of(["of fox", "of falco"], (FOX,)) == []


def style_recipe(cache: Path) -> Recipe:
    return Recipe(
        imitation=quick_config(cache, epochs=1),
        policy=PolicyConfig(core=CoreSpec(width=16), embedding_width=4, head_width=8),
        styles=StylesConfig(by="cluster", count=2, min_games=2, epochs=1),
        replays=ANY_GAME,
    )


def test_fine_tunings_begin_at_the_warm_start_and_are_not_done_twice(tmp_path: Path) -> None:
    replays, recipe, place = tmp_path / "replays", style_recipe(tmp_path / "cache"), TrainingPlace()
    write_games(replays, 8, frames=120)
    spec = recipe.policy.spec(recipe.game.played)
    start = run_imitation(recipe.imitation, spec, replays, tmp_path, serial=True, seed=1, filters=ANY_GAME).digest
    found = styles.run_styles(recipe, replays, tmp_path, start, True, place)
    assert found["done"]
    assert len(found["styles"]) == 2
    digests = [row["checkpoint"] for row in found["styles"]]
    assert len({start, *digests}) == 3
    assert [checkpoint.digest_of(checkpoint.load(tmp_path / "checkpoints" / digest)) for digest in digests] == digests

    file = tmp_path / styles.STYLES_FILE
    first = found["styles"][:1]
    first[0]["nll"] = -1.0
    file.write_text(json.dumps(found | {"done": False, "styles": first}))
    again = styles.run_styles(recipe, replays, tmp_path, start, True, place)
    assert [row["checkpoint"] for row in again["styles"]] == digests
    assert again["styles"][0]["nll"] == -1.0, "a style that is done was learnt again"


def test_starts_from_styles_need_styles() -> None:
    with pytest.raises(UserError, match=r"set styles\.by"):
        load_recipe("smoke", ["league.starts={own: 0.5, styles: 0.5}"])
