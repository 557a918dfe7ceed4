"""`play`, `watch` and `eval` as commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LIGHT = """
import sys
from exphil_league.cli.main import main
status = main(sys.argv[1:])
heavy = [name for name in ("ray", "torch") if name in sys.modules]
assert not heavy, heavy
sys.exit(status)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which must not import Ray or torch."""
    command = [sys.executable, "-c", LIGHT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder, check=False)


def last_json(shown: subprocess.CompletedProcess[str]) -> dict:
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout.splitlines()[-1])


def test_play_then_watch(tmp_path: Path) -> None:
    options = (
        "--speed",
        "0",
        "--stocks",
        "1",
        "--time-limit-s",
        "15",
        "--seed",
        "3",
        "--out",
        "games/one.slp",
        "--json",
    )
    played = last_json(run(tmp_path, "play", "fighter", "--opponent", "walker", *options))
    assert played["winner"] == "agent"
    assert played["slp"] == "games/one.slp"
    page = last_json(run(tmp_path, "watch", "games/one.slp", "--html", "page.html", "--json"))
    assert page["frames"] == played["frames"] + 1
    assert (tmp_path / "page.html").stat().st_size == page["bytes"]
    terminal = run(tmp_path, "watch", "games/one.slp", "--speed", "0")
    assert terminal.returncode == 0
    assert "P1 Fox" in terminal.stderr.replace("\x1b[1;31m", "").replace("\x1b[0m", "")


def test_real_time_is_real(tmp_path: Path) -> None:
    options = ("--stocks", "4", "--time-limit-s", "1.5", "--out", "one.slp", "--json")
    played = last_json(run(tmp_path, "play", "idle", "--opponent", "idle", *options))
    assert played["seconds"] >= 0.98 * played["frames"] / 60


def test_eval_reports_intervals(tmp_path: Path) -> None:
    options = ("--opponent", "walker", "random", "--games", "12", "--json")
    found = last_json(run(tmp_path, "eval", "fighter", *options))
    assert [match["opponent"] for match in found["matches"]] == ["walker", "random"]
    assert all(match["games"] == 12 and match["low"] <= match["rate"] <= match["high"] for match in found["matches"])


def test_bad_input_is_one_message_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "not.slp").write_bytes(b"not a game")
    for arguments, words in (
        (("play", "figther"), "did you mean fighter"),
        (("play", "fighter", "--stage", "batlefield"), "did you mean BATTLEFIELD"),
        (("play", "fighter", "--stage", "hyrule_temple"), "hyrule_temple"),
        (("watch", "not.slp", "--html", "page.html"), "not.slp"),
        (("watch", "missing.slp"), "missing.slp"),
        (("eval", "fighter", "--games", "0"), "--games"),
    ):
        shown = run(tmp_path, *arguments)
        assert shown.returncode == 2, arguments
        assert words in shown.stderr, (arguments, shown.stderr)
        assert "Traceback" not in shown.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["not.slp"]
