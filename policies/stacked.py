"""Several networks of one spec as one module, so that they act in one forward."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from policies.policy import Policy

_PRODUCTS: Final = (nn.Linear, nn.RNNBase)
"""Modules whose weights are matrices that rows are multiplied by."""


class PolicyStack:
    """Copies of policies' weights, stacked [K, ...] as `policies.layers` takes them."""

    def __init__(self, like: Policy) -> None:
        """`like`: a policy of the spec and on the device that all of them have."""
        self.module = copy.deepcopy(like).eval()
        """A policy for inference whose `step` takes rows [K, n, ...] and states [K, n, D]: rows [k] for network k."""
        self._policies: list[Policy] = []
        self._weights: dict[str, Tensor] = {}
        """[room, ...] by parameter, room for at least K networks."""

    @torch.inference_mode()
    def hold(self, policies: Sequence[Policy]) -> None:
        """Network k has the weights of policies[k]; only those that were not there already are copied."""
        before, self._policies = self._policies, list(policies)
        if not self._weights or len(policies) > len(next(iter(self._weights.values()))):
            self._weights, before = self._allocate(2 * len(policies), policies[0]), []
        for network, policy in enumerate(policies):
            if network >= len(before) or before[network] is not policy:
                self._copy(network)
        if len(before) != len(policies):
            for name, weights in self._weights.items():
                owner, _, attribute = name.rpartition(".")
                stacked = nn.Parameter(weights[: len(policies)], requires_grad=False)
                self.module.get_submodule(owner)._parameters[attribute] = stacked

    @property
    def nbytes(self) -> int:
        """Memory of the copies."""
        return sum(weights.nbytes for weights in self._weights.values())

    @torch.inference_mode()
    def refresh(self, policy: Policy) -> None:
        """The weights of a policy that is held have changed."""
        self._copy(self._policies.index(policy))

    def _copy(self, network: int) -> None:
        for name, weights in self._weights.items():
            weights[network].copy_(self._policies[network].get_parameter(name))

    def _allocate(self, room: int, like: Policy) -> dict[str, Tensor]:
        weights = {}
        for name, plain in like.named_parameters():
            stacked = plain.new_empty(room, *plain.shape)
            if plain.dim() == 2 and isinstance(like.get_submodule(name.rpartition(".")[0]), _PRODUCTS):
                # Column by column, as batched products like it: half their time at 16 networks of 8 rows.
                stacked = stacked.mT.contiguous().mT
            weights[name] = stacked
        return weights
