"""What one rating cannot show: the Nash equilibrium of a pool, how cyclic it is, and everybody's worst opponent.

Players are the strategies of a symmetric zero-sum game, their win rates its payoffs. Its equilibrium of maximum
entropy is unique and blind to clones: copies of a player share its mass (Balduzzi et al. 2018, "Re-evaluating
evaluation"). The cyclic part is what the Hodge split of log odds leaves over beside ratings (Jiang et al. 2011).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import linprog, minimize
from scipy.sparse.csgraph import connected_components

from exphil_league.rating.bradley_terry import Ratings

Array = NDArray[np.float64]

SUPPORT: Final = 1e-6
"""Mass above which a player belongs to the equilibrium's support."""
_SAME: Final = 9
"""Decimals to which two players' win rates must agree to be clones."""
_SLACK: Final = 1e-9


def pair_win_rates(points: Array, ratings: Ratings, prior_games: float) -> Array:
    """[N, N] P(row beats column): the pair's own games, and `prior_games` that went as the ratings predict."""
    games = points + points.T
    expected = ratings.win_probability()
    rates = (points + prior_games * expected) / (games + prior_games)
    np.fill_diagonal(rates, 0.5)
    return np.asarray(rates)


def nash(win: Array) -> Array:
    """[N] the symmetric equilibrium of maximum entropy of P(row beats column) [N, N], clones sharing alike.

    Raises ValueError when win[i, j] + win[j, i] is not 1 everywhere.
    """
    payoff = np.asarray(win, np.float64) - 0.5
    if np.abs(payoff + payoff.T).max(initial=0.0) > 1e-6:
        raise ValueError("win rates of a pair must sum to 1")
    if not len(payoff):
        return np.zeros(0)
    _, first, kind, copies = np.unique(
        payoff.round(_SAME), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    mass = _of_types(payoff[np.ix_(first, first)])
    return mass[kind] / copies[kind]


def _of_types(payoff: Array) -> Array:
    """The equilibrium among different players, payoffs [N, N] antisymmetric.

    Equilibria are the mixtures p with p A >= 0, a polytope. One in its inside tells the support; where that leaves
    only one mixture with p A = 0 on the support it is the answer, else the one of maximum entropy is.
    """
    inside = _inner(payoff)
    support = np.flatnonzero(inside > SUPPORT)
    free = null_space(np.vstack([payoff[np.ix_(support, support)].T, np.ones(len(support))]), rcond=1e-9)
    mass = np.zeros(len(payoff))
    mass[support] = inside[support] / inside[support].sum()
    if free.shape[1]:
        mass[support] = _most_even(mass[support], free, payoff[support])
    return mass


def _inner(payoff: Array) -> Array:
    """[N] an equilibrium with the largest support: maximal t <= 1 with q >= t, q A >= 0, then scaled to sum 1.

    Equilibria scaled form a cone, so every player of any equilibrium can reach t = 1 at once (Freund et al. 1985).
    """
    n = len(payoff)
    cost = np.concatenate([-np.ones(n), np.zeros(n)])
    solved = linprog(
        cost,
        A_ub=np.hstack([-payoff.T, -payoff.T]),
        b_ub=np.zeros(n),
        bounds=[(0.0, 1.0)] * n + [(0.0, None)] * n,
        method="highs",
    )
    if not solved.success:
        raise ArithmeticError(f"no equilibrium found: {solved.message}")
    q = solved.x[:n] + solved.x[n:]
    return np.asarray(q / q.sum())


def _most_even(start: Array, free: Array, payoff: Array) -> Array:
    """The mixture of maximum entropy among start [S] + free [S, K] z that are equilibria; payoff [S, N] of the support.

    Entropy falls infinitely steeply towards zero mass, so the bounds of the simplex never bind.
    """

    def minus_entropy(z: Array) -> tuple[float, Array]:
        p = np.maximum(start + free @ z, 1e-300)
        return float((p * np.log(p)).sum()), free.T @ (np.log(p) + 1.0)

    found = minimize(
        minus_entropy,
        np.zeros(free.shape[1]),
        jac=True,
        method="SLSQP",
        constraints=[
            {"type": "ineq", "fun": lambda z: start + free @ z, "jac": lambda z: free},
            {"type": "ineq", "fun": lambda z: payoff.T @ (start + free @ z) + _SLACK, "jac": lambda z: payoff.T @ free},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    p = np.maximum(start + free @ found.x, 0.0)
    return p / p.sum()


def cyclicity(points: Array) -> float | None:
    """Share of the pool's log odds that no rating explains, between 0 (transitive) and 1 (pure cycles).

    `points` [N, N] of row against column. Played pairs weigh by what their games tell, and what chance alone leaves
    over is taken off: (cyclic - its degrees of freedom) / all of it. None where no pair was played in a circle.
    """
    games = points + points.T
    won = points + 0.5
    odds, weights = np.log(won / won.T), np.where(games > 0, 1.0 / (1.0 / won + 1.0 / won.T), 0.0)
    count, component = connected_components(games > 0, directed=False)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    # Ratings are free up to a constant in each component; its sum is set to 0.
    ratings = np.linalg.solve(laplacian + (component[:, None] == component), (weights * odds).sum(axis=1))
    gradient = ratings[:, None] - ratings
    degrees = len(points) - count
    loops = int(np.triu(games > 0, 1).sum()) - degrees
    if loops <= 0:
        return None
    left = float((weights * (odds - gradient) ** 2).sum() / 2)
    explained = float((weights * gradient**2).sum() / 2)
    cyclic, straight = max(left - loops, 0.0), max(explained - degrees, 0.0)
    return cyclic / (cyclic + straight) if cyclic + straight > 0 else 0.0


def worst_opponents(win: Array, games: Array) -> list[tuple[int, float] | None]:
    """Of each player the opponent that it beats least, of those it has met, and that win rate; None without games."""
    met = np.where(games > 0, win, np.inf)
    np.fill_diagonal(met, np.inf)
    return [(int(row.argmin()), float(row.min())) if np.isfinite(row).any() else None for row in met]
