"""Resume points: what a trial goes on from, written beside the training.

The training thread copies the state into bytes; a thread of its own writes and syncs them and gives them their name in
one move. A point counts once it has its name: a kill or a full disk before that leaves the earlier points, and an
unfinished folder that nobody reads. The last points are kept, and the best by a score that comes with each.

The bytes are a pickle: go on only from runs of one's own.
"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

STATE_FILE: Final = "state.pkl"
ABOUT_FILE: Final = "point.json"
_NAME: Final = "point_{:08d}"
_UNFINISHED: Final = ".unfinished-"


class ResumePoints:
    """The points in a folder. One thread at a time may use it."""

    def __init__(self, folder: Path, keep: int) -> None:
        """`keep` newest points stay, and the best. What a killed writer left is removed."""
        self._folder, self._keep = folder, keep
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resume-point")
        self._under_way: Future[int] | None = None
        self.written: int | None = None
        """Update of the newest point known to be on disk."""
        self.failures: list[str] = []
        """Why points could not be written, oldest first."""
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)

    def save(self, update: int, state: bytes, score: float | None = None) -> None:
        """Begin to write a point; waits for the one before it. `score`: the higher the better, None if unknown."""
        self.wait()
        self._under_way = self._writer.submit(self._write, update, state, score)

    def poll(self) -> None:
        """Take note of a write that is through."""
        if self._under_way is not None and self._under_way.done():
            self.wait()

    def wait(self) -> None:
        """Until the write under way is through; its failure is noted, not raised."""
        if self._under_way is None:
            return
        try:
            self.written = self._under_way.result()
        except OSError as error:
            self.failures.append(str(error))
        self._under_way = None

    def close(self) -> None:
        """Finish the last write. Raises OSError when it failed."""
        last, failures = self._under_way, len(self.failures)
        self.wait()
        self._writer.shutdown()
        if last is not None and len(self.failures) > failures:
            last.result()

    def newest(self) -> tuple[int, bytes] | None:
        """Update and state of the newest point."""
        points = self._points()
        if not points:
            return None
        update = max(points)
        return update, (points[update] / STATE_FILE).read_bytes()

    def best(self) -> int | None:
        """Update of the point with the highest score, the newer one of equals; None without any score."""
        scores = {update: self._score(point) for update, point in self._points().items()}
        known = [(score, update) for update, score in scores.items() if score is not None]
        return max(known)[1] if known else None

    def _points(self) -> dict[int, Path]:
        return {int(path.name.rpartition("_")[2]): path for path in self._folder.glob("point_*")}

    def _score(self, point: Path) -> float | None:
        score: float | None = json.loads((point / ABOUT_FILE).read_text(encoding="utf-8"))["score"]
        return score

    def _write(self, update: int, state: bytes, score: float | None) -> int:
        beside = self._folder / f"{_UNFINISHED}{update}"
        try:
            beside.mkdir()
            _write_synced(beside / STATE_FILE, state)
            _write_synced(beside / ABOUT_FILE, json.dumps({"update": update, "score": score}).encode())
            place = self._folder / _NAME.format(update)
            if place.exists():  # a trial that went on from an earlier point comes here again
                shutil.rmtree(place)
            beside.rename(place)
            _sync(self._folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._drop_old()
        return update

    def _drop_old(self) -> None:
        points, best = self._points(), self.best()
        for update in sorted(points)[: -self._keep]:
            if update != best:
                shutil.rmtree(points[update])


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
