"""`train` from end to end, as a person runs it: results, dashboards, Ctrl-C, kill -9 and resume."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PATIENCE_S = 600
QUICK = ("imitation.max_minutes=0.1", "evaluation.final_games=8", "evaluation.final_vs_warm_start=4")
LONG = ("run.max_updates=400", "run.checkpoint_every_updates=3", "evaluation.every_updates=4")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "exphil_league", *arguments]


def finished(*arguments: str, cwd: Path, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """Run a command to its good end; returns its JSON."""
    environment = os.environ | {"WANDB_MODE": "offline"}
    done = subprocess.run(
        command(*arguments, "--json"),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The smoke recipe once, with an offline wandb run: its folder and what it printed."""
    cwd = tmp_path_factory.mktemp("train")
    printed = finished("train", "smoke", "--out", "run", "--set", "run.wandb_project=smoke", cwd=cwd)
    return cwd / "run", printed


def test_smoke_run_makes_everything_it_says(smoke: tuple[Path, dict[str, Any]]) -> None:
    run, printed = smoke
    kinds = {row["player"]: row["kind"] for row in printed["ladder"]["players"]}
    assert kinds[printed["ladder"]["main"]] == "main"
    assert kinds["warm_start"] == "historical"
    assert {name for name, kind in kinds.items() if kind == "anchor"} >= {"random", "walker", "attacker", "fighter"}
    assert Path(printed["agent"]).is_file()
    assert "<canvas" in Path(printed["page"]).read_text()
    assert json.loads((run / "ladder.json").read_text()) == printed["ladder"]
    assert set(json.loads((run / "warm_start.json").read_text())["parts"]) >= {"buttons", "main_stick", "c_stick"}


def test_ladder_command_agrees_with_the_report(smoke: tuple[Path, dict[str, Any]]) -> None:
    run, printed = smoke
    assert finished("league", "ladder", "--run", str(run), cwd=run) == printed["ladder"]


def test_result_json_and_metrics_hold_the_named_metrics(smoke: tuple[Path, dict[str, Any]]) -> None:
    run, _ = smoke
    (result_file,) = run.glob("tune/league/*/result.json")
    last = json.loads(result_file.read_text().splitlines()[-1])
    assert last["league"]["frozen_players"] >= 6
    assert last["rl"]["fps"] > 0
    assert last["timesteps_total"] > 0
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["training_iteration"] for line in lines] == list(range(1, len(lines) + 1))
    frames = [line["timesteps_total"] for line in lines]
    assert frames == sorted(set(frames))


def test_tensorboard_shows_the_metrics_over_env_frames(smoke: tuple[Path, dict[str, Any]]) -> None:
    run, _ = smoke
    (events,) = run.glob("tune/league/*/events.out.tfevents.*")
    series: dict[str, list[int]] = {}
    for step, tag in scalars(events):
        series.setdefault(tag, []).append(step)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for tag in ("ray/tune/rl/fps", "ray/tune/rl/games_per_s", "ray/tune/league/rating_games"):
        assert series[tag] == [line["timesteps_total"] for line in lines]


def test_offline_wandb_run_holds_the_same_numbers(smoke: tuple[Path, dict[str, Any]]) -> None:
    from wandb.proto.wandb_internal_pb2 import Record

    run, _ = smoke
    (recorded,) = run.glob("wandb/offline-run-*/run-*.wandb")
    items = [item for data in wandb_records(recorded) for item in Record.FromString(data).history.item]
    fps = [json.loads(item.value_json) for item in items if "rl/fps" in (item.key, *item.nested_key)]
    assert fps == pytest.approx([row["rl/fps"] for row in rows_of(run)])


def test_two_seeded_serial_runs_give_equal_digests(tmp_path: Path) -> None:
    """Warm start, every snapshot and the final main: equal to the bit, so equal digests."""
    sets = ("--set", *QUICK, "imitation.max_minutes=0", "run.max_updates=3")
    digests = []
    for name in ("one", "two"):
        finished("train", "smoke", "--serial", "--out", name, *sets, cwd=tmp_path)
        lineage = finished("league", "lineage", "--run", name, cwd=tmp_path)
        digests.append({player["player"]: player["digest"] for player in lineage["players"]})
    assert digests[0] == digests[1]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_stopped_run_goes_on_and_keeps_every_acknowledged_result_once(tmp_path: Path, how: signal.Signals) -> None:
    run = tmp_path / "run"
    with Driver("train", "smoke", "--out", "run", "--set", *QUICK, *LONG, cwd=tmp_path) as process:
        wait_until(lambda: lines_in(run / "metrics.jsonl") >= 8 and accepted(run), process)
        process.send_signal(how)
        status = process.wait(timeout=PATIENCE_S)
    assert status == (-signal.SIGKILL if how is signal.SIGKILL else 130)
    before = accepted(run)
    done = lines_in(run / "metrics.jsonl")

    finished("train", "--resume", "run", "--set", f"run.max_updates={done + 4}", cwd=tmp_path)

    after = accepted(run)
    assert before.items() <= after.items()
    assert len(after) > len(before)
    assert [row["training_iteration"] for row in rows_of(run)] == list(range(1, done + 5))


def test_ctrl_c_while_a_trained_run_is_rated_stops_it_and_a_later_limit_trains_it_on(tmp_path: Path) -> None:
    """Once is enough: Tune, which is done by then, must not keep the first one for itself."""
    run = tmp_path / "run"
    sets = ("--set", *QUICK, "evaluation.final_games=100000")
    with Driver("train", "smoke", "--out", "run", *sets, cwd=tmp_path) as process:
        wait_until((run / "trained.json").exists, process)
        trained = len(accepted(run))
        wait_until(lambda: len(accepted(run)) > trained, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    later = ("run.max_updates=8", "evaluation.final_games=8")
    report = finished("train", "--resume", "run", "--set", *later, cwd=tmp_path)
    assert [row["training_iteration"] for row in rows_of(run)] == list(range(1, 9))
    assert json.loads((run / "trained.json").read_text())["training_iteration"] == 8
    snapshots = [player["player"] for player in report["ladder"]["players"] if player["player"].startswith("main@")]
    assert report["ladder"]["main"] == max(snapshots, key=lambda name: int(name.split("@")[1]))


def test_replays_that_are_none_end_in_one_message(tmp_path: Path) -> None:
    """A truncated game, and a file that is none: reasons and files are named, nothing is trained."""
    replays = tmp_path / "replays"
    replays.mkdir()
    (replays / "text.slp").write_text("no game")
    (replays / "empty.slp").touch()
    done = subprocess.run(
        command("bc", "smoke", "--replays", str(replays), "--out", "run"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "none of 2 replays can be learnt from" in done.stderr


class Driver:
    """A command in a process of its own, ended by its id if the test fails."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self._arguments, self._cwd = arguments, cwd

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._log = (self._cwd / "log").open("wb")
        self._process = subprocess.Popen(
            command(*self._arguments), cwd=self._cwd, stdout=self._log, stderr=self._log, start_new_session=True
        )
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()


def wait_until(ready: Callable[[], object], process: subprocess.Popen[bytes], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not ready():
        assert process.poll() is None, f"ended early with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.2)


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def lines_in(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


def accepted(run: Path) -> dict[str, Any]:
    """Acknowledged results by job; fails if the log holds one twice."""
    if not (run / "league.sqlite").exists():
        return {}
    with sqlite3.connect(f"file:{run / 'league.sqlite'}?mode=ro", uri=True) as db:
        bodies = [json.loads(body) for (body,) in db.execute("SELECT body FROM event WHERE kind = 'result_accepted'")]
        rows = {row[0]: row[1:] for row in db.execute("SELECT * FROM match_result")}
    assert len(bodies) == len(rows)
    return rows


def wandb_records(path: Path) -> Iterator[bytes]:
    """Records of an offline run: a LevelDB log (32 KiB blocks, 7-byte headers) after 7 bytes of identity."""
    raw, at, parts = path.read_bytes(), 7, b""
    while at < len(raw):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        _, length, kind = struct.unpack_from("<IHB", raw, at)
        parts += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield parts
            parts = b""


def scalars(path: Path) -> Iterator[tuple[int, str]]:
    """(step, tag) of every scalar in a TensorBoard file."""
    from tensorboardX.proto.event_pb2 import Event

    raw, at = path.read_bytes(), 0
    while at < len(raw):
        (length,) = struct.unpack_from("<Q", raw, at)
        event = Event.FromString(raw[at + 12 : at + 12 + length])
        at += 12 + length + 4
        for value in event.summary.value:
            yield event.step, value.tag
