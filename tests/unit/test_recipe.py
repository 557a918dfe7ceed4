"""Recipes: what is accepted, and that every mistake is told in plain words with its key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exphil_league.config.loader import difference, dump, load_recipe, packaged_recipes
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.league.matches import draw_matchup
from exphil_league.league.model import Purpose


@pytest.fixture
def recipe_file(tmp_path: Path) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nppo:\n  games: 16\n  minibatches: 2\n")
    return str(path)


@pytest.mark.parametrize("name", packaged_recipes())
def test_packaged_recipe_is_valid_and_its_dump_reads_back_equal(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    resolved = tmp_path / "recipe.yaml"
    resolved.write_text(dump(recipe))
    assert load_recipe(str(resolved)) == recipe


def test_set_pairs_override_the_file_and_keep_the_rest(recipe_file: str) -> None:
    recipe = load_recipe(recipe_file, ["ppo.learning_rate=1e-4", "game.stages=[BATTLEFIELD]", "run.wandb_project=null"])
    assert recipe.ppo.learning_rate == 1e-4
    assert recipe.ppo.games == 16
    assert recipe.game.stages == ("BATTLEFIELD",)
    assert recipe.run.wandb_project is None


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("ppo.game=8", ["unknown key ppo.game", "did you mean ppo.games?"]),
        ("leage.exploration=0", ["unknown key leage", "did you mean league?"]),
        ("league.learners=[{name: main, kynd: main}]", ["league.learners.0.kynd", "league.learners.0.kind?"]),
        ("ppo.games=1", ["ppo.games: 1 is out of range", "at least 2"]),
        ("ppo.gamma=1.5", ["ppo.gamma: 1.5 is out of range", "less than 1"]),
        ("ppo.learning_rate=fast", ["ppo.learning_rate: 'fast'", "valid number"]),
        ("game.characters=[FOXX]", ["game.characters", "did you mean FOX?"]),
        ("imitation.characters=[FOXX]", ["imitation.characters", "did you mean FOX?"]),
        ("game.backend=simm", ["game.backend: unknown backend 'simm'; did you mean sim?"]),
        ("league.learners=[{kind: mane}]", ["league.learners.0.kind: 'mane'", "'main'"]),
        ("ppo.minibatches=17", ["ppo.minibatches (17) is more than ppo.games (16)"]),
        ("ppo.entropy_weight=.inf", ["ppo.entropy_weight: inf", "finite number"]),
        ("ppo.reward.stock=.nan", ["ppo.reward.stock: nan", "finite number"]),
        ("ray={num_learners: 2, num_env_runners: 3}", ["ray: num_env_runners (3)", "equally many samples"]),
        ("ray.num_learners=2", ["ray: num_env_runners (0)", "equally many samples"]),
        ("name.first=x", ["name is a value, not a section"]),
        ("ppo.games", ["write it as key=value"]),
        ("seed=[", ["not valid YAML"]),
    ],
)
def test_a_mistake_names_its_key_and_the_remedy(recipe_file: str, pair: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        load_recipe(recipe_file, [pair])
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_every_mistake_is_reported_at_once(recipe_file: str) -> None:
    with pytest.raises(UserError, match=r"(?s)run\.max_minute.*ppo\.gamma"):
        load_recipe(recipe_file, ["ppo.gamma=2", "run.max_minute=3"])


@pytest.mark.parametrize(
    ("text", "words"),
    [("seed: 1\nseed: 2\n", "given twice: seed"), ("- a\n", "is a mapping"), ("a: [", "not valid YAML")],
)
def test_a_file_that_is_no_recipe_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        load_recipe(str(path))
    assert "bad.yaml" in str(caught.value)


def test_a_mistyped_recipe_name_suggests_the_packaged_one() -> None:
    with pytest.raises(UserError, match=r"did you mean demo\?"):
        load_recipe("tune_configs/dmo.yaml")


@given(games=st.integers(2, 512), seed=st.integers(0, 2**63 - 1), minutes=st.floats(0, 1e4))
def test_difference_lists_exactly_the_changed_keys(games: int, seed: int, minutes: float) -> None:
    old = Recipe()
    new = old.model_copy(
        update={
            "seed": seed,
            "ppo": old.ppo.model_copy(update={"games": games}),
            "run": old.run.model_copy(update={"max_minutes": minutes}),
        }
    )
    pairs = {"seed": (old.seed, seed), "ppo.games": (old.ppo.games, games), "run.max_minutes": (0.0, minutes)}
    assert difference(old, new) == {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def test_opponents_make_a_matchup_of_two_sides() -> None:
    setup = load_recipe("mewtwo").league_setup()
    rng = np.random.default_rng(0)
    drawn = {draw_matchup(setup, Purpose.TRAIN, rng).characters for _ in range(50)}
    assert drawn == {("MEWTWO", "FOX"), ("FOX", "MEWTWO")}
    assert setup.game.played == ("MEWTWO", "FOX")
    assert {draw_matchup(setup, Purpose.TRAIN, rng).stage for _ in range(200)} == set(setup.game.stages)
