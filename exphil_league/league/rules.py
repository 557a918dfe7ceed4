"""When a learner is frozen, and whether it then starts again. Pure functions of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exphil_league.config.league import CurriculumStage, LeagueConfig, SnapshotConfig
from exphil_league.league.model import PlayerKind


def snapshot_reason(config: SnapshotConfig, frames_since: int, low_win_rates: NDArray[np.float64]) -> str | None:
    """`win_rate` or `timeout` when a learner is to be frozen, else None.

    `frames_since` its last snapshot; `low_win_rates` [n] lower bounds of its win rates against its targets.
    """
    if frames_since < config.min_frames:
        return None
    if len(low_win_rates) and low_win_rates.min() > config.win_rate:
        return "win_rate"
    return "timeout" if frames_since >= config.timeout_frames else None


def stage_passed(stage: CurriculumStage, win_rates: NDArray[np.float64], games: NDArray[np.float64]) -> bool:
    """Whether win rates [n] over games [n] against a stage's opponents are enough to leave it."""
    return bool(games.min() >= stage.min_games and win_rates.min() > stage.win_rate)


def resets(config: LeagueConfig, kind: PlayerKind, rng: np.random.Generator) -> bool:
    """Whether a learner of this kind starts again after a snapshot.

    A main player never, a main exploiter always, a league exploiter with probability `reset_share`.
    """
    if kind is PlayerKind.LEAGUE_EXPLOITER:
        return bool(rng.random() < config.reset_share)
    return kind is PlayerKind.MAIN_EXPLOITER
