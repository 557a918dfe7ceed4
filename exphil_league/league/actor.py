"""The league as a Ray actor: the one writer of a run's log, restarted from it when it dies.

The only file of the league that imports Ray. A call interrupted by a restart is sent again: results are
idempotent, a repeated snapshot repeats its decision, and jobs handed out twice merely lose a lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from exphil_league.config.league import LeagueSetup
from exphil_league.league.alarms import Alarm
from exphil_league.league.backup import LiveDisk
from exphil_league.league.model import Donor, Job, LearnerView, MatchResult, Player, Roster, SnapshotDecision
from exphil_league.league.service import LocalLeague


@ray.remote(max_restarts=-1, max_task_retries=-1, num_cpus=0)
class LeagueActor:
    """Serves a `LocalLeague`."""

    def __init__(self, run: str, setup: LeagueSetup, seed: int, disk: LiveDisk | None) -> None:
        self._league = LocalLeague(Path(run), setup, seed, disk=disk)

    def call(self, method: str, *args: Any) -> Any:
        """One call of the LeagueHandle interface."""
        return getattr(self._league, method)(*args)


class RemoteLeague:
    """LeagueHandle over the run's actor; may be sent to other actors and tasks."""

    def __init__(self, run: Path, setup: LeagueSetup, seed: int, disk: LiveDisk | None = None) -> None:
        """Start the actor of a run folder on this node, whose disk holds the log, or find the one that runs.

        Raises UserError as `LocalLeague` does.
        """
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        folder = str(run.resolve())
        self._actor = LeagueActor.options(  # type: ignore[attr-defined]
            name=f"league:{folder}", get_if_exists=True, scheduling_strategy=here
        ).remote(folder, setup, seed, disk)
        self.status()

    def _call(self, method: str, *args: Any) -> Any:
        try:
            return ray.get(self._actor.call.remote(method, *args))
        except RayTaskError as error:
            # The league's own error as it was raised, not wrapped in the actor's traceback.
            raise error.cause from None

    def enrol(self, roster: Roster) -> None:
        self._call("enrol", roster)

    def learner(self, player_id: str) -> LearnerView:
        return self._call("learner", player_id)

    def player(self, player_id: str) -> Player:
        return self._call("player", player_id)

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]:
        return self._call("request_jobs", learner, learner_seats, count, opponent)

    def request_evaluation(self, count: int, pair: tuple[str, str] | None = None) -> list[Job]:
        return self._call("request_evaluation", count, pair)

    def expire_leases(self) -> list[Job]:
        return self._call("expire_leases")

    def report(self, results: Sequence[MatchResult]) -> list[str]:
        return self._call("report", results)

    def publish(self, player_id: str, digest: str, env_frames: int) -> None:
        self._call("publish", player_id, digest, env_frames)

    def maybe_snapshot(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision | None:
        return self._call("maybe_snapshot", player_id, digest, env_frames)

    def freeze(self, player_id: str, digest: str, env_frames: int) -> SnapshotDecision:
        return self._call("freeze", player_id, digest, env_frames)

    def adopt(self, learner: str, donor: Donor) -> None:
        self._call("adopt", learner, donor)

    def ladder(self) -> dict[str, Any]:
        return self._call("ladder")

    def metrics(self) -> dict[str, Any]:
        return self._call("metrics")

    def payoff(self) -> dict[str, Any]:
        return self._call("payoff")

    def lineage(self) -> dict[str, Any]:
        return self._call("lineage")

    def status(self) -> dict[str, Any]:
        return self._call("status")

    def alarms(self) -> list[Alarm]:
        return self._call("alarms")

    def sync(self) -> None:
        self._call("sync")

    def close(self) -> None:
        """End the actor, without a restart. Nothing is lost: all it answered is stored."""
        ray.get(self._actor.call.remote("close"))
        ray.kill(self._actor, no_restart=True)
