"""Recipe section of population-based training: leagues side by side, tuning numbers while they train."""

from __future__ import annotations

import difflib
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from envs.reward import TERMS
from exphil_league.config.base import Section
from exphil_league.config.ppo import REWARD

HYPERPARAMETERS: Final = (
    *("learning_rate", "entropy_weight", "teacher_weight", "teacher_forward_weight"),
    *(f"{REWARD}{term}" for term in TERMS),
)
"""What a population may tune, of every learning player for itself: keys of `ppo.players.PLAYER`."""

Range = tuple[float, float]


def _ranges(ranges: dict[str, Range]) -> dict[str, Range]:
    for name, (low, high) in ranges.items():
        if name not in HYPERPARAMETERS:
            close = difflib.get_close_matches(name, HYPERPARAMETERS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(HYPERPARAMETERS)}"
            raise ValueError(f"no hyperparameter {name!r}; {hint}")
        if not 0.0 < low < high < float("inf"):
            turned = f"; write [{high:g}, {low:g}]" if 0.0 < high < low else ""
            raise ValueError(f"{name} is [{low:g}, {high:g}]: the lower bound, above 0, comes first{turned}")
    return ranges


class PopulationConfig(Section):
    """Synchronous population-based training (Jaderberg et al. 2017), role by role."""

    members: int = Field(0, ge=0, description="leagues trained side by side; 0: one league and no population")
    every_updates: int = Field(
        50, ge=1, description="learner updates between two rounds, in which members are compared"
    )
    ranges: Annotated[dict[str, Range], AfterValidator(_ranges)] = Field(
        {}, description="bounds [low, high] of what is tuned, such as {learning_rate: [0.0001, 0.001]}"
    )
    quantile: float = Field(
        0.25, gt=0, le=0.5, description="share of the members, rounded up, that may be replaced, and that may replace"
    )
    confidence_z: float = Field(
        1.0,
        ge=0,
        description="a player is replaced by one that is better by so many standard deviations; 0: better at all",
    )
    resample: float = Field(
        0.25, ge=0, le=1, description="chance that a number taken over is drawn anew from its range"
    )
    factor: float = Field(1.2, gt=1, description="otherwise it is multiplied or divided by this")
    games: int = Field(32, ge=2, multiple_of=2, description="games of every two players that meet in a round")

    @model_validator(mode="after")
    def _complete(self) -> PopulationConfig:
        if self.members == 1:
            raise ValueError("a population has two members or more, not 1; 0 is no population")
        if self.members and not self.ranges:
            raise ValueError("ranges is empty: say what is tuned, such as {learning_rate: [0.0001, 0.001]}")
        return self
