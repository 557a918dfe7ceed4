"""The learner: RLlib's PPO learner fed with time-major chunks.

RLlib keeps optimizers, device placement, DDP, checkpoints and metrics. Ours are the data path (no
connectors, no padding: whole sequences of chosen columns), the loss, and the steps (`exphil_league.rl.stepper`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from torch import Tensor

from exphil_league.rl import weights
from exphil_league.rl.batch import PlayerBatch, ReturnSettings, to_batch
from exphil_league.rl.buffers import concatenate
from exphil_league.rl.metrics import CURRENT_VALUES
from exphil_league.rl.module import BATCH, PRECISION, VALUE_ONLY
from exphil_league.rl.runner import Sample
from exphil_league.rl.setup import RLSetup
from exphil_league.rl.stepper import Stepper
from exphil_league.rl.teacher import Teacher
from exphil_league.rl.update import behaviour_kl, minibatch_loss
from policies.policy import Policy

_PROGRESS: Final = "league_progress"
_CHECKED_SHARE: Final = 8
"""After the last step the distance from behaviour is measured on one of so many columns of the last minibatch."""


@dataclass
class Minibatch:
    """One minibatch of every learning player that has data; what RLlib's update loop hands to `_update`."""

    policy_batches: dict[str, dict[str, Any]]


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
        self._steppers = {player: self._stepper(player) for player in players}
        self._minibatch = 0
        self._shuffle = torch.Generator().manual_seed(self._setup.seed)
        self._teachers = {
            start.player: Teacher(weights.load(start.teacher).to(self._device))
            for start in self._setup.starts
            if start.teacher is not None and self._setup.ppo.of(start.player).wants_teacher
        }
        self._terms: dict[str, list[dict[str, Tensor]]] = defaultdict(list)

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        params = self.get_parameters(self._module[module_id])
        optimizer = torch.optim.Adam(params, eps=1e-5, fused=True)
        self.register_optimizer(
            module_id=module_id, optimizer=optimizer, params=params, lr_or_lr_schedule=self.config.lr
        )

    def _stepper(self, player: str) -> Stepper:
        ((_, optimizer),) = self.get_optimizers_for_module(player)
        return Stepper(self._policy(player), optimizer, self._setup.ppo.of(player))

    # Data

    def _create_iterator_if_necessary(self, *, training_data: Any, **kwargs: Any) -> Iterator[Minibatch]:
        """Minibatches of all epochs. `training_data.episodes` are the runners' samples."""
        for stepper in self._steppers.values():
            stepper.begin_update()
        return self._minibatches(self._batches(training_data.episodes))

    def _batches(self, samples: Sequence[Sample]) -> dict[str, PlayerBatch]:
        ppo = self._setup.ppo
        stale = any(sample.weights < self._weights_seq_no - 1 for sample in samples)
        batches = {}
        for player in self._setup.players:
            found = [(s, chunk) for s in samples for chunk in s.chunks if chunk.player == player]
            if not found:
                continue
            merged = concatenate([chunk for _, chunk in found])
            present = self._policy(player) if stale else None
            returns = ReturnSettings(ppo.gamma**self._setup.spec.action_repeat, ppo.gae_lambda)
            batch = to_batch(merged, returns, self._device, present)
            if player in self._teachers:
                sources = [(s.source, s.sequence, chunk.log_prob.shape[1]) for s, chunk in found]
                batch.teacher = self._teachers[player].log_probs(batch, sources)
            batches[player] = batch
        return batches

    def _minibatches(self, batches: Mapping[str, PlayerBatch]) -> Iterator[Minibatch]:
        ppo, last = self._setup.ppo, dict[str, PlayerBatch]()
        self._minibatch = 0
        for _ in range(ppo.epochs):
            streams = [batch.minibatches(ppo.minibatches, self._shuffle) for batch in batches.values()]
            for group in zip(*streams, strict=True):
                last = dict(zip(batches, group, strict=True))
                yield Minibatch({player: self._train_batch(player, batch) for player, batch in last.items()})
                self._minibatch += 1
        if ppo.kl_limit > 0:
            for player, batch in last.items():
                columns = torch.arange(-(-batch.columns // _CHECKED_SHARE), device=self._device)
                self._steppers[player].check(behaviour_kl(self._policy(player), batch.select(columns)))

    def _train_batch(self, player: str, batch: PlayerBatch) -> dict[str, Any]:
        warming_up = self._steppers[player].warming_up
        return {BATCH: batch, VALUE_ONLY: warming_up, PRECISION: self._setup.ppo.precision}

    def _set_slicing_by_batch_id(self, batch: Any, *, value: bool) -> Any:
        """Nothing to do: our minibatches are whole sequences already."""
        return batch

    # One minibatch

    def compute_loss_for_module(self, *, module_id: str, config: Any, batch: Any, fwd_out: Any) -> Tensor:
        """Loss of one player: `batch` as `Minibatch` has it, `fwd_out` an Evaluation."""
        stepper = self._steppers[module_id]
        loss, terms = minibatch_loss(fwd_out, batch[BATCH], stepper.now, batch[VALUE_ONLY])
        stepper.check(terms["kl_behaviour"])
        self._terms[module_id].append(terms)
        return loss / self._setup.ppo.accumulate

    def compute_gradients(self, loss_per_module: Any, **kwargs: Any) -> dict[Any, Any]:
        """Gradients of all players, added up over `ppo.accumulate` minibatches."""
        if self._minibatch % self._setup.ppo.accumulate == 0:
            for optimizer in self._named_optimizers.values():
                optimizer.zero_grad(set_to_none=True)
        sum(loss_per_module.values(), torch.zeros((), device=self._device)).backward()
        return {}

    def postprocess_gradients(self, gradients_dict: dict[Any, Any]) -> dict[Any, Any]:
        """Nothing: the steppers clip."""
        return gradients_dict

    def apply_gradients(self, gradients_dict: dict[Any, Any]) -> None:
        """Step every player whose minibatches of a step are together."""
        if (self._minibatch + 1) % self._setup.ppo.accumulate:
            return
        for player, stepper in self._steppers.items():
            norm = stepper.step()
            if norm is not None:
                self._terms[player][-1]["grad_norm"] = norm

    # Metrics and state

    def _log_metrics(self, batch: Any) -> None:
        """RLlib's step counters expect its own batch type; `after_gradient_based_update` reports instead."""

    def _log_steps_trained_metrics(self, batch: Any) -> None:
        """As above."""

    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        super().after_gradient_based_update(timesteps=timesteps)
        for player, terms in self._terms.items():
            stepper = self._steppers[player]
            stepper.end_update()
            for name in dict.fromkeys(name for term in terms for name in term):
                values = torch.stack([term[name] for term in terms if name in term])
                self.metrics.log_value((player, name), float(values.mean()), window=1)
            for name, count in asdict(stepper.counts).items():
                self.metrics.log_value((player, name), count, window=1)
            for name in CURRENT_VALUES:
                self.metrics.log_value((player, name), getattr(stepper.now, name), window=1)
        self._terms.clear()

    @property
    def weights_number(self) -> int:
        """Updates behind the present weights, as RLlib counts them."""
        return self._weights_seq_no

    def published_weights(self, player: str) -> dict[str, Tensor]:
        """What the league is told of a player: copies on the CPU."""
        return self._steppers[player].published()

    def reset_player(self, player: str, weights: Mapping[str, Tensor], goes_on: bool = False) -> None:
        """Start again from these policy weights: optimizer state begins anew; so do warm-up, schedules and counters,
        unless the player `goes_on` with trained weights of its own role."""
        self._policy(player).load_state_dict(dict(weights))
        self._steppers[player].restart(goes_on)

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
                "steppers": {player: stepper.get_state() for player, stepper in self._steppers.items()},
                "teachers": {player: teacher.get_state() for player, teacher in self._teachers.items()},
                "shuffle": self._shuffle.get_state().numpy(),
            }
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        self._weights_seq_no = 0  # RLlib leaves out weights that it takes for older than its own
        super().set_state(state)
        if _PROGRESS in state:
            kept = state[_PROGRESS]
            for player, stepper in self._steppers.items():
                stepper.set_state(kept["steppers"][player])
            for player, teacher in self._teachers.items():
                teacher.set_state(kept["teachers"].get(player, {}))
            self._shuffle.set_state(torch.from_numpy(kept["shuffle"]))
