"""Recipe sections of the game: which backend, which matchups."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from envs.game import character_id, character_name, stage_id, stage_name
from exphil_league.config.base import Section


class GameConfig(Section):
    """Backend and rules of the training and rating games."""

    backend: Literal["sim", "standin", "dolphin"] = Field("sim", description="what plays the games")
    characters: tuple[str, ...] = Field(("FOX",), min_length=1, description="characters of the league; games draw both seats")
    stages: tuple[str, ...] = Field(("FINAL_DESTINATION", "BATTLEFIELD"), min_length=1, description="stages drawn evenly")
    stocks: int = Field(4, ge=1, le=99)
    time_limit_s: float = Field(480.0, gt=0, le=480.0)

    @field_validator("characters")
    @classmethod
    def _characters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(character_name(character_id(n)) for n in names)

    @field_validator("stages")
    @classmethod
    def _stages(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(stage_name(stage_id(n)) for n in names)
