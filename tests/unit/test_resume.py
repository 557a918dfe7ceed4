"""Resume points: which are kept, what a full disk does, and that a kill in the middle of a write loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exphil_league.rl import resume
from exphil_league.rl.resume import ResumePoints


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_last_points_and_the_best_are_kept(tmp_path: Path) -> None:
    points = ResumePoints(tmp_path, keep=2)
    for update, score in ((5, None), (10, 900.0), (15, 1200.0), (20, 1100.0), (25, 1150.0), (30, None)):
        points.save(update, f"state {update}".encode(), score)
    points.close()
    assert names(tmp_path) == ["point_00000015", "point_00000025", "point_00000030"]
    assert points.written == 30
    again = ResumePoints(tmp_path, keep=2)
    assert (again.newest(), again.best()) == ((30, b"state 30"), 15)


def test_saving_does_not_wait_for_the_disk_and_counts_only_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_is_ready = threading.Event()
    sync = os.fsync

    def slow(handle: int) -> None:
        disk_is_ready.wait()
        sync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    points = ResumePoints(tmp_path, keep=2)
    points.save(5, b"state")
    points.poll()
    assert (points.written, points.newest()) == (None, None)
    disk_is_ready.set()
    points.wait()
    assert (points.written, points.newest()) == (5, (5, b"state"))


def test_a_failed_write_is_told_and_leaves_the_earlier_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = ResumePoints(tmp_path, keep=1)
    points.save(5, b"state")
    points.wait()

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:2])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(resume, "_write_synced", full)
    points.save(10, b"newer")
    points.wait()
    assert (points.written, points.newest(), names(tmp_path)) == (5, (5, b"state"), ["point_00000005"])
    assert "No space left on device" in points.failures[0]
    points.save(15, b"newest")
    with pytest.raises(OSError, match="No space left"):
        points.close()


_WRITER = """
import os, sys, time
from pathlib import Path
from exphil_league.rl.resume import ResumePoints

def slow(handle, sync=os.fsync):
    print("in a write", flush=True)
    time.sleep(0.02)
    sync(handle)

os.fsync = slow
points, update = ResumePoints(Path(sys.argv[1]), keep=2), int(sys.argv[2])
while True:
    update += 1
    points.save(update, update.to_bytes(4, "big") * 1_000_000)
    points.wait()
    print(points.written, flush=True)
"""


def test_kill_9_in_a_write_leaves_every_acknowledged_point(tmp_path: Path) -> None:
    last, interrupted = 0, 0
    for kill_at in (5, 6, 7):  # lines: three syncs and an acknowledgement for each point
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(last)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(kill_at)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        interrupted += any(path.name.startswith(".unfinished") for path in tmp_path.iterdir())
        found = ResumePoints(tmp_path, keep=2).newest()
        assert found is not None
        last, state = found
        assert last >= max(int(line) for line in lines if line.strip().isdigit())
        assert state == last.to_bytes(4, "big") * 1_000_000
        assert all(path.name.startswith("point_") for path in tmp_path.iterdir())
    assert interrupted, "no kill came in the middle of a write"
