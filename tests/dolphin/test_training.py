"""A league on emulators: in one process and on Ray's runner actors, rated apart from the simulator's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.dolphin.conftest import Left
from tests.dolphin.standins import PORTS
from tests.left_behind import all_gone


def train(run: Path, homes: Path, *arguments: str, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    """The ladder of a run of the recipe `standin`."""
    keys = [f"game.dolphin.run_dir={homes}", f"game.dolphin.ports=[{PORTS[0]},{PORTS[1]}]", *sets]
    command = [sys.executable, "-m", "exphil_league", "train", "standin", "--out", str(run), *arguments]
    subprocess.run([*command, *(part for key in keys for part in ("--set", key))], check=True, timeout=1500)
    ladder: dict[str, Any] = json.loads((run / "ladder.json").read_text())
    return ladder


@pytest.mark.slow
def test_a_serial_run_ends_with_a_ladder_of_its_backend(tmp_path: Path):
    ladder = train(tmp_path / "league", tmp_path / "run", "--serial")
    assert ladder["backend"] == "standin"
    assert sum(row["games"] for row in ladder["players"]) >= 8


@pytest.mark.slow
def test_runner_actors_play_on_while_the_learner_learns(tmp_path: Path, left: Left):
    """Two runners with emulators of their own; samples are a little old, never older than allowed; nothing is left."""
    sets = ("ray.num_env_runners=2", "ppo.max_lag_updates=2", "run.max_updates=12", "evaluation.every_updates=100")
    ladder = train(tmp_path / "league", tmp_path / "run", sets=sets)
    rows = [json.loads(line) for line in (tmp_path / "league" / "metrics.jsonl").read_text().splitlines()]
    ages = np.array([row["rl/batch_age"] for row in rows])
    assert len(rows) == 12
    assert ages.max() <= 2
    assert ages[2:].mean() > 0.2, "the runners waited for the learner"
    assert sum(row["rl/games"] for row in rows) > 0
    assert ladder["backend"] == "standin"
    assert sum(row["games"] for row in ladder["players"]) >= 8
    assert not all_gone(left, 30.0)


def test_ratings_of_one_backend_are_not_those_of_another():
    """The same scripted players are other anchors on another backend, and games of the stand-in are the simulator's."""
    from envs.backends import make_backend
    from envs.dolphin.config import DolphinConfig
    from exphil_league.rating.ladder import anchor_digest
    from policies.scripted import SCRIPTED_VERSION

    backends = [make_backend("sim", 1), make_backend("standin", 1, DolphinConfig(ports=PORTS))]
    try:
        assert len({anchor_digest(str(SCRIPTED_VERSION), one.version, one.name) for one in backends}) == 2
        assert backends[0].version in backends[1].version
    finally:
        for one in backends:
            one.close()
