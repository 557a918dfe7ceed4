"""The league's vocabulary: players, jobs and results, as frozen values that survive a JSON round trip.

Seats are 0 and 1; a pair of anything is always ordered by seat. A *learner* is a live player whose weights
move; every other player is frozen, its digest never changes. Digests name checkpoints in the checkpoint
store; a scripted player has the digest `scripted:NAME@VERSION`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from policies.cpu_player import cpu_level

WARM_START = "warm_start"
"""Player id of the frozen policy that every learner starts from: the main player as it was before training."""


class PlayerKind(StrEnum):
    """Role of a player (Vinyals et al. 2019); STYLE for frozen starts of exploiters, ANCHOR for the fixed points of
    the rating."""

    MAIN = "main"
    MAIN_EXPLOITER = "main_exploiter"
    LEAGUE_EXPLOITER = "league_exploiter"
    HISTORICAL = "historical"
    STYLE = "style"
    ANCHOR = "anchor"


LEARNER_KINDS = frozenset({PlayerKind.MAIN, PlayerKind.MAIN_EXPLOITER, PlayerKind.LEAGUE_EXPLOITER})


class PlayerStatus(StrEnum):
    """ACTIVE: a live learner. FROZEN: its digest never changes."""

    ACTIVE = "active"
    FROZEN = "frozen"


class Branch(StrEnum):
    """Why a match is played."""

    SELF_PLAY = "self_play"
    PFSP = "pfsp"
    VERIFICATION = "verification"
    EXPLOIT = "exploit"
    CURRICULUM = "curriculum"
    EVALUATION = "evaluation"


class Purpose(StrEnum):
    """TRAIN: at least one seat learns from the match. EVALUATE: frozen players only, the match feeds the rating."""

    TRAIN = "train"
    EVALUATE = "evaluate"


class Outcome(StrEnum):
    """A finished match from seat 0's view. ABORTED changes no win rate."""

    WIN = "win"
    LOSS = "loss"
    DRAW = "draw"
    ABORTED = "aborted"


_POINTS: Final = {Outcome.WIN: 1.0, Outcome.DRAW: 0.5, Outcome.LOSS: 0.0, Outcome.ABORTED: None}


class Reason(StrEnum):
    """How a player came from its parent."""

    INIT = "init"
    SNAPSHOT = "snapshot"
    RESET = "reset"
    IMPORT = "import"
    STYLE = "style"
    PBT = "pbt"


@dataclass(frozen=True)
class Player:
    """A member of the league.

    `parent` is the frozen player it grew from (None for a root), so parents form an acyclic graph whatever
    is reset to whatever. `role_of` is the learner that a snapshot was taken of (None for roots; a learner's own id).
    """

    player_id: str
    kind: PlayerKind
    parent: str | None
    digest: str
    created_frames: int
    """Env frames its learner had trained when it was frozen; 0 for roots and learners."""
    role_of: str | None
    status: PlayerStatus
    reason: Reason = Reason.INIT

    @property
    def frozen(self) -> bool:
        return self.status is PlayerStatus.FROZEN


@dataclass(frozen=True)
class Job:
    """One match to be played. Fields that are pairs are by seat."""

    job_id: str
    players: tuple[str, str]
    digests: tuple[str, str]
    """What each seat must play: a frozen player's digest, or a live player's latest when the job was made."""
    matchup: Matchup
    branch: Branch
    learner_sides: tuple[bool, bool]
    """Seats whose experience trains; the others act only and produce no batch."""
    seed: int
    lease_until: float
    """Clock time after which the league counts the job as lost and refuses its result."""
    purpose: Purpose

    def row(self) -> NDArray[np.void]:
        """The game as a MATCHUP record, with the seats that the game plays itself."""
        row = self.matchup.row()
        row["cpu_level"] = [cpu_level(digest) for digest in self.digests]
        return row


@dataclass(frozen=True)
class MatchResult:
    """What became of a job. Pairs are by seat."""

    job_id: str
    outcome: Outcome
    stocks: tuple[int, int]
    percent: tuple[float, float]
    frames: int
    ended_by: str
    """Name of an `envs.backend.EndedBy` in lower case: stocks, timer, fault."""
    digests: tuple[str, str]
    """Weights that really played, at the end of the match."""
    worker: str

    @property
    def points(self) -> float | None:
        """Seat 0's points: 1, 0.5 for a draw, 0; None when aborted."""
        return _POINTS[self.outcome]


@dataclass(frozen=True)
class SnapshotDecision:
    """The league froze a learner. The caller keeps checkpoint `snapshot.digest`, then resets where it is told to."""

    learner: str
    snapshot: Player
    why: str
    """`win_rate`, `timeout`, `population` or `final`."""
    reset_player: str | None = None
    """Frozen player to start again from, or None to train on."""
    reset_digest: str | None = None
    """Its digest; the learner's optimizer state is dropped with its weights."""


@dataclass(frozen=True)
class Donor:
    """A learner of another league of the population, as it was in a round."""

    league: str
    player: str
    """Its name there, which is also that of the learners that may go on from it."""
    kind: PlayerKind
    digest: str
    env_frames: int
    """Env frames that it had trained."""
    round: int

    @property
    def frozen(self) -> Player:
        """What it is in the league that takes it over: a root of its own in the learner's line."""
        name = f"{self.player}@{self.league}.{self.round}"
        frozen, reason = PlayerStatus.FROZEN, Reason.PBT
        return Player(name, PlayerKind.HISTORICAL, None, self.digest, self.env_frames, self.player, frozen, reason)


@dataclass(frozen=True)
class Roster:
    """The fixed members a run starts with: what `enrol` is given."""

    warm_start: str
    """Digest of the warm start; every learner begins here unless the config names other starts."""
    anchors: dict[str, str] = field(default_factory=dict)
    """Scripted players: name -> digest."""
    anchor_digest: str = ""
    """`rating.ladder.anchor_digest`: ladders of different anchor digests are never compared."""
    imports: dict[str, str] = field(default_factory=dict)
    """Other frozen policies, usable as starts of exploiters: name -> digest."""
    styles: dict[str, str] = field(default_factory=dict)
    """Fine-tunes of the warm start that exploiters may start from: name -> digest."""


@dataclass(frozen=True)
class LearnerView:
    """A live learner as the league sees it; a resumed trainer compares `generation` with its own."""

    player: Player
    env_frames: int
    snapshot_frames: int
    """Env frames at its last snapshot or reset."""
    snapshots: int
    root: str
    """Frozen player it first started from."""
    generation: int
    """Resets so far. A trainer restored from before a reset must start again from `player.digest`."""
    in_curriculum: bool = False
    """Whether it still has to beat the opponents of a stage before it may play itself."""
