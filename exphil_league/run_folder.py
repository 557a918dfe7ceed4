"""A run folder: where a run keeps its recipe, league, checkpoints, metrics and replays, and how it is resumed."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exphil_league.config.loader import dump, parse_recipe, validate
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError

FORMAT = "exphil-league-run-1"


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run. A stage of a run is done when the file it makes is there."""

    root: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe, every key written out."""
        return self.root / "recipe.yaml"

    @property
    def about(self) -> Path:
        """Format of the folder, where it was made and where the replays are."""
        return self.root / "run.json"

    @property
    def styles(self) -> Path:
        """What each style was learnt from; see `imitation.styles`."""
        return self.root / "styles.json"

    @property
    def league(self) -> Path:
        """The league's event store."""
        return self.root / "league.sqlite"

    @property
    def checkpoints(self) -> Path:
        """Policy checkpoints, a folder for each digest."""
        return self.root / "checkpoints"

    @property
    def tune(self) -> Path:
        """Tune's storage: resume points (pickles, only ever read from a run of one's own) and metrics."""
        return self.root / "tune"

    @property
    def warm_start(self) -> Path:
        """What imitation reached, and the digest of its policy."""
        return self.root / "warm_start.json"

    @property
    def trained(self) -> Path:
        """Why and when the league phase ended; absent while it has not."""
        return self.root / "trained.json"

    @property
    def recovery(self) -> Path:
        """How often warm start and main player came back from off the stage when they met."""
        return self.root / "recovery.json"

    @property
    def replays(self) -> Path:
        """Games of this run as .slp files."""
        return self.root / "replays"

    @property
    def metrics(self) -> Path:
        """One JSON object a line: the metrics of each learner update."""
        return self.root / "metrics.jsonl"

    @property
    def warnings(self) -> Path:
        """One JSON object a line: what looked wrong, and in which update."""
        return self.root / "warnings.jsonl"

    @property
    def agent(self) -> Path:
        """The top agent as a file: the last main player that was promoted, else the warm start."""
        return self.root / "best.agent"

    @property
    def best_game(self) -> Path:
        """The best rating game of the main player."""
        return self.replays / "best_game.slp"

    @property
    def page(self) -> Path:
        """A page that shows it."""
        return self.root / "best_game.html"

    @property
    def promotion(self) -> Path:
        """The gate's last verdict; see `promotion.gate`."""
        return self.root / "promotion.json"

    @property
    def promotion_games(self) -> Path:
        """What the gate's games came to, series by series."""
        return self.root / "promotion_games.json"

    @property
    def probes(self) -> Path:
        """What fresh exploiters reached against the run's frozen main player; their own runs lie in `probe/`."""
        return self.root / "probe.json"

    @property
    def population(self) -> Path:
        """What the rounds of a population measured and decided; see `population.ledger`."""
        return self.root / "population.json"

    @property
    def members(self) -> Path:
        """Run folders of the members of a population."""
        return self.root / "population"

    @property
    def comparison_games(self) -> Path:
        """Games of the run's main player in comparisons with other runs, one a line; see `compare_games`."""
        return self.root / "comparison_games.jsonl"

    @property
    def comparisons(self) -> Path:
        """What the newest comparison with each set of other runs found; see `compare`."""
        return self.root / "comparisons.json"

    @property
    def report(self) -> Path:
        """The run in one page."""
        return self.root / "report.html"

    @property
    def ladder(self) -> Path:
        """The last word on ratings."""
        return self.root / "ladder.json"

    def load_recipe(self) -> Recipe:
        """The recipe this run was started with. Raises UserError when this version cannot read it."""
        values = parse_recipe(self.recipe.read_bytes(), str(self.recipe))
        if not values:  # a user's own recipe may leave out every key; this one may not
            raise UserError(f"{self.recipe} is empty: put a copy back, or start a new run")
        try:
            return validate(values, str(self.recipe))
        except UserError as error:
            raise UserError(f"{error}\nUse the version that made this run, or start a new run with --out") from error

    def load_about(self) -> dict[str, Any]:
        """What `create` noted. Raises UserError for a folder of another format."""
        about = read_json(self.about)
        if about.get("format") != FORMAT:
            raise UserError(
                f"{self.root} is a run of format {about.get('format')!r}, this version reads {FORMAT!r}: "
                "use the version that made it, or start a new run with --out"
            )
        return about

    def require_unmoved(self) -> None:
        """Raises UserError for a run that lies elsewhere than it was made: Tune's resume points name that place."""
        made_at = self.load_about().get("root", str(self.root))
        if made_at != str(self.root):
            raise UserError(f"{self.root} was made as {made_at} and can go on only there: move it back")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the lock goes with the process, however it ends. Raises UserError."""
        with (self.root / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"{self.root}: another process is working on this run; stop it first") from error
            yield


def create(root: Path, recipe: Recipe, replays: Path | None) -> RunFolder:
    """Make a new run folder. Raises UserError where one exists: a run is resumed, never overwritten."""
    require_free(root)
    run = RunFolder(root.resolve())
    for folder in (run.root, run.checkpoints, run.tune, run.replays):
        folder.mkdir(parents=True, exist_ok=True)
    write_atomic(run.recipe, dump(recipe))
    given = None if replays is None else str(replays.resolve())
    write_json(run.about, {"format": FORMAT, "id": secrets.token_hex(4), "root": str(run.root), "replays": given})
    return run


def require_free(root: Path) -> None:
    """Raises UserError where a new run would find something."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        remedy = f"go on with it by --resume {root}, or" if holds_run(root) else "it is not a run:"
        raise UserError(f"{root} exists; {remedy} give another folder with --out")


def reopen(root: Path) -> RunFolder:
    """An existing run folder. Raises UserError where there is none, or one of another format."""
    run = RunFolder(root.resolve())
    if not run.recipe.is_file() or not run.about.is_file():
        raise UserError(f"{root} is not a run folder: it has no {run.recipe.name} and {run.about.name}")
    run.load_about()
    return run


def holds_run(root: Path) -> bool:
    """Whether a run was begun in this folder."""
    return RunFolder(root).recipe.is_file()


def move_aside(root: Path) -> Path:
    """Keep a run under another name beside its place; returns that place. Raises UserError while it is worked on."""
    place = root.resolve()
    aside = place.with_name(f"{place.name}-before-{datetime.now():%Y%m%d-%H%M%S}")
    with RunFolder(place).locked():
        place.rename(aside)
    return aside


def default_root(name: str) -> Path:
    """A new folder under runs/, named by recipe and time."""
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises UserError for a damaged one."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}; put a copy back, or start a new run") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object; put a copy back, or start a new run")
    return found


def write_json(path: Path, value: object) -> None:
    """Write JSON whole or not at all."""
    write_atomic(path, json.dumps(value, indent=2) + "\n")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file (text as UTF-8) whole or not at all: a crash or a full disk leaves the old one."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(scratch, path)
    except OSError as error:
        error.filename = str(path)  # a refused write names no file, and the scratch file's name helps nobody
        raise
    finally:
        scratch.unlink(missing_ok=True)
