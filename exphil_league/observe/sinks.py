"""Where the result of each learner update goes besides Tune's own files: JSON lines, console, Weights & Biases."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from exphil_league.config.run import RunConfig
from exphil_league.errors import UserError
from exphil_league.observe import metric_names as names
from exphil_league.observe.console import say
from exphil_league.observe.progress import duration, quantity
from exphil_league.run_folder import write_atomic

PACE_LINES: Final = 5
"""Lines on the console that the present speed is taken over."""


class Sink(Protocol):
    """Gets the flat numbers of each update, in order; what it returns, the sinks after it and Tune's files get too."""

    def write(self, metrics: Mapping[str, float]) -> Mapping[str, float] | None: ...

    def close(self) -> None: ...


class JsonLines:
    """One JSON object a line. Lines of updates that a resumed trial does again are taken out first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: float = float("inf")
        """Update of the last line; of a file from before, unknown."""

    def write(self, metrics: Mapping[str, float]) -> None:
        if metrics[names.UPDATES] <= self._last:
            self._drop_from(metrics[names.UPDATES])
        self._last = metrics[names.UPDATES]
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(dict(metrics)) + "\n")

    def close(self) -> None: ...

    def _drop_from(self, update: float) -> None:
        if not self._path.exists():
            return
        kept = [line for line in self._path.read_text(encoding="utf-8").splitlines() if _update_of(line) < update]
        write_atomic(self._path, "".join(line + "\n" for line in kept))


def _update_of(line: str) -> float:
    try:
        return float(json.loads(line)[names.UPDATES])
    except ValueError:  # the line that a kill cut off
        return float("inf")


class Console:
    """A line on how training goes and the ladder, every so many seconds."""

    def __init__(
        self,
        limits: RunConfig,
        show_ladder: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        label: str = "league",
    ) -> None:
        self._limits, self._show_ladder, self._clock, self._label = limits, show_ladder, clock, label
        self._next_s = clock()
        self._shown: deque[Mapping[str, float]] = deque(maxlen=PACE_LINES)

    def write(self, metrics: Mapping[str, float]) -> None:
        if self._clock() < self._next_s:
            return
        self._next_s = self._clock() + self._limits.console_every_s
        say(progress_line(metrics, self._limits, self._label, self._shown[0] if self._shown else None))
        self._shown.append(metrics)
        if metrics.get(names.RATING_GAMES):
            self._show_ladder()

    def close(self) -> None: ...


def progress_line(
    metrics: Mapping[str, float],
    limits: RunConfig,
    label: str = "league",
    earlier: Mapping[str, float] | None = None,
) -> str:
    """How training goes, in one line; the time left at the speed since `earlier` numbers of the same run."""
    parts = [
        f"{label}: update {metrics[names.UPDATES]:.0f}",
        f"{quantity(metrics[names.ENV_FRAMES])} frames",
        f"{quantity(metrics.get(names.FPS, 0))} frames/s",
        f"{quantity(metrics.get(names.GAMES_PER_S, 0))} games/s",
    ]
    if names.ELO in metrics:
        half = (metrics[names.ELO_HIGH] - metrics[names.ELO_LOW]) / 2
        parts.append(f"main {metrics[names.ELO]:.0f} ± {half:.0f} Elo")
    left_s = time_left_s(metrics, limits, earlier)
    if left_s is not None:
        parts.append(f"{duration(left_s)} left")
    return ", ".join(parts)


def time_left_s(
    metrics: Mapping[str, float], limits: RunConfig, earlier: Mapping[str, float] | None = None
) -> float | None:
    """Seconds until the first limit of the league phase is reached; None without a limit.

    At the speed since the `earlier` numbers, so that a resumed run forgets how fast it was on a busier machine;
    without them, since the run began.
    """
    spent_s, since = metrics[names.SECONDS], earlier or {}
    estimates = [limits.max_minutes * 60 - spent_s] if limits.max_minutes else []
    for limit, key in ((limits.max_env_frames, names.ENV_FRAMES), (limits.max_updates, names.UPDATES)):
        done = metrics[key] - since.get(key, 0)
        if limit and done > 0:
            estimates.append((limit - metrics[key]) * (spent_s - since.get(names.SECONDS, 0)) / done)
    return max(0.0, min(estimates)) if estimates else None


class TensorBoard:
    """The files Tune would write, for a trial that runs without it: the same names over the same steps."""

    def __init__(self, folder: Path) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), flush_secs=30)

    def write(self, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(f"ray/tune/{name}", value, int(metrics[names.ENV_FRAMES]))

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """Sends the numbers to a Weights & Biases project. `WANDB_MODE=offline` keeps them in RUN/wandb."""

    def __init__(self, project: str, name: str, run: Path, config: Mapping[str, Any]) -> None:
        """Open the run of this name, going on with it if it is there. Raises UserError without an account."""
        import wandb

        try:
            self._run = wandb.init(
                project=project,
                name=name,
                id=name.replace("/", "."),
                resume="allow",
                dir=str(run),
                config=dict(config),
                reinit="create_new",  # members of a population have one each
            )
        except wandb.errors.UsageError as error:
            raise UserError(
                f"run.wandb_project: {error}. Log in to Weights & Biases, set WANDB_MODE=offline, or leave the key out"
            ) from error
        self._run.define_metric("*", step_metric=names.ENV_FRAMES)

    def write(self, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics))

    def close(self) -> None:
        self._run.finish()
