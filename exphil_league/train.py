"""What `train` does, from a recipe to a report, as stages that a resumed run skips when they are done.

warm start   imitate replays, or games of scripted players        -> warm_start.json, a checkpoint
styles       fine-tune it to ways of playing, where wanted          -> styles.json, a checkpoint of each
league       self-play PPO in a league, under Tune or in process    -> tune/, league.sqlite, trained.json
rating       freeze the main players, play rating games            -> league.sqlite
promotion    judge the main player by the declared suite            -> promotion.json, best.agent
report       the ladder, a page about it all                         -> ladder.json, report.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np

from envs.backend import Matchup, UnsupportedMatchup
from envs.backends import make_backend
from exphil_league import run_folder
from exphil_league.config.game import GameConfig
from exphil_league.config.loader import changed, difference, dump, load_recipe
from exphil_league.config.recipe import Recipe
from exphil_league.config.training import RayConfig
from exphil_league.errors import UserError
from exphil_league.imitation_phase import styles, warm_start
from exphil_league.observe.console import say
from exphil_league.ray_session import ray_session, require_train_extra
from exphil_league.replays.scan import replay_files
from exphil_league.run_folder import RunFolder

STAGES = ("warm start", "styles", "league", "rating", "promotion", "report")

CHANGEABLE = (
    *("run.max_minutes", "run.max_env_frames", "run.max_updates", "run.console_every_s"),
    *("run.league_dir", "run.league_backup_s"),
    *("evaluation.final_games", "evaluation.final_vs_warm_start", "evaluation.max_minutes"),
)
"""Keys that a resumed run may change: how long it goes on and what is shown, not what is trained."""


IfExists = Literal["fail", "resume", "restart"]
"""What becomes of a run that is in `out` already: refuse, go on with it, or move it aside and begin anew."""


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for: a recipe for a new run, or a run to resume."""

    recipe: str | None = None
    sets: tuple[str, ...] = ()
    out: Path | None = None
    replays: Path | None = None
    serial: bool = False
    dry_run: bool = False
    resume: Path | None = None
    if_exists: IfExists = "fail"


def train(request: TrainRequest) -> dict[str, Any]:
    """Do or resume a run; returns its report. Raises UserError for bad input, KeyboardInterrupt after Ctrl-C."""
    check_request(request)
    request = settled(request)
    recipe = planned_recipe(request)
    if request.dry_run:
        return plan(recipe)
    check_places(request)
    require_train_extra("train")
    if recipe.population.members and request.serial:
        raise UserError("a population is trained by Tune: leave out --serial, or set population.members=0")
    check_parts_fit(recipe)
    if request.resume is None and request.replays is None and recipe.imitation.from_run is None:
        check_games_to_learn_from(recipe)
    run = open_run(request, recipe)
    with run.locked():
        run_folder.write_atomic(run.recipe, dump(recipe))
        try:
            return run_stages(run, recipe, request.serial)
        except KeyboardInterrupt:
            say("", f"stopped; go on with: exphil-league train --resume {run.root}")
            raise


def clone(recipe: str, sets: tuple[str, ...], replays: Path | None, out: Path | None) -> dict[str, Any]:
    """Only the warm start of a recipe; returns what it reached. Raises UserError."""
    request = TrainRequest(recipe=recipe, sets=sets, replays=replays, out=out)
    resolved = planned_recipe(request)
    check_places(request)
    require_train_extra("bc")
    run = open_run(request, resolved)
    with run.locked(), ray_session(resolved.ray):
        report = warm_start(run, resolved, serial=False)
        styles(run, resolved, serial=False, warm_start=report["checkpoint"])
        return report | {"run": str(run.root)}


def check_request(request: TrainRequest) -> None:
    """Raises UserError for arguments that do not go together."""
    if request.if_exists != "fail" and request.out is None:
        raise UserError(f"--if-exists {request.if_exists} is about the folder of --out: give one")
    if request.recipe is None and request.resume is None:
        raise UserError("give a RECIPE to start a run, or --resume RUN to go on with one")
    if request.resume is None:
        return
    if request.recipe is not None:
        raise UserError(f"a resumed run has its recipe in {request.resume}: give either RECIPE or --resume")
    if request.out is not None or request.replays is not None:
        raise UserError("--resume goes on in the same folder with the same replays: leave out --out and --replays")


def settled(request: TrainRequest) -> TrainRequest:
    """The request with `if_exists` resume carried out: a run that is there is resumed, if the recipe is its own.

    Raises UserError for a recipe that differs in more than what a resumed run may change.
    """
    if request.if_exists != "resume" or request.out is None or not run_folder.holds_run(request.out):
        return request
    assert request.recipe is not None
    old, new = run_folder.reopen(request.out).load_recipe(), load_recipe(request.recipe, request.sets)
    differences = difference(old, new)
    _require_changeable(request.out, differences)
    sets = tuple(f"{key}={json.dumps(differences[key][1])}" for key in differences)
    return replace(request, recipe=None, sets=sets, out=None, replays=None, resume=request.out)


def check_places(request: TrainRequest) -> None:
    """Raises UserError for replays that are none and a folder that is taken, before anything heavy is loaded."""
    if request.replays is not None:
        replay_files(request.replays)
    if request.out is not None and not _restarts(request):
        run_folder.require_free(request.out)


def _restarts(request: TrainRequest) -> bool:
    return request.if_exists == "restart" and request.out is not None and run_folder.holds_run(request.out)


def check_parts_fit(recipe: Recipe) -> None:
    """Raises UserError before anything is done for what would otherwise fail after the warm start."""
    from exphil_league.rl.build import slot_groups
    from policies.scripted import SCRIPTED

    slot_groups(recipe)
    if recipe.league.curriculum:
        slot_groups(recipe, self_play=0.0)
    check_playable(recipe.game)
    if recipe.rating.anchor not in SCRIPTED:
        raise UserError(
            f"rating.anchor: {recipe.rating.anchor!r} is no scripted player; there are {', '.join(SCRIPTED)}"
        )
    check_opponents(recipe)


def check_opponents(recipe: Recipe) -> None:
    """Raises UserError for opponents that nobody could load, or that the backend has not."""
    from exphil_league.rl.partners import own_digest
    from policies.cpu_player import CPU_PLAYERS
    from policies.scripted import SCRIPTED

    for player in recipe.league.opponents.values():
        own_digest(player)
    named = [("league.curriculum", name) for stage in recipe.league.curriculum for name in stage.opponents]
    known = (*SCRIPTED, *recipe.league.opponents, *CPU_PLAYERS)
    if unknown := [name for _, name in named if name not in known]:
        raise UserError(f"league.curriculum: no player {unknown[0]!r}; there are {', '.join(known)}")
    named += [("promotion.opponents", name) for name in recipe.promotion.opponents]
    if cpus := [f"{key}: {name}" for key, name in named if name in CPU_PLAYERS and recipe.game.backend == "sim"]:
        raise UserError(f"{cpus[0]} is the game's own player, which the simulator lacks; set game.backend to dolphin")


def check_playable(game: GameConfig, backend_name: str | None = None) -> None:
    """Raises what the backend (default: the recipe's) says of games that it cannot play, or why it cannot play any."""
    played, rules = product(game.pairs, game.played_on), (game.stocks, game.time_limit_s)
    matchups = [Matchup(pair, stage, *rules).row() for pair, stage in played]
    backend = make_backend(backend_name or game.backend, 1, game.dolphin)
    try:
        backend.refuse(np.stack(matchups))
    finally:
        backend.close()


def check_games_to_learn_from(recipe: Recipe) -> None:
    """Raises UserError where the scripted players of the warm start cannot play the recipe's games."""
    try:
        check_playable(recipe.game, "sim")
    except UnsupportedMatchup as error:
        raise UserError(f"without replays the warm start learns from the simulator: {error}; give --replays") from None


def planned_recipe(request: TrainRequest) -> Recipe:
    """The recipe the run will follow. Raises UserError."""
    if request.resume is None:
        assert request.recipe is not None
        return load_recipe(request.recipe, request.sets)
    old = run_folder.reopen(request.resume).load_recipe()
    new = changed(old, request.sets)
    _require_changeable(request.resume, difference(old, new))
    return new


def _require_changeable(run: Path, differences: Mapping[str, tuple[Any, Any]]) -> None:
    refused = {key: pair for key, pair in differences.items() if key not in CHANGEABLE}
    if refused:
        was = "; ".join(f"{key} is {before}, not {after}" for key, (before, after) in refused.items())
        raise UserError(f"{run}: {was}. A resumed run may change only {', '.join(CHANGEABLE)}")


def plan(recipe: Recipe) -> dict[str, Any]:
    """What `--dry-run` shows."""
    say(dump(recipe).rstrip(), f"stages: {', '.join(STAGES)}")
    return {"recipe": recipe.model_dump(mode="json"), "stages": list(STAGES)}


def open_run(request: TrainRequest, recipe: Recipe) -> RunFolder:
    """The folder of the run, made if it is new. Raises UserError."""
    if request.resume is not None:
        return run_folder.reopen(request.resume)
    if _restarts(request):
        assert request.out is not None
        say(f"the run that was there is kept as {run_folder.move_aside(request.out)}")
    return run_folder.create(request.out or run_folder.default_root(recipe.name), recipe, request.replays)


def run_stages(run: RunFolder, recipe: Recipe, serial: bool) -> dict[str, Any]:
    """All stages that are not done yet; returns the report."""
    say(f"run folder: {run.root}")
    with ray_session(RayConfig() if serial else recipe.ray):  # serial: nothing is spread
        digest = warm_start(run, recipe, serial)["checkpoint"]
        starts = styles(run, recipe, serial, digest)
        from exphil_league.league_phase import league_run, learn, rate, roster
        from exphil_league.observe.report import report, report_page
        from exphil_league.promotion.gate import promote, warm_start_conduct

        members = roster(recipe, digest, starts)
        with league_run(run, recipe, serial, members) as here:
            if recipe.population.members:
                from exphil_league.population_phase import learn_as_population

                learn_as_population(here, members)
            else:
                learn(here, warm_start_conduct(run, recipe, digest).actions)
            rate(here)
            here.league.sync()
            result = report(here.run, here.league, promote(here.run.root))
    return result | report_page(run)
