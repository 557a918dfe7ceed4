"""Warnings of a failing run: raised when and only when something is wrong, once, and after a resume too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from envs.observation import ACTIONS
from exphil_league.league.alarms import Alarm
from exphil_league.observe.alarms import Alarms
from exphil_league.rl.drift import Drift, jensen_shannon

HEALTHY = {
    "rl/main/entropy": 3.0,
    "rl/main/kl_teacher": 0.1,
    "rl/games": 10.0,
    "rl/timer_share": 0.0,
    "league/vs_warm_start/rate": 0.4,
    "league/vs_warm_start/high": 0.55,
    "league/vs_warm_start/games": 40,
}


def warned(run: Path, updates: list[dict[str, float]], first: int = 0) -> list[tuple[int, str]]:
    """(update, warning) of what a fresh watcher of `run` raises; the updates are added to its metrics."""
    alarms = Alarms(run / "warnings.jsonl", run / "metrics.jsonl")
    for update, values in enumerate(updates, first):
        metrics = {"training_iteration": update, **HEALTHY, **values}
        alarms.write(metrics)
        with (run / "metrics.jsonl").open("a") as lines:
            lines.write(json.dumps(metrics) + "\n")
    path = run / "warnings.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(found["training_iteration"], found["warning"]) for found in map(json.loads, lines)]


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"rl/main/entropy": 0.29}, "entropy/main"),
        ({"rl/main/kl_teacher": 0.31}, "kl/main"),
        ({"league/vs_warm_start/high": 0.49}, "worse_than_warm_start"),
        ({"rl/games": 2000.0, "rl/timer_share": 0.06}, "timer"),
    ],
)
def test_each_fault_is_named_once_when_it_begins(tmp_path: Path, values: dict[str, float], warning: str) -> None:
    assert warned(tmp_path, [{}] * 30 + [values] * 3) == [(30, warning)]


def test_alarms_of_the_league_are_kept_too_and_not_again_after_a_resume(tmp_path: Path) -> None:
    raised = [Alarm("forgetting/main", "main has forgotten")]
    for update in range(2):
        (tmp_path / "metrics.jsonl").touch()
        watcher = Alarms(tmp_path / "warnings.jsonl", tmp_path / "metrics.jsonl" if update else None, lambda: raised)
        for _ in range(3):
            watcher.write({"training_iteration": update, **HEALTHY})
    (line,) = (tmp_path / "warnings.jsonl").read_text().splitlines()
    assert json.loads(line) == {"training_iteration": 0, "warning": "forgetting/main", "text": "main has forgotten"}


def test_a_healthy_run_is_left_in_peace(tmp_path: Path) -> None:
    near = {"rl/main/entropy": 0.31, "rl/main/kl_teacher": 0.29, "rl/timer_share": 0.04}
    few = {"league/vs_warm_start/high": 0.49, "league/vs_warm_start/games": 4}
    assert warned(tmp_path, [{}] * 30 + [near] * 5 + [few]) == []


def test_after_a_resume_the_beginning_is_remembered_and_nothing_said_twice(tmp_path: Path) -> None:
    low = {"rl/main/entropy": 0.2}
    assert warned(tmp_path, [{}] * 25 + [low]) == [(25, "entropy/main")]
    assert warned(tmp_path, [low] * 3, first=26) == [(25, "entropy/main")]
    assert warned(tmp_path, [{}, low], first=29) == [(25, "entropy/main"), (30, "entropy/main")]


def test_drift_is_a_distance_from_the_first_updates() -> None:
    walking, running = np.zeros(ACTIONS, np.int64), np.zeros(ACTIONS, np.int64)
    walking[15], running[21] = 100, 100
    assert jensen_shannon(walking, running) == pytest.approx(1.0)
    assert jensen_shannon(walking, walking) == 0.0
    drift = Drift(reference_updates=2)
    assert [drift.update("main", walking) for _ in range(3)] == [0.0, 0.0, 0.0]
    away = [drift.update("main", running) for _ in range(200)]
    assert away == sorted(away)
    assert 0 < away[0] < 0.99 < away[-1]
    copy = Drift(2)
    copy.set_state(drift.get_state())
    assert copy.update("main", running) == drift.update("main", running)
    drift.restart("main")
    assert drift.update("main", running) == 0.0
