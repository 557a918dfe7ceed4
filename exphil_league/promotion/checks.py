"""What a candidate must show, as checks on numbers: each with its threshold, declared in the recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from exphil_league.config.promotion import PromotionConfig
from exphil_league.evaluation.score import Z_95, Score
from exphil_league.promotion.conduct import Conduct
from exphil_league.rl.drift import jensen_shannon

CONTROL: Final = "control"
_FEW_AERIALS: Final = 0.5
"""Aerials a minute added to both sides of the ratio, so that nearly none against none is no difference."""


@dataclass(frozen=True)
class Check:
    """One condition: `measured` must be at most (`at_most`) or at least its threshold."""

    name: str
    threshold: float
    measured: float
    at_most: bool
    meaning: str

    @property
    def ok(self) -> bool:
        return self.measured <= self.threshold if self.at_most else self.measured >= self.threshold


@dataclass(frozen=True)
class Arm:
    """What one player made of the suite."""

    scores: Mapping[str, Score]
    """By opponent."""
    conduct: Conduct


def all_checks(
    config: PromotionConfig, candidate: Arm, prior: Arm, against_prior: Score, control: Score
) -> list[Check]:
    """Every check. `against_prior` is the candidate against the warm start, `control` the warm start against a copy."""
    return [
        _control(config, control),
        Check("beats_warm_start", 0.5, against_prior.low, False, "lower 95 % bound of its win rate"),
        *(_not_worse(name, candidate.scores[name], prior.scores[name]) for name in candidate.scores),
        *_degeneracy(config, candidate.conduct, prior.conduct),
    ]


def _control(config: PromotionConfig, control: Score) -> Check:
    """Two copies of one player win equally often, or the gate measures something else than strength."""
    deviation = 0.5 / math.sqrt(max(control.games, 1))
    meaning = "distance from 1/2 of the warm start's win rate against its copy"
    return Check(CONTROL, config.control_z * deviation, abs(control.rate - 0.5), True, meaning)


def _not_worse(opponent: str, own: Score, prior: Score) -> Check:
    """A candidate that surely does worse than the warm start against somebody has forgotten something."""
    spread = math.sqrt(sum(s.rate * (1 - s.rate) / max(s.games, 1) for s in (own, prior)))
    meaning = f"upper 95 % bound of its win rate against {opponent} less the warm start's"
    return Check(f"not_worse_against/{opponent}", 0.0, own.rate - prior.rate + Z_95 * spread, False, meaning)


def _degeneracy(config: PromotionConfig, own: Conduct, prior: Conduct) -> list[Check]:
    """An agent may win nearly always and play nonsense: it runs from the clock, plans at the ledge, mashes one move."""
    aerials, before = own.aerials_per_minute + _FEW_AERIALS, prior.aerials_per_minute + _FEW_AERIALS
    distance = jensen_shannon(np.array(own.actions, np.float64), np.array(prior.actions, np.float64))
    measured = (
        ("action_distance", config.max_action_distance, distance, "Jensen-Shannon distance of action states"),
        (
            "aerials_ratio",
            config.max_aerials_ratio,
            max(aerials / before, before / aerials),
            "aerials a minute, times more or fewer",
        ),
        (
            "length_ratio",
            config.max_length_ratio,
            own.median_length / max(prior.median_length, 1.0),
            "median game length in the warm start's",
        ),
        (
            "timer_excess",
            config.max_timer_excess,
            own.timer_share - prior.timer_share,
            "share of games ended by the timer, above the warm start's",
        ),
        (
            "ledge_excess",
            config.max_ledge_excess,
            own.ledge_share - prior.ledge_share,
            "share of frames at a ledge, above the warm start's",
        ),
    )
    return [Check(name, threshold, value, True, meaning) for name, threshold, value, meaning in measured]
