"""A live database on the head's own disk, and its copy in the run folder on storage that may be anywhere.

The copy is made with SQLite's backup interface, which reads one consistent state while the league goes on, and is
put in its place whole. Readers of the run folder see the copy; a head without the live database starts from it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exphil_league.errors import UserError
from exphil_league.league.disk import on_network
from exphil_league.observe.console import say

BUSY_WAIT_S: Final = 30.0


@dataclass(frozen=True)
class LiveDisk:
    """Where a run's live database lies on this machine, and how often it is copied to the run folder."""

    folder: Path
    """Of this machine's own; each run has its own folder in it."""
    run_id: str
    """Tells runs apart that had the same place one after the other."""
    backup_every_s: float

    def home(self, run: Path) -> Path:
        """The folder of the run's live database."""
        return self.folder.expanduser() / f"{run.resolve().name}-{self.run_id}"


class Backup:
    """Copies `live` to `copy` at the first event and every so many seconds, in a thread of its own, and at the end."""

    def __init__(self, live: Path, copy: Path, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._live, self._copy, self._every_s, self._clock = live, copy, every_s, clock
        self._next_s = clock()
        self._thread: threading.Thread | None = None

    def maybe_copy(self) -> None:
        """Start a copy if one is due and none is under way; a copy that fails is said and tried again later."""
        if self._clock() < self._next_s or (self._thread is not None and self._thread.is_alive()):
            return
        self._next_s = self._clock() + self._every_s
        self._thread = threading.Thread(target=self._try_copy, name="league-backup", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Copy the last state and wait for it. Raises UserError when it cannot be written."""
        if self._thread is not None:
            self._thread.join()
        try:
            copy_database(self._live, self._copy)
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"the league could not be copied to {self._copy}: {error}. It lies whole at {self._live}: make room or "
                "mount the storage again, and resume the run"
            ) from error

    def _try_copy(self) -> None:
        try:
            copy_database(self._live, self._copy)
        except (OSError, sqlite3.Error) as error:
            say(f"warning: the league could not be copied to {self._copy}: {error}; trying again later")


def copy_database(source: Path, target: Path) -> None:
    """Put a consistent copy of a database, which may be in use, at `target`, whole or not at all.

    SQLite itself touches only the source and a file beside it: `target` may be on any storage.
    """
    beside = source.with_name(f".{source.name}.copy")
    beside.unlink(missing_ok=True)
    with closing(open_to_read(source)) as live, closing(sqlite3.connect(beside)) as snapshot:
        live.backup(snapshot)
        snapshot.execute("PRAGMA journal_mode = DELETE")  # one file, readable without a log beside it
    _place(beside, target)
    beside.unlink()


def restore(copy: Path, live: Path) -> None:
    """Bring the live database up from the copy when it is missing or behind.

    Raises UserError when both hold events that the other has not: two heads have gone on with one run.
    """
    if not copy.is_file():
        return
    if not live.is_file():
        live.parent.mkdir(parents=True, exist_ok=True)
        _from_copy(copy, live)
        return
    with closing(open_to_read(copy)) as kept, closing(open_to_read(live)) as here:
        stored, ours = _length(kept), _length(here)
        shared = min(stored, ours)
        if _event(kept, shared) != _event(here, shared):
            raise UserError(
                f"{live} and its copy {copy} are two histories of one run: keep the one to go on with and move the "
                "other away"
            )
    if stored > ours:
        _from_copy(copy, live)


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. On a network filesystem a file is only ever replaced whole: no locks there."""
    fixed = "&immutable=1" if on_network(path.parent) else ""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{fixed}", uri=True, timeout=BUSY_WAIT_S)


def _from_copy(copy: Path, live: Path) -> None:
    """By SQLite, not by the file: what a killed run left in a log beside the copy belongs to it."""
    beside = live.with_name(f".{live.name}.restored")
    beside.unlink(missing_ok=True)
    with closing(open_to_read(copy)) as kept, closing(sqlite3.connect(beside)) as fresh:
        kept.backup(fresh)
        fresh.execute("PRAGMA journal_mode = DELETE")
    _place(beside, live)
    beside.unlink()


def _place(file: Path, target: Path) -> None:
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with file.open("rb") as content, scratch.open("wb") as written:
            shutil.copyfileobj(content, written)
            written.flush()
            os.fsync(written.fileno())
        for log in ("-wal", "-shm"):  # of the file that is replaced; SQLite would apply them to the new one
            target.with_name(target.name + log).unlink(missing_ok=True)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)


def _length(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def _event(db: sqlite3.Connection, seq: int) -> str | None:
    row = db.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else str(row[0])
