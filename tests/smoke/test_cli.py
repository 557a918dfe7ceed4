"""The command line as a person meets it: quick help, light imports, clear refusals, one JSON object."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from exphil_league.cli.main import COMMANDS, parse

HELP_LIMIT_CPU_S = 1.0

HELP_PAGES = [[], *([name] for name in COMMANDS), ["replays", "scan"], ["league", "ladder"], ["bench", "train"]]


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exphil_league", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd, check=False)


@pytest.mark.parametrize("page", HELP_PAGES, ids=lambda page: " ".join(page) or "all")
def test_help_answers_within_a_second_of_cpu_time(page: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = run(*page, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shown.returncode == 0
    assert "usage: exphil-league" in shown.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < HELP_LIMIT_CPU_S


LIGHT_COMMANDS = """
import sys
from exphil_league.cli.main import main

short = ["--stocks", "1", "--time-limit-s", "2", "--speed", "0"]
assert main(["play", "walker", "--opponent", "idle", "--out", "game.slp", *short]) == 0
assert main(["watch", "game.slp", "--html", "game.html"]) == 0
assert main(["doctor"]) in (0, 1)
print([name for name in ("ray", "torch") if name in sys.modules])
"""


def test_light_commands_import_neither_ray_nor_torch(tmp_path: Path) -> None:
    """`play`, `watch` and `doctor` must work on the base install."""
    program = [sys.executable, "-c", LIGHT_COMMANDS]
    shown = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == "[]"
    assert "<canvas" in (tmp_path / "game.html").read_text()


def test_doctor_json_is_one_object_on_standard_output() -> None:
    shown = run("doctor", "--json")
    assert shown.stdout.count("\n") == 1
    result = json.loads(shown.stdout)
    assert set(result) == {"ok", "checks", "frames", "processes_left"}
    assert all(set(check) == {"name", "ok", "found", "remedy"} for check in result["checks"])
    assert {"python", "numpy", "compile cache", "gpu", "dolphin"} <= {check["name"] for check in result["checks"]}
    assert (shown.returncode == 0) == result["ok"] == all(check["ok"] for check in result["checks"])
    assert "numpy" in shown.stderr


def test_train_dry_run_prints_the_resolved_recipe_and_does_nothing(tmp_path: Path) -> None:
    shown = run("train", "smoke", "--dry-run", "--json", "--set", "ppo.games=6", "seed=5", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    resolved = json.loads(shown.stdout)
    assert resolved["recipe"]["ppo"]["games"] == 6
    assert resolved["recipe"]["seed"] == 5
    assert resolved["stages"][0] == "warm start"
    assert list(tmp_path.iterdir()) == []


def test_set_groups_are_kept_together_and_apart() -> None:
    command = parse(["train", "demo", "--set", "a=1", "b=2", "--set", "c=3"])
    assert command.set == (("a=1", "b=2"), ("c=3",))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian", "demo"], ["did you mean train?"]),
        (["train", "demo", "--seriel"], ["--serial"]),
        (["train", "dmo"], ["did you mean demo?"]),
        (["train"], ["RECIPE", "--resume"]),
        (["train", "demo", "--resume", "run"], ["--resume", "RECIPE"]),
        (["train", "demo", "--dry-run", "--set", "ppo.game=3"], ["did you mean ppo.games?"]),
        (["train", "demo", "--dry-run", "--set", "ppo.gamma=2"], ["out of range"]),
        (["train", "--resume", "nowhere"], ["nowhere", "not a run folder"]),
        (["train", "smoke", "--replays", "nowhere"], ["nowhere"]),
        (["bc", "smoke", "--replays", "nowhere"], ["nowhere"]),
        (["train", "smoke", "--set", "rating.anchor=fihgter"], ["rating.anchor", "fighter"]),
        (["train", "smoke", "--set", "game.backend=dolphin"], ["game.dolphin.path", "--dolphin", "launcher keeps it"]),
        (["doctor", "--backend", "dolphni"], ["did you mean dolphin?"]),
        (["doctor", "--backend", "standin", "--iso", "melee.iso"], ["--iso", "--backend standin"]),
        (["train", "smoke", "--set", "ppo.games=2"], ["ppo.games"]),
        (["replays", "scan", "nowhere"], ["nowhere"]),
        (["league", "ladder", "--run", "nowhere"], ["nowhere", "no league"]),
        (["export", "--run", "nowhere", "--out", "x"], ["nowhere", "no league"]),
        (["eval", "figther"], ["did you mean fighter?"]),
        (["eval", "no.agent"], ["no such agent file: no.agent"]),
        (["play", "figther"], ["did you mean fighter?"]),
        (["watch", "no.slp", "--html", "page.html"], ["no.slp"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_message_and_exit_status_2(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    shown = run(*arguments, cwd=tmp_path)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""
    for word in words:
        assert word in shown.stderr
    assert list(tmp_path.iterdir()) == []
