"""Recipe section of the game: which backend, which matchups. Names are checked and brought to one spelling."""

from __future__ import annotations

from itertools import product
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from envs.backends import known_backend
from envs.dolphin.config import DolphinConfig
from envs.game import character_id, character_name, stage_id, stage_name
from exphil_league.config.base import Section


def _characters(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(character_name(character_id(name)) for name in names)


def _stages(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stage_name(stage_id(name)) for name in names)


def _weights(names: dict[str, float]) -> dict[str, float]:
    for name, weight in names.items():
        if not 0.0 < weight < float("inf"):
            raise ValueError(f"the weight of {name} is {weight}; it must be a positive number")
    return names


def _character_weights(names: dict[str, float]) -> dict[str, float]:
    return _weights({character_name(character_id(name)): weight for name, weight in names.items()})


def _stage_weights(names: dict[str, float]) -> dict[str, float]:
    return _weights({stage_name(stage_id(name)): weight for name, weight in names.items()})


BackendName = Annotated[str, AfterValidator(known_backend)]
CharacterNames = Annotated[tuple[str, ...], AfterValidator(_characters)]
StageNames = Annotated[tuple[str, ...], AfterValidator(_stages)]


class Repertoire(Section):
    """What one player plays."""

    characters: Annotated[dict[str, float], AfterValidator(_character_weights)] = Field(
        {}, description="weight of each character; empty: game.characters and game.opponents, evenly"
    )
    stages: Annotated[dict[str, float], AfterValidator(_stage_weights)] = Field(
        {}, description="weight of each stage in the games it learns from; empty: game.stages, evenly"
    )


class GameConfig(Section):
    """Backend and rules of the training games; rating games take backend, characters and stages from here."""

    backend: BackendName = Field("sim", description="what plays the games")
    characters: CharacterNames = Field(("FOX",), min_length=1, description="one side's, drawn evenly")
    opponents: CharacterNames = Field((), description="the other side's, drawn evenly; empty: the same")
    stages: StageNames = Field(
        ("FINAL_DESTINATION", "BATTLEFIELD"), min_length=1, description="legal stages, drawn evenly"
    )
    mirror: bool = Field(False, description="both sides play the same character: dittos only")
    players: dict[str, Repertoire] = Field(
        {}, description="characters and stages of single players, by name; snapshots play what their learner does"
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

    @model_validator(mode="after")
    def _mirrored(self) -> GameConfig:
        if self.mirror and (self.opponents or any(own.characters for own in self.players.values())):
            raise ValueError("mirror leaves no choice to opponents and to characters of single players; drop one")
        return self

    @property
    def played(self) -> tuple[str, ...]:
        """All characters of the games, each once."""
        own = (name for player in self.players.values() for name in player.characters)
        return tuple(dict.fromkeys((*self.characters, *self.opponents, *own)))

    @property
    def played_on(self) -> tuple[str, ...]:
        """All stages of the games, each once."""
        return tuple(dict.fromkeys((*self.stages, *(name for own in self.players.values() for name in own.stages))))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Characters that may meet, by seat."""
        if self.mirror:
            return tuple((name, name) for name in self.characters)
        if any(own.characters for own in self.players.values()):
            return tuple(product(self.played, self.played))
        one, other = self.sides
        return tuple(dict.fromkeys([*product(one, other), *product(other, one)]))
