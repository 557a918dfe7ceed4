"""What games say about a win rate: Beta posteriors, differences, and how many games would decide a question."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from exphil_league.rating.bradley_terry import Z_95

_Z_POWER_90: Final = 1.2816

Array = NDArray[np.float64]


def beta_interval(wins: Array, losses: Array, z: float) -> tuple[Array, Array]:
    """([n] low, [n] high): quantiles of Beta(wins, losses) that a normal has z deviations from its mean.

    wins, losses [n] > 0, the prior's included; draws count half on either side.
    """
    return betaincinv(wins, losses, ndtr(-z)), betaincinv(wins, losses, ndtr(z))


def rate_interval(points: float, games: float) -> tuple[float, float, float]:
    """(rate, low, high) of one series: mean and 95 % interval under Jeffreys' prior."""
    low, high = beta_interval(np.array([points + 0.5]), np.array([games - points + 0.5]), Z_95)
    return (points + 0.5) / (games + 1.0), float(low[0]), float(high[0])


def rate_difference(points: Array, games: Array, other_points: Array, other_games: Array) -> tuple[Array, Array, Array]:
    """([n] difference of two rates, [n] low, [n] high): posterior means under Jeffreys' prior, normal 95 % interval."""
    (mean, variance), (other_mean, other_variance) = _moments(points, games), _moments(other_points, other_games)
    difference, half = mean - other_mean, Z_95 * np.sqrt(variance + other_variance)
    return difference, np.maximum(difference - half, -1.0), np.minimum(difference + half, 1.0)


def games_to_decide(rate: float, even: float = 0.5) -> int | None:
    """Games that tell a win rate from `even`: two-sided 5 %, power 0.9; None when they are equal.

    259 games tell 0.6 from 0.5, 1047 tell 0.55 from 0.5 (normal approximation of one binomial sample).
    """
    if math.isclose(rate, even, abs_tol=1e-9):
        return None
    spread = Z_95 * math.sqrt(even * (1.0 - even)) + _Z_POWER_90 * math.sqrt(max(rate * (1.0 - rate), 0.0))
    return math.ceil((spread / (rate - even)) ** 2)


def _moments(points: Array, games: Array) -> tuple[Array, Array]:
    mean = (points + 0.5) / (games + 1.0)
    return mean, mean * (1.0 - mean) / (games + 2.0)
