"""Reward terms from two consecutive frames, zero-sum between the seats.

Each term is a named weight in the recipe; the reward is their weighted sum.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from envs.frame import FRAME, PLAYER, SEATS, word_offset, words_f32, words_i32
from envs.jit import RECORDS, entry_of

TERMS: Final = ("stock", "damage", "win")
"""Order of the terms axis K of `reward_terms`."""


class RewardWeights(BaseModel):
    """Weight of each term. Defaults: a stock is worth 1, a percent 0.01, the game nothing extra."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stock: float = Field(1.0, description="per stock the opponent lost minus per stock lost")
    damage: float = Field(0.01, description="per percent dealt minus per percent taken")
    win: float = Field(0.0, description="+1 to the winner, -1 to the loser when the game ends")

    def vector(self) -> NDArray[np.float32]:
        """[K] float32 in the order of TERMS."""
        return np.array([getattr(self, term) for term in TERMS], np.float32)


def reward_terms(
    before: NDArray[np.void], after: NDArray[np.void], done: NDArray[np.bool_], result: NDArray[np.void]
) -> NDArray[np.float32]:
    """Unweighted terms [N, P, K] of the step from frames `before` [N] to `after` [N].

    `done` [N] marks games that ended in this step, `result` [N] RESULT their outcome (read where done).
    Every term is zero-sum: terms[:, 0] == -terms[:, 1].
    """
    out = np.empty((len(before), SEATS, len(TERMS)), np.float32)
    _terms(
        words_f32(before),
        words_i32(before),
        words_f32(after),
        words_i32(after),
        done,
        np.ascontiguousarray(result["winner"]),
        out,
    )
    return out


_PLAYERS = np.array([word_offset(FRAME, "players", seat, 0) for seat in range(SEATS)])
_PERCENT, _STOCKS = word_offset(PLAYER, "percent"), word_offset(PLAYER, "stocks")
_entry = entry_of((Path(__file__), *RECORDS))


@_entry
def _terms(f0, i0, f1, i1, done, winner, out):
    for n in range(out.shape[0]):
        lost = np.zeros(2, np.float32)
        hurt = np.zeros(2, np.float32)
        for seat in range(SEATS):
            at = _PLAYERS[seat]
            lost[seat] = i0[n, at + _STOCKS] - i1[n, at + _STOCKS]
            # Percent falls to 0 with a stock; only a rise is damage.
            hurt[seat] = max(f1[n, at + _PERCENT] - f0[n, at + _PERCENT], np.float32(0.0))
        won = np.float32(0.0)
        if done[n] and winner[n] >= 0:
            won = np.float32(1.0) if winner[n] == 0 else np.float32(-1.0)
        out[n, 0, 0] = lost[1] - lost[0]
        out[n, 0, 1] = hurt[1] - hurt[0]
        out[n, 0, 2] = won
        for k in range(out.shape[2]):
            out[n, 1, k] = -out[n, 0, k]
