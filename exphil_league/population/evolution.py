"""Who goes on from whom after a round, and with which numbers: pure functions of fitness and a random generator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exphil_league.config.population import PopulationConfig, Range
from exphil_league.config.ppo import PPOConfig

Values = dict[str, dict[str, float]]
"""Hyperparameters of one member: by learning player, then by name."""


class Fitness(NamedTuple):
    """How good a player is among those of its role."""

    value: float
    """Elo of a main player, win rate of an exploiter against all main players."""
    sd: float
    """Standard deviation of a comparison within the role."""
    games: int


class Exploit(NamedTuple):
    """A member's player goes on from another member's player of the same name."""

    player: str
    receiver: str
    donor: str


@dataclass(frozen=True)
class Evolved:
    """What a round decided."""

    exploits: tuple[Exploit, ...]
    values: dict[str, Values]
    """By member, from now on."""


def evolve(
    config: PopulationConfig,
    fitness: Mapping[str, Mapping[str, Fitness]],
    values: Mapping[str, Values],
    rng: np.random.Generator,
) -> Evolved:
    """Decide a round. `fitness`: by player, then by member; `values`: by member, as they were trained with."""
    decided, after = [], {member: {p: dict(own) for p, own in of.items()} for member, of in values.items()}
    for player, of_member in fitness.items():
        for receiver, donor in _exchanges(config, of_member, rng):
            decided.append(Exploit(player, receiver, donor))
            after[receiver][player] = explored(config, values[donor][player], rng)
    return Evolved(tuple(decided), after)


def _exchanges(
    config: PopulationConfig, fitness: Mapping[str, Fitness], rng: np.random.Generator
) -> list[tuple[str, str]]:
    """(receiver, donor) within one role: truncation selection, for differences that are no chance."""
    ranked = sorted(fitness, key=lambda member: (fitness[member].value, member))
    count = min(math.ceil(len(ranked) * config.quantile), len(ranked) // 2)
    lower, upper = ranked[:count], ranked[len(ranked) - count :]
    pairs = [(receiver, upper[int(rng.integers(len(upper)))]) for receiver in lower]
    return [pair for pair in pairs if _surely_better(fitness[pair[1]], fitness[pair[0]], config.confidence_z)]


def _surely_better(one: Fitness, other: Fitness, z: float) -> bool:
    return one.value - other.value > z * math.hypot(one.sd, other.sd)


def explored(config: PopulationConfig, values: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Numbers near `values`, each drawn anew or a step up or down, and within its range."""
    found = {}
    for name, bounds in config.ranges.items():
        step = config.factor if rng.random() < 0.5 else 1.0 / config.factor
        anew = rng.random() < config.resample
        found[name] = _drawn(bounds, rng) if anew else min(max(values[name] * step, bounds[0]), bounds[1])
    return found


def first_values(config: PopulationConfig, ppo: PPOConfig, players: Sequence[str], seed: int) -> list[Values]:
    """Of every member: the first has the recipe's own numbers, the others draw theirs (log-uniform)."""
    rng = np.random.default_rng([seed, 0])
    own = {player: {name: ppo.of(player).value_of(name) for name in config.ranges} for player in players}
    drawn = [
        {player: {name: _drawn(bounds, rng) for name, bounds in config.ranges.items()} for player in players}
        for _ in range(config.members - 1)
    ]
    return [own, *drawn]


def _drawn(bounds: Range, rng: np.random.Generator) -> float:
    low, high = bounds
    return float(low * (high / low) ** rng.random())
