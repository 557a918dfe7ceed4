"""Recipe sections of the learning engine: imitation, PPO, and the machines they run on."""

from __future__ import annotations

from pydantic import Field, field_validator

from envs.game import character_id, character_name
from envs.reward import RewardWeights
from exphil_league.config.base import Section
from exphil_league.config.game import CharacterNames


class ImitationConfig(Section):
    """Behavioural cloning: from .slp files to the warm start."""

    window_frames: int = Field(64, ge=8, le=1024, description="frames T of a training window")
    batch_windows: int = Field(32, ge=1, description="windows B in a batch")
    epochs: int = Field(3, ge=1, description="passes over the training windows at most")
    max_minutes: float = Field(
        0.0, ge=0, description="training ends after this many minutes; 0 for no limit, so that a run can be repeated"
    )
    learning_rate: float = Field(2e-3, gt=0, description="Adam step size")
    final_learning_rate_share: float = Field(
        0.05, gt=0, le=1, description="share of learning_rate that a cosine falls to at the end; 1 keeps it constant"
    )
    weight_decay: float = Field(1e-4, ge=0, description="AdamW decay")
    max_grad_norm: float = Field(1.0, gt=0, description="longer gradients are scaled to this norm")
    value_weight: float = Field(0.5, ge=0, description="weight of the value head's loss")
    held_out_share: float = Field(0.15, gt=0, lt=1, description="share of games held out, by hash of the game id")
    patience_epochs: int = Field(3, ge=1, description="stop when the held-out loss has not fallen for so many epochs")
    scripted_games: int = Field(48, ge=2, description="games scripted players play when no replays are given")
    cache: str | None = Field(None, description="folder of the window cache; default: the user's cache folder")
    characters: CharacterNames = Field((), description="learn from these characters only; empty for all")

    @field_validator("characters")
    @classmethod
    def _characters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(character_name(character_id(n)) for n in names)


class PPOConfig(Section):
    """Self-play PPO of one learning player."""

    games: int = Field(64, ge=2, description="games N a runner plays at once")
    unroll_frames: int = Field(64, ge=4, description="frames T in a chunk")
    epochs: int = Field(2, ge=1, description="passes over a chunk")
    minibatches: int = Field(2, ge=1, description="parts a chunk's columns are split into, whole sequences each")
    learning_rate: float = Field(3e-4, gt=0, description="Adam step size")
    gamma: float = Field(0.997, gt=0, lt=1, description="discount per agent step")
    gae_lambda: float = Field(0.95, ge=0, le=1, description="trace decay of advantages per agent step")
    clip: float = Field(0.2, gt=0, description="clip of the probability ratio")
    value_weight: float = Field(0.5, ge=0, description="weight of the value head's loss")
    entropy_weight: float = Field(0.003, ge=0, description="weight of the entropy of the parts, in nats")
    teacher_weight: float = Field(0.05, ge=0, description="weight of KL(policy, warm start)")
    max_grad_norm: float = Field(0.5, gt=0, description="longer gradients are scaled to this norm")
    value_warmup_updates: int = Field(4, ge=0, description="first updates train the value head only")
    reward: RewardWeights = Field(
        RewardWeights(), description="weights of the reward terms; imitation's returns use them too"
    )
    opponents_per_runner: int = Field(4, ge=1, description="distinct frozen opponents a runner plays at once, at most")
    exploiter_share: float = Field(0.25, gt=0, lt=1, description="share of the games for all exploiters together")
    publish_every_updates: int = Field(1, ge=1, description="updates between two checkpoints told to the league")


class RayConfig(Section):
    """How the run is spread over machines."""

    num_env_runners: int = Field(0, ge=0, description="runner actors; 0: the driver samples itself")
    num_learners: int = Field(0, ge=0, description="learner actors; 0: the driver learns itself")
    num_gpus_per_learner: float = Field(0, ge=0, description="GPUs of each learner, and of each process of imitation")
    torch_threads: int = Field(1, ge=1, description="torch threads of each process")
