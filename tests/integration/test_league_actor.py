"""The same league behind a Ray actor: same answers, same errors, and a killed actor goes on from its log."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from exphil_league.errors import UserError
from exphil_league.league import actor
from exphil_league.league.actor import RemoteLeague
from exphil_league.league.service import LocalLeague
from tests.league_play import ROSTER, SETUP, result_of


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, address="local", log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
def test_the_league_lives_where_its_database_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the node that opens it first, whatever else has room."""
    asked: dict[str, Any] = {}
    right = actor.LeagueActor

    class Asked:
        def options(self, **options: Any) -> Any:
            asked.update(options)
            return right.options(**options)  # type: ignore[attr-defined]

    monkeypatch.setattr(actor, "LeagueActor", Asked())
    RemoteLeague(tmp_path, SETUP, 0).close()
    strategy = asked["scheduling_strategy"]
    assert (strategy.node_id, strategy.soft) == (ray.get_runtime_context().get_node_id(), False)


@pytest.mark.usefixtures("cluster")
def test_remote_league_survives_the_death_of_its_actor(tmp_path: Path) -> None:
    remote = RemoteLeague(tmp_path, SETUP, 0)
    remote.enrol(ROSTER)
    jobs = remote.request_jobs("main", None, 4) + remote.request_evaluation(4)
    results = [result_of(job) for job in jobs]
    assert remote.report(results) == [job.job_id for job in jobs]
    decision = remote.maybe_snapshot("main_exploiter", "exploiter-1", 200)
    before = (remote.status(), remote.ladder(), remote.lineage(), remote.payoff())

    os.kill(ray.get(remote._actor.__ray_call__.remote(lambda self: os.getpid())), signal.SIGKILL)
    assert (remote.status(), remote.ladder(), remote.lineage(), remote.payoff()) == before
    assert remote.maybe_snapshot("main_exploiter", "exploiter-1", 200) == decision, "sent again, decided once"
    assert remote.report(results) == [job.job_id for job in jobs]
    assert remote.status()["counts"]["refused.duplicate"] == len(jobs)
    assert remote.learner("main_exploiter").generation == 1

    with pytest.raises(UserError, match="no learner 'nobody'") as caught:
        remote.request_jobs("nobody", 1, 1)
    assert type(caught.value) is UserError
    assert RemoteLeague(tmp_path, SETUP, 0).status() == remote.status(), "found by the run's name, not started twice"
    remote.close()
    local = LocalLeague(tmp_path, SETUP, 0)
    assert local.ladder() == before[1]
    local.close()


def test_both_handles_offer_the_same_calls() -> None:
    public = {name for name in vars(LocalLeague) if not name.startswith("_")}
    assert public == {name for name in vars(RemoteLeague) if not name.startswith("_")}
