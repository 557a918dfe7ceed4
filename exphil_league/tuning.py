"""The league phase: one trial of LeaguePPO (of a population one a member), run by Tune or, serially, in this process.

Both keep resume points (`rl.resume`), write TensorBoard files of the same names, feed the same sinks and stop by
the same limits. What they keep lies in RUN/tune and may be read only from a run of one's own: it holds pickles.
"""

from __future__ import annotations

import copy
import errno
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ray import tune
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.tune.logger import JsonLoggerCallback, TBXLoggerCallback
from ray.tune.schedulers import TrialScheduler

from exphil_league.config.run import RunConfig
from exphil_league.observe import metric_names as names
from exphil_league.observe.sinks import Sink, TensorBoard
from exphil_league.ray_session import interrupt_kept
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


MEMBER: Final = "member"
"""Key of a trial's config: which member of a population it is. The one trial of a run without one has no such key."""


@dataclass(frozen=True)
class Trials:
    """What Tune runs: the trial of a league, or those of a population's members."""

    trainable: Any
    space: Any
    """A config, or a dictionary with one trial for every value of `member`."""
    open_sinks: Mapping[str, OpenSinks]
    """By member; under "" those of a run's one trial."""
    scheduler: TrialScheduler | None = None
    go_on: bool = False
    """Trials that had reached their limit are trained further: the limit is a later one now."""


_sinks: dict[str, list[Sink]] = {}
"""Open sinks of this process. Not kept by the callback: on resume Tune makes a second one out of its pickles."""


class SinkCallback(tune.Callback):
    """Hands each result to its trial's sinks, which the first one opens, and keeps a spare of Tune's state."""

    def __init__(self, open_sinks: Mapping[str, OpenSinks], experiment: Path) -> None:
        self._open_sinks, self._experiment = open_sinks, experiment

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        member = trial.config.get(MEMBER, "")
        if member not in _sinks:
            _sinks[member] = self._open_sinks[member]()
        write_all(_sinks[member], result)  # Tune's loggers come after: they see what the sinks added
        keep_spare(self._experiment)


def close_sinks() -> None:
    """Close what the callback opened."""
    while _sinks:
        for sink in _sinks.popitem()[1]:
            sink.close()


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
    go_on: bool = False,
) -> dict[str, Any] | None:
    """Run or resume the trial under Tune until a limit is reached; returns its last result, None after Ctrl-C.

    go_on: as `Trials` has it.
    Raises what ended the trial when it cannot go on, OSError when the disk had no room even for that.
    """
    trials = Trials(config.algo_class, config, {"": open_sinks}, go_on=go_on)
    results = run_trials(trials, folder, limits, read_limits)
    return None if results is None else results[0]


def run_trials(
    trials: Trials, folder: Path, limits: RunConfig, read_limits: Callable[[], RunConfig]
) -> list[dict[str, Any]] | None:
    """The same for several trials: the last result of each, None when some have not reached a limit."""
    # Tune's advice for populations that clone trials from Tune's own checkpoints, which ours does not.
    warnings.filterwarnings("ignore", message="Consider boosting PBT performance|Using `CheckpointConfig.num_to_keep")
    try:
        with interrupt_kept():
            results = _tuner(trials, folder, limits, read_limits).fit()
    except EOFError as error:  # Tune reads back an error that it could not write
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
    finally:
        close_sinks()
    if results.errors:
        raise results.errors[0]
    last = [results[i].metrics for i in range(len(results))]
    return [found for found in last if found] if all(m and limit_reached(limits, m) for m in last) else None


def _tuner(trials: Trials, folder: Path, limits: RunConfig, read_limits: Callable[[], RunConfig]) -> tune.Tuner:
    experiment = folder / EXPERIMENT
    mend(experiment)
    trainable, space = trials.trainable, trials.space
    if tune.Tuner.can_restore(experiment):
        do: Any = tune.ResumeConfig.ResumeType
        finished = do.RESUME if trials.go_on else do.SKIP
        what = tune.ResumeConfig(finished=finished, unfinished=do.RESUME, errored=do.RESUME)
        return tune.Tuner.restore(str(experiment), trainable=trainable, param_space=space, _resume_config=what)
    return tune.Tuner(
        trainable,
        param_space=space,
        tune_config=tune.TuneConfig(scheduler=trials.scheduler),
        run_config=tune.RunConfig(
            name=EXPERIMENT,
            storage_path=str(folder),
            stop=StopAtLimit(read_limits),
            callbacks=[SinkCallback(trials.open_sinks, experiment), JsonLoggerCallback(), TBXLoggerCallback()],
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
