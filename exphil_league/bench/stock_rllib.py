"""Stock RLlib as a contender: its own environment runner, connectors and learner around our network.

It gets every help that needs no change to RLlib: vectorised environments, actions sampled inside the module,
the unrolled features passed on to the value function, the head evaluated once for log-probability and entropy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchDistribution
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from torch import Tensor

from envs.multi_agent import RllibGame
from exphil_league.bench.contender import AlgorithmContender, Task
from policies.head import ControllerHead, HeadOutput
from policies.policy import Policy, PolicyInputs
from policies.spec import PolicySpec

PLAYER = "main"


class StockModule(TorchRLModule, ValueFunctionAPI):
    """Our policy behind RLlib's stateful-module face: batches are [B, T], states a dict of [B, D]."""

    policy: Policy

    def setup(self) -> None:
        config: Any = self.model_config
        self.policy = Policy(PolicySpec.model_validate(config["spec"]))

    def get_initial_state(self) -> dict[str, Tensor]:
        return {str(i): layer[0] for i, layer in enumerate(self.policy.initial_state(1))}

    def _forward_inference(self, batch: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        return self._forward_exploration(batch)

    def _forward_exploration(self, batch: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        with torch.no_grad():
            floats, ids = (batch[Columns.OBS][name][:, 0] for name in ("floats", "ids"))
            inputs = PolicyInputs(floats, ids, floats.new_empty((len(floats), 0, 6), dtype=torch.uint8))
            step = self.policy.step(inputs, self._state(batch), torch.rand(len(floats), 6, device=floats.device))
        return {
            Columns.ACTIONS: step.parts[:, None],
            Columns.ACTION_LOGP: step.log_prob[:, None],
            Columns.ACTION_DIST_INPUTS: step.log_prob[:, None, None],  # never read: the KL term is off
            Columns.STATE_OUT: {str(i): layer for i, layer in enumerate(step.state)},
        }

    def _forward_train(self, batch: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        features = self._features(batch)
        return {Columns.ACTION_DIST_INPUTS: features, Columns.EMBEDDINGS: features}

    def compute_values(self, batch: Mapping[str, Any], embeddings: Any = None) -> Tensor:
        if embeddings is None:
            with torch.no_grad():  # only the advantages ask without features, as constants
                embeddings = self._features(batch)
        return self.policy.value(embeddings)

    def _features(self, batch: Mapping[str, Any]) -> Tensor:
        """[B, T, D + 6]. RLlib cuts sequences where games end, so there are no resets inside."""
        floats, ids = (batch[Columns.OBS][name].transpose(0, 1) for name in ("floats", "ids"))
        queue = floats.new_empty((*floats.shape[:2], 0, 6), dtype=torch.uint8)
        resets = floats.new_zeros(floats.shape[:2], dtype=torch.bool)
        features, _ = self.policy.unroll(PolicyInputs(floats, ids, queue), self._state(batch), resets)
        return features.transpose(0, 1)

    def _state(self, batch: Mapping[str, Any]) -> tuple[Tensor, ...]:
        state = batch[Columns.STATE_IN]
        return tuple(state[key] for key in sorted(state))

    def get_exploration_action_dist_cls(self) -> type[TorchDistribution]:
        return _distribution(self.policy.head)

    get_train_action_dist_cls = get_inference_action_dist_cls = get_exploration_action_dist_cls


def _distribution(head: ControllerHead) -> type[TorchDistribution]:
    """RLlib makes distributions from the module's outputs alone; this one also needs the head's weights."""

    class ControllerDistribution(TorchDistribution):
        def __init__(self, features: Tensor) -> None:
            self._features = features
            self._found: HeadOutput | None = None
            super().__init__()

        def _get_torch_distribution(self, *args: Any, **kwargs: Any) -> None:
            return None

        def logp(self, value: Any, **kwargs: Any) -> Tensor:
            self._found = head.evaluate(self._features, value)
            return self._found.log_prob

        def entropy(self, **kwargs: Any) -> Tensor:
            """Of the distributions along the actions that `logp` was asked for, as in our loss."""
            assert self._found is not None
            return self._found.part_entropy.sum(-1)

        @staticmethod
        def required_input_dim(space: Any, **kwargs: Any) -> int:
            return head.hidden_width

        @classmethod
        def from_logits(cls, logits: Any, **kwargs: Any) -> ControllerDistribution:
            return cls(logits)

    return ControllerDistribution


class StockRllib(AlgorithmContender):
    """PPO of RLlib's own with `environments` games in the driver."""

    def __init__(self, task: Task, environments: int) -> None:
        super().__init__(f"rllib-{environments}", task, _config(task, environments).build_algo())


def _config(task: Task, environments: int) -> PPOConfig:
    ppo, game = task.ppo, task.game
    config = PPOConfig()
    config.environment(
        RllibGame,
        env_config={
            "backend": game.backend,
            "stages": game.stages,
            "stocks": game.stocks,
            "time_limit_s": game.time_limit_s,
            "reward": ppo.reward.model_dump(),
        },
    )
    config.multi_agent(policies={PLAYER}, policy_mapping_fn=lambda agent_id, episode, **kwargs: PLAYER)
    config.rl_module(
        rl_module_spec=RLModuleSpec(
            module_class=StockModule,
            # RLlib adds up to two rows to a fragment (bootstrap, carried over); with max_seq_len = T they would open
            # a second, nearly empty sequence and double the learner's work.
            model_config={"spec": task.spec.model_dump(mode="json"), "max_seq_len": ppo.unroll_frames + 2},
        )
    )
    config.env_runners(
        num_env_runners=0,
        num_envs_per_env_runner=environments,
        rollout_fragment_length=task.env_frames // environments,
        batch_mode="truncate_episodes",
    )
    config.learners(num_gpus_per_learner=0 if task.device == "cpu" else 1)
    config.training(
        train_batch_size_per_learner=task.env_frames,
        minibatch_size=task.minibatch_steps,
        num_epochs=ppo.epochs,
        lr=ppo.learning_rate,
        gamma=ppo.gamma,
        lambda_=ppo.gae_lambda,
        clip_param=ppo.clip,
        vf_loss_coeff=0.5 * ppo.value_weight,
        vf_clip_param=float("inf"),
        entropy_coeff=ppo.entropy_weight,
        grad_clip=ppo.max_grad_norm,
        grad_clip_by="global_norm",
        use_kl_loss=False,
    )
    config.debugging(seed=task.seed, log_level="ERROR")
    return config
