"""A sampler on the toy game with a real league in a temporary folder, for tests of the learning engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from envs.reward import Reward
from exphil_league.config.league import LeagueConfig, RatingConfig, Shares, SnapshotConfig
from exphil_league.config.policy import PolicyConfig
from exphil_league.config.ppo import PPOConfig
from exphil_league.config.recipe import Recipe
from exphil_league.league.model import MatchResult, Roster
from exphil_league.league.service import LocalLeague
from exphil_league.rl.algorithm import LeaguePPOConfig
from exphil_league.rl.build import algorithm_config, slot_groups
from exphil_league.rl.partners import load_agent
from exphil_league.rl.sampler import Sampler, SamplerSettings, own_rewards
from policies import checkpoint
from policies.policy import Policy
from policies.scripted import scripted_digest
from policies.spec import CoreSpec
from tests.fakes import FakeBackend

torch.set_num_threads(1)


def small_recipe(
    delay_frames: int = 0,
    core: str = "gru",
    time_limit_s: float = 0.4,
    timing: Mapping[str, int] | None = None,
    **ppo: object,
) -> Recipe:
    """Eight games of 24 frames, chunks of 16 frames: games begin in the middle of chunks."""
    return Recipe(
        seed=3,
        policy=PolicyConfig(
            core=CoreSpec(name=core, width=16),
            embedding_width=4,
            head_width=8,
            **{"delay_frames": delay_frames, **(timing or {})},
        ),
        game={"stocks": 1, "time_limit_s": time_limit_s},
        ppo=PPOConfig(**{"games": 8, "unroll_frames": 16, "value_warmup_updates": 1, **ppo}),
        league=LeagueConfig(
            snapshot=SnapshotConfig(min_frames=300, timeout_frames=600),
            shares=Shares(self_play=0.5, pfsp=0.5, verification=0.0),
        ),
        rating=RatingConfig(anchor="random"),
    )


def found_league(run: Path, recipe: Recipe, seed: int = 0) -> tuple[LocalLeague, str]:
    """A league in `run` with everybody enrolled, and the digest of its random warm start."""
    torch.manual_seed(seed)
    policy = Policy(recipe.policy.spec(recipe.game.characters))
    with torch.no_grad():
        for table in policy.head.transitions:
            table.normal_()
    start = checkpoint.save(policy, run / "checkpoints")
    league = RecordingLeague(run, recipe.league_setup(), recipe.seed)
    league.enrol(Roster(warm_start=start, anchors={"random": scripted_digest("random")}, anchor_digest="anchors"))
    return league, start


def config_of(run: Path, recipe: Recipe, start: str, **more: Any) -> LeaguePPOConfig:
    """The algorithm of the recipe, everybody at the warm start; `more` goes to `algorithm_config`."""
    return algorithm_config(
        recipe,
        spec=recipe.policy.spec(recipe.game.characters),
        store=run / "checkpoints",
        starts={"warm_start": start},
        **more,
    )


class RecordingLeague(LocalLeague):
    """Remembers what was reported to it."""

    reported: list[MatchResult]

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        self.reported = [*getattr(self, "reported", []), *results]
        return super().report(results)


class RecordingBackend(FakeBackend):
    """Remembers the controllers of every frame and counts the games that ended."""

    def __init__(self, num_games: int, fault_at: int | None = None) -> None:
        super().__init__(num_games, fault_at)
        self.pressed: list = []
        self.ended = 0

    def step(self, controllers):
        self.pressed.append(controllers.copy())
        before = int(self.done.sum())
        frames = super().step(controllers)
        self.ended += int(self.done.sum()) - before
        return frames


def new_sampler(
    run: Path, recipe: Recipe, backend: FakeBackend | None = None, device: torch.device | None = None
) -> tuple[Sampler, RecordingLeague]:
    """A sampler of the recipe's learners, all of them at the warm start."""
    league, start = found_league(run, recipe)
    store = run / "checkpoints"
    policies = {learner.name: checkpoint.load(store / start).to(device) for learner in recipe.league.learners}
    sampler = Sampler(
        backend or FakeBackend(recipe.ppo.games),
        slot_groups(recipe),
        policies,
        league,
        lambda digest, capacity: load_agent(store, 0, digest, capacity),
        SamplerSettings(
            recipe.ppo.unroll_frames,
            Reward(recipe.ppo.reward, recipe.ppo.gamma),
            recipe.ppo.gamma,
            recipe.ppo.opponents_per_runner,
            seed=5,
            own_rewards=own_rewards(recipe.ppo),
        ),
    )
    return sampler, league
