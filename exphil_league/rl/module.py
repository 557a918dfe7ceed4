"""A learning player's policy as an RLModule.

`is_stateful` stays False on purpose: RLlib then neither pads nor cuts sequences, and the recurrent state is
ours (the chunk carries it).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from torch import Tensor

from exphil_league.rl import weights
from exphil_league.rl.batch import PlayerBatch
from exphil_league.rl.update import evaluate
from policies.policy import Policy
from policies.spec import PolicySpec

BATCH: Final = "batch"
VALUE_ONLY: Final = "value_only"
PRECISION: Final = "precision"


class LeagueModule(TorchRLModule, ValueFunctionAPI):
    """model_config: `spec`, a PolicySpec as a dict, and `start`, the checkpoint folder to begin from (or None)."""

    policy: Policy

    def setup(self) -> None:
        config: Any = self.model_config
        start = config["start"]
        self.policy = weights.load(Path(start)) if start else Policy(PolicySpec.model_validate(config["spec"]))

    def is_stateful(self) -> bool:
        return False

    def get_initial_state(self) -> dict[str, Any]:
        return {}

    def _forward_train(self, batch: Mapping[str, Any], **kwargs: Any) -> Any:
        """An Evaluation; `batch` holds a PlayerBatch, whether only the value head learns, and the precision."""
        return evaluate(self.policy, batch[BATCH], batch[VALUE_ONLY], batch[PRECISION])

    def compute_values(self, batch: Mapping[str, Any], embeddings: Any = None) -> Tensor:
        """Values [T, B] of a PlayerBatch."""
        found: PlayerBatch = batch[BATCH]
        features, _ = self.policy.unroll(found.inputs, found.state, found.resets)
        return self.policy.value(features)
