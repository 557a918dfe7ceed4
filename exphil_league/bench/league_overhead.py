"""What share of a run's CPU its league takes: a short piece of the demo in this process, its league's calls timed.

The demo's network, games and batch, from random weights: how well it plays changes nothing here. What is rare in the
demo comes more often, so that a few updates hold some of each: the share is then above the demo's own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from exphil_league import run_folder
from exphil_league.config.loader import load_recipe
from exphil_league.config.recipe import Recipe
from exphil_league.league.service import LocalLeague
from exphil_league.observe.sinks import Sink

UPDATES: Final = 5
SNAPSHOTS_MORE, ROUNDS_MORE = 20, 5
"""Times as often as in the demo players are frozen and rating rounds played."""


class Metered:
    """A league whose calls are timed: `cpu_s` is what they took of their thread, storing included."""

    def __init__(self, league: LocalLeague) -> None:
        self._league = league
        self.cpu_s = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._league, name)

        def timed(*args: Any, **options: Any) -> Any:
            begun = time.thread_time()
            try:
                return method(*args, **options)
            finally:
                self.cpu_s += time.thread_time() - begun

        return timed


class _Meter:
    """A sink that reads both clocks after each update, so that building the run does not count."""

    def __init__(self, league: Metered) -> None:
        self._league = league
        self.marks: list[tuple[float, float]] = []

    def write(self, metrics: Mapping[str, float]) -> None:
        self.marks.append((self._league.cpu_s, time.process_time()))

    def close(self) -> None:
        """Nothing is open."""

    @property
    def share(self) -> float:
        (league, run), (league_end, run_end) = self.marks[0], self.marks[-1]
        return (league_end - league) / (run_end - run)


_open: dict[Path, Metered] = {}


def _open_league(root: Path) -> Metered:
    return _open[root]


def overhead_share(updates: int = UPDATES) -> float:
    """The league's share of the run's CPU time: its rules, ratings and log, and what reports ask of it."""
    from exphil_league.ray_session import ray_session

    recipe = short_demo(updates)
    with tempfile.TemporaryDirectory() as folder, ray_session(recipe.ray):
        return _measure(Path(folder) / "run", recipe)


def short_demo(updates: int) -> Recipe:
    """The demo's recipe, cut to so many learner updates (two at least) and a resume point at its end only."""
    demo = load_recipe("demo")
    snapshot, evaluation = demo.league.snapshot, demo.evaluation
    return load_recipe(
        "demo",
        [
            "run.max_minutes=0",
            f"run.max_updates={max(updates, 2)}",
            "run.checkpoint_every_updates=1000000",
            f"league.snapshot.min_frames={snapshot.min_frames // SNAPSHOTS_MORE}",
            f"league.snapshot.timeout_frames={snapshot.timeout_frames // SNAPSHOTS_MORE}",
            f"evaluation.every_updates={max(evaluation.every_updates // ROUNDS_MORE, 1)}",
            f"evaluation.games_per_round={max(evaluation.games_per_round // ROUNDS_MORE, 2)}",
        ],
    )


def _measure(root: Path, recipe: Recipe) -> float:
    from exphil_league import tuning
    from exphil_league.league_phase import LeagueRun, open_sinks, roster, trial_config
    from policies import checkpoint
    from policies.policy import Policy

    run = run_folder.create(root, recipe, None)
    digest = checkpoint.save(Policy(recipe.policy.spec(recipe.game.played)), run.checkpoints)
    league = _open[run.root] = Metered(LocalLeague(run.root, recipe.league_setup(), recipe.seed))
    meter = _Meter(league)
    opener: Any = partial(_open_league, run.root)

    def sinks() -> list[Sink]:
        return [*open_sinks(run, recipe, opener), meter]

    try:
        league.enrol(roster(recipe, digest, {}))
        here = LeagueRun(run, recipe, True, digest, opener(), opener)
        tuning.run_serial(trial_config(here), run.tune, recipe.run, sinks)
        return meter.share
    finally:
        league.close()
        del _open[run.root]
