"""The teacher: the frozen warm start, which follows the learner's games with a recurrent state of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exphil_league.rl.batch import PlayerBatch
from policies.policy import Policy


class Teacher:
    """Log-probabilities of a frozen policy along the columns of successive chunks.

    Its state is kept per source of columns and carried from one chunk to the next. After a gap (a runner
    came back, a sample was lost) it starts from zeros and is right again after some frames.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy.eval().requires_grad_(False)
        self._after: dict[int, tuple[int, tuple[Tensor, ...]]] = {}

    def log_probs(self, batch: PlayerBatch, sources: Sequence[tuple[int, int, int]]) -> tuple[Tensor, ...]:
        """Six tensors [T, B, size] for a batch whose columns come from `sources`: (source, sequence, columns) each."""
        with torch.no_grad():
            state = self._state_before(sources)
            features, after = self._policy.unroll(batch.inputs, state, batch.resets)
            self._keep(after, sources)
            return self._policy.head.evaluate(features, batch.parts).log_probs

    def get_state(self) -> dict[int, tuple[int, tuple[NDArray[np.float32], ...]]]:
        """By source: the last sequence and the state after it."""
        return {
            source: (sequence, tuple(layer.cpu().numpy() for layer in state))
            for source, (sequence, state) in self._after.items()
        }

    def set_state(self, state: Mapping[int, tuple[int, tuple[NDArray[np.float32], ...]]]) -> None:
        """Go on from `get_state`."""
        device = next(self._policy.parameters()).device
        self._after = {
            source: (sequence, tuple(torch.from_numpy(layer).to(device) for layer in layers))
            for source, (sequence, layers) in state.items()
        }

    def _state_before(self, sources: Sequence[tuple[int, int, int]]) -> tuple[Tensor, ...]:
        pieces = []
        for source, sequence, columns in sources:
            last, state = self._after.get(source, (-1, ()))
            follows = last == sequence - 1 and all(len(layer) == columns for layer in state)
            pieces.append(state if follows and last >= 0 else self._policy.initial_state(columns))
        return tuple(torch.cat(layers) for layers in zip(*pieces, strict=True))

    def _keep(self, after: tuple[Tensor, ...], sources: Sequence[tuple[int, int, int]]) -> None:
        widths = [columns for _, _, columns in sources]
        split = [layer.split(widths) for layer in after]
        for i, (source, sequence, _) in enumerate(sources):
            self._after[source] = (sequence, tuple(layer[i] for layer in split))
