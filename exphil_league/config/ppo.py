"""Recipe section of self-play PPO, with the schedules of its weights."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from envs.reward import TERMS, RewardWeights
from exphil_league.config.base import Section

Precision = Literal["float32", "bfloat16"]
REWARD: Final = "reward."
"""Begins the names of reward weights among a player's numbers."""


class Schedule(Section):
    """How a number moves from its value in the recipe to a share of it, over the updates of a player."""

    final_share: float = Field(0.1, ge=0, description="share of the value that is left at the end")
    updates: int = Field(1000, ge=1, description="updates until the end is reached")
    shape: Literal["linear", "cosine"] = Field("linear", description="the way there")

    def factor(self, update: int) -> float:
        """Share of the value at an update, counted from 0 at the player's start or reset."""
        done = min(update / self.updates, 1.0)
        if self.shape == "cosine":
            done = 0.5 - 0.5 * math.cos(math.pi * done)
        return 1.0 + (self.final_share - 1.0) * done


class PPOSchedules(Section):
    """Which numbers of the section `ppo` move; those without a schedule stay."""

    learning_rate: Schedule | None = Field(None, description="of ppo.learning_rate")
    entropy_weight: Schedule | None = Field(None, description="of ppo.entropy_weight")
    teacher_weight: Schedule | None = Field(None, description="of ppo.teacher_weight")
    teacher_forward_weight: Schedule | None = Field(None, description="of ppo.teacher_forward_weight")


def _known_terms(weights: dict[str, float]) -> dict[str, float]:
    for term in weights:
        if term not in TERMS:
            close = difflib.get_close_matches(term, TERMS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(TERMS)}"
            raise ValueError(f"no reward term {term!r}; {hint}")
    return weights


class PlayerLearning(Section):
    """What one learning player does differently; what is left out is as in the section `ppo`."""

    learning_rate: float | None = Field(None, gt=0, description="its ppo.learning_rate")
    entropy_weight: float | None = Field(None, ge=0, description="its ppo.entropy_weight")
    teacher_weight: float | None = Field(None, ge=0, description="its ppo.teacher_weight")
    teacher_forward_weight: float | None = Field(None, ge=0, description="its ppo.teacher_forward_weight")
    reward: Annotated[dict[str, float], AfterValidator(_known_terms)] = Field(
        {}, description="its weights of these reward terms, such as {ledge_grab: 0.1}; the others are ppo.reward's"
    )


class PPOConfig(Section):
    """Self-play PPO: of every learning player, but for what `players` says of single ones."""

    games: int = Field(64, ge=2, description="games N a runner plays at once")
    unroll_frames: int = Field(64, ge=4, description="game frames in a chunk; a multiple of policy.action_repeat")
    epochs: int = Field(2, ge=1, description="passes over a chunk")
    minibatches: int = Field(2, ge=1, description="parts a chunk's columns are split into, whole sequences each")
    accumulate: int = Field(1, ge=1, description="minibatches whose gradients make one step; divides minibatches")
    learning_rate: float = Field(3e-4, gt=0, description="Adam step size")
    gamma: float = Field(
        0.997, gt=0, lt=1, description="discount per game frame; a decision held k frames is discounted by gamma^k"
    )
    gae_lambda: float = Field(0.95, ge=0, le=1, description="trace decay of advantages per decision")
    clip: float = Field(0.2, gt=0, description="clip of the probability ratio")
    value_clip: float = Field(0.0, ge=0, description="values move at most this far from the behaviour's; 0: no limit")
    value_weight: float = Field(0.5, ge=0, description="weight of the value head's loss")
    entropy_weight: float = Field(0.003, ge=0, description="weight of the entropy of the parts, in nats")
    teacher_weight: float = Field(0.05, ge=0, description="weight of KL(policy, warm start), which seeks its modes")
    teacher_forward_weight: float = Field(
        0.0, ge=0, description="weight of KL(warm start, policy), which keeps all that the warm start does"
    )
    schedules: PPOSchedules = Field(PPOSchedules(), description="numbers above that move over the updates")
    kl_limit: float = Field(
        0.0,
        ge=0,
        description="a step that leads to a greater KL(behaviour, policy) is taken back, the update ends; 0: no limit",
    )
    max_grad_norm: float = Field(0.5, gt=0, description="longer gradients are scaled to this norm")
    precision: Precision = Field(
        "float32", description="arithmetic of the learner's forward pass; bfloat16 pays on GPUs only"
    )
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="the league is told this running average of weights, by update; 0: the weights"
    )
    value_warmup_updates: int = Field(4, ge=0, description="first updates train the value head only")
    max_lag_updates: int = Field(
        0,
        ge=0,
        description="updates that the learner may be ahead of a sample; 0: runners wait, above: they play on (V-trace)",
    )
    reward: RewardWeights = Field(
        RewardWeights(), description="weights of the reward terms; imitation's returns use them too"
    )
    players: dict[str, PlayerLearning] = Field({}, description="what single learning players do differently, by name")
    opponents_per_runner: int = Field(4, ge=1, description="distinct frozen opponents a runner plays at once, at most")
    exploiter_share: float = Field(0.25, gt=0, lt=1, description="share of the games for all exploiters together")
    publish_every_updates: int = Field(1, ge=1, description="updates between two checkpoints told to the league")

    @model_validator(mode="after")
    def _rewards_have_weights(self) -> PPOConfig:
        for name, own in self.players.items():
            if own.reward and self.reward.sparse:
                raise ValueError(f"players.{name}.reward says nothing while reward.sparse is true; drop one of them")
        return self

    def of(self, player: str) -> PPOConfig:
        """The section as it stands for one learning player, without `players`."""
        own = self.players.get(player, PlayerLearning())
        numbers = own.model_dump(exclude={"reward"}, exclude_none=True)
        reward = self.reward.model_copy(update=own.reward)
        return self.model_copy(update={**numbers, "reward": reward, "players": {}})

    def value_of(self, name: str) -> float:
        """A number of the section by name: `learning_rate`, or `reward.TERM`."""
        section, _, term = name.rpartition(".")
        return float(getattr(getattr(self, section) if section else self, term))

    def with_numbers(self, numbers: Mapping[str, Mapping[str, float]]) -> PPOConfig:
        """The section with these numbers of single players, by player and by name as in `value_of`."""
        players = dict(self.players)
        for player, own in numbers.items():
            before = players.get(player, PlayerLearning())
            reward = {name.removeprefix(REWARD): value for name, value in own.items() if name.startswith(REWARD)}
            others = {name: value for name, value in own.items() if not name.startswith(REWARD)}
            players[player] = before.model_copy(update={**others, "reward": {**before.reward, **reward}})
        return self.model_copy(update={"players": players})

    def at(self, update: int) -> PPOConfig:
        """The section as it stands at an update of a player, its schedules applied."""
        moved = {
            name: getattr(self, name) * schedule.factor(update)
            for name in PPOSchedules.model_fields
            if (schedule := getattr(self.schedules, name)) is not None
        }
        return self.model_copy(update=moved) if moved else self

    @property
    def wants_teacher(self) -> bool:
        """Whether the update compares the policy with the warm start at all."""
        return self.teacher_weight > 0 or self.teacher_forward_weight > 0
