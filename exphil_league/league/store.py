"""The league's log on disk: SQLite in WAL mode, one transaction per call, one writer.

The `event` table is the truth. The other tables are its readable shadow, filled in the same transaction and
rebuilt from it at will. A result is a row with the job's id as key, so no delivery can count twice. Once
`append` has returned, kill -9 loses nothing, and a power cut nothing but jobs that were just handed out:
those alone are not worth waiting for the disk.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from exphil_league.errors import UserError
from exphil_league.league.backup import BUSY_WAIT_S, Backup, LiveDisk, open_to_read, restore
from exphil_league.league.disk import require_local
from exphil_league.league.dispatch import event_method
from exphil_league.league.events import (
    LOG_VERSION,
    Enrolled,
    Event,
    JobIssued,
    ResultAccepted,
    SnapshotTaken,
    from_json,
    to_json,
)
from exphil_league.league.model import Player

DATABASE: Final = "league.sqlite"
LOCK: Final = "league.lock"
_APPLICATION_ID: Final = 0x4C474531
"""Marks the file as ours in SQLite's header ("LGE1")."""
_LOCK_WAIT_S: Final = 30.0
"""How long a new writer waits for the processes of a killed run to be gone."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS player (
    player_id TEXT PRIMARY KEY, kind TEXT, parent TEXT, digest TEXT, created_frames INTEGER, role_of TEXT);
CREATE TABLE IF NOT EXISTS job (
    job_id TEXT PRIMARY KEY, purpose TEXT, branch TEXT, player_0 TEXT, player_1 TEXT, digest_0 TEXT, digest_1 TEXT,
    character_0 TEXT, character_1 TEXT, stage TEXT, seed INTEGER);
CREATE TABLE IF NOT EXISTS match_result (
    job_id TEXT PRIMARY KEY, outcome TEXT, stocks_0 INTEGER, stocks_1 INTEGER, percent_0 REAL, percent_1 REAL,
    frames INTEGER, ended_by TEXT, digest_0 TEXT, digest_1 TEXT, worker TEXT);
"""
_SHADOWS: Final = ("player", "job", "match_result")


class LeagueStore:
    """The log of one run folder."""

    def __init__(self, run: Path, read_only: bool = False, disk: LiveDisk | None = None) -> None:
        """Open RUN/league.sqlite; a writer creates it and holds league.lock beside it until `close` or its death.

        disk: where a writer keeps the live database instead; RUN/league.sqlite is then its copy.

        Raises UserError when there is no league to read, the file is no league or of another version, another
        process is writing it, or a writer's folder lies on a network filesystem.
        """
        home = run if disk is None else disk.home(run)
        self.path = home / DATABASE
        self._lock: IO[str] | None = None
        if read_only and not self.path.is_file():
            raise UserError(f"{run} holds no league ({DATABASE} is missing); give the folder of a training run")
        if not read_only:
            require_local(home)
            for folder in (run, home):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(home / LOCK)
        try:
            with _readable_errors(self.path):
                if disk is not None:
                    restore(run / DATABASE, self.path)
                self._db = self._connect(read_only)
        except UserError:
            self._unlock()
            raise
        self._backup = None if disk is None else Backup(self.path, run / DATABASE, disk.backup_every_s)

    def append(self, events: Iterable[Event]) -> None:
        """Store events, all or none; they are durable when this returns. Raises UserError when they are not."""
        new = list(events)
        if not new:
            return
        only_jobs = all(isinstance(event, JobIssued) for event in new)
        with _readable_errors(self.path):
            # NORMAL leaves the disk its time; the next FULL commit makes everything before it durable too.
            self._db.execute(f"PRAGMA synchronous = {'NORMAL' if only_jobs else 'FULL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for event in new:
                    self._db.execute(
                        "INSERT INTO event (kind, body) VALUES (?, ?)", (event.kind, to_json(event).decode())
                    )
                    self._shadow(event)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        if self._backup is not None:
            self._backup.maybe_copy()

    def events(self) -> Iterator[Event]:
        """All events in order."""
        with _readable_errors(self.path):
            rows = self._db.execute("SELECT body FROM event ORDER BY seq").fetchall()
        for seq, (body,) in enumerate(rows, 1):
            try:
                yield from_json(body)
            except ValueError as error:
                raise UserError(f"{self.path}: event {seq} cannot be read, the file is damaged: {error}") from error

    def rebuild(self) -> None:
        """Fill the shadow tables again from the log."""
        events = list(self.events())
        with _readable_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            for table in _SHADOWS:
                self._db.execute(f"DELETE FROM {table}")
            for event in events:
                self._shadow(event)
            self._db.execute("COMMIT")

    def sync(self) -> None:
        """Bring the run folder's copy up to now, where the log lies elsewhere. Raises UserError when it cannot be."""
        if self._backup is not None:
            self._backup.finish()

    def close(self) -> None:
        """Let go of the database and the lock. Raises UserError when the last copy of it cannot be made."""
        self._db.close()
        try:
            self.sync()
        finally:
            self._unlock()

    def _connect(self, read_only: bool) -> sqlite3.Connection:
        if read_only:
            db = open_to_read(self.path)
        else:
            # One caller at a time, whichever thread of the process it comes from.
            db = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_WAIT_S, check_same_thread=False)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        ours = db.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID
        empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and not ours:
            db.close()
            raise UserError(f"{self.path} is a database of something else; give another run folder")
        if not empty and version != LOG_VERSION:
            db.close()
            raise UserError(
                f"{self.path} was written by league version {version}, this is version {LOG_VERSION}; "
                "use the release that made the run, or start a new run folder"
            )
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            marks = f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {LOG_VERSION};"
            db.executescript(f"BEGIN; {_SCHEMA} {marks} COMMIT;")
        return db

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @event_method
    def _shadow(self, event: Event) -> None:
        """Nothing to show of the other kinds."""

    @_shadow.register
    def _(self, event: Enrolled) -> None:
        for player in event.players:
            self._show_player(player)

    @_shadow.register
    def _(self, event: SnapshotTaken) -> None:
        self._show_player(event.decision.snapshot)

    @_shadow.register
    def _(self, event: JobIssued) -> None:
        job = event.job
        row = (job.job_id, job.purpose, job.branch, *job.players, *job.digests, *job.matchup.characters)
        self._insert("job", (*row, job.matchup.stage, job.seed))

    @_shadow.register
    def _(self, event: ResultAccepted) -> None:
        r = event.result
        row = (r.job_id, r.outcome, *r.stocks, *r.percent, r.frames, r.ended_by, *r.digests, r.worker)
        self._insert("match_result", row)

    def _show_player(self, p: Player) -> None:
        self._insert("player", (p.player_id, p.kind, p.parent, p.digest, p.created_frames, p.role_of))

    def _insert(self, table: str, row: tuple[str | int | float | None, ...]) -> None:
        self._db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _lock(path: Path) -> IO[str]:
    """The lock of a run folder, released by the system when the process dies. Raises UserError when it is taken."""
    handle = path.open("a+")
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                handle.seek(0)
                owner = handle.read().strip() or "unknown"
                handle.close()
                raise UserError(
                    f"{path.parent} is in use by another run (process {owner}); end it or give another --out"
                ) from None
            time.sleep(0.1)
        else:
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            return handle


@contextmanager
def _readable_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise UserError(
            f"{path}: refused to store something twice ({error}); the run folder has two writers"
        ) from error
    except sqlite3.Error as error:
        raise UserError(
            f"{path}: {error}. Nothing was acknowledged that is not stored; check free space and that the file is a "
            "league database on a local disk"
        ) from error
