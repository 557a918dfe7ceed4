"""How a player behaves over a series of games: what a win rate does not show."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from exphil_league.evaluation.habits import AERIALS, LEDGE, begun, histogram
from exphil_league.league.model import Job, MatchResult

RECORDED_AT_ONCE: Final = 16
"""Games whose frames are kept at the same time: each is some megabytes."""
_FRAMES_PER_MINUTE: Final = 3600


@dataclass
class Conduct:
    """Counts over the games of one player; lengths of all games, action states of the recorded ones."""

    actions: list[int] = field(default_factory=lambda: histogram(np.empty(0, np.int64)).tolist())
    """[ACTIONS] frames in each action state."""
    aerials: int = 0
    frames: int = 0
    """Recorded frames."""
    lengths: list[int] = field(default_factory=list)
    """Frames of each finished game."""
    timer_ends: int = 0

    def add_game(self, result: MatchResult) -> None:
        """Count how a game ended; an aborted one is left out."""
        if result.points is not None:
            self.lengths.append(result.frames)
            self.timer_ends += result.ended_by == "timer"

    def add_actions(self, actions: NDArray[np.integer]) -> None:
        """Count action states [T] of the player in one game."""
        self.actions = (np.array(self.actions) + histogram(actions)).tolist()
        self.aerials += begun(actions, AERIALS)
        self.frames += len(actions)

    def merged(self, other: Conduct) -> Conduct:
        """Of both series together."""
        actions = (np.array(self.actions) + np.array(other.actions)).tolist()
        return Conduct(
            actions,
            self.aerials + other.aerials,
            self.frames + other.frames,
            self.lengths + other.lengths,
            self.timer_ends + other.timer_ends,
        )

    @property
    def aerials_per_minute(self) -> float:
        return self.aerials * _FRAMES_PER_MINUTE / max(self.frames, 1)

    @property
    def ledge_share(self) -> float:
        """Share of recorded frames at a ledge."""
        return sum(self.actions[LEDGE.start : LEDGE.stop]) / max(self.frames, 1)

    @property
    def timer_share(self) -> float:
        return self.timer_ends / max(len(self.lengths), 1)

    @property
    def median_length(self) -> float:
        """Frames; 0 without games."""
        return float(median(self.lengths)) if self.lengths else 0.0

    def row(self) -> dict[str, Any]:
        """The figures for a report."""
        return {
            "games": len(self.lengths),
            "aerials_per_minute": self.aerials_per_minute,
            "ledge_share": self.ledge_share,
            "timer_share": self.timer_share,
            "median_length_frames": self.median_length,
        }


class ConductWatch:
    """Feeds a Conduct from `play_matches`: records a few games at a time."""

    def __init__(self, player: str, conduct: Conduct) -> None:
        self._player, self.conduct = player, conduct
        self._recording: set[str] = set()

    def wants(self, job: Job) -> bool:
        """Should the frames of this game be kept?"""
        if len(self._recording) >= RECORDED_AT_ONCE:
            return False
        self._recording.add(job.job_id)
        return True

    def offer(self, job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
        """A finished game; `frames` [T] FRAME, empty when it was not recorded."""
        self._recording.discard(job.job_id)
        self.conduct.add_game(result)
        if len(frames):
            self.conduct.add_actions(frames["players"]["action"][:, job.players.index(self._player), LEADER])
