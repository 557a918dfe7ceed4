"""Stable names of what an iteration reports: `rl/NAME` for the run, `rl/PLAYER/NAME` for a learning player."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from envs.controller import PARTS
from envs.reward import TERMS
from exphil_league.rl.sampler import SampleStats

FRAMES_PER_MINUTE: Final = 3600

CURRENT_VALUES: Final = ("learning_rate", "entropy_weight", "teacher_weight")
"""Numbers of a learner's section `ppo` as its schedules have them in this update."""
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
    *CURRENT_VALUES,
    "skipped_steps",
    "reverted_steps",
    "updates",
)
"""Means over an update's minibatches, but the last three, which count since the player's start or reset."""


def add_stats(all_stats: Iterable[SampleStats]) -> SampleStats:
    """Sum over runners."""
    total = SampleStats()
    for stats in all_stats:
        total.add(stats)
    return total


def reward_metrics(stats: SampleStats, player: str) -> dict[str, float]:
    """What each reward term brought a learner, weighted, per minute of play; terms that bring nothing are left out."""
    if player not in stats.reward:
        return {}
    minutes = stats.seat_frames[player] / FRAMES_PER_MINUTE
    found = zip(TERMS, stats.reward[player] / minutes, strict=True)
    return {f"reward_{term}_per_minute": float(value) for term, value in found if value}


class IterationTimes(NamedTuple):
    """Wall time of one iteration, seconds."""

    sample_s: float
    """Until the samples were there."""
    learn_s: float
    iteration_s: float
    """All of it, publishing and sending weights included."""


def run_metrics(stats: SampleStats, times: IterationTimes, runners: int) -> dict[str, float]:
    """Speeds of one iteration in wall time, who waited for whom, and what its games were like."""
    report = {
        "fps": stats.env_frames / times.iteration_s,
        "sample_fps": stats.env_frames / times.sample_s,
        "learn_fps": stats.env_frames / times.learn_s,
        "games_per_s": stats.games / times.iteration_s,
        "games": float(stats.games),
        "aborted_games": float(stats.aborted_games),
        "opponents_held": float(stats.opponents_held),
        "runner_peak_mib": stats.peak_mib,
        "learner_idle": 1.0 - times.learn_s / times.iteration_s,
        "runner_idle": max(1.0 - stats.sample_s / (runners * times.iteration_s), 0.0),
    }
    report |= {f"faults/{kind}": float(count) for kind, count in stats.faults.items()}
    if stats.games:
        report["game_frames"] = stats.game_frames / stats.games
        report["timer_share"] = stats.timer_games / stats.games
    return report


def player_metrics(learner_results: Mapping[str, Any]) -> dict[str, float]:
    """The metrics above out of RLlib's results of one module."""
    return {name: float(learner_results[name]) for name in PLAYER_METRICS if name in learner_results}
