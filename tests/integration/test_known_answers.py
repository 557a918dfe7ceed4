"""The learning engine on games with known answers: memory, delay, and a mixed equilibrium under self-play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS
from envs.reward import Reward
from exphil_league.config.league import LeagueConfig, LearnerConfig, RatingConfig, Shares
from exphil_league.config.policy import PolicyConfig
from exphil_league.config.ppo import PPOConfig
from exphil_league.config.recipe import Recipe
from exphil_league.rl import lane
from exphil_league.rl.build import slot_groups
from exphil_league.rl.runner import Sample
from exphil_league.rl.sampler import Sampler, SamplerSettings
from policies.delay import DelayQueue
from policies.spec import CoreSpec
from tests.puzzles import BiasedRockPaperScissors, Lamp, Memory, Puzzle
from tests.rl_play import found_league
from tests.unit.test_learner import new_learner

pytestmark = pytest.mark.slow


def puzzle_recipe(core: str = "gru", delay_frames: int = 0, **ppo: object) -> Recipe:
    """One main player that plays itself only, with points as reward."""
    settings = {
        "games": 64, "unroll_frames": 26, "epochs": 2, "minibatches": 2, "learning_rate": 2e-3, "gamma": 0.95,
        "teacher_weight": 0.0, "entropy_weight": 0.003, "value_warmup_updates": 0,
        "reward": {"stock": 0.0, "damage": 1.0},
    }  # fmt: skip
    return Recipe(
        policy=PolicyConfig(
            core=CoreSpec(name=core, width=32), embedding_width=4, head_width=16, delay_frames=delay_frames
        ),
        ppo=PPOConfig(**{**settings, **ppo}),
        league=LeagueConfig(learners=(LearnerConfig(),), shares=Shares(self_play=1.0, pfsp=0.0, verification=0.0)),
        rating=RatingConfig(anchor="random"),
    )


def train(
    run: Path, recipe: Recipe, puzzle: Puzzle, updates: int, after: Callable[[int], None] = lambda update: None
) -> None:
    """Self-play updates with sampler and learner as the product has them, sharing one set of weights."""
    torch.manual_seed(0)
    learner = new_learner(run / "learner", recipe)
    league, _ = found_league(run / "league", recipe)
    ppo = recipe.ppo
    sampler = Sampler(
        puzzle, slot_groups(recipe), {"main": learner.module["main"].policy}, league, _nobody,
        SamplerSettings(ppo.unroll_frames, Reward(ppo.reward, ppo.gamma), ppo.gamma, ppo.opponents_per_runner, seed=0),
    )  # fmt: skip
    for update in range(updates):
        learner.update(episodes=[Sample(0, update, sampler.sample(), weights=update)])
        after(update)


def _nobody(digest: str, capacity: int) -> None:
    raise AssertionError("self-play only: nobody else plays")


def late_points(run: Path, recipe: Recipe, puzzle: Puzzle, updates: int, per: Callable[[], float]) -> float:
    """Points per unit `per` over the last quarter of the updates."""
    marks: list[tuple[float, float]] = []
    train(run, recipe, puzzle, updates, lambda update: marks.append((puzzle.points, per())))
    (points, units), (all_points, all_units) = marks[updates * 3 // 4], marks[-1]
    return (all_points - points) / (all_units - units)


@pytest.mark.parametrize(("core", "solved"), [("gru", True), ("mlp", False)])
def test_only_a_recurrent_policy_remembers(tmp_path: Path, core: str, solved: bool) -> None:
    """Points per question: 1 when every answer is right, 0 when the side is guessed."""
    puzzle = Memory(64)
    asked = [0]

    def questions() -> float:
        asked[0] += 26 * 64 * 2 / Memory.length
        return asked[0]

    found = late_points(tmp_path, puzzle_recipe(core), puzzle, 120, questions)
    assert found > 0.9 if solved else abs(found) < 0.1


class BlindQueue(DelayQueue):
    """Delays like any other, but shows nothing of what is under way."""

    def __init__(self, columns: int, delay_frames: int) -> None:
        super().__init__(columns, delay_frames)
        self._hidden = self.pending

    def reset(self, columns: NDArray[np.integer], delays: NDArray[np.integer] | None = None) -> None:
        self.pending = self._hidden
        super().reset(columns, delays)
        self._blind()

    def push(self, columns: NDArray[np.integer], parts: NDArray[np.integer]) -> NDArray[np.uint8]:
        self.pending = self._hidden
        now = super().push(columns, parts)
        self._blind()
        return now

    def _blind(self) -> None:
        self.pending = np.broadcast_to(NEUTRAL_PARTS, self._hidden.shape)


@pytest.mark.parametrize(("sees_queue", "low", "high"), [(True, 0.8, 1.0), (False, -1.0, 0.5)])
def test_a_late_action_is_taken_once_only_when_the_queue_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sees_queue: bool, low: float, high: float
) -> None:
    """Points per lit lamp, four frames late, without any other memory: 1 when each lamp is put out by one push."""
    if not sees_queue:
        monkeypatch.setattr(lane, "DelayQueue", BlindQueue)
    puzzle = Lamp(64)
    recipe = puzzle_recipe(
        "mlp", delay_frames=4, unroll_frames=32, gamma=0.9, learning_rate=5e-3, entropy_weight=0.0005
    )
    assert low <= late_points(tmp_path, recipe, puzzle, 300, lambda: float(puzzle.lit)) <= high


def test_self_play_ends_near_the_mixed_equilibrium(tmp_path: Path) -> None:
    """Late play of biased rock-paper-scissors is near the equilibrium, in choice and in entropy.

    Without entropy, self-play circles outwards into a corner; with this much, its rest point has paper at 0.46.
    """
    puzzle = BiasedRockPaperScissors(64)
    recipe = puzzle_recipe("mlp", entropy_weight=0.4, learning_rate=3e-4, gamma=0.5, epochs=1, minibatches=1)
    counts: list[NDArray[np.float64]] = []
    train(tmp_path, recipe, puzzle, 300, lambda update: counts.append(puzzle.chosen.copy()))
    late = counts[-1] - counts[-75]
    late /= late.sum()
    equilibrium = BiasedRockPaperScissors.equilibrium
    entropy, wanted = (-(p * np.log(p)).sum() for p in (late, equilibrium))
    assert np.abs(late - equilibrium).sum() / 2 < 0.13
    assert late.argmax() == 1
    assert late[1] > 0.4
    assert entropy == pytest.approx(wanted, abs=0.05)
