"""The learner: RLlib's PPO learner fed with time-major chunks.

RLlib keeps optimizers, device placement, DDP, checkpoints and metrics. Ours are the data path (no
connectors, no padding: whole sequences of chosen columns), the loss, and a gradient step that skips what is
not finite.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from exphil_league.rl.batch import PlayerBatch, ReturnSettings, to_batch
from exphil_league.rl.buffers import concatenate
from exphil_league.rl.module import BATCH, VALUE_ONLY
from exphil_league.rl.runner import Sample
from exphil_league.rl.setup import RLSetup
from exphil_league.rl.teacher import Teacher
from exphil_league.rl.update import minibatch_loss
from policies import checkpoint
from policies.policy import Policy

_PROGRESS: Final = "league_progress"


@dataclass
class Minibatch:
    """One minibatch of every learning player that has data; what RLlib's update loop hands to `_update`."""

    policy_batches: dict[str, dict[str, Any]]


@dataclass
class Progress:
    """Counters and random state of a learner that a checkpoint keeps."""

    updates: dict[str, int] = field(default_factory=dict)
    """Finished updates by player since its start or reset."""
    skipped_steps: dict[str, int] = field(default_factory=dict)
    """Gradient steps left out by player because something was not finite."""


class LeagueLearner(PPOTorchLearner):
    """Clipped PPO on chunks, for every learning player at once."""

    # RLlib declares these as maybe absent or too narrowly; they are there once the learner is built.
    config: Any
    _module: Any
    _device: Any

    def build(self) -> None:
        self._setup: RLSetup = self.config.league_setup
        torch.set_num_threads(self._setup.torch_threads)
        super().build()
        players = self._setup.players
        self._progress = Progress(dict.fromkeys(players, 0), dict.fromkeys(players, 0))
        self._shuffle = torch.Generator().manual_seed(self._setup.seed)
        self._teachers = {
            start.player: Teacher(checkpoint.load(start.teacher).to(self._device))
            for start in self._setup.starts
            if start.teacher is not None and self._setup.ppo.teacher_weight > 0
        }
        self._terms: dict[str, list[dict[str, Tensor]]] = defaultdict(list)

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        params = self.get_parameters(self._module[module_id])
        optimizer = torch.optim.Adam(params, eps=1e-5, fused=True)
        self.register_optimizer(
            module_id=module_id, optimizer=optimizer, params=params, lr_or_lr_schedule=self.config.lr
        )

    # Data

    def _create_iterator_if_necessary(self, *, training_data: Any, **kwargs: Any) -> Iterator[Minibatch]:
        """Minibatches of all epochs. `training_data.episodes` are the runners' samples."""
        return self._minibatches(self._batches(training_data.episodes))

    def _batches(self, samples: Sequence[Sample]) -> dict[str, PlayerBatch]:
        ppo = self._setup.ppo
        batches = {}
        for player in self._setup.players:
            found = [(s, chunk) for s in samples for chunk in s.chunks if chunk.player == player]
            if not found:
                continue
            merged = concatenate([chunk for _, chunk in found])
            batch = to_batch(merged, ReturnSettings(ppo.gamma, ppo.gae_lambda), self._device)
            if player in self._teachers:
                sources = [(s.source, s.sequence, chunk.log_prob.shape[1]) for s, chunk in found]
                batch.teacher = self._teachers[player].log_probs(batch, sources)
            batches[player] = batch
        return batches

    def _minibatches(self, batches: Mapping[str, PlayerBatch]) -> Iterator[Minibatch]:
        ppo = self._setup.ppo
        for _ in range(ppo.epochs):
            streams = [batch.minibatches(ppo.minibatches, self._shuffle) for batch in batches.values()]
            for group in zip(*streams, strict=True):
                yield Minibatch(
                    {
                        player: {BATCH: batch, VALUE_ONLY: self._warming_up(player)}
                        for player, batch in zip(batches, group, strict=True)
                    }
                )

    def _warming_up(self, player: str) -> bool:
        return self._progress.updates[player] < self._setup.ppo.value_warmup_updates

    def _set_slicing_by_batch_id(self, batch: Any, *, value: bool) -> Any:
        """Nothing to do: our minibatches are whole sequences already."""
        return batch

    # One minibatch

    def compute_loss_for_module(self, *, module_id: str, config: Any, batch: Any, fwd_out: Any) -> Tensor:
        """Loss of one player: `batch` as `Minibatch` has it, `fwd_out` an Evaluation."""
        loss, terms = minibatch_loss(fwd_out, batch[BATCH], self._setup.ppo, batch[VALUE_ONLY])
        self._terms[module_id].append(terms)
        return loss

    def postprocess_gradients(self, gradients_dict: dict[Any, Any]) -> dict[Any, Any]:
        """Clip each player's gradient by its norm; drop it whole when the norm is not finite."""
        for player in self._setup.players:
            params = [p for p in self._policy(player).parameters() if p.grad is not None]
            if not params:
                continue
            norm = clip_grad_norm_(params, self._setup.ppo.max_grad_norm)
            if not torch.isfinite(norm):
                self._progress.skipped_steps[player] += 1
                for param in params:
                    param.grad = None
                continue
            self._terms[player][-1]["grad_norm"] = norm.detach()
        return gradients_dict

    def apply_gradients(self, gradients_dict: dict[Any, Any]) -> None:
        """Step every optimizer; parameters without a gradient stay as they are."""
        for optimizer in self._named_optimizers.values():
            optimizer.step()

    # Metrics and state

    def _log_metrics(self, batch: Any) -> None:
        """RLlib's step counters expect its own batch type; `after_gradient_based_update` reports instead."""

    def _log_steps_trained_metrics(self, batch: Any) -> None:
        """As above."""

    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        super().after_gradient_based_update(timesteps=timesteps)
        for player, terms in self._terms.items():
            self._progress.updates[player] += 1
            for name in dict.fromkeys(name for term in terms for name in term):
                values = torch.stack([term[name] for term in terms if name in term])
                self.metrics.log_value((player, name), float(values.mean()), window=1)
            self.metrics.log_value((player, "skipped_steps"), self._progress.skipped_steps[player], window=1)
            self.metrics.log_value((player, "updates"), self._progress.updates[player], window=1)
        self._terms.clear()

    def policy_weights(self, player: str) -> dict[str, Tensor]:
        """Copies on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self._policy(player).state_dict().items()}

    def reset_player(self, player: str, weights: Mapping[str, Tensor]) -> None:
        """Start again from these policy weights: optimizer state, warm-up and counters begin anew."""
        self._policy(player).load_state_dict(dict(weights))
        for _, optimizer in self.get_optimizers_for_module(player):
            optimizer.state.clear()
        self._progress.updates[player] = 0

    def _policy(self, player: str) -> Policy:
        return self._module[player].unwrapped().policy

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        state = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(_PROGRESS, components, not_components):
            state[_PROGRESS] = {
                "updates": dict(self._progress.updates),
                "skipped_steps": dict(self._progress.skipped_steps),
                "shuffle": self._shuffle.get_state().numpy(),
            }
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        if _PROGRESS in state:
            kept = state[_PROGRESS]
            self._progress = Progress(dict(kept["updates"]), dict(kept["skipped_steps"]))
            self._shuffle.set_state(torch.from_numpy(kept["shuffle"]))
