"""What algorithm, learners and runners need to know about a run; travels inside the AlgorithmConfig.

RLlib copies, pickles and ships its config freely, so everything here is plain data or a picklable function.
Nothing open (a league, a backend) is ever part of it: factories open those where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from envs.backend import Backend
from exphil_league.config.ppo import PPOConfig
from exphil_league.league.service import LeagueHandle
from exphil_league.rl.opponents import LoadAgent
from exphil_league.rl.slots import SlotGroup
from policies.spec import PolicySpec

LeagueFactory = Callable[[], LeagueHandle]
"""Opens the league in whatever process calls it. In serial mode every call gives the one league of the process."""
BackendFactory = Callable[[int], Backend]
"""num_games -> a backend of that many games."""


@dataclass(frozen=True)
class LearnerStart:
    """Where a learning player begins."""

    player: str
    checkpoint: Path | None
    """Checkpoint folder of its first weights; None for random ones."""
    teacher: Path | None
    """Checkpoint folder of the frozen policy it is kept near; None for no teacher."""


@dataclass(frozen=True)
class RLSetup:
    """A run as the learning engine sees it."""

    spec: PolicySpec
    starts: tuple[LearnerStart, ...]
    groups: tuple[SlotGroup, ...]
    curriculum_groups: tuple[SlotGroup, ...]
    """While a main player has a curriculum: one-seat games only. Empty without one."""
    ppo: PPOConfig
    opponents_per_runner: int
    torch_threads: int
    seed: int
    checkpoints: Path
    """The content-addressed store that learners are published to."""
    resume_points: Path | None
    """Folder of the trial's resume points; None: RLlib's own checkpoints where the caller wants them."""
    keep_resume_points: int
    warm_start_actions: tuple[int, ...]
    """[ACTIONS] frames that the warm start spends in each action state (`rl.drift`); empty: nobody counted."""
    open_league: LeagueFactory
    open_backend: BackendFactory
    load_agent: LoadAgent

    @property
    def players(self) -> list[str]:
        return [start.player for start in self.starts]

    @property
    def games(self) -> int:
        """Games of one runner."""
        return sum(g.games for g in self.groups)
