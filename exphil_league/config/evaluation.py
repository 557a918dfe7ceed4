"""Recipe section of the rating matches between frozen players."""

from __future__ import annotations

from pydantic import Field

from exphil_league.config.base import Section


class EvaluationConfig(Section):
    """When and how frozen players meet so that the ladder can be fitted."""

    games: int = Field(32, ge=2, description="rating games played at once")
    stocks: int = Field(1, ge=1, le=99, description="stocks of each player")
    time_limit_s: float = Field(60.0, gt=0, le=480.0, description="seconds on the game's clock")
    every_updates: int = Field(10, ge=1, description="a round of rating games each so many learner updates")
    games_per_round: int = Field(32, ge=2, description="games of such a round")
    final_games: int = Field(400, ge=0, description="games of the rating phase at the end of the run")
    final_vs_warm_start: int = Field(200, ge=0, description="of these, main against warm start, seats balanced")
    max_minutes: float = Field(0.0, ge=0, description="bound of the final rating phase in minutes; 0 for no limit")
