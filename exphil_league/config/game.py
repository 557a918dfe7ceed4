"""Recipe section of the game: which backend, which matchups. Names are checked and brought to one spelling."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from envs.backends import known_backend
from envs.dolphin.config import DolphinConfig
from envs.game import character_id, character_name, stage_id, stage_name
from exphil_league.config.base import Section


def _characters(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(character_name(character_id(name)) for name in names)


def _stages(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stage_name(stage_id(name)) for name in names)


BackendName = Annotated[str, AfterValidator(known_backend)]
CharacterNames = Annotated[tuple[str, ...], AfterValidator(_characters)]
StageNames = Annotated[tuple[str, ...], AfterValidator(_stages)]


class GameConfig(Section):
    """Backend and rules of the training games; rating games take backend, characters and stages from here."""

    backend: BackendName = Field("sim", description="what plays the games")
    characters: CharacterNames = Field(("FOX",), min_length=1, description="one side's, drawn evenly")
    opponents: CharacterNames = Field((), description="the other side's, drawn evenly; empty: the same")
    stages: StageNames = Field(
        ("FINAL_DESTINATION", "BATTLEFIELD"), min_length=1, description="legal stages, drawn evenly"
    )
    stocks: int = Field(4, ge=1, le=99, description="stocks of each player")
    time_limit_s: float = Field(480.0, gt=0, le=480.0, description="seconds on the game's clock")
    dolphin: DolphinConfig = Field(DolphinConfig(), description="emulators, for the backends dolphin and standin")

    @property
    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Characters of either side; which side sits where is drawn."""
        return self.characters, self.opponents or self.characters

    def at_once(self, games: int) -> int:
        """So many of `games` can be played at once by one process."""
        return games if self.backend == "sim" else min(games, self.dolphin.instances)

    @property
    def played(self) -> tuple[str, ...]:
        """All characters of the games, each once."""
        return tuple(dict.fromkeys(self.characters + self.opponents))
