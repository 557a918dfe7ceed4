"""Recipe section of styles: ways of playing that the warm start is fine-tuned to, as starts of exploiters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exphil_league.config.base import Section


class StylesConfig(Section):
    """How the games of imitation are divided into styles, and how each is learnt."""

    by: Literal["none", "player", "character", "cluster"] = Field(
        "none",
        description="what makes a style: one player's games, one character's, or a cluster of like play (k-means)",
    )
    count: int = Field(4, ge=1, le=64, description="styles at most: the commonest players or characters, or clusters")
    min_games: int = Field(4, ge=2, description="a style seen in fewer games is left out")
    epochs: int = Field(2, ge=1, description="passes of a fine-tuning over the games of its style, at most")
    max_minutes: float = Field(
        0.0, ge=0, description="a fine-tuning ends after so many minutes; 0 for no limit, so that it can be repeated"
    )
    learning_rate: float = Field(1e-3, gt=0, description="AdamW step size of a fine-tuning")
