"""The training loop of imitation, the same for one process and for many.

Each epoch passes over the training windows once and is judged on the held-out games; the weights of the best
epoch are what remains. A loop stops after its epochs, its minutes, or when the held-out loss has not fallen
for some epochs; Ctrl-C stops it with what there is.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from exphil_league.config.training import ImitationConfig
from exphil_league.errors import UserError
from exphil_league.imitation.losses import CloneLoss, CloneOutput, TensorWindows, to_tensors
from exphil_league.imitation.metrics import Baselines, HeldOutScores, total_nll
from exphil_league.imitation.relay import Shown
from exphil_league.imitation.windows import Windows
from exphil_league.observe.progress import progress

STOP_REASONS: Final = ("", "epochs", "patience", "minutes", "interrupt")
"""Why training ended; the empty one while it goes on."""
_BAD_UPDATES_ALLOWED: Final = 10
"""Updates in a row with a gradient that is not finite (each is skipped) before the run is given up."""


class Data(Protocol):
    """Where batches come from."""

    train_windows: int
    """Windows in one epoch of this process."""

    def train(self, epoch: int) -> Iterator[Windows]:
        """All training windows once, shuffled by the epoch's number."""
        ...

    def held_out(self) -> Iterator[Windows]:
        """All held-out windows once, in a fixed order."""
        ...


@dataclass
class Fitted:
    """What a loop leaves behind."""

    weights: dict[str, Tensor]
    """Of the best epoch."""
    parts: dict[str, dict[str, float]]
    """`HeldOutScores.report` of that epoch."""
    value_explained: float
    """Share of the variance of held-out returns that the value head explains; 0 when they do not vary."""
    epochs: int
    updates: int
    stopped_by: str
    """One of STOP_REASONS."""


class Fit:
    """One run of the loop over a CloneLoss, which may be wrapped for distributed training."""

    def __init__(
        self,
        module: nn.Module,
        data: Data,
        config: ImitationConfig,
        baselines: Baselines,
        agree: Callable[[str], str] = str,
        asked: Callable[[], bool] = bool,
        keep: Callable[[Fitted], None] | None = None,
        show: Callable[..., AbstractContextManager[Shown]] = progress,
    ) -> None:
        """`agree` makes processes that train together take the first one's reason to stop; `asked` says that the
        user wants to stop; `keep` is called with every new best, so that it outlives the process; `show` opens a
        progress display."""
        self._module = module
        inner = module if isinstance(module, CloneLoss) else module.module
        assert isinstance(inner, CloneLoss)
        self._policy = inner.policy
        self._plain = inner
        self._device = next(inner.parameters()).device
        self._data, self._config, self._baselines = data, config, baselines
        self._agree, self._asked, self._keep, self._show = agree, asked, keep, show
        self._optimizer = torch.optim.AdamW(
            inner.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self._updates = self._bad_updates = 0
        self._epoch_updates = math.ceil(data.train_windows / config.batch_windows)
        self._start_s = time.monotonic()
        self._best: Fitted | None = None

    def run(self) -> Fitted:
        """Train. Raises UserError when the loss stops being finite."""
        try:
            stopped_by = self._epochs()
        except KeyboardInterrupt:
            stopped_by = "interrupt"
        if self._best is None:
            self._judge(0)
        assert self._best is not None
        self._best.stopped_by = stopped_by
        self._best.updates = self._updates
        return self._best

    def _epochs(self) -> str:
        stale = 0
        for epoch in range(1, self._config.epochs + 1):
            stopped_by = self._train(epoch)
            if stopped_by == "interrupt":
                return stopped_by
            stale = 0 if self._judge(epoch) else stale + 1
            stopped_by = self._agree(stopped_by or ("patience" if stale >= self._config.patience_epochs else ""))
            if stopped_by:
                return stopped_by
        return "epochs"

    def _train(self, epoch: int) -> str:
        """One epoch; returns why it ended early, or nothing."""
        self._module.train()
        label = f"imitation epoch {epoch}/{self._config.epochs}"
        with self._show(label, total=self._data.train_windows * self._config.window_frames, unit="frames") as shown:
            for windows in self._data.train(epoch):
                self._update(to_tensors(windows, self._device), shown)
                if stopped_by := self._agree(self._must_stop()):
                    return stopped_by
        return ""

    def _update(self, batch: TensorWindows, shown: Shown) -> None:
        rate = self._learning_rate()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        output: CloneOutput = self._module(batch)
        self._optimizer.zero_grad()
        output.loss.backward()
        norm = nn.utils.clip_grad_norm_(self._plain.parameters(), self._config.max_grad_norm)
        self._updates += 1
        if torch.isfinite(norm):
            self._optimizer.step()
            self._bad_updates = 0
        else:
            self._bad_updates += 1
        if self._bad_updates >= _BAD_UPDATES_ALLOWED:
            raise UserError(
                f"imitation: the loss was not finite for {_BAD_UPDATES_ALLOWED} updates in a row "
                f"(now update {self._updates}): lower imitation.learning_rate ({self._config.learning_rate:g})"
            )
        shown.advance(batch.labels.numel() // batch.labels.shape[-1], nll=float(output.nll.detach()))

    def _learning_rate(self) -> float:
        """A cosine over the updates to come, or over the minutes if they run out first."""
        done = self._updates / (self._epoch_updates * self._config.epochs)
        if self._config.max_minutes:
            done = max(done, (time.monotonic() - self._start_s) / (60 * self._config.max_minutes))
        low = self._config.final_learning_rate_share
        return self._config.learning_rate * (low + (1 - low) * (1 + math.cos(math.pi * min(done, 1.0))) / 2)

    def _must_stop(self) -> str:
        limit_s = 60 * self._config.max_minutes
        if self._asked():
            return "interrupt"
        return "minutes" if limit_s and time.monotonic() - self._start_s >= limit_s else ""

    @torch.no_grad()
    def _judge(self, epoch: int) -> bool:
        """Score the held-out games; True if they were never predicted better."""
        self._module.eval()
        scores, error, spread = HeldOutScores(self._baselines), _Sums(), _Sums()
        for windows in self._data.held_out():
            batch = to_tensors(windows, self._device)
            output: CloneOutput = self._plain(batch)
            counted = batch.counted
            likeliest = torch.stack([log_p.argmax(-1) for log_p in output.head.log_probs], -1)
            of_rows = (batch.last, batch.labels, output.head.part_log_prob, likeliest)
            scores.add(*(tensor[counted].cpu().numpy() for tensor in of_rows))
            error.add(output.value_error[counted].sqrt())
            spread.add(batch.returns[counted])
        parts = scores.report()
        if self._best is not None and total_nll(parts) >= total_nll(self._best.parts):
            return False
        explained = 1 - error.mean_square() / spread.variance() if spread.variance() > 1e-9 else 0.0
        weights = copy.deepcopy(self._policy.state_dict())
        self._best = Fitted(weights, parts, explained, epoch, self._updates, "")
        if self._keep is not None:
            self._keep(self._best)
        return True


@dataclass
class _Sums:
    """Mean square and variance of many values."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: Tensor) -> None:
        self.count += values.numel()
        self.total += float(values.double().sum())
        self.squares += float(values.double().square().sum())

    def mean_square(self) -> float:
        return self.squares / max(self.count, 1)

    def variance(self) -> float:
        return self.mean_square() - (self.total / max(self.count, 1)) ** 2
