"""Recipe section of the replay filters: which games are learnt from."""

from __future__ import annotations

from pydantic import Field, field_validator

from envs.game import character_id, character_name, stage_id, stage_name
from exphil_league.config.base import Section


class ReplaysConfig(Section):
    """Which replays are learnt from.

    The defaults of the idle and self-destruct limits separated people who play from dummies and test recordings
    without an error in 87 human games: their controllers changed on at least 11 % of frames and rested for at
    most 518.
    """

    characters: tuple[str, ...] = Field((), description="games must have one of these characters; empty: any")
    stages: tuple[str, ...] = Field((), description="games must be on one of these legal stages; empty: any of the six")
    tournament_rules: bool = Field(True, description="only 4 stocks, 8 minutes, no items, damage ratio 1, NTSC")
    min_length_s: float = Field(45.0, ge=0, description="shorter games are refused, seconds after the countdown")
    min_stocks_lost: int = Field(1, ge=0, le=8, description="games in which both together lost fewer are refused")
    min_input_share: float = Field(
        0.06, ge=0, le=1, description="a human whose controller changes on a smaller share of frames is away"
    )
    max_idle_frames: int = Field(900, ge=1, description="a human whose controller rests longer is away")
    max_self_destructs: int = Field(
        1, ge=0, description="stocks one player may lose at 0 percent without having been hit"
    )
    chain_frames: int = Field(
        300, ge=0, description="a stock lost this soon after the last one and below chain_percent is thrown away"
    )
    chain_percent: float = Field(20.0, ge=0, description="see chain_frames; percent")
    held_out_share: float = Field(0.1, ge=0, lt=1, description="share of games kept for validation, by a hash")

    @field_validator("characters")
    @classmethod
    def _characters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(character_name(character_id(n)) for n in names)

    @field_validator("stages")
    @classmethod
    def _stages(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(stage_name(stage_id(n)) for n in names)
