"""The wheel holds everything: installed without dependencies beside the present ones, it works outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("envs", "policies", "exphil_league", "tune_configs", "cluster")
BUILD_LEFTOVERS = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "runs", "tests")

OUTSIDE = """
import numpy as np
import envs, exphil_league, policies
from pathlib import Path
from envs.backend import Matchup
from envs.backends import make_backend
from envs.controller import CONTROLLER
from exphil_league.config.loader import load_recipe

target = Path(TARGET)
for package in (envs, exphil_league, policies):
    assert target in Path(package.__file__).parents, package.__file__
assert load_recipe("demo").name == "demo"

backend = make_backend("sim", 2)
rows = np.stack([Matchup(stocks=1, time_limit_s=1.0).row()] * 2)
frames = backend.reset(np.ones(2, bool), rows, np.arange(2, dtype=np.uint64))
for _ in range(150):
    backend.step(np.zeros((2, 2), CONTROLLER))
assert backend.done.all()
print("played")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the checkout, so that nothing is left behind in it."""
    scratch = tmp_path_factory.mktemp("wheel")
    shutil.copytree(CHECKOUT, scratch / "source", ignore=BUILD_LEFTOVERS)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*build, "--wheel-dir", str(scratch), str(scratch / "source")], check=True, timeout=300)
    (built,) = scratch.glob("exphil_league-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel, installed into a folder of its own."""
    target = wheel.parent / "installed"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, timeout=300)
    return target


@pytest.mark.slow
def test_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    expected = {name for name in tracked if name and not name.endswith("Dockerfile.dockerignore")}
    held = set(zipfile.ZipFile(wheel).namelist())
    assert expected - held == set()
    assert not [name for name in held if name.startswith("tests")]


@pytest.mark.slow
def test_wheel_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(installed), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    script = shutil.which("exphil-league", path=str(installed / "bin"))
    assert script is not None
    assert "train" in run(sys.executable, script, "--help")
    assert "stages" in run(sys.executable, script, "train", "smoke", "--dry-run", "--json")
    assert "played" in run(sys.executable, "-c", OUTSIDE.replace("TARGET", repr(str(installed))))
