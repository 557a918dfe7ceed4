"""The league phase: one trial of LeaguePPO, run by Tune or, in serial mode, in this process.

Both keep resume points (`rl.resume`), write TensorBoard files of the same names, feed the same sinks and stop by
the same limits. What they keep lies in RUN/tune and may be read only from a run of one's own: it holds pickles.
"""

from __future__ import annotations

import copy
import errno
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ray import tune
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.tune.logger import JsonLoggerCallback, TBXLoggerCallback

from exphil_league.config.run import RunConfig
from exphil_league.observe import metric_names as names
from exphil_league.observe.sinks import Sink, TensorBoard
from exphil_league.tune_state import keep_spare, mend

EXPERIMENT = "league"
SERIAL = "serial"

OpenSinks = Callable[[], list[Sink]]
"""Opens the sinks where the results arrive; picklable."""


def limit_reached(limits: RunConfig, result: Mapping[str, Any]) -> str | None:
    """The key of the limit that ended the phase, or None: train on."""
    checks = (
        ("run.max_minutes", limits.max_minutes * 60, names.SECONDS),
        ("run.max_env_frames", limits.max_env_frames, names.ENV_FRAMES),
        ("run.max_updates", limits.max_updates, names.UPDATES),
    )
    return next((key for key, limit, name in checks if limit and result.get(name, 0) >= limit), None)


class StopAtLimit(tune.Stopper):
    """Ends the trial at the recipe's limits. Reads them when it starts, so that a resumed run may have longer ones."""

    def __init__(self, read_limits: Callable[[], RunConfig]) -> None:
        self._read_limits = read_limits
        self._limits: RunConfig | None = None

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        if self._limits is None:
            self._limits = self._read_limits()
        return limit_reached(self._limits, result) is not None

    def stop_all(self) -> bool:
        return False

    def __getstate__(self) -> dict[str, Any]:
        return {"_read_limits": self._read_limits, "_limits": None}


_sinks: list[Sink] = []
"""Open sinks of this process. Not kept by the callback: on resume Tune makes a second one out of its pickles."""


class SinkCallback(tune.Callback):
    """Hands each result to the sinks, which the first result opens, and keeps a spare of Tune's state."""

    def __init__(self, open_sinks: OpenSinks, experiment: Path) -> None:
        self._open_sinks, self._experiment = open_sinks, experiment

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if not _sinks:
            _sinks.extend(self._open_sinks())
        write_all(_sinks, result)  # Tune's loggers come after: they see what the sinks added
        keep_spare(self._experiment)


def close_sinks() -> None:
    """Close what the callback opened."""
    while _sinks:
        _sinks.pop().close()


def write_all(sinks: Iterable[Sink], result: dict[str, Any]) -> None:
    """Hand what we named of one result to all sinks; RLlib's own numbers stay in Tune's files.

    What a sink finds out joins the metrics of those after it, and the result, which Tune's loggers write.
    """
    metrics = names.flatten({key: result[key] for key in names.REPORTED if key in result})
    for sink in sinks:
        if found := sink.write(metrics):
            metrics |= found
            result |= names.nested(found)


def run_with_tune(
    config: AlgorithmConfig,
    folder: Path,
    limits: RunConfig,
    read_limits: Callable[[], RunConfig],
    open_sinks: OpenSinks,
) -> dict[str, Any] | None:
    """Run or resume the trial under Tune until a limit is reached; returns its last result, None after Ctrl-C.

    Raises what ended the trial when it cannot go on, OSError when the disk had no room even for that.
    """
    try:
        results = _tuner(config, folder, limits, read_limits, open_sinks).fit()
    except EOFError as error:  # Tune reads back an error that it could not write
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
    finally:
        close_sinks()
    if results.errors:
        raise results.errors[0]
    metrics = results[0].metrics
    return metrics if metrics and limit_reached(limits, metrics) else None


def _tuner(
    config: AlgorithmConfig,
    folder: Path,
    limits: RunConfig,
    read_limits: Callable[[], RunConfig],
    open_sinks: OpenSinks,
) -> tune.Tuner:
    experiment = folder / EXPERIMENT
    mend(experiment)
    trainable: Any = config.algo_class
    space: Any = config  # a Tuner takes an AlgorithmConfig whole, though it declares a dict
    if tune.Tuner.can_restore(experiment):
        return tune.Tuner.restore(
            str(experiment), trainable=trainable, param_space=space, resume_errored=True, resume_unfinished=True
        )
    return tune.Tuner(
        trainable,
        param_space=space,
        run_config=tune.RunConfig(
            name=EXPERIMENT,
            storage_path=str(folder),
            stop=StopAtLimit(read_limits),
            callbacks=[SinkCallback(open_sinks, experiment), JsonLoggerCallback(), TBXLoggerCallback()],
            checkpoint_config=tune.CheckpointConfig(
                num_to_keep=limits.keep_checkpoints,
                checkpoint_frequency=limits.checkpoint_every_updates,
                checkpoint_at_end=True,
            ),
            failure_config=tune.FailureConfig(max_failures=limits.restarts),
            verbose=0,
        ),
    )


def run_serial(config: AlgorithmConfig, folder: Path, limits: RunConfig, open_sinks: OpenSinks) -> dict[str, Any]:
    """Run or resume the trial in this process until a limit is reached; returns its last result."""
    home = folder / SERIAL
    home.mkdir(parents=True, exist_ok=True)
    algorithm: Any = copy.deepcopy(config).build_algo(use_copy=False)
    sinks = [*open_sinks(), TensorBoard(home)]
    try:
        algorithm.go_on()
        while True:
            result: dict[str, Any] = algorithm.train()
            write_all(sinks, result)
            reached = limit_reached(limits, result)
            if reached or result[names.UPDATES] % limits.checkpoint_every_updates == 0:
                algorithm.save_resume_point()
            if reached:
                return result
    finally:
        for sink in sinks:
            sink.close()
        algorithm.stop()
