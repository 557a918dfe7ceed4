"""Our path as a contender: the whole serial algorithm, league and checkpoint publishing included."""

from __future__ import annotations

from pathlib import Path

import torch

from exphil_league.bench.contender import AlgorithmContender, Stopwatch, Task, Timing
from exphil_league.config.league import LeagueConfig, LearnerConfig, RatingConfig, Shares
from exphil_league.config.recipe import Recipe
from exphil_league.config.training import RayConfig
from exphil_league.league.model import Roster
from exphil_league.league.service import LocalLeague
from exphil_league.rl.build import algorithm_config
from exphil_league.rl.shared import share
from policies import checkpoint
from policies.policy import Policy

_ANCHOR = "random"


def self_play_recipe(task: Task) -> Recipe:
    """One main player that meets only itself, so that both seats of every game are trained."""
    gpus = 0 if task.device == "cpu" else 1
    return Recipe(
        seed=task.seed,
        game=task.game,
        ppo=task.ppo,
        league=LeagueConfig(learners=(LearnerConfig(),), shares=Shares(self_play=1.0, pfsp=0.0, verification=0.0)),
        rating=RatingConfig(anchor=_ANCHOR),
        ray=RayConfig(num_gpus_per_learner=gpus, num_gpus_per_env_runner=gpus),
    )


class Ours(AlgorithmContender):
    """LeaguePPO in this process, with a league of its own in `run`."""

    def __init__(self, task: Task, run: Path) -> None:
        recipe = self_play_recipe(task)
        store = run / "checkpoints"
        torch.manual_seed(task.seed)
        start = checkpoint.save(Policy(task.spec), store)
        self._league = LocalLeague(run, recipe.league_setup(), task.seed)
        self._league.enrol(Roster(warm_start=start, anchors={_ANCHOR: _ANCHOR}, anchor_digest="bench"))
        config = algorithm_config(
            recipe,
            spec=task.spec,
            store=store,
            starts={"warm_start": start},
            open_league=share(str(run), self._league),
        )
        super().__init__("ours", task, config.build_algo())
        sampler = self._algorithm.env_runner_group.local_env_runner.sampler
        self._parts = {
            "simulator": Stopwatch(task.clock, sampler.backend, "step"),
            "inference": Stopwatch(task.clock, sampler.lanes[0], "decide"),
            "learning": Stopwatch(task.clock, self._algorithm.learner_group, "update"),
        }
        self._shares: dict[str, float] = {}

    def iterate(self) -> Timing:
        """One batch."""
        before_s = {part: watch.spent_s for part, watch in self._parts.items()}
        timing = super().iterate()
        self._shares = {
            part: round((watch.spent_s - before_s[part]) / timing.total_s, 3) for part, watch in self._parts.items()
        }
        return timing

    def shares(self) -> dict[str, float]:
        """Where the time of the last batch went: shares of it, the rest left out. The first batch compiles."""
        return self._shares

    def close(self) -> None:
        super().close()
        self._league.close()
