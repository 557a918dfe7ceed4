"""Reward from two consecutive frames: named terms, weighted by the recipe.

Terms are computed by `envs.reward_kernel`, which says exactly what each one counts. Those in ZERO_SUM give one
player what they take from the other. Those in POTENTIALS are differences of a potential, discounted as the learner
discounts and zero after the end, so that they speed learning up and leave the best policy what it is
(Ng, Harada and Russell 1999).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from envs.frame import LEADER, SEATS, words_f32, words_i32
from envs.game import character_id, character_name
from envs.reward_kernel import TERMS, terms_of_steps

__all__ = ["POTENTIALS", "TERMS", "ZERO_SUM", "Reward", "RewardWeights", "Rewards", "reward_terms"]

ZERO_SUM: Final = ("stock", "damage", "win", "combo", "recovery", "edge_guard")
POTENTIALS: Final = ("approach", "spacing", "recovery")
_CHARACTER_IDS: Final = 64
"""More than the game's internal character ids."""


class TermWeights(BaseModel):
    """One weight per term."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stock: float = Field(0.0, description="per stock the opponent lost minus per stock lost")
    damage: float = Field(0.0, description="per percent dealt minus per percent taken")
    win: float = Field(0.0, description="+1 to the winner, -1 to the loser when the game ends")
    approach: float = Field(0.0, description="potential: minus the distance to the opponent, in hundreds of units")
    combo: float = Field(0.0, description="per percent dealt to an opponent still in hitstun, minus taken so")
    recovery: float = Field(
        0.0, description="potential: how far off stage the opponent is minus oneself, in hundreds of units"
    )
    edge_guard: float = Field(0.0, description="per stock the opponent lost off stage after a hit, minus own ones")
    ledge_grab: float = Field(0.0, description="-1 per ledge grabbed: a positive weight is a penalty")
    stalling: float = Field(
        0.0, description="-1 per second spent hanging from a ledge or keeping far away: a positive weight is a penalty"
    )
    spacing: float = Field(
        0.0, description="potential: minus how far the distance is from a sword's length, in hundreds of units"
    )

    def vector(self) -> NDArray[np.float32]:
        """[K] float32 in the order of TERMS."""
        return np.array([getattr(self, term) for term in TERMS], np.float32)


class RewardWeights(TermWeights):
    """Weight of each term. Defaults: a stock is worth 1, a percent 0.01, everything else nothing."""

    stock: float = Field(1.0, description="per stock the opponent lost minus per stock lost")
    damage: float = Field(0.01, description="per percent dealt minus per percent taken")
    sparse: bool = Field(False, description="win or loss only, +-1 at the end; the weights are left aside")
    characters: dict[str, TermWeights] = Field(
        {}, description="further weights for the players of a character, such as MEWTWO: {recovery: 0.5}"
    )

    @field_validator("characters")
    @classmethod
    def _characters(cls, table: dict[str, TermWeights]) -> dict[str, TermWeights]:
        return {character_name(character_id(name)): weights for name, weights in table.items()}

    def vector(self) -> NDArray[np.float32]:
        """[K] float32 in the order of TERMS, characters' own weights left aside."""
        return TermWeights(win=1.0).vector() if self.sparse else super().vector()

    def table(self) -> NDArray[np.float32]:
        """[characters, K] float32 by internal character id."""
        table = np.tile(self.vector(), (_CHARACTER_IDS, 1))
        for name, weights in {} if self.sparse else self.characters.items():
            table[character_id(name)] += weights.vector()
        return table


def reward_terms(
    before: NDArray[np.void],
    after: NDArray[np.void],
    done: NDArray[np.bool_],
    result: NDArray[np.void],
    gamma: float = 1.0,
) -> NDArray[np.float32]:
    """Unweighted terms [N, P, K] of the step from frames `before` [N] to `after` [N].

    `done` [N] marks games that ended in this step, `result` [N] RESULT their outcome (read where done). `gamma` is
    the learner's discount per step, for the potentials.
    """
    out = np.empty((len(before), SEATS, len(TERMS)), np.float32)
    terms_of_steps(
        words_f32(before),
        words_i32(before),
        words_f32(after),
        words_i32(after),
        done,
        np.ascontiguousarray(result["winner"]),
        np.float32(gamma),
        out,
    )
    return out


class Rewards(NamedTuple):
    """Of one step."""

    total: NDArray[np.float32]  # [N, P]
    weighted: NDArray[np.float32]  # [N, P, K] what each term brought


class Reward:
    """The reward of a recipe: terms times the weights of the character that a player is at the time."""

    def __init__(self, weights: RewardWeights, gamma: float) -> None:
        self._table = weights.table()
        self._unused = ~self._table.any(axis=0)
        self._gamma = gamma

    def __call__(
        self, before: NDArray[np.void], after: NDArray[np.void], done: NDArray[np.bool_], result: NDArray[np.void]
    ) -> Rewards:
        """Rewards of the step; arguments as of `reward_terms`."""
        characters = before["players"]["character"][:, :, LEADER]
        weighted = reward_terms(before, after, done, result, self._gamma) * self._table[characters]
        weighted[..., self._unused] = 0.0  # a source may lack what nobody asked for
        return Rewards(weighted.sum(-1), weighted)
