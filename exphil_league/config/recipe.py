"""A recipe: everything that decides a run, composed of one section per part of the platform."""

from __future__ import annotations

from pydantic import Field, model_validator

from exphil_league.config.base import Section
from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.game import GameConfig
from exphil_league.config.league import LeagueConfig, LeagueSetup, RatingConfig
from exphil_league.config.policy import PolicyConfig
from exphil_league.config.population import PopulationConfig
from exphil_league.config.ppo import REWARD, PPOConfig
from exphil_league.config.promotion import PromotionConfig
from exphil_league.config.replays import ReplaysConfig
from exphil_league.config.run import RunConfig
from exphil_league.config.styles import StylesConfig
from exphil_league.config.training import ImitationConfig, RayConfig


class Recipe(Section):
    """What `train` and `bc` read. A resolved recipe (every key written out) is kept as RUN/recipe.yaml."""

    name: str = Field("run", min_length=1, pattern=r"^[A-Za-z0-9_.-]+$", description="names the run folder")
    seed: int = Field(1, ge=0, lt=2**63, description="every random stream of the run is derived from it")
    run: RunConfig = RunConfig()
    game: GameConfig = GameConfig()
    policy: PolicyConfig = PolicyConfig()
    replays: ReplaysConfig = ReplaysConfig()
    imitation: ImitationConfig = ImitationConfig()
    styles: StylesConfig = StylesConfig()
    ppo: PPOConfig = PPOConfig()
    league: LeagueConfig = LeagueConfig()
    population: PopulationConfig = PopulationConfig()
    rating: RatingConfig = RatingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    promotion: PromotionConfig = PromotionConfig()
    ray: RayConfig = RayConfig()

    @model_validator(mode="after")
    def _minibatches_fit(self) -> Recipe:
        if self.ppo.minibatches > self.ppo.games:
            raise ValueError(
                f"ppo.minibatches ({self.ppo.minibatches}) is more than ppo.games ({self.ppo.games}): "
                "a minibatch holds at least one whole sequence"
            )
        if self.ppo.minibatches % self.ppo.accumulate:
            raise ValueError(
                f"ppo.accumulate ({self.ppo.accumulate}) does not divide ppo.minibatches ({self.ppo.minibatches})"
            )
        return self

    @model_validator(mode="after")
    def _learners_exist(self) -> Recipe:
        learners = [learner.name for learner in self.league.learners]
        for name in self.ppo.players:
            if name not in learners:
                raise ValueError(f"ppo.players: no learner {name!r}; league.learners has {', '.join(learners)}")
        return self

    @model_validator(mode="after")
    def _population_begins_within_its_ranges(self) -> Recipe:
        for name, (low, high) in self.population.ranges.items() if self.population.members else ():
            if name.startswith(REWARD) and self.ppo.reward.sparse:
                raise ValueError(f"population.ranges.{name} says nothing while ppo.reward.sparse is true; drop one")
            for learner in self.league.learners:
                value = self.ppo.of(learner.name).value_of(name)
                if not low <= value <= high:
                    raise ValueError(
                        f"population.ranges.{name} is [{low:g}, {high:g}] and {learner.name} begins with {value:g}, "
                        "outside: widen the range, or change the number in ppo or ppo.players"
                    )
        return self

    @model_validator(mode="after")
    def _styles_exist(self) -> Recipe:
        if self.league.starts.styles > 0 and self.styles.by == "none":
            raise ValueError("league.starts.styles is above 0 and there are no styles: set styles.by")
        return self

    @model_validator(mode="after")
    def _windows_hold_whole_decisions(self) -> Recipe:
        repeat = self.policy.action_repeat
        lengths = {"ppo.unroll_frames": self.ppo.unroll_frames, "imitation.window_frames": self.imitation.window_frames}
        for key, frames in lengths.items():
            if frames % repeat:
                raise ValueError(f"{key} ({frames}) must be a multiple of policy.action_repeat ({repeat})")
        return self

    @model_validator(mode="after")
    def _emulators_suffice(self) -> Recipe:
        if self.ppo.games > self.game.at_once(self.ppo.games):
            raise ValueError(
                f"ppo.games ({self.ppo.games}) is more than game.dolphin.instances ({self.game.dolphin.instances}): "
                "every game of a runner has an emulator of its own"
            )
        return self

    def league_setup(self) -> LeagueSetup:
        """What the league keeps of the recipe, so that a ladder is read without it."""
        return LeagueSetup(league=self.league, rating=self.rating, game=self.game, evaluation=self.evaluation)
