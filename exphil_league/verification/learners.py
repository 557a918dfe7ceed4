"""Tabular softmax policies and their exact gradients: what a learner is when the game can be solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from exphil_league.verification.games import Array, MatrixGame

FLOOR: Final = -20.0
"""Logits never fall further below the best one, so that no strategy is lost for good."""
OBSERVED_MOVES: Final = 64
"""A learner sees its opponents' mean mixture through this many draws."""

Step = Callable[[Array, Array], Array]
"""`step(logits [n, A], advantage [n, A])`: the next logits; advantages are those of each pure strategy."""


def softmax(logits: Array) -> Array:
    """[..., A] probabilities."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def natural_gradient(lr: float, tau: float) -> Step:
    """Natural policy gradient, that is multiplicative weights; tau pulls the logits together (entropy)."""

    def step(logits: Array, advantage: Array) -> Array:
        moved = logits + lr * advantage
        return _bounded(moved - lr * tau * (moved - moved.mean(axis=1, keepdims=True)))

    return step


def policy_gradient(lr: float, tau: float) -> Step:
    """On-policy gradient: what is never played is never learnt. tau weighs the entropy bonus."""

    def step(logits: Array, advantage: Array) -> Array:
        pi = softmax(logits)
        log_pi = np.log(pi)
        entropy = -tau * (log_pi - (pi * log_pi).sum(axis=1, keepdims=True))
        return _bounded(logits + lr * pi * (advantage + entropy))

    return step


def advantages(game: MatrixGame, logits: Array, opponents: Array, rng: np.random.Generator) -> Array:
    """[n, A] advantage of every strategy of players `logits` [n, A] against observed mixtures `opponents` [n, A]."""
    seen = rng.multinomial(OBSERVED_MOVES, opponents) / OBSERVED_MOVES
    rates = seen @ game.wins.T
    return np.asarray(rates - (softmax(logits) * rates).sum(axis=1, keepdims=True))


def _bounded(logits: Array) -> Array:
    return np.maximum(logits - logits.max(axis=1, keepdims=True), FLOOR)
