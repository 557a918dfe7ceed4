"""The cluster's scripts on one machine: a head on loopback with a token, a job, the health check."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.healthcheck import cluster_problems

CHECKOUT = Path(__file__).parents[2]
DASHBOARD = "http://127.0.0.1:8265"
PATIENCE_S = 600


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Ray of a single pod, started by cluster/bootstrap.sh, ended by its process group; yields its environment."""
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_API_SERVER_ADDRESS": DASHBOARD,
        "NODE_ADDR": "127.0.0.1",
    }
    for name in ("RAY_ADDRESS", "PUBLIC_KEY", "NODE_RANK"):
        environment.pop(name, None)
    with (tmp_path / "bootstrap.log").open("wb") as log:
        pod = subprocess.Popen(
            [str(CHECKOUT / "cluster" / "bootstrap.sh")],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=tmp_path,
            start_new_session=True,
        )
        try:
            _wait_for_dashboard(environment, pod)
            yield environment
        finally:
            os.killpg(pod.pid, signal.SIGTERM)
            pod.wait(timeout=60)


def _wait_for_dashboard(environment: dict[str, str], pod: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while _ray(environment, "job", "list").returncode != 0:
        assert pod.poll() is None
        assert time.monotonic() < deadline, "the head did not answer"
        time.sleep(2)


def _ray(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ray", *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.slow
def test_smoke_recipe_as_a_submitted_job_with_token(cluster: dict[str, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    runtime_env = ("--runtime-env", str(CHECKOUT / "cluster" / "job.yaml"))
    command = ("exphil-league", "train", "smoke", "--out", str(run), "--set", "imitation.max_minutes=0.1")
    submitted = _ray(cluster, "job", "submit", *runtime_env, "--", *command)
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    assert "succeeded" in submitted.stdout
    assert json.loads((run / "ladder.json").read_text())["players"]

    check = ("python", "-m", "cluster.healthcheck", "--storage", str(tmp_path), "--shm-gib", "0")
    healthy = _ray(cluster, "job", "submit", "--", *check)
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    missing = _ray(cluster, "job", "submit", "--", *check, "--nodes", "2")
    assert missing.returncode != 0
    assert "1 of 2 nodes have joined" in missing.stdout + missing.stderr


@pytest.mark.slow
def test_without_the_token_nothing_is_run(cluster: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(secrets.token_hex(32))
    refused = _ray(cluster | {"RAY_AUTH_TOKEN_PATH": str(other)}, "job", "submit", "--", "touch", str(tmp_path / "in"))
    assert refused.returncode != 0
    assert not (tmp_path / "in").exists()


def test_bootstrap_refuses_to_start_without_a_token(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_TOKEN_PATH"}
    refused = subprocess.run(
        [str(CHECKOUT / "cluster" / "bootstrap.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "RAY_AUTH_TOKEN_PATH" in refused.stderr


def test_health_check_names_each_problem() -> None:
    good = {"host": "a", "ray": "2.60.0", "python": "3.12.1", "shm_gib": 16.0, "storage_error": "", "took_s": 0.1}
    good |= {"clock_s": 100.0, "asked_s": 100.0}
    bad = good | {"host": "b", "ray": "2.59.0", "shm_gib": 0.1, "storage_error": "read-only", "clock_s": 130.0}
    assert list(cluster_problems([good], good, nodes=1, shm_gib=8.0)) == []
    problems = "\n".join(cluster_problems([good, bad], good, nodes=3, shm_gib=8.0))
    for words in ("2 of 3 nodes", "b: /dev/shm has 0.1 GiB", "b: storage", "b: ray 2.59.0", "b: its clock differs"):
        assert words in problems
