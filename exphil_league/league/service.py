"""A league with its log: what training, evaluation and the command line talk to.

`LeagueHandle` is the one interface. `LocalLeague` serves it in the process (serial mode, tests) and inside
the Ray actor; `league.actor.RemoteLeague` is the same interface from afar. Every call that changes the league is
stored before it returns: an answer that arrived is never lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from exphil_league.config.league import LeagueSetup
from exphil_league.league.alarms import Alarm, alarms
from exphil_league.league.backup import LiveDisk
from exphil_league.league.core import Clock, League
from exphil_league.league.history import History
from exphil_league.league.model import Donor, Job, LearnerView, MatchResult, Player, Roster, SnapshotDecision
from exphil_league.league.store import LeagueStore
from exphil_league.observe.metric_names import league_metrics


class LeagueHandle(Protocol):
    """Synchronous calls of a league; `league.core.League` documents each."""

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

    def adopt(self, learner: str, donor: Donor) -> None: ...

    def ladder(self) -> dict[str, Any]: ...

    def metrics(self) -> dict[str, Any]: ...

    def payoff(self) -> dict[str, Any]: ...

    def lineage(self) -> dict[str, Any]: ...

    def status(self) -> dict[str, Any]: ...

    def alarms(self) -> list[Alarm]: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class LocalLeague:
    """League and store in this process."""

    def __init__(
        self, run: Path, setup: LeagueSetup, seed: int, clock: Clock = time.time, disk: LiveDisk | None = None
    ) -> None:
        """Open the league of a run folder, or found one there. `seed` matters only when it is founded.

        disk: where the live database lies, when not in the run folder.

        Raises UserError as `LeagueStore` does.
        """
        self._setup = setup
        self._seed = seed
        self._clock = clock
        self._store = LeagueStore(run, disk=disk)
        self._league = self._load()
        with self._durable():
            pass

    def _load(self) -> League:
        self._history = History()
        events = self._history.hearing(self._store.events())
        return League(self._setup, np.random.default_rng(self._seed), self._clock, events)

    @contextmanager
    def _durable(self) -> Iterator[League]:
        """The league for one call; its events are stored on leaving. On any failure memory goes back to the log."""
        try:
            yield self._league
            new = self._league.drain()
            self._store.append(new)
            for event in new:
                self._history.apply(event)
        except BaseException:
            self._league = self._load()
            raise

    def enrol(self, roster: Roster) -> None:
        with self._durable() as league:
            league.enrol(roster)

    def learner(self, player_id: str) -> LearnerView:
        return self._league.learner(player_id)

    def player(self, player_id: str) -> Player:
        return self._league.player(player_id)

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]:
        with self._durable() as league:
            return league.request_jobs(learner, learner_seats, count, opponent)

    def request_evaluation(self, count: int, pair: tuple[str, str] | None = None) -> list[Job]:
        with self._durable() as league:
            return league.request_evaluation(count, pair)

    def expire_leases(self) -> list[Job]:
        with self._durable() as league:
            return league.expire_leases()

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        with self._durable() as league:
            return league.report(results)

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        with self._durable() as league:
            league.publish(player_id, digest, env_frames)

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        with self._durable() as league:
            return league.maybe_snapshot(player_id, digest, env_frames)

    def freeze(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision:
        with self._durable() as league:
            return league.freeze(player_id, digest, env_frames)

    def adopt(self, learner: str, donor: Donor) -> None:
        with self._durable() as league:
            league.adopt(learner, donor)

    def ladder(self) -> dict[str, Any]:
        return self._league.ladder()

    def metrics(self) -> dict[str, Any]:
        """What a training result tells of the league (`metric_names`): few numbers, whatever its size."""
        ladder = self._league.ladder()
        return league_metrics(ladder, self._league.rating_pairs(ladder["main"]) if ladder["main"] else [])

    def payoff(self) -> dict[str, Any]:
        return self._league.payoff()

    def lineage(self) -> dict[str, Any]:
        return self._league.lineage()

    def status(self) -> dict[str, Any]:
        return self._league.status()

    def alarms(self) -> list[Alarm]:
        """What is wrong with the league now."""
        return alarms(self._league.state, self._history, self._league.ladder())

    def sync(self) -> None:
        """Let readers of the run folder see all that was answered so far."""
        self._store.sync()

    def close(self) -> None:
        self._store.close()
