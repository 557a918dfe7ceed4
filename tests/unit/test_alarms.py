"""Warnings of a failing run: raised when and only when something is wrong, once, and after a resume too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.observation import ACTIONS, ID_NAMES
from exphil_league.league.alarms import KINDS as LEAGUE_KINDS
from exphil_league.league.alarms import Alarm
from exphil_league.observe.alarms import CALM_UPDATES, KINDS, Alarms
from exphil_league.observe.metric_names import flatten
from exphil_league.promotion.conduct import Conduct
from exphil_league.rl.drift import METRICS, Drift, action_counts, jensen_shannon
from exphil_league.tuning import write_all

HEALTHY = {
    "rl/main/entropy": 3.0,
    "rl/main/kl_teacher": 0.1,
    "rl/games": 10.0,
    "rl/timer_share": 0.0,
    "rl/runner_peak_mib": 900.0,
    "league/vs_warm_start/rate": 0.4,
    "league/vs_warm_start/high": 0.55,
    "league/vs_warm_start/games": 40,
}


def warned(run: Path, updates: list[dict[str, float]], first: int = 0) -> list[tuple[int, str]]:
    """(update, warning) of what a fresh watcher of `run` raises; the updates are added to its metrics."""
    alarms = Alarms(run / "warnings.jsonl", run / "metrics.jsonl")
    for update, values in enumerate(updates, first):
        metrics = {"training_iteration": update, **HEALTHY, **values}
        metrics |= alarms.write(metrics)
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
        ({"rl/runner_peak_mib": 1900.0}, "memory"),
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
    assert warned(tmp_path, [{}, low] * 3, first=29) == [(25, "entropy/main")], "it only came and went"
    gone = [{}] * CALM_UPDATES
    assert warned(tmp_path, [*gone[1:], low], first=35) == [(25, "entropy/main")]
    assert warned(tmp_path, [*gone, low], first=100) == [(25, "entropy/main"), (100 + len(gone), "entropy/main")]


def test_warnings_are_counted_by_kind_for_every_dashboard(tmp_path: Path) -> None:
    raised = [Alarm("forgetting/main", "main has forgotten"), Alarm("forgetting/other", "so has the other")]
    (tmp_path / "warnings.jsonl").write_text("{}\n" * 3, "utf-8")
    alarms = Alarms(tmp_path / "warnings.jsonl", of_league=lambda: raised)
    results: list[dict[str, Any]] = []
    for update, entropy in enumerate((3.0, 0.2, 0.2, 3.0)):
        result = {"training_iteration": update, "rl": {"main": {"entropy": entropy}}, "hist_stats": {}}
        write_all([alarms, later := Heard()], result)
        assert later.heard == {
            "training_iteration": update, "rl/main/entropy": entropy, **flatten({"warnings": result["warnings"]}),
        }  # fmt: skip
        results.append(result["warnings"])
    assert [found["now"] for found in results] == [2, 3, 3, 2]
    assert [found["said"] for found in results] == [5, 6, 6, 6]
    assert [found["kind"]["entropy"] for found in results] == [0, 1, 1, 0]
    assert {found["kind"]["forgetting"] for found in results} == {2}
    assert {*KINDS, *LEAGUE_KINDS} == results[0]["kind"].keys()


class Heard:
    """A sink that remembers what it was given last."""

    def write(self, metrics: Mapping[str, float]) -> None:
        self.heard = dict(metrics)

    def close(self) -> None: ...


def test_a_player_that_the_gate_would_refuse_is_named_once_games_have_ended(tmp_path: Path) -> None:
    alarms = Alarms(tmp_path / "warnings.jsonl", max_action_distance=0.75)
    metrics = {"training_iteration": 1, **HEALTHY, "rl/games": 100.0}
    told = [alarms.write(metrics | {"rl/main/action_distance": distance}) for distance in (0.9, 0.9, 0.9, 0.7)]
    assert [found["warnings/kind/action_distance"] for found in told] == [0, 0, 1, 0]


def test_drift_is_a_distance_from_the_warm_start() -> None:
    walking, running = np.zeros(ACTIONS, np.int64), np.zeros(ACTIONS, np.int64)
    walking[15], running[21] = 100, 100
    assert jensen_shannon(walking, running) == pytest.approx(1.0)
    assert jensen_shannon(walking, walking) == 0.0
    drift = Drift(walking)
    assert drift.update("main", walking)["action_distance"] == 0.0
    told = [drift.update("main", running) for _ in range(200)]
    away = [found["action_distance"] for found in told]
    assert away == sorted(away)
    assert 0 < away[0] < 0.99 < away[-1]
    assert told[-1]["share_dashing"] == told[-1]["change_dashing"] == pytest.approx(1.0, abs=1e-3)
    assert told[-1].keys() == set(METRICS)
    copy = Drift(walking)
    copy.set_state(drift.get_state())
    assert copy.update("main", walking) == drift.update("main", walking)
    drift.restart("main")
    assert drift.update("main", walking)["action_distance"] == 0.0
    assert Drift(()).update("main", walking) == {}


def test_training_and_gate_count_the_same_frames_alike() -> None:
    actions = np.random.default_rng(0).integers(-1, ACTIONS + 20, 1000)
    ids = np.zeros((10, 100, len(ID_NAMES)), np.int32)
    ids[..., ID_NAMES.index("self.action")] = np.where(
        (actions < 0) | (actions >= ACTIONS), ACTIONS - 1, actions
    ).reshape(10, 100)
    conduct = Conduct()
    conduct.add_actions(actions[actions != ACTIONS - 1])
    assert action_counts(ids).tolist() == conduct.actions
