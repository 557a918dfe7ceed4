"""Random histories of a league, as plain data: what is asked of it, in which order.

A script does not know the league it will be played on: `pick` numbers choose among whatever jobs there are then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from exphil_league.league.model import Outcome

LEARNERS: Final = ("main", "main_exploiter", "league_exploiter")
FRAMES: Final = (30, 110, 250)
"""Steps of training: too short for a snapshot, perhaps one, surely one."""
WAITS_S: Final = (1.0, 30.0, 80.0)
MAX_COUNT: Final = 4


class Tamper(StrEnum):
    """How a result is falsified before it is reported."""

    NONE = "none"
    STALE = "stale"  # played with weights nobody ever had
    LATER = "later"  # honest: its live players were given new weights during the game
    UNKNOWN = "unknown"  # of a job nobody ever issued


@dataclass(frozen=True)
class Request:
    """Ask for training jobs."""

    learner: str
    seats: int | None
    count: int


@dataclass(frozen=True)
class Rate:
    """Ask for rating jobs."""

    count: int


@dataclass(frozen=True)
class Report:
    """Report a job, `repeat` times in one delivery: an open one if `pick` is odd, else any that was ever issued."""

    pick: int
    outcome: Outcome
    repeat: int = 1
    tamper: Tamper = Tamper.NONE


@dataclass(frozen=True)
class Learn:
    """A learner trains on, publishes its weights, and asks whether it is frozen, if it does."""

    learner: str
    frames: int
    asks: bool = True


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Expire:
    """Ask, twice, for the jobs whose lease is over."""


@dataclass(frozen=True)
class Resume:
    """Go on from the log alone, through JSON."""


Op = Request | Rate | Report | Learn | Wait | Expire | Resume
Script = tuple[Op, ...]

_WEIGHTS: Final = {Request: 5, Rate: 2, Report: 8, Learn: 3, Wait: 1, Expire: 1, Resume: 1}


def random_script(rng: np.random.Generator, length: int) -> Script:
    """`length` calls, drawn independently."""
    kinds, weights = list(_WEIGHTS), np.array(list(_WEIGHTS.values()), float)
    return tuple(_random_op(kinds[k], rng) for k in rng.choice(len(kinds), length, p=weights / weights.sum()))


def _random_op(kind: type[Op], rng: np.random.Generator) -> Op:
    count = int(rng.integers(1, MAX_COUNT + 1))
    learner = LEARNERS[int(rng.integers(len(LEARNERS)))]
    if kind is Request:
        return Request(learner, (None, 1, 2)[int(rng.integers(3))] if learner == "main" else 1, count)
    if kind is Rate:
        return Rate(count)
    if kind is Report:
        outcome = list(Outcome)[int(rng.integers(4))]
        tamper = (Tamper.STALE, Tamper.UNKNOWN, Tamper.LATER, *(Tamper.NONE,) * 7)[int(rng.integers(10))]
        return Report(int(rng.integers(1 << 16)), outcome, int(rng.choice([1, 1, 1, 2])), tamper)
    if kind is Learn:
        return Learn(learner, int(rng.choice(FRAMES)), bool(rng.random() < 0.75))
    if kind is Wait:
        return Wait(float(rng.choice(WAITS_S)))
    return Expire() if kind is Expire else Resume()
