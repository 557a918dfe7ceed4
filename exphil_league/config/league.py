"""Recipe sections of the league: who learns, whom they meet, when they are frozen, how they are rated.

Defaults follow Vinyals et al. 2019 (AlphaStar) and its published pseudo-code where a comment says so.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from exphil_league.config.base import Section
from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.game import GameConfig
from exphil_league.factories import is_factory
from exphil_league.league.model import LEARNER_KINDS, WARM_START, PlayerKind


class Weighting(StrEnum):
    """PFSP weight of an opponent that the learner beats with probability x."""

    SQUARED = "squared"  # (1 - x)^2
    VARIANCE = "variance"  # x (1 - x)
    LINEAR = "linear"  # 1 - x
    LINEAR_CAPPED = "linear_capped"  # min(1/2, 1 - x)
    UNIFORM = "uniform"  # 1


class Shares(Section):
    """Share of a main player's games by branch; they sum to 1."""  # AlphaStar's 35/50/15

    self_play: float = Field(0.35, ge=0, le=1, description="games against itself, both sides learn")
    pfsp: float = Field(0.5, ge=0, le=1, description="games against frozen players, the hard ones first")
    verification: float = Field(
        0.15, ge=0, le=1, description="games against exploiters and forgotten players it loses to"
    )

    @model_validator(mode="after")
    def _sum(self) -> Shares:
        total = self.self_play + self.pfsp + self.verification
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the shares of self_play, pfsp and verification must sum to 1, not {total:g}")
        return self


class StartShares(Section):
    """Where exploiters begin, at first and after a reset; the shares sum to 1. Without a style or a past exploiter
    worth a start, its share falls to `own`."""

    own: float = Field(1.0, ge=0, le=1, description="share of starts from the learner's own `starts`")
    styles: float = Field(0.0, ge=0, le=1, description="share of starts from a style of the warm start")
    best_exploiter: float = Field(
        0.0, ge=0, le=1, description="share of starts from the past exploiter that main players beat least"
    )

    @model_validator(mode="after")
    def _sum(self) -> StartShares:
        total = self.own + self.styles + self.best_exploiter
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the shares of own, styles and best_exploiter must sum to 1, not {total:g}")
        return self


class LearnerConfig(Section):
    """One learning player."""

    name: str = Field("main", pattern=r"^[a-z][a-z0-9_]*$", description="player id; also the name of its weights")
    kind: PlayerKind = Field(PlayerKind.MAIN, description="main, main_exploiter or league_exploiter")
    starts: tuple[str, ...] = Field((WARM_START,), min_length=1, description="frozen players it starts and resets from")

    @model_validator(mode="after")
    def _learns(self) -> LearnerConfig:
        if self.kind not in LEARNER_KINDS:
            raise ValueError(f"a {self.kind} player does not learn; use main, main_exploiter or league_exploiter")
        return self


class SnapshotConfig(Section):
    """A learner is frozen after `min_frames` when it surely beats its targets, or at `timeout_frames` anyway."""

    min_frames: int = Field(1_000_000, ge=1, description="env frames since its last snapshot, at least")
    timeout_frames: int = Field(2_000_000, ge=1, description="env frames since its last snapshot, at most")
    win_rate: float = Field(0.7, gt=0, lt=1, description="its lowest win rate must be above this")  # AlphaStar's 0.7
    confidence_z: float = Field(
        1.64, ge=0, description="deviations of the lower bound that is compared; 1.64: 95 % sure, 0: the mean"
    )

    @model_validator(mode="after")
    def _order(self) -> SnapshotConfig:
        if self.timeout_frames < self.min_frames:
            raise ValueError(f"timeout_frames ({self.timeout_frames}) must not be below min_frames ({self.min_frames})")
        return self


class PayoffConfig(Section):
    """How results become win rates."""

    decay: float = Field(0.99, gt=0, le=1, description="weight of a pair's older games at each new one")
    prior_games: float = Field(
        2.0,
        ge=0,
        description="games every pair starts with: those of a new snapshot went as its learner's do, others were drawn",
    )


class PoolConfig(Section):
    """Frozen policies that training meets. Evicted ones stay in lineage and ratings."""

    max_players: int = Field(
        500, ge=2, description="beyond so many, those that main players beat most surely are evicted"
    )
    keep_recent: int = Field(20, ge=1, description="newest snapshots that are never evicted")


class CurriculumStage(Section):
    """Opponents that a main player must beat before it goes on."""

    opponents: tuple[str, ...] = Field(
        min_length=1, description="scripted players, names of league.opponents, on emulators cpu:1 to cpu:9"
    )
    win_rate: float = Field(0.7, gt=0, lt=1, description="its lowest win rate against them must be above this")
    min_games: int = Field(50, ge=1, description="finished games against each of them, at least")


def is_agent_file(name: str) -> bool:
    """Whether a name is meant as the path of an agent file."""
    return name.endswith(".agent")


class LeagueConfig(Section):
    """Players and rules of the league."""

    learners: tuple[LearnerConfig, ...] = Field(
        (LearnerConfig(), LearnerConfig(name="main_exploiter", kind=PlayerKind.MAIN_EXPLOITER)), min_length=1
    )
    shares: Shares = Shares()
    weighting: Weighting = Field(Weighting.SQUARED, description="a main player's PFSP weighting")
    exploration: float = Field(0.01, ge=0, le=1, description="share of PFSP games drawn evenly from all opponents")
    train_against_anchors: bool = Field(False, description="scripted anchors are opponents of training too")
    train_against_styles: bool = Field(False, description="styles are opponents of training too")
    starts: StartShares = Field(StartShares(), description="where exploiters begin")
    exploit_floor: float = Field(
        0.1, ge=0, le=1, description="below this win rate a main exploiter meets main's past instead"
    )
    reset_share: float = Field(0.25, ge=0, le=1, description="chance that a league exploiter resets after a snapshot")
    snapshot: SnapshotConfig = SnapshotConfig()
    payoff: PayoffConfig = PayoffConfig()
    pool: PoolConfig = PoolConfig()
    curriculum: tuple[CurriculumStage, ...] = Field(
        (), description="stages that every main player passes before it plays itself and the league"
    )
    opponents: dict[str, str] = Field(
        {}, description="opponents of one's own, always in the training pool: name to module:factory or agent file"
    )
    lease_s: float = Field(3600.0, gt=0, description="seconds after which an unreported game counts as lost")

    @model_validator(mode="after")
    def _players(self) -> LeagueConfig:
        names = [learner.name for learner in self.learners]
        if len(set(names)) < len(names):
            raise ValueError(f"every learner needs its own name, not {names}")
        if not any(learner.kind is PlayerKind.MAIN for learner in self.learners):
            raise ValueError("learners must hold one of kind main")
        for name, factory in self.opponents.items():
            if not (is_factory(factory) or is_agent_file(factory)):
                raise ValueError(f"opponents: {name} is {factory!r}; write module:factory or path/to/some.agent")
        return self


class RatingConfig(Section):
    """Bradley-Terry ladder over the rating matches."""

    anchor: str = Field("attacker", description="scripted player whose Elo is anchor_elo by definition")
    anchor_elo: float = Field(1000.0, description="where the scale is fixed")
    prior_sd_elo: float = Field(400.0, gt=0, description="spread of ratings before any game, in Elo")
    matchup_sd_elo: float = Field(
        100.0, gt=0, description="spread of a player's ratings between matchups before any game, in Elo"
    )
    pair_prior_games: float = Field(
        8.0, gt=0, description="games each pair's win rate starts with, played as the ratings predict: for Nash mass"
    )
    sharpness: float = Field(
        3.0, ge=0, description="pairs are drawn with weight (information gain)^sharpness; 0: evenly"
    )


class LeagueSetup(Section):
    """All a league needs of a recipe; stored with the run, so that a ladder is read without the recipe."""

    league: LeagueConfig = LeagueConfig()
    rating: RatingConfig = RatingConfig()
    game: GameConfig = GameConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
