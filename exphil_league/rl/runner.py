"""The env runner: RLlib's face on a `Sampler`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import ray
import torch
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.env import INPUT_ENV_SINGLE_SPACES, INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.framework import get_device
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO

from envs.reward import Reward
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.sampler import Sampler, SamplerSettings, SampleStats, own_rewards
from exphil_league.rl.setup import RLSetup
from policies.spec import PolicySpec

_SAMPLER = "sampler"


@dataclass
class Sample:
    """What one runner brings per iteration."""

    source: int
    """Runner index."""
    sequence: int
    """Counts this runner's samples, so that a gap shows."""
    chunks: list[Chunk]
    weights: int = 0
    """Updates behind the weights it was played with, as the learner group counts them."""


class BatchedEnvRunner(EnvRunner, Checkpointable):
    """Plays N games at once on one backend. The backend is opened by the first `sample`."""

    module: Any

    def __init__(self, *, config: Any, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._setup: RLSetup = config.league_setup
        torch.set_num_threads(self._setup.torch_threads)
        self.make_module()
        self._sampler: Sampler | None = None
        self._sequence = 0
        self._sampler_state: dict[str, Any] = {}
        self._live_digests: dict[str, str] = {}
        self._weights = 0
        self._in_curriculum = bool(self._setup.curriculum_groups)

    def make_module(self) -> None:
        """The live learners, by player id."""
        self.module = self.config.get_multi_rl_module_spec(spaces=self.get_spaces(), inference_only=True).build()
        device = get_device(self.config, self.config.num_gpus_per_env_runner)
        for player in self._setup.players:
            self.module[player].to(device)

    def sample(self, **kwargs: Any) -> Sample:
        """One chunk per learning player; its arrays are valid until the next call (Ray copies them on the way out)."""
        self._follow_curriculum()
        sampler = self.sampler
        sampler.live_digests = self._live_digests
        chunks = sampler.sample()
        self._sequence += 1
        return Sample(self.worker_index or 0, self._sequence, chunks, self._weights)

    def take_stats(self) -> SampleStats:
        """What happened since the last call."""
        return self.sampler.take_stats()

    def set_live_digests(self, digests: Mapping[str, str]) -> None:
        """Digests of the weights that the live players have from now on."""
        self._live_digests = dict(digests)

    def get_spaces(self) -> dict[str, tuple[gym.Space, gym.Space]]:
        spaces = policy_spaces(self._setup.spec)
        names = [INPUT_ENV_SPACES, INPUT_ENV_SINGLE_SPACES, *self._setup.players]
        return dict.fromkeys(names, spaces)

    def assert_healthy(self) -> None:
        assert self.module is not None

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Weights, and what the sampler keeps of its games."""
        state: dict[str, Any] = {}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(**kwargs)
            state[WEIGHTS_SEQ_NO] = self._weights
        if self._check_component(_SAMPLER, components, not_components):
            state[_SAMPLER] = self.games_state()
        return state

    def games_state(self) -> dict[str, Any]:
        """What `set_games_state` of a runner in this one's place goes on from."""
        kept = self._sampler.get_state() if self._sampler else self._sampler_state
        return {"sampler": kept, "sequence": self._sequence} if kept else {}

    def set_games_state(self, state: Mapping[str, Any]) -> None:
        """Go on with the games of `games_state`; with none of them, where it is empty."""
        if state:
            self._sequence = state["sequence"]
            if self._sampler:
                self._sampler.set_state(state["sampler"])
            else:
                self._sampler_state = state["sampler"]

    def set_state(self, state: Mapping[str, Any]) -> None:
        if COMPONENT_RL_MODULE in state:
            weights = state[COMPONENT_RL_MODULE]
            self.module.set_state(ray.get(weights) if isinstance(weights, ray.ObjectRef) else weights)
            self._weights = state.get(WEIGHTS_SEQ_NO, self._weights)
        if _SAMPLER in state:
            self.set_games_state(state[_SAMPLER])

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[()], dict[str, Any]]:
        return (), {"config": self.config}

    def stop(self) -> None:
        """Close the backend."""
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None

    @property
    def sampler(self) -> Sampler:
        """What plays, opened by the first who asks."""
        setup = self._setup
        if self._sampler is None:
            self._sampler = Sampler(
                setup.open_backend(setup.games),
                setup.curriculum_groups if self._in_curriculum else setup.groups,
                {player: self.module[player].policy for player in setup.players},
                setup.open_league(),
                setup.load_agent,
                SamplerSettings(
                    unroll_frames=setup.ppo.unroll_frames,
                    reward=Reward(setup.ppo.reward, setup.ppo.gamma),
                    own_rewards=own_rewards(setup.ppo),
                    gamma=setup.ppo.gamma,
                    opponents=setup.opponents_per_runner,
                    seed=setup.seed + (self.worker_index or 0),
                    worker=f"runner-{self.worker_index or 0}",
                ),
            )
            if self._sampler_state:
                self._sampler.set_state(self._sampler_state)
                self._sampler_state = {}
        return self._sampler

    def _follow_curriculum(self) -> None:
        """Once every main player has passed its stages, go on with the games of the league."""
        if not self._in_curriculum:
            return
        league = self._setup.open_league()
        if not any(league.learner(player).in_curriculum for player in self._setup.players):
            self.stop()
            self._in_curriculum = False


def policy_spaces(spec: PolicySpec) -> tuple[gym.Space, gym.Space]:
    """Observation and action space of one seat, for RLlib's bookkeeping."""
    floats = gym.spaces.Box(-np.inf, np.inf, (spec.observation_floats,), np.float32)
    return floats, gym.spaces.MultiDiscrete(list(spec.part_sizes))
