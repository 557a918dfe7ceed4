"""Stable names of what an iteration reports: `rl/NAME` for the run, `rl/PLAYER/NAME` for a learning player."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from envs.controller import PARTS
from exphil_league.rl.sampler import SampleStats

PLAYER_METRICS: Final = (
    "loss",
    "policy_loss",
    "value_loss",
    "entropy",
    *(f"entropy_{part}" for part in PARTS),
    "kl_behaviour",
    "kl_teacher",
    "kl_teacher_forward",
    "explained_variance",
    "clipped_share",
    "grad_norm",
    "learning_rate",
    "skipped_steps",
    "reverted_steps",
    "updates",
)
"""Means over an update's minibatches, but the last three, which count since the player's start or reset."""


def add_stats(all_stats: Iterable[SampleStats]) -> SampleStats:
    """Sum over runners."""
    total = SampleStats()
    for stats in all_stats:
        for field in fields(SampleStats):
            setattr(total, field.name, getattr(total, field.name) + getattr(stats, field.name))
    return total


def run_metrics(stats: SampleStats, sample_s: float, learn_s: float, iteration_s: float) -> dict[str, float]:
    """Speeds of one iteration in wall time, and what its games were like."""
    report = {
        "fps": stats.env_frames / iteration_s,
        "sample_fps": stats.env_frames / sample_s,
        "learn_fps": stats.env_frames / learn_s,
        "games_per_s": stats.games / iteration_s,
        "games": float(stats.games),
        "aborted_games": float(stats.aborted_games),
    }
    if stats.games:
        report["game_frames"] = stats.game_frames / stats.games
        report["timer_share"] = stats.timer_games / stats.games
    return report


def player_metrics(learner_results: Mapping[str, Any]) -> dict[str, float]:
    """The metrics above out of RLlib's results of one module."""
    return {name: float(learner_results[name]) for name in PLAYER_METRICS if name in learner_results}
