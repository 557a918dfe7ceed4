"""Gradient steps of one learning player: scheduled, clipped, and taken back when they went too far.

A step may be harmful in two ways. Its gradient is not finite: it is left out and counted. Or the policy it leads to
is too far from the one that played the samples, which the next minibatch shows: the step is taken back, counted,
and the rest of the update is left out for this player.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from exphil_league.config.ppo import PPOConfig
from policies.policy import Policy


@dataclass
class StepCounts:
    """What has become of a player's steps since its start or reset."""

    updates: int = 0
    """Finished updates: where the schedules are."""
    skipped_steps: int = 0
    """Left out because something was not finite."""
    reverted_steps: int = 0
    """Taken back because the policy had moved farther than `ppo.kl_limit`."""


class Stepper:
    """Steps one policy with one optimizer. All learners of a player decide alike, so that they stay equal."""

    def __init__(self, policy: Policy, optimizer: torch.optim.Optimizer, ppo: PPOConfig) -> None:
        self._policy = policy
        self._params = list(policy.parameters())
        self._optimizer = optimizer
        self._ppo = ppo
        self.counts = StepCounts()
        self.now = ppo
        """The recipe's section as the schedules have it in this update."""
        self.stopped = False
        """Whether the rest of this update is left out."""
        self._undo: list[Tensor] = []
        self._with_moments = 0
        self._average: dict[str, Tensor] = self._weights() if ppo.ema_decay else {}

    @property
    def warming_up(self) -> bool:
        """Whether only the value head learns in this update."""
        return self.counts.updates < self._ppo.value_warmup_updates

    def begin_update(self) -> None:
        """Set what the schedules say about the coming update."""
        self.now = self._ppo.at(self.counts.updates)
        self.stopped = False
        self._undo = []
        for group in self._optimizer.param_groups:
            group["lr"] = self.now.learning_rate

    def check(self, behaviour_kl: Tensor) -> None:
        """Take the last step back and stop if the policy is now farther from behaviour than the limit allows."""
        if self._ppo.kl_limit <= 0 or self.stopped or not self._undo:
            return
        found = behaviour_kl.detach().clone()
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
        if float(found) <= self._ppo.kl_limit:
            return
        self._take_back()
        self.stopped = True
        self.counts.reverted_steps += 1

    def step(self) -> Tensor | None:
        """Clip and apply the gradients that the parameters hold; their norm before, None where nothing was done."""
        params = [p for p in self._params if p.grad is not None]
        if not params or self.stopped:
            return None
        norm = clip_grad_norm_(params, self._ppo.max_grad_norm)
        if not torch.isfinite(norm):
            self.counts.skipped_steps += 1
            return None
        self._remember()
        self._optimizer.step()
        return norm.detach()

    def end_update(self) -> None:
        """Count the update and move the running average of the weights."""
        self.counts.updates += 1
        for name, tensor in self._policy.state_dict().items() if self._average else ():
            self._average[name].lerp_(tensor, 1.0 - self._ppo.ema_decay)

    def restart(self, goes_on: bool = False) -> None:
        """The policy has new weights: optimizer state and average begin anew, schedules too unless it `goes_on`."""
        self._optimizer.state.clear()
        if not goes_on:
            self.counts = StepCounts()
        if self._average:
            self._average = self._weights()

    def published(self) -> dict[str, Tensor]:
        """Copies on the CPU of the weights that the league is told: the running average where there is one."""
        source = self._average or self._policy.state_dict()
        return {name: tensor.detach().cpu().clone() for name, tensor in source.items()}

    def get_state(self) -> dict[str, Any]:
        """Counts and the running average; weights and optimizer are RLlib's to keep."""
        return {
            "counts": asdict(self.counts),
            "average": {name: tensor.cpu().numpy() for name, tensor in self._average.items()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.counts = StepCounts(**state["counts"])
        for name, values in state["average"].items():
            self._average[name].copy_(torch.from_numpy(values))

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._policy.state_dict().items()}

    def _moving(self) -> list[Tensor]:
        """Everything that a step changes: the parameters, then the optimizer's moments in the order they came to be."""
        moments = (t for state in self._optimizer.state.values() for t in state.values() if isinstance(t, Tensor))
        return [*(p.data for p in self._params), *moments]

    def _remember(self) -> None:
        if self._ppo.kl_limit > 0:
            self._undo = [tensor.clone() for tensor in self._moving()]
            self._with_moments = len(self._optimizer.state)

    def _take_back(self) -> None:
        """Undo the last step; moments that it created are forgotten."""
        for param in list(self._optimizer.state)[self._with_moments :]:
            del self._optimizer.state[param]
        for tensor, before in zip(self._moving(), self._undo, strict=True):
            tensor.copy_(before)
