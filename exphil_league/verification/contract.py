"""What a league core must offer to be verified, and how one is found by name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol, cast

import numpy as np

from exphil_league.config.league import LeagueSetup
from exphil_league.errors import UserError
from exphil_league.league.core import Clock
from exphil_league.league.events import Event
from exphil_league.league.model import Job, LearnerView, MatchResult, Player, Roster, SnapshotDecision

SHIPPED: Final = "exphil_league.league.core:League"


class LeagueCore(Protocol):
    """Calls that a verified core answers; `exphil_league.league.core.League` documents each."""

    def drain(self) -> list[Event]: ...

    def enrol(self, roster: Roster) -> None: ...

    def learner(self, player_id: str) -> LearnerView: ...

    def player(self, player_id: str) -> Player: ...

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]: ...

    def request_evaluation(self, count: int, pair: tuple[str, str] | None = None) -> list[Job]: ...

    def expire_leases(self) -> list[Job]: ...

    def report(self, results: Sequence[MatchResult]) -> list[str]: ...

    def publish(self, player_id: str, digest: str, env_frames: int) -> None: ...

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None: ...

    def freeze(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision: ...

    def ladder(self) -> dict[str, Any]: ...

    def payoff(self) -> dict[str, Any]: ...

    def lineage(self) -> dict[str, Any]: ...

    def status(self) -> dict[str, Any]: ...


class CoreClass(Protocol):
    """Makes a core: a new league, or the one that `events` left behind."""

    def __call__(
        self, setup: LeagueSetup, rng: np.random.Generator, clock: Clock, events: Iterable[Event] = ()
    ) -> LeagueCore: ...


METHODS: Final = tuple(name for name in vars(LeagueCore) if not name.startswith("_"))


def load_core(name: str) -> CoreClass:
    """The class that `module:Class` or `path/to/file.py:Class` names.

    Raises UserError when it cannot be imported, or naming every method that it lacks.
    """
    place, colon, attribute = name.rpartition(":")
    if not (colon and place and attribute.isidentifier()):
        raise UserError(f"--core: {name!r} names no class; write module:Class or path/to/file.py:Class")
    core = getattr(_module(place), attribute, None)
    if not isinstance(core, type):
        raise UserError(f"--core: {place} has no class {attribute!r}")
    missing = [method for method in METHODS if not callable(getattr(core, method, None))]
    if missing:
        raise UserError(f"--core: {name} is no league core, it lacks {', '.join(missing)}")
    try:
        core(LeagueSetup(), np.random.default_rng(0), lambda: 0.0, ())
    except Exception as error:  # a foreign class may fail in any way
        raise UserError(f"--core: {name} cannot be made as Class(setup, rng, clock, events): {error}") from error
    return cast(CoreClass, core)


def _module(place: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a user's own module lies in the working directory
    try:
        return _module_of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        raise UserError(f"--core: {place!r} cannot be imported ({error})") from error


def _module_of_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
