"""Recipe section of the run itself: how long, how often it reports and checkpoints, where metrics go."""

from __future__ import annotations

from pydantic import Field

from exphil_league.config.base import Section


class RunConfig(Section):
    """Length of the league phase and what is kept and shown on the way."""

    max_minutes: float = Field(0.0, ge=0, description="length of the league phase in minutes; 0 for no limit")
    max_env_frames: int = Field(0, ge=0, description="stop the league phase after so many game frames; 0 for no limit")
    max_updates: int = Field(0, ge=0, description="stop the league phase after so many learner updates; 0 for no limit")
    checkpoint_every_updates: int = Field(10, ge=1, description="resume point each so many learner updates")
    keep_checkpoints: int = Field(
        2, ge=1, description="newest resume points kept; the one where main was rated best stays too"
    )
    restarts: int = Field(
        3, ge=0, description="times that a trial whose processes died goes on by itself from its last resume point"
    )
    league_dir: str | None = Field(
        None,
        description="folder on the head's own disk for the league's live database, where the run folder lies on "
        "network storage; default: the run folder",
    )
    league_backup_s: float = Field(
        300.0, gt=0, description="seconds between two copies of that database to the run folder"
    )
    console_every_s: float = Field(20.0, gt=0, description="seconds between two ladders on the console")
    wandb_project: str | None = Field(None, description="Weights & Biases project; nothing is sent without it")
