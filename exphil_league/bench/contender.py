"""What the contenders of `bench train` have in common: the task they share and the clock they are timed by."""

from __future__ import annotations

import time
from collections.abc import Iterator
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

    @property
    def env_frames(self) -> int:
        """Game frames of one batch; both seats of each are trained."""
        return self.ppo.games * self.ppo.unroll_frames

    @property
    def minibatch_steps(self) -> int:
        """Agent steps of a minibatch."""
        return 2 * self.env_frames // self.ppo.minibatches


class Timing(NamedTuple):
    """CPU seconds of one iteration of this process, all threads."""

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


class SampleClock:
    """Adds up the CPU seconds that an RLlib algorithm's local runner spends in `sample`."""

    def __init__(self, algorithm: Any) -> None:
        self.spent_s = 0.0
        runner = algorithm.env_runner_group.local_env_runner
        self._sample = runner.sample
        runner.sample = self._timed

    def _timed(self, **kwargs: Any) -> Any:
        start_s = time.process_time()
        samples = self._sample(**kwargs)
        self.spent_s += time.process_time() - start_s
        return samples


class AlgorithmContender:
    """An RLlib algorithm whose runner and learner live in this process."""

    def __init__(self, name: str, algorithm: Any) -> None:
        self.name = name
        self._algorithm = algorithm
        self._clock = SampleClock(algorithm)

    def iterate(self) -> Timing:
        """One batch."""
        start_s, sampled_s = time.process_time(), self._clock.spent_s
        self._algorithm.train()
        return Timing(time.process_time() - start_s, self._clock.spent_s - sampled_s)

    def close(self) -> None:
        """Release the algorithm."""
        self._algorithm.stop()
