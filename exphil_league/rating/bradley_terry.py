"""Bradley-Terry ratings with honest uncertainty: Newton's method to the MAP, Laplace covariance.

P(i beats j) = 1 / (1 + 10^((r_j - r_i) / 400)); a draw is half a win. Every rating has a Gaussian prior, so
players who won everything still get a finite rating. The fit reads a matrix of points, hence neither
the order of the games nor a constant added to all ratings matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.linalg.lapack import dpotri

ELO_SCALE: Final = np.log(10.0) / 400.0
"""Natural-log odds per Elo point."""
Z_95: Final = 1.96
_MAX_STEPS: Final = 100
_TOLERANCE: Final = 1e-5
"""Last Newton step in nats; the convergence is quadratic, so what is left is far below any rating's digits."""


@dataclass(frozen=True)
class Ratings:
    """Joint posterior of N ratings, in Elo, up to a common constant."""

    elo: NDArray[np.float64]
    """[N] relative to the prior's centre."""
    covariance: NDArray[np.float64]
    """[N, N]"""

    def of(self, players: Sequence[int]) -> Ratings:
        """The joint posterior of some of the players, by row number."""
        return Ratings(self.elo[list(players)], self.covariance[np.ix_(players, players)])

    def difference(self, i: int, j: int) -> tuple[float, float]:
        """(mean, standard deviation) of rating i minus rating j, in Elo; exactly (0, 0) for i == j."""
        cov = self.covariance
        variance = cov[i, i] + cov[j, j] - 2.0 * cov[i, j]
        return float(self.elo[i] - self.elo[j]), float(np.sqrt(max(variance, 0.0)))

    def difference_variance(self) -> NDArray[np.float64]:
        """[N, N] variance of every rating difference, Elo squared."""
        diagonal = np.diag(self.covariance)
        return np.maximum(diagonal[:, None] + diagonal[None, :] - 2.0 * self.covariance, 0.0)

    def win_probability(self) -> NDArray[np.float64]:
        """[N, N] P(row beats column)."""
        return _logistic((self.elo[:, None] - self.elo[None, :]) * ELO_SCALE)


def fit(points: NDArray[np.float64], prior_sd_elo: float) -> Ratings:
    """MAP ratings of N players from points [N, N] (row's points against column; wins 1, draws 0.5).

    Raises ValueError for negative or not finite points.
    """
    return fit_map(points, np.eye(len(points)) / (prior_sd_elo * ELO_SCALE) ** 2)


def fit_map(points: NDArray[np.float64], prior_precision: NDArray[np.float64]) -> Ratings:
    """The same under the Gaussian prior of inverse covariance `prior_precision` [N, N], in nats, about 0."""
    points = np.asarray(points, np.float64)
    if not np.isfinite(points).all() or (points < 0).any():
        raise ValueError("points must be finite and not negative")
    if not len(points):
        return Ratings(np.zeros(0), np.zeros((0, 0)))
    games = points + points.T
    ratings, factor = np.zeros(len(points)), np.zeros_like(points)
    for _ in range(_MAX_STEPS):
        score, information = _derivatives(ratings, points, games, prior_precision)
        factor = cholesky(information, lower=True, overwrite_a=True, check_finite=False)
        step = cho_solve((factor, True), score, check_finite=False)
        ratings += np.clip(step, -2.0, 2.0)  # damped while far from the maximum; the objective is concave
        if np.abs(step).max() < _TOLERANCE:
            break
    inverse = np.tril(dpotri(factor, lower=True)[0])
    return Ratings(ratings / ELO_SCALE, (inverse + np.tril(inverse, -1).T) / ELO_SCALE**2)


def _derivatives(
    ratings: NDArray[np.float64],
    points: NDArray[np.float64],
    games: NDArray[np.float64],
    prior_precision: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(gradient [N], negative Hessian [N, N], positive definite) of the log posterior."""
    p = _logistic(ratings[:, None] - ratings[None, :])
    expected = games * p
    score = points.sum(axis=1) - expected.sum(axis=1) - prior_precision @ ratings
    weights = expected * (1.0 - p)
    information = prior_precision - weights
    information[np.diag_indices_from(information)] += weights.sum(axis=1)
    return score, information


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
