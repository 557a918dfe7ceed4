"""The league on disk: nothing acknowledged is lost or counted twice, whatever kills it, and a resume goes on equal."""

from __future__ import annotations

import contextlib
import copy
import multiprocessing
import os
import random
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from exphil_league.errors import UserError
from exphil_league.league.core import League
from exphil_league.league.events import Event
from exphil_league.league.model import Job
from exphil_league.league.service import LocalLeague
from exphil_league.league.state import fold
from exphil_league.league.store import DATABASE, LeagueStore
from exphil_league.observe import league_tables as commands
from tests.integration.league_writer import step, write
from tests.league_play import ROSTER, SETUP, Clock, new_league, play, result_of, with_league


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def opened(run: Path, seed: int = 0) -> LocalLeague:
    league = LocalLeague(run, SETUP, seed, Clock())
    league.enrol(ROSTER)
    return league


def lively(league: LocalLeague, rounds: int) -> None:
    """Play, rate, publish and snapshot for some rounds."""
    rng = np.random.default_rng(rounds)
    for _ in range(rounds):
        jobs = league.request_jobs("main", None, 3) + league.request_jobs("main_exploiter", 1, 2)
        play_some = [job for job in jobs + league.request_evaluation(2) if rng.random() < 0.8]
        play(league, play_some, rng)  # type: ignore[arg-type]
        for learner in ("main", "main_exploiter", "league_exploiter"):
            frames = league.learner(learner).env_frames + 90
            league.maybe_snapshot(learner, f"{learner}-{frames}", frames)


def test_resume_equals_the_fold_and_issues_the_same_jobs(run: Path) -> None:
    first = opened(run)
    lively(first, 20)
    first.close()
    second = opened(run, seed=99)
    assert second._league.state == first._league.state
    assert second.ladder() == first.ladder()
    for learner, seats in (("main", None), ("main_exploiter", 1), ("league_exploiter", 1)):
        assert second.request_jobs(learner, seats, 300) == first._league.request_jobs(learner, seats, 300)
    assert second.request_evaluation(100) == first._league.request_evaluation(100)
    second.close()


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_kill_9_at_random_points_leaves_the_league_that_was_never_killed(run: Path, kills: int) -> None:
    """A writer plays by the league's state alone, so its log must be that of a league that nobody kills."""
    draw = random.Random(kills)
    acknowledged: list[str] = []
    never_killed = new_league()
    expected = never_killed.drain()
    for _ in range(kills):
        acknowledged += _one_life(run, draw.randrange(6), draw.uniform(0.0, 0.02))
        found = _events(run)
        while len(expected) < len(found):
            step(never_killed, never_killed.state)
            expected += never_killed.drain()
        assert found == expected
        resumed = new_league(seed=99, events=found)
        assert resumed.state == never_killed.state == fold(found)
        assert _next_jobs(resumed, 1000) == _next_jobs(copy.deepcopy(never_killed), 1000)
    stored = _results(run)
    assert len(acknowledged) > kills
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(stored)
    assert len(set(stored)) == len(stored)


def _one_life(run: Path, answers: int, seconds: float) -> list[str]:
    """Let a writer work on the run for so many acknowledgements and so long, kill it; returns the ids in all of them.

    By answers, since a writer on a busy machine may get none within any time.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.league_writer"])
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=write, args=(run, said))
    process.start()
    said.close()
    assert heard.recv() == "ready"
    acknowledged: list[str] = []
    for _ in range(answers):
        acknowledged += heard.recv()
    time.sleep(seconds)
    process.kill()
    process.join()
    with contextlib.suppress(EOFError, OSError):
        while True:
            acknowledged += heard.recv()
    return acknowledged


def _next_jobs(league: League, count: int) -> list[Job]:
    """Jobs of every kind, as many of each."""
    requests = (("main", None), ("main", 1), ("main_exploiter", 1), ("league_exploiter", 1))
    drawn = [job for learner, seats in requests for job in league.request_jobs(learner, seats, count // 5)]
    return drawn + league.request_evaluation(count // 5)


def _events(run: Path) -> list[Event]:
    store = LeagueStore(run, read_only=True)
    try:
        return list(store.events())
    finally:
        store.close()


def test_shadow_tables_are_rebuilt_from_the_log(run: Path) -> None:
    league = opened(run)
    lively(league, 8)
    league.close()
    before = _dump(run)
    with sqlite3.connect(run / DATABASE) as db:
        db.execute("DELETE FROM match_result")
        db.execute("UPDATE player SET digest = 'x'")
    db.close()
    store = LeagueStore(run)
    store.rebuild()
    store.close()
    assert _dump(run) == before
    assert before["match_result"]


def test_full_disk_acknowledges_nothing_and_keeps_the_rest(run: Path) -> None:
    league = opened(run)
    lively(league, 2)
    jobs = league.request_jobs("main", 2, 3)
    pages = league._store._db.execute("PRAGMA page_count").fetchone()[0]
    league._store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match=r"full.*free space"):
        league.request_jobs("main", 1, 2000)
    assert len(league._league.state.job_status) == len(league._league.state.open_jobs) + len(_results(run))
    assert league._league.state == fold(league._store.events())
    league._store._db.execute("PRAGMA max_page_count = 1000000")
    assert league.report([result_of(job) for job in jobs]) == [job.job_id for job in jobs]
    league.close()


def test_one_writer_at_a_time(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exphil_league.league.store._LOCK_WAIT_S", 0.2)
    league = opened(run)
    with pytest.raises(UserError, match=f"in use by another run .process {os.getpid()}"):
        LocalLeague(run, SETUP, 0)
    assert commands.status(run)["jobs_issued"] == 0, "readers are not locked out"
    league.close()
    LocalLeague(run, SETUP, 0).close()


def test_a_changed_setup_is_in_force_from_the_resume_on(run: Path) -> None:
    opened(run).close()
    changed = LocalLeague(run, with_league(lease_s=5.0), 0, Clock(100.0))
    assert changed.request_jobs("main", 2, 1)[0].lease_until == 105.0
    changed.close()


@pytest.mark.parametrize("command", [commands.ladder, commands.payoff, commands.lineage, commands.status])
def test_commands_read_a_run(run: Path, command: object, capsys: pytest.CaptureFixture[str]) -> None:
    league = opened(run)
    lively(league, 6)
    league.close()
    found = command(run)  # type: ignore[operator]
    expected = {"ladder": "players", "payoff": "evaluate", "lineage": "edges", "status": "learners"}[command.__name__]  # type: ignore[attr-defined]
    assert found[expected]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "main" in shown.err


def test_a_long_ladder_shows_its_top_the_anchors_and_the_warm_start(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    league = opened(run)
    lively(league, 6)
    found = league.ladder()
    league.close()
    names = [row["player"] for row in found["players"]]
    fixed = {row["player"] for row in found["players"] if row["kind"] == "anchor"} | {"warm_start"}
    top = next(place for place, name in enumerate(names) if place and name not in fixed)
    capsys.readouterr()
    commands.show_ladder(found, top)
    shown = capsys.readouterr().err
    listed = {*names[:top], *fixed}
    assert {name for name in names if f" {name} " in shown.split("┡")[1]} == listed
    assert f"and {len(names) - len(listed)} more players" in shown
    commands.show_ladder(found)
    assert "more players" not in capsys.readouterr().err


def test_bad_run_folders_are_refused_in_plain_words(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no league"):
        commands.ladder(run)
    opened(run).close()
    with sqlite3.connect(run / DATABASE) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    for opening in (lambda: commands.ladder(run), lambda: LocalLeague(run, SETUP, 0)):
        with pytest.raises(UserError, match="version 7, this is version 1"):
            opening()
    (run / DATABASE).write_bytes(b"no database at all, only text that is long enough" * 50)
    with pytest.raises(UserError, match="not a database"):
        commands.ladder(run)
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / DATABASE) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    db.close()
    with pytest.raises(UserError, match="something else"):
        LocalLeague(other, SETUP, 0)


def test_a_damaged_event_names_its_place(run: Path) -> None:
    opened(run).close()
    with sqlite3.connect(run / DATABASE) as db:
        db.execute("UPDATE event SET body = '{}' WHERE seq = 2")
    db.close()
    with pytest.raises(UserError, match="event 2 cannot be read"):
        commands.ladder(run)


@pytest.mark.slow
def test_a_thousand_results_a_second_are_durable(run: Path) -> None:
    league = LocalLeague(run, SETUP, 0)
    league.enrol(ROSTER)
    jobs = [job for _ in range(40) for job in league.request_jobs("main", 1, 50)]
    begun = time.perf_counter()
    for k in range(0, len(jobs), 50):
        league.report([result_of(job) for job in jobs[k : k + 50]])
    assert len(jobs) / (time.perf_counter() - begun) >= 1000
    league.close()


def _results(run: Path) -> list[str]:
    with sqlite3.connect(run / DATABASE) as db:
        rows = db.execute("SELECT job_id FROM match_result ORDER BY rowid").fetchall()
    db.close()
    return [job for (job,) in rows]


def _dump(run: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = ("player", "job", "match_result")
    with sqlite3.connect(run / DATABASE) as db:
        found = {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}
    db.close()
    return found
