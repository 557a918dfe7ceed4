"""What the recipe says of a single learning player changes that player and nobody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exphil_league.config.loader import load_recipe, validate
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.probe import probe_recipe
from exphil_league.rl.chunk import Chunk
from tests.rl_play import new_sampler, small_recipe
from tests.unit.test_learner import new_learner, policy_of, recorded

PLAYERS = ("main", "main_exploiter")
NUMBERS = {"learning_rate": 2e-3, "entropy_weight": 0.05, "teacher_weight": 0.4, "teacher_forward_weight": 0.3}
APPROACH = {"approach": 1.0, "damage": 0.02}


def updated(folder: Path, recipe: Recipe) -> dict[str, torch.Tensor]:
    """All weights of each player after two updates on one recorded sample."""
    sample = recorded(folder / "play", small_recipe(epochs=1))
    learner = new_learner(folder / "learn", recipe)
    for _ in range(2):
        learner.update(episodes=[sample])
    return {player: torch.nn.utils.parameters_to_vector(policy_of(learner, player).parameters()) for player in PLAYERS}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_players_own_number_is_its_loss_alone(tmp_path: Path, name: str) -> None:
    settings = {"epochs": 1, "value_warmup_updates": 0}
    own = {"players": {"main_exploiter": {name: NUMBERS[name]}}}
    common = updated(tmp_path / "common", small_recipe(**settings))
    mixed = updated(tmp_path / "mixed", small_recipe(**settings, **own))
    everybody = updated(tmp_path / "everybody", small_recipe(**settings, **{name: NUMBERS[name]}))
    assert torch.equal(mixed["main"], common["main"])
    assert not torch.equal(everybody["main"], common["main"])
    assert torch.equal(mixed["main_exploiter"], everybody["main_exploiter"])


def chunks(folder: Path, **ppo: object) -> dict[str, Chunk]:
    sampler, _ = new_sampler(folder, small_recipe(time_limit_s=60.0, **ppo))
    return {chunk.player: chunk for chunk in sampler.sample()}


def test_a_players_own_reward_weights_are_its_seats_alone(tmp_path: Path) -> None:
    common = chunks(tmp_path / "common")
    mixed = chunks(tmp_path / "mixed", players={"main_exploiter": {"reward": APPROACH}})
    everybody = chunks(tmp_path / "everybody", reward=APPROACH)
    np.testing.assert_array_equal(mixed["main"].reward, common["main"].reward)
    assert np.abs(everybody["main"].reward - common["main"].reward).sum() > 0.1
    np.testing.assert_array_equal(mixed["main_exploiter"].reward, everybody["main_exploiter"].reward)
    np.testing.assert_array_equal(mixed["main_exploiter"].parts, common["main_exploiter"].parts)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ppo.players.main.learning_rat=1", "did you mean ppo.players.main.learning_rate?"),
        ("ppo.players.main.reward.ledgegrab=1", "no reward term 'ledgegrab'; did you mean ledge_grab?"),
        ("ppo.players.mian.learning_rate=0.1", "no learner 'mian'; league.learners has main, main_exploiter"),
        ("ppo.players.main.entropy_weight=-1", "ppo.players.main.entropy_weight: -1 is out of range"),
    ],
)
def test_mistakes_are_named(key: str, words: str) -> None:
    with pytest.raises(UserError, match=words.replace("?", r"\?")):
        load_recipe("smoke", [key])


def test_reward_weights_and_sparse_exclude_each_other() -> None:
    with pytest.raises(UserError, match=r"ppo: players\.main\.reward says nothing while reward\.sparse is true"):
        load_recipe("smoke", ["ppo.reward.sparse=true", "ppo.players.main.reward.stock=2"])


def test_a_probe_of_a_run_with_players_of_its_own_is_a_recipe() -> None:
    """It trains one learner of another name, and no population."""
    recipe = load_recipe("pbt", ["ppo.players.main.entropy_weight=0.02"])
    probe = probe_recipe(recipe, frames=1000, seed=1)
    assert validate(probe.model_dump(mode="json"), "probe") == probe
