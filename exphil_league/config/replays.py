"""Recipe section of the replay filters: which games are learnt from."""

from __future__ import annotations

from pydantic import Field

from exphil_league.config.base import Section
from exphil_league.config.game import CharacterNames, StageNames


class ReplaysConfig(Section):
    """Which replays are learnt from.

    The defaults of the idle and self-destruct limits separated people who play from dummies and test recordings
    without an error in 87 human games: their controllers changed on at least 11 % of frames and rested for at
    most 518.
    """

    characters: CharacterNames = Field((), description="games must have one of these characters; empty: any")
    stages: StageNames = Field((), description="games must be on one of these; empty: any of the six")
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
