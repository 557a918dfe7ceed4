"""The league of a run: opened, trained, rated, reported. What it answers is stored before anybody hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from envs.backends import make_backend
from exphil_league import tuning
from exphil_league.config.league import LeagueSetup, is_agent_file
from exphil_league.config.recipe import Recipe
from exphil_league.config.run import RunConfig
from exphil_league.errors import UserError
from exphil_league.evaluation.rating_games import play_rating_games
from exphil_league.evaluation.recovery import Recoveries
from exphil_league.evaluation.rounds import RoundSettings
from exphil_league.league.backup import LiveDisk
from exphil_league.league.model import WARM_START, Job, MatchResult, PlayerKind, Roster
from exphil_league.league.service import LeagueHandle, LocalLeague
from exphil_league.observe.alarms import Alarms
from exphil_league.observe.league_report import LeagueReport
from exphil_league.observe.league_tables import TOP_PLAYERS, show_ladder
from exphil_league.observe.metric_names import ENV_FRAMES, SECONDS, UPDATES
from exphil_league.observe.progress import progress
from exphil_league.observe.ray_metrics import RayMetrics
from exphil_league.observe.sinks import Console, JsonLines, Sink, WeightsAndBiases
from exphil_league.observe.telling_games import TellingGames
from exphil_league.rating.ladder import anchor_digest
from exphil_league.rl import weights
from exphil_league.rl.algorithm import LeaguePPOConfig
from exphil_league.rl.build import algorithm_config
from exphil_league.rl.partners import load_agent, own_digest
from exphil_league.run_folder import RunFolder, read_json, write_json
from policies import checkpoint
from policies.agent import Agent
from policies.cpu_player import CPU_PLAYERS
from policies.scripted import SCRIPTED, SCRIPTED_VERSION, scripted_digest

_here: dict[Path, LocalLeague] = {}


def open_here(run: Path, setup: LeagueSetup, seed: int, disk: LiveDisk | None) -> LocalLeague:
    """The one league of this process for a run folder (serial mode)."""
    if run not in _here:
        _here[run] = LocalLeague(run, setup, seed, disk=disk)
    return _here[run]


def open_remote(run: Path, setup: LeagueSetup, seed: int, disk: LiveDisk | None) -> LeagueHandle:
    """The run's league actor, from any process of the Ray cluster."""
    from exphil_league.league.actor import RemoteLeague

    return RemoteLeague(run, setup, seed, disk)


def live_disk(run: RunFolder, limits: RunConfig) -> LiveDisk | None:
    """Where the recipe wants the league's live database; None: in the run folder."""
    if limits.league_dir is None:
        return None
    return LiveDisk(Path(limits.league_dir), run.load_about().get("id", "run"), limits.league_backup_s)


def roster(recipe: Recipe, warm_start: str, styles: dict[str, str]) -> Roster:
    """The fixed members of a run: warm start and styles; as anchors all scripted players, the user's own, and what
    the curriculum meets of the game's own players."""
    backend = make_backend(recipe.game.backend, 1, recipe.game.dolphin)
    digest = anchor_digest(str(SCRIPTED_VERSION), backend.version, backend.name)
    backend.close()
    anchors = {name: scripted_digest(name) for name in SCRIPTED}
    own = {name: own_digest(player) for name, player in recipe.league.opponents.items()}
    if taken := anchors.keys() & own.keys():
        raise UserError(
            f"league.opponents: {', '.join(sorted(taken))} is the name of a scripted player; choose another"
        )
    cpus = {name: name for stage in recipe.league.curriculum for name in stage.opponents if name in CPU_PLAYERS}
    return Roster(warm_start, anchors | own | cpus, digest, styles=styles)


@dataclass(frozen=True)
class LeagueRun:
    """A run's league while `train` works on it."""

    run: RunFolder
    recipe: Recipe
    serial: bool
    warm_start: str
    """Digest of the policy that everybody starts from."""
    league: LeagueHandle
    open_league: Callable[[], LeagueHandle]
    """Opens the same league elsewhere; picklable."""

    @property
    def load_agent(self) -> Callable[[str, int], Agent]:
        """A frozen player by digest and number of columns; picklable."""
        return partial(load_agent, self.run.checkpoints, self.recipe.seed)


@contextmanager
def league_run(run: RunFolder, recipe: Recipe, serial: bool, members: Roster) -> Iterator[LeagueRun]:
    """Open or found the run's league and enrol its fixed members. Raises UserError as the league does.

    From here on networks act in this process on as many threads as in the others: on all cores, which is torch's
    default, threads that wait for each other slow a busy machine down.
    """
    torch.set_num_threads(recipe.ray.torch_threads)
    opener: Callable[..., LeagueHandle] = open_here if serial else open_remote
    open_league = partial(opener, run.root, recipe.league_setup(), recipe.seed, live_disk(run, recipe.run))
    for player in filter(is_agent_file, recipe.league.opponents.values()):
        weights.keep_agent(Path(player), run.checkpoints)
    league = open_league()
    server = None if serial else weights.serve(run.checkpoints)
    try:
        league.enrol(members)
        yield LeagueRun(run, recipe, serial, members.warm_start, league, open_league)
    finally:
        league.close()
        weights.close(server)
        _here.pop(run.root, None)


def learn(here: LeagueRun, warm_start_actions: Sequence[int] = ()) -> None:
    """Train until a limit of the recipe is reached; a run that has, goes on when its limit is a later one now.

    warm_start_actions: as `algorithm_config` has it, for the distance that training keeps from it.
    Raises KeyboardInterrupt after Ctrl-C.
    """
    limits = here.recipe.run
    trained = read_json(here.run.trained) if here.run.trained.is_file() else None
    if trained is not None and tuning.limit_reached(limits, trained):
        return
    config = trial_config(here, warm_start_actions)
    sinks = partial(open_sinks, here.run, here.recipe, here.open_league)
    if here.serial:
        result: dict[str, Any] | None = tuning.run_serial(config, here.run.tune, limits, sinks)
    else:
        here.run.require_unmoved()
        read_limits = partial(limits_of, here.run)
        result = tuning.run_with_tune(config, here.run.tune, limits, read_limits, sinks, go_on=trained is not None)
    if result is None:
        raise KeyboardInterrupt
    ended = {"reason": tuning.limit_reached(limits, result), "rating_games": rating_games(here.league)}
    write_json(here.run.trained, ended | {name: result[name] for name in (UPDATES, ENV_FRAMES, SECONDS)})


def trial_config(here: LeagueRun, warm_start_actions: Sequence[int] = ()) -> LeaguePPOConfig:
    """The algorithm of the run with the league's report in each result; arguments as of `learn`."""
    recipe = here.recipe
    first = {learner.name: here.league.learner(learner.name).root for learner in recipe.league.learners}
    config = algorithm_config(
        recipe,
        spec=checkpoint.load(here.run.checkpoints / here.warm_start).spec,
        store=here.run.checkpoints,
        starts={name: here.league.player(name).digest for name in {WARM_START, *first.values()}},
        first=first,
        open_league=here.open_league,
        resume_points=here.run.tune / "points",
        warm_start_actions=warm_start_actions,
        serial=here.serial,
    )
    rounds = RoundSettings(
        open_league=here.open_league,
        load_agent=here.load_agent,
        backend_name=recipe.game.backend,
        dolphin=recipe.game.dolphin,
        at_once=recipe.game.at_once(recipe.evaluation.games),
        games=recipe.evaluation.games_per_round,
        every_updates=recipe.evaluation.every_updates,
        in_process=here.serial,
    )
    report: Any = partial(LeagueReport, rounds)  # RLlib calls it without arguments, as it would a class
    config.callbacks(report)
    return config


def open_sinks(
    run: RunFolder, recipe: Recipe, open_league: Callable[[], LeagueHandle], label: str | None = None
) -> list[Sink]:
    """Where the results of the trial go besides Tune's own files. `label`: names it where there are several."""
    league = open_league()
    sinks: list[Sink] = [
        Alarms(run.warnings, run.metrics, league.alarms, recipe.promotion.max_action_distance),
        JsonLines(run.metrics),
        RayMetrics(label or run.root.name),
        Console(recipe.run, _no_ladder if label else lambda: _show_top(league), label=label or "league"),
    ]
    if recipe.run.wandb_project is not None:
        sinks.append(
            WeightsAndBiases(recipe.run.wandb_project, label or run.root.name, run.root, recipe.model_dump(mode="json"))
        )
    return sinks


def _show_top(league: LeagueHandle) -> None:
    show_ladder(league.ladder(), TOP_PLAYERS)


def _no_ladder() -> None:
    """Of one among several trials the console shows a line only."""


def limits_of(run: RunFolder) -> RunConfig:
    """The limits as they stand in the run folder now."""
    return run.load_recipe().run


def rate(here: LeagueRun) -> None:
    """Freeze the main players as they are and play the rating games that are still missing; keep the telling games."""
    config = here.recipe.evaluation
    main = freeze_mains(here)[0]
    before = read_json(here.run.trained)["rating_games"]
    missing = config.final_games - (rating_games(here.league) - before)
    against_start = min(config.final_vs_warm_start - games_between(here.league, main, WARM_START), missing)
    telling, recoveries = TellingGames(main), Recoveries()
    deadline_s = time.monotonic() + (config.max_minutes * 60 or float("inf"))
    with progress("rating", total=max(missing, 0), unit="games") as shown:

        def on_game(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
            telling.offer(job, result, frames)
            if set(job.players) == {main, WARM_START}:
                recoveries.offer(job, frames)
            shown.advance()

        def wants(job: Job) -> bool:
            return telling.wants(job) | recoveries.wants(job)

        play = partial(
            play_rating_games,
            here.league,
            here.load_agent,
            backend_name=here.recipe.game.backend,
            dolphin=here.recipe.game.dolphin,
            at_once=here.recipe.game.at_once(config.games),
            deadline_s=deadline_s,
            on_game=on_game,
        )
        played = play(games=against_start, pair=(main, WARM_START), record=wants)
        play(games=missing - played, record=telling.wants)
    telling.save(here.run.replays)
    if played:
        write_json(here.run.recovery, {"before": recoveries.of(WARM_START), "after": recoveries.of(main)})


def freeze_mains(here: LeagueRun) -> list[str]:
    """Freeze every main player with its last published weights; returns the snapshots' names. Repeatable."""
    names = [learner.name for learner in here.recipe.league.learners if learner.kind is PlayerKind.MAIN]
    views = [here.league.learner(name) for name in names]
    return [
        here.league.freeze(view.player.player_id, view.player.digest, view.env_frames).snapshot.player_id
        for view in views
    ]


def rating_games(league: LeagueHandle) -> int:
    """Rating games the league has counted."""
    return sum(pair["games"] for pair in league.payoff()["evaluate"])


def games_between(league: LeagueHandle, one: str, other: str) -> int:
    """Rating games of two players."""
    pairs = league.payoff()["evaluate"]
    return sum(pair["games"] for pair in pairs if {pair["player"], pair["opponent"]} == {one, other})
