"""The folder an emulator lives in: made new for each start, removed at its end, swept when its owner could not.

RUN_DIR/locks/            ports and boot slots
RUN_DIR/NAME/lock         held by the process that owns the emulator
RUN_DIR/NAME/pids.json    keeper and Dolphin, with what tells them from later processes of the same number
RUN_DIR/NAME/output.log   what Dolphin printed
RUN_DIR/NAME/User/        Dolphin's user folder: configuration, pipes
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from envs.dolphin.ports import Lease
from envs.dolphin.posix import boot_id, kill_group, lock, started_at, try_lock

_LOCKS: Final = "locks"
_PREFIX: Final = "emulator-"
EMULATORS: Final = f"{_PREFIX}*"
"""Pattern of the names of homes, and of the folders that replays go to."""


def run_dir(chosen: Path | None) -> Path:
    """Where homes go; made if it is not there."""
    folder = chosen or Path(tempfile.gettempdir()) / f"exphil-dolphin-{getpass.getuser()}"
    (folder / _LOCKS).mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.absolute()


def locks_dir(folder: Path) -> Path:
    """Where the run folder's locks lie."""
    return folder / _LOCKS


@dataclass
class Home:
    """One emulator's folder; `remove` when its processes are gone."""

    folder: Path
    _lease: Lease

    @property
    def user(self) -> Path:
        """Dolphin's user folder."""
        return self.folder / "User"

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / "pids.json"

    def dolphin(self) -> tuple[int, int] | None:
        """(process id, start) of Dolphin, once the keeper has started it."""
        return _process(self.pid_file, "dolphin")

    def log_tail(self, lines: int = 5) -> str:
        """The last lines that Dolphin printed."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def remove(self) -> None:
        """Kill what may be left and remove the folder; may be called again."""
        _kill(self.pid_file)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lease.release()


def make_home(folder: Path) -> Home:
    """A new home under the run folder."""
    guard = lock(locks_dir(folder) / "homes.lock")  # a sweep must not see it before it is locked
    try:
        home = folder / f"{_PREFIX}{uuid.uuid4().hex[:12]}"
        (home / "User").mkdir(mode=0o700, parents=True)
        descriptor = try_lock(home / "lock")
        assert descriptor is not None, "nobody knows this folder yet"
        return Home(home, Lease(0, descriptor))
    finally:
        os.close(guard)


def sweep(folder: Path) -> int:
    """Kill and remove what owners left that were killed; returns how many homes there were."""
    swept = 0
    guard = lock(locks_dir(folder) / "homes.lock")
    try:
        for home in sorted(folder.glob(f"{_PREFIX}*")):
            try:
                descriptor = try_lock(home / "lock")
            except OSError:  # its keeper is removing it
                continue
            if descriptor is None:
                continue
            Home(home, Lease(0, descriptor)).remove()
            swept += 1
    finally:
        os.close(guard)
    return swept


def _process(pid_file: Path, name: str) -> tuple[int, int] | None:
    try:
        record = json.loads(pid_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pid, start = record[name]
    return (pid, start) if record["boot"] == boot_id() and started_at(pid) == start else None


def _kill(pid_file: Path) -> None:
    for name in ("keeper", "dolphin"):
        found = _process(pid_file, name)
        if found is not None:
            with suppress(OSError):
                kill_group(*found)
