"""The league phase of a population: members opened, trained by Tune, the best one's main player taken over by the run.

Every member is a run folder of its own with the same warm start and styles; `league`, `report` and `export` read it
like any other. The run itself keeps a league of the members' last main players: it is what the final rating, the
promotion gate and the report look at.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from ray import tune

from exphil_league import run_folder, tuning
from exphil_league.config.population import PopulationConfig
from exphil_league.config.recipe import Recipe
from exphil_league.imitation_phase import warm_start
from exphil_league.league.model import Donor, PlayerKind, Roster
from exphil_league.league_phase import LeagueRun, league_run, limits_of, open_sinks, rating_games, trial_config
from exphil_league.observe.console import say
from exphil_league.observe.metric_names import ENV_FRAMES, SECONDS, UPDATES
from exphil_league.observe.sinks import Sink
from exphil_league.population.members import Member, Population, copy_checkpoint
from exphil_league.population.scheduler import RoleWisePBT
from exphil_league.population.trial import CONFIGS, MemberTrial
from exphil_league.promotion.gate import warm_start_conduct
from exphil_league.run_folder import RunFolder, read_json, write_json


def learn_as_population(here: LeagueRun, members: Roster) -> None:
    """Train all members until a limit of the recipe is reached, once a run. Raises KeyboardInterrupt after Ctrl-C."""
    if here.run.trained.is_file():
        if not tuning.limit_reached(here.recipe.run, read_json(here.run.trained)):
            say("a population that is through is not trained further: its later limits change nothing")
        return
    here.run.require_unmoved()
    actions = warm_start_conduct(here.run, here.recipe, here.warm_start).actions
    with opened(here, members) as runs:
        population = Population(here.run, here.recipe, {name: _member(name, run) for name, run in runs.items()})
        population.begin()
        trials = tuning.Trials(
            MemberTrial,
            {
                tuning.MEMBER: tune.grid_search(list(runs)),
                CONFIGS: {name: trial_config(run, actions) for name, run in runs.items()},
            },
            {name: partial(member_sinks, run.run, run.recipe, run.open_league, here.run) for name, run in runs.items()},
            RoleWisePBT(population),
        )
        results = tuning.run_trials(trials, here.run.tune, here.recipe.run, partial(limits_of, here.run))
        if results is None:
            raise KeyboardInterrupt
        best = population.choose()
    take_over(here, members, best)
    ended = {
        "reason": tuning.limit_reached(here.recipe.run, results[0]),
        "rating_games": rating_games(here.league),
        UPDATES: max(result[UPDATES] for result in results),
        ENV_FRAMES: best["env_frames"],
        SECONDS: max(result[SECONDS] for result in results),
    }
    write_json(here.run.trained, ended)


@contextmanager
def opened(here: LeagueRun, members: Roster) -> Iterator[dict[str, LeagueRun]]:
    """The members' leagues, by name."""
    with ExitStack() as stack:
        found = {}
        for number in range(here.recipe.population.members):
            name = f"member_{number}"
            run, recipe = _folder(here, name, number)
            found[name] = stack.enter_context(league_run(run, recipe, False, members))
        yield found


def _folder(here: LeagueRun, name: str, number: int) -> tuple[RunFolder, Recipe]:
    """A member's run folder, made if it is new: the run's recipe with another seed, its warm start and its styles."""
    recipe = here.recipe.model_copy(
        update={
            "name": name,
            "seed": here.recipe.seed + number,
            "population": PopulationConfig(),
            "imitation": here.recipe.imitation.model_copy(update={"from_run": str(here.run.root)}),
        }
    )
    place = here.run.members / name
    if not RunFolder(place).about.is_file():  # written last: what a kill left half made is made anew
        shutil.rmtree(place, ignore_errors=True)
        run_folder.create(place, recipe, None)
    run = run_folder.reopen(place)
    warm_start(run, recipe, serial=False)
    return run, recipe


def _member(name: str, run: LeagueRun) -> Member:
    return Member(name, run.run, run.recipe, run.open_league)


def member_sinks(run: RunFolder, recipe: Recipe, open_league: Any, whole: RunFolder) -> list[Sink]:
    """Where a member's results go: its own files, and the console and Prometheus under its name."""
    return open_sinks(run, recipe, open_league, label=f"{whole.root.name}/{run.root.name}")


def take_over(here: LeagueRun, members: Roster, best: Mapping[str, Any]) -> None:
    """Bring the members' last main players into the run's league, whose main player goes on from the best one."""
    player, chosen = best["player"], best["member"]
    mains: Mapping[str, Mapping[str, Any]] = best["mains"]
    for name, main in mains.items():
        copy_checkpoint(here.run.members / name / "checkpoints", here.run.checkpoints, main["digest"])
    others = {f"{player}@{name}": main["digest"] for name, main in mains.items() if name != chosen}
    here.league.enrol(replace(members, imports={**members.imports, **others}))
    winner = mains[chosen]
    donor = Donor(chosen, player, PlayerKind.MAIN, winner["digest"], winner["env_frames"], best["round"])
    here.league.adopt(player, donor)
    here.league.publish(player, winner["digest"], best["env_frames"])
    home = RunFolder(here.run.members / chosen)
    for source, target in ((home.metrics, here.run.metrics), (home.warnings, here.run.warnings)):
        if source.is_file():
            shutil.copyfile(source, target)
