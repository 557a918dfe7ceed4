"""Small games that can be solved exactly. Row beats column with a known probability; rows are pure strategies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOTTO_COINS, BLOTTO_FIELDS = 10, 3
CHEESE_LINES: Final = 4
_CYCLE: Final = 3
_CYCLE_WIN, _CHEESE_WIN, _ANTIDOTE_WIN, _ANTIDOTE_VS_CYCLE, _CHEESE_VS_FOREIGN_ANTIDOTE, _CHEESE_ORDER = (
    *(0.7, 0.9, 0.95, 0.35, 0.8, 0.6),
)
START_SPREAD, TRAPDOOR_SPREAD = 0.7, 0.2
_CHEESE_LOGIT, _ANTIDOTE_LOGIT, _STYLE_LOGIT = -9.0, -5.0, -1.0


@dataclass(frozen=True)
class MatrixGame:
    """A symmetric game of two: `wins` [A, A] is P(row beats column), a draw counting half."""

    name: str
    wins: Array

    @property
    def actions(self) -> int:
        return len(self.wins)

    def win_rates(self, rows: Array, columns: Array) -> Array:
        """[n] P(mixture rows[i] beats mixture columns[i]) of mixtures [n, A]."""
        return np.asarray(((rows @ self.wins) * columns).sum(axis=1))

    def exploitability(self, mixture: Array) -> float:
        """Win rate of the best response to a mixture [A], less 0.5; 0 for an equilibrium."""
        return float((self.wins @ mixture).max() - 0.5)


def blotto() -> MatrixGame:
    """Ten coins on three fields (66 pure strategies); whoever holds more fields wins, else it is a draw."""
    splits = [s for s in product(range(BLOTTO_COINS + 1), repeat=BLOTTO_FIELDS) if sum(s) == BLOTTO_COINS]
    coins = np.array(splits)
    fields = np.sign(coins[:, None, :] - coins[None, :, :]).sum(axis=2)
    return MatrixGame("blotto", 0.5 + 0.5 * np.sign(fields))


def trapdoor() -> MatrixGame:
    """A cycle of three, and four cheese lines that beat it, each with an antidote that is worse in the cycle.

    Strategies 0 to 2 are the cycle, then cheese and antidote in turn. From an ordinary start both are almost
    unreachable, so play against oneself never finds them, and never learns to defend.
    """
    n = _CYCLE + 2 * CHEESE_LINES
    wins = np.full((n, n), 0.5)

    def beats(row: int, column: int, rate: float) -> None:
        wins[row, column], wins[column, row] = rate, 1.0 - rate

    for k in range(_CYCLE):
        beats(k, (k + 1) % _CYCLE, _CYCLE_WIN)
    for j in range(CHEESE_LINES):
        for k in range(_CYCLE):
            beats(cheese(j), k, _CHEESE_WIN)
            beats(cheese(j) + 1, k, _ANTIDOTE_VS_CYCLE)
        for other in range(CHEESE_LINES):
            if other != j:
                beats(cheese(j), cheese(other) + 1, _CHEESE_VS_FOREIGN_ANTIDOTE)
            if other > j:
                beats(cheese(j), cheese(other), _CHEESE_ORDER)
        beats(cheese(j) + 1, cheese(j), _ANTIDOTE_WIN)
    return MatrixGame("trapdoor", wins)


def cheese(line: int) -> int:
    """The trapdoor's strategy that is cheese line `line`; the next one is its antidote."""
    return _CYCLE + 2 * line


def random_start(game: MatrixGame, rng: np.random.Generator) -> dict[str, Array]:
    """Logits [A] of the one start all players share: normal, standard deviation 0.7."""
    return {"warm_start": rng.normal(0.0, START_SPREAD, game.actions)}


def trapdoor_starts(game: MatrixGame, rng: np.random.Generator) -> dict[str, Array]:
    """Logits [A] of the trapdoor's starts: the ordinary one, and one style per cheese line that plays it a little."""
    base = np.zeros(game.actions)
    for line in range(CHEESE_LINES):
        base[cheese(line)], base[cheese(line) + 1] = _CHEESE_LOGIT, _ANTIDOTE_LOGIT
    base += rng.normal(0.0, TRAPDOOR_SPREAD, game.actions)
    starts = {"warm_start": base}
    for line in range(CHEESE_LINES):
        style = base.copy()
        style[cheese(line)] = _STYLE_LOGIT
        starts[f"style_{line}"] = style
    return starts
