"""Where an iteration's samples come from: this process, runners that wait for the learner, or runners that play on.

With `ppo.max_lag_updates` of 0 every sample is played by the newest weights. Above, a runner begins its next sample
as soon as it hands one over, and the learner corrects for the age (V-trace); a sample that is older than allowed is
dropped and counted. A runner that is slow then delays nobody: the others fill the batch.

Samples come as answers to this process, so that it owns them: what a runner itself had put into Ray's object store
would be gone with a runner that dies between handing over and the update, and a learner left without data makes the
others wait for it forever.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, NamedTuple

from exphil_league.errors import UserError
from exphil_league.rl.metrics import add_stats
from exphil_league.rl.runner import BatchedEnvRunner, Sample
from exphil_league.rl.sampler import SampleStats

_TAG: Final = "sample"
_POLL_S: Final = 0.02


class Delivery(NamedTuple):
    """What a runner hands over."""

    sample: Sample
    stats: SampleStats
    weights: int
    """Updates behind the weights it was played with."""


@dataclass
class Collected:
    """The samples of one iteration, and what happened in them."""

    samples: list[Sample]
    stats: SampleStats
    lag_updates: float = 0.0
    """Mean age of the samples, in updates."""
    dropped: int = 0
    """Samples that were too old, or one too many to be shared out among the learners."""


class Collector:
    """Asks the runners of an RLlib EnvRunnerGroup for samples."""

    def __init__(self, group: Any, share: int, timeout_s: float, max_lag: int) -> None:
        """share: the number of samples is a multiple of it, or learners in DDP would wait for each other forever."""
        self._group = group
        self._share = share
        self._timeout_s = timeout_s
        self._max_lag = max_lag
        self._waiting: list[Delivery] = []

    def collect(self, weights: int) -> Collected:
        """One batch of samples for the learner, whose weights have `weights` updates behind them. May be empty.

        Raises UserError when a runner can not play for a reason that only the user can do something about.
        """
        if not self._group.num_remote_env_runners():
            return self._collected([_deliver(self._group.local_env_runner)], weights, 0)
        if self._max_lag == 0:
            answers = self._group.foreach_env_runner(_answer, local_env_runner=False, timeout_seconds=self._timeout_s)
            return self._collected([_delivered(answer) for answer in answers], weights, 0)
        arrived = self._arrive()
        fresh = [d for d in arrived if weights - d.weights <= self._max_lag]
        return self._collected(fresh, weights, len(arrived) - len(fresh))

    def _collected(self, found: list[Delivery], weights: int, dropped: int) -> Collected:
        wanted = min(len(found), max(self._group.num_remote_env_runners(), 1))
        used = found[: wanted // self._share * self._share]
        rest = found[len(used) :]
        self._waiting = rest if self._max_lag else []
        dropped += 0 if self._max_lag else len(rest)
        stats = add_stats(d.stats for d in used)
        lag = sum(weights - d.weights for d in used) / max(len(used), 1)
        return Collected([d.sample for d in used], stats, lag, dropped)

    def _arrive(self) -> list[Delivery]:
        """As many samples as there are runners, whoever they come from; fewer when runners die or time is up."""
        found, self._waiting = self._waiting, []
        deadline = monotonic() + self._timeout_s
        while True:
            self._group.foreach_env_runner_async(_answer, tag=_TAG)
            if len(found) >= self._group.num_remote_env_runners() or monotonic() > deadline:
                return found
            if not self._group.num_in_flight_async_reqs(_TAG):
                return found
            ready = self._group.fetch_ready_async_reqs(tags=_TAG, timeout_seconds=_POLL_S)
            found.extend(_delivered(answer) for _, answer in ready)


def _deliver(runner: BatchedEnvRunner) -> Delivery:
    sample = runner.sample()
    return Delivery(sample, runner.take_stats(), sample.weights)


def _answer(runner: BatchedEnvRunner) -> Delivery | UserError:
    """In a runner's process. Whatever else it raises ends the process, and RLlib starts another in its place."""
    try:
        return _deliver(runner)
    except UserError as error:
        return error


def _delivered(answer: Delivery | UserError) -> Delivery:
    if isinstance(answer, UserError):
        raise answer
    return answer
