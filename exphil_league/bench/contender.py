"""What the contenders of `bench train` have in common: the task they share and the clock they are timed by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch

from exphil_league.config.game import GameConfig
from exphil_league.config.ppo import PPOConfig
from policies.spec import PolicySpec


@dataclass(frozen=True)
class Task:
    """One batch of self-play PPO: every contender trains the same network on as many frames in the same way."""

    spec: PolicySpec
    ppo: PPOConfig
    game: GameConfig
    seed: int = 0
    device: str = "cpu"
    """cpu or cuda: where networks learn and play. The simulator runs on the CPU either way."""

    @property
    def clock(self) -> Clock:
        """What the contenders are timed by."""
        return time.process_time if self.device == "cpu" else _gpu_clock

    @property
    def env_frames(self) -> int:
        """Game frames of one batch; both seats of each are trained."""
        return self.ppo.games * self.ppo.unroll_frames

    @property
    def minibatch_steps(self) -> int:
        """Agent steps of a minibatch."""
        return 2 * self.env_frames // self.ppo.minibatches


Clock = Callable[[], float]
"""CPU seconds of this process, all threads; with a GPU wall seconds, at which all that it was asked for is done."""


def _gpu_clock() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


class Timing(NamedTuple):
    """Seconds of one iteration by the task's clock."""

    total_s: float
    sample_s: float


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread, so that CPU time is the time of one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Contender(Protocol):
    """Trains one batch per call."""

    name: str

    def iterate(self) -> Timing: ...

    def close(self) -> None: ...


class Stopwatch:
    """Adds up the seconds that a method of an object takes from now on."""

    def __init__(self, clock: Clock, owner: Any, method: str) -> None:
        self.spent_s = 0.0
        self._clock = clock
        self._method = getattr(owner, method)
        setattr(owner, method, self._timed)

    def _timed(self, *args: Any, **kwargs: Any) -> Any:
        start_s = self._clock()
        found = self._method(*args, **kwargs)
        self.spent_s += self._clock() - start_s
        return found


class AlgorithmContender:
    """An RLlib algorithm whose runner and learner live in this process."""

    def __init__(self, name: str, task: Task, algorithm: Any) -> None:
        self.name = name
        self._algorithm = algorithm
        self._clock = task.clock
        self._sampling = Stopwatch(self._clock, algorithm.env_runner_group.local_env_runner, "sample")

    def iterate(self) -> Timing:
        """One batch."""
        start_s, sampled_s = self._clock(), self._sampling.spent_s
        self._algorithm.train()
        return Timing(self._clock() - start_s, self._sampling.spent_s - sampled_s)

    def close(self) -> None:
        """Release the algorithm."""
        self._algorithm.stop()
