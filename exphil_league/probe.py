"""How exploitable is a run's main player? Fresh exploiters are trained against it for a fixed number of frames.

A probe from a single start proves nothing (a weakness that is far from it is not found), so one is trained from the
warm start and one from every style. Each is a small run of its own: a league of one learner that meets nobody but
the frozen player. What is done is kept in RUN/probe.json and not done again; a probe that was stopped goes on.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from exphil_league import run_folder
from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.league import CurriculumStage, LeagueConfig, LearnerConfig, SnapshotConfig
from exphil_league.config.population import PopulationConfig
from exphil_league.config.recipe import Recipe
from exphil_league.config.training import RayConfig
from exphil_league.errors import UserError
from exphil_league.evaluation.score import wilson
from exphil_league.league.model import WARM_START, PlayerKind
from exphil_league.observe.console import say, table
from exphil_league.observe.league_tables import read_league
from exphil_league.observe.progress import progress
from exphil_league.ray_session import ray_session, require_train_extra
from exphil_league.run_folder import RunFolder

TARGET: Final = "target"
PROBE: Final = "probe"
_NEVER: Final = 2**62
"""More frames, games or updates than any run has."""


@dataclass(frozen=True)
class ProbeRequest:
    """What the user asked for."""

    run: Path
    starts: tuple[str, ...] = ()
    """Names of starts; empty: the warm start and every style."""
    starts_from: Path | None = None
    """Run folder whose starts are used; None: the run's own. Runs to be compared need the same starts."""
    frames: int = 2_000_000
    games: int = 400
    seeds: int = 1
    player: str | None = None
    """Frozen player that is probed; None: the main player's newest snapshot."""
    serial: bool = False


@dataclass(frozen=True)
class Probe:
    """One exploiter to train: whom against, from where, for how long."""

    target: str
    """Digest."""
    start: str
    start_digest: str
    frames: int
    games: int
    seed: int

    @property
    def folder(self) -> str:
        return f"{self.target}-{self.start}-{self.start_digest[:6]}-{self.frames}-{self.seed}"


def probe(request: ProbeRequest) -> dict[str, Any]:
    """Train and measure every probe that is missing; writes RUN/probe.json and returns it.

    {"run", "target", "target_digest", "frames", "probes": [{"start", ..., "games", "rate", "low", "high"}],
    "pooled": {"games", "rate", "low", "high"}, "strongest": one of the probes}; rates are the exploiters' points a
    game with 95 % Wilson bounds. Raises UserError for a run without a frozen main player or an unknown start.
    """
    run = run_folder.reopen(request.run)
    recipe, (name, digest) = run.load_recipe(), _target(request)
    source = run_folder.reopen(request.starts_from) if request.starts_from else run
    starts = _chosen(_starts(source), request.starts)
    require_train_extra("league probe")
    found = _Findings(run, name, digest, request.frames)
    with ray_session(RayConfig() if request.serial else recipe.ray):
        for seed, (start, start_digest) in product(range(1, request.seeds + 1), starts.items()):
            wanted = Probe(digest, start, start_digest, request.frames, request.games, seed)
            if not found.holds(wanted):
                found.add(wanted, _measure(run, source, recipe, wanted, request.serial))
    found.show()
    return found.result()


class _Findings:
    """RUN/probe.json: everything measured so far, of which the asked-for is shown."""

    def __init__(self, run: RunFolder, target: str, target_digest: str, frames: int) -> None:
        self._run = run
        self._about = {"run": str(run.root), "target": target, "target_digest": target_digest, "frames": frames}
        self._rows = run_folder.read_json(run.probes)["probes"] if run.probes.is_file() else []

    def holds(self, probe: Probe) -> bool:
        wanted = asdict(probe)
        return any(wanted.items() <= row.items() for row in self._rows)

    def add(self, probe: Probe, measured: dict[str, Any]) -> None:
        self._rows.append(asdict(probe) | measured)
        run_folder.write_json(self._run.probes, self.result() | {"probes": self._rows})

    def result(self) -> dict[str, Any]:
        """The findings about this target after so many frames."""
        about = self._about
        rows = [r for r in self._rows if (r["target"], r["frames"]) == (about["target_digest"], about["frames"])]
        points, games = sum(row["rate"] * row["games"] for row in rows), sum(row["games"] for row in rows)
        low, high = wilson(points, games)
        pooled = {"games": games, "rate": points / max(games, 1), "low": low, "high": high}
        strongest = max(rows, key=lambda row: row["rate"], default=None)
        return about | {"probes": rows, "pooled": pooled, "strongest": strongest}

    def show(self) -> None:
        rows = [
            (r["start"], r["seed"], f"{r['rate']:.3f}", f"{r['low']:.3f} to {r['high']:.3f}", r["games"])
            for r in self.result()["probes"]
        ]
        title = f"fresh exploiters against {self._about['target']}, {self._about['frames']} frames each"
        table(title, ("start", "seed", "win rate", "95 %", "games"), rows)


def probe_recipe(recipe: Recipe, frames: int, seed: int) -> Recipe:
    """The recipe of a probe: the run's own way of learning, one learner, one opponent, no ratings on the way."""
    league = LeagueConfig(
        learners=(LearnerConfig(name=PROBE),),
        curriculum=(CurriculumStage(opponents=(TARGET,), min_games=_NEVER),),
        snapshot=SnapshotConfig(min_frames=_NEVER, timeout_frames=_NEVER),
        payoff=recipe.league.payoff,
        lease_s=recipe.league.lease_s,
    )
    evaluation = recipe.evaluation.model_dump() | {"every_updates": _NEVER}
    main = next(learner.name for learner in recipe.league.learners if learner.kind is PlayerKind.MAIN)
    players = {TARGET: recipe.game.players[main]} if main in recipe.game.players else {}
    return recipe.model_copy(
        update={
            "name": PROBE,
            "seed": recipe.seed + 1000 * seed,
            "run": recipe.run.model_copy(update={"max_env_frames": frames, "max_minutes": 0.0, "max_updates": 0}),
            "league": league,
            "game": recipe.game.model_copy(update={"players": players}),
            "ppo": recipe.ppo.model_copy(update={"players": {}}),
            "population": PopulationConfig(),
            "evaluation": EvaluationConfig(**evaluation),
        }
    )


def _measure(run: RunFolder, source: RunFolder, recipe: Recipe, probe: Probe, serial: bool) -> dict[str, Any]:
    """Train one probe, freeze it and play it against the target: {"rate", "low", "high"} of its points a game."""
    from exphil_league.evaluation.rating_games import play_rating_games
    from exphil_league.league_phase import freeze_mains, games_between, league_run, learn, roster
    from exphil_league.observe.metric_names import pair_of

    own = probe_recipe(recipe, probe.frames, probe.seed)
    folder = run.root / "probe" / probe.folder
    home = run_folder.reopen(folder) if run_folder.holds_run(folder) else run_folder.create(folder, own, None)
    for place, digest in ((run, probe.target), (source, probe.start_digest)):
        shutil.copytree(place.checkpoints / digest, home.checkpoints / digest, dirs_exist_ok=True)
    say(f"probe from {probe.start}, seed {probe.seed}: {probe.frames} frames")
    members = roster(own.model_copy(update={"league": recipe.league}), probe.start_digest, {})
    members = replace(members, anchors=members.anchors | {TARGET: probe.target})
    with home.locked(), league_run(home, own, serial, members) as here:
        learn(here)
        (frozen,) = freeze_mains(here)
        missing = probe.games - games_between(here.league, frozen, TARGET)
        with progress("rating", total=max(missing, 0), unit="games") as shown:
            play_rating_games(
                here.league,
                here.load_agent,
                backend_name=own.game.backend,
                dolphin=own.game.dolphin,
                at_once=own.game.at_once(own.evaluation.games),
                games=missing,
                pair=(frozen, TARGET),
                on_game=lambda *_: shown.advance(),
            )
        against = pair_of(frozen, TARGET, here.league.payoff()["evaluate"])
    assert against is not None
    rate, low, high, _ = against
    return {"rate": rate, "low": low, "high": high}


def _target(request: ProbeRequest) -> tuple[str, str]:
    """Name and digest of the frozen player that is probed."""
    from exphil_league.league import views

    state = read_league(request.run)
    name = request.player or views.ladder(state)["main"]
    frozen = {player for player in state.frozen() if player not in state.anchors}
    if name not in frozen:
        raise UserError(f"no frozen player {name!r} in {request.run}; there are {', '.join(sorted(frozen)) or 'none'}")
    return name, state.players[name].digest


def _starts(run: RunFolder) -> dict[str, str]:
    """Warm start and styles of a run: name -> digest."""
    if not run.warm_start.is_file():
        raise UserError(f"{run.root} has no warm start yet")
    starts = {WARM_START: run_folder.read_json(run.warm_start)["checkpoint"]}
    styles = run_folder.read_json(run.styles)["styles"] if run.styles.is_file() else []
    return starts | {row["style"]: row["checkpoint"] for row in styles}


def _chosen(known: dict[str, str], wanted: tuple[str, ...]) -> dict[str, str]:
    if strange := [name for name in wanted if name not in known]:
        raise UserError(f"no start {strange[0]!r}; there are {', '.join(known)}")
    return {name: known[name] for name in wanted or known}
