"""Recipe sections of imitation and of the machines a run is spread over; self-play PPO is in `ppo`."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from envs.game import character_id, character_name
from exphil_league.config.base import Section
from exphil_league.config.game import CharacterNames


class ImitationConfig(Section):
    """Behavioural cloning: from .slp files to the warm start."""

    window_frames: int = Field(
        64, ge=8, le=1024, description="game frames of a training window; a multiple of policy.action_repeat"
    )
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
    from_run: str | None = Field(
        None, description="run folder whose warm start and styles are taken over; nothing is imitated then"
    )
    cache: str | None = Field(None, description="folder of the window cache; default: the user's cache folder")
    characters: CharacterNames = Field((), description="learn from these characters only; empty for all")

    @field_validator("characters")
    @classmethod
    def _characters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(character_name(character_id(n)) for n in names)


class RayConfig(Section):
    """How the run is spread over machines."""

    num_env_runners: int = Field(0, ge=0, description="runner actors; 0: the driver samples itself")
    num_learners: int = Field(
        0, ge=0, description="learner actors, with GPUs imitation's processes too; 0: the driver learns itself"
    )
    num_gpus_per_learner: float = Field(0, ge=0, description="GPUs of each learner, and of each process of imitation")
    num_gpus_per_env_runner: float = Field(
        0, ge=0, description="GPUs of each runner, whose networks compute there; a share such as 0.25 lets runners join"
    )
    torch_threads: int = Field(1, ge=1, description="torch threads of each process")

    @model_validator(mode="after")
    def _learners_get_equal_shares(self) -> RayConfig:
        if self.num_learners > 1 and (self.num_env_runners == 0 or self.num_env_runners % self.num_learners):
            raise ValueError(
                f"num_env_runners ({self.num_env_runners}) must be num_learners ({self.num_learners}) or a multiple of "
                "it: learners must get equally many samples"
            )
        return self

    @model_validator(mode="after")
    def _gpus_are_for_somebody(self) -> RayConfig:
        driver_has_one = self.num_learners == 0 and self.num_gpus_per_learner > 0
        if self.num_gpus_per_env_runner and not self.num_env_runners and not driver_has_one:
            raise ValueError(
                "num_gpus_per_env_runner: with num_env_runners=0 the driver samples, and it has a GPU only if "
                "it learns itself too: num_learners=0 and num_gpus_per_learner=1"
            )
        return self
