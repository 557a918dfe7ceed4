"""The row cache: every replay is parsed once in its life.

A folder holds one shard for each game (`imitation.rows`), named by the digest of the .slp's content, and an
SQLite index: which file (path, size, time of change) has which content, and what the content is: a game's
summary, or the reason why it is none. Filters are applied to summaries when a folder is asked for, so that
changed filters parse only what was refused before. The folder's name carries a digest of the code that makes
rows, so that rows of another version are never served; old folders can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache as cached
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

from pydantic import TypeAdapter

import envs.controller
import envs.frame
import envs.game
import envs.observation
import envs.reward
import envs.reward_kernel
import envs.slippi.events
import envs.slippi.game
import envs.slippi.peppi
import envs.slippi.read
from envs.slippi.errors import ReplayError
from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.imitation import rows
from exphil_league.imitation.rows import SHARD_BYTES_PER_SLP_BYTE, rows_of, write_shard
from exphil_league.observe.console import say
from exphil_league.observe.progress import progress
from exphil_league.replays import summary as summaries
from exphil_league.replays.filters import refusal
from exphil_league.replays.scan import FileReport, ScanReport, replay_files, without_duplicates
from exphil_league.replays.summary import GameSummary

T = TypeVar("T")

_MAKE_ROWS: Final[tuple[ModuleType, ...]] = (
    envs.controller,
    envs.frame,
    envs.game,
    envs.observation,
    envs.reward,
    envs.reward_kernel,
    envs.slippi.events,
    envs.slippi.game,
    envs.slippi.peppi,
    envs.slippi.read,
    summaries,
    rows,
)
_SPARE_BYTES: Final = 200_000_000
"""Left free on the cache's disk."""
_COMMIT_EVERY: Final = 32
_SUMMARY: Final = TypeAdapter(GameSummary)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, changed_ns INTEGER, digest TEXT);
CREATE TABLE IF NOT EXISTS games (digest TEXT PRIMARY KEY, reason TEXT, detail TEXT, summary TEXT, has_rows INTEGER);
"""


@dataclass(frozen=True)
class ParsedFile:
    """What parsing one file gave; plain values, so that it travels between processes."""

    path: str
    size: int
    changed_ns: int
    digest: str
    reason: str = ""  # empty for a game
    detail: str = ""
    summary: str = ""  # GameSummary as JSON
    has_rows: bool = False
    failure: str = ""  # the cache could not be written: the run must stop


@dataclass(frozen=True)
class CachedGame:
    """A game to learn from."""

    game_id: str
    characters: tuple[int, ...]
    """Internal ids of the human seats, in the order of the shard's seats."""
    shard: Path
    replay: Path
    """The .slp it was read from."""
    players: tuple[str, ...] = ()
    """Connect codes of the human seats, else their names."""
    only: tuple[int, ...] | None = None
    """Seats of the shard to learn from; None for all."""

    def seats_of(self, per_seat: list[T], characters: Sequence[int]) -> list[T]:
        """Of one value for each seat of the shard, those to learn from whose character is wanted; an empty choice
        wants all."""
        return [
            value
            for seat, (value, who) in enumerate(zip(per_seat, self.characters, strict=True))
            if (self.only is None or seat in self.only) and (not characters or who in characters)
        ]


Parser = Callable[[Sequence[str], Path, ReplaysConfig], Iterable[ParsedFile]]
"""Parses files in some order, in this process or in many."""


def cache_folder(configured: str | None) -> Path:
    """The cache that belongs to this version of the code, below `configured` or the user's cache folder."""
    home = Path(configured) if configured else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (home if configured else home / "exphil-league") / f"rows-{code_digest()}"


@cached
def code_digest() -> str:
    """Digest of the parser's version and of the sources that decide what a row is."""
    digest = hashlib.sha256(importlib.metadata.version("peppi-py").encode())
    for module in _MAKE_ROWS:
        assert module.__file__ is not None
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()[:12]


def parse_file(path: str, folder: Path, filters: ReplaysConfig) -> ParsedFile:
    """Read one replay; a game that passes the filters leaves its shard in the cache `folder`."""
    found = os.stat(path)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    here = (path, found.st_size, found.st_mtime_ns, digest)
    try:
        game = envs.slippi.read.read_game(path)
    except ReplayError as error:
        return ParsedFile(*here, reason=error.reason.value, detail=error.detail)
    summary = summaries.summarise(game)
    wanted = refusal(summary, filters) is None
    try:
        if wanted:
            write_shard(shard_path(folder, digest), rows_of(game))
    except OSError as error:
        return ParsedFile(*here, failure=str(error))
    return ParsedFile(*here, summary=_SUMMARY.dump_json(summary).decode(), has_rows=wanted)


def parse_here(paths: Sequence[str], folder: Path, filters: ReplaysConfig) -> Iterator[ParsedFile]:
    """A Parser: one file after the other in this process."""
    return (parse_file(path, folder, filters) for path in paths)


def shard_path(folder: Path, digest: str) -> Path:
    """Where the rows of a content are kept."""
    return folder / digest[:2] / f"{digest}.arrow"


class RowCache:
    """Rows and verdicts of every replay seen so far. One process writes the index; workers write shards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = sqlite3.connect(folder / "index.sqlite", timeout=60)
            self._index.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the replay cache {folder} cannot be used: {error}; set imitation.cache") from error

    def games(self, replays: Path, filters: ReplaysConfig, parser: Parser = parse_here) -> list[CachedGame]:
        """Games below a folder that pass the filters, without duplicates, in the order of their paths.

        Parses what the cache lacks and says beforehand how much disk that takes. Raises UserError for a missing
        or empty folder, for a folder without a usable game, and when the disk is short.
        """
        paths = [str(path.resolve()) for path in replay_files(replays)]
        missing = [path for path in paths if self._lacks(path, filters)]
        if missing:
            self._announce(len(paths), missing)
            self._parse(missing, filters, parser)
        reports = [self._report(path, filters) for path in paths]
        usable = ScanReport(replays, without_duplicates(reports)).require_usable()
        return [self._game(report) for report in usable]

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def _row(self, path: str) -> tuple[str, str, str, str, int] | None:
        """(digest, reason, detail, summary, has_rows) of a file as it is now; None if it was never parsed."""
        found = os.stat(path)
        query = "SELECT g.* FROM files f JOIN games g USING (digest) WHERE path = ? AND size = ? AND changed_ns = ?"
        with closing(self._index.execute(query, (path, found.st_size, found.st_mtime_ns))) as cursor:
            row: tuple[str, str, str, str, int] | None = cursor.fetchone()
            return row

    def _lacks(self, path: str, filters: ReplaysConfig) -> bool:
        row = self._row(path)
        if row is None:
            return True
        digest, reason, _, summary, has_rows = row
        if reason or refusal(_SUMMARY.validate_json(summary), filters) is not None:
            return False
        return not has_rows or not shard_path(self.folder, digest).exists()

    def _announce(self, total: int, missing: list[str]) -> None:
        slp_bytes = sum(os.stat(path).st_size for path in missing)
        need = slp_bytes * SHARD_BYTES_PER_SLP_BYTE
        free = shutil.disk_usage(self.folder).free
        say(
            f"replays: {total - len(missing)} of {total} files are in the cache, {len(missing)} to parse "
            f"({slp_bytes / 1e6:.0f} MB); the cache {self.folder} will grow by at most {need / 1e6:.0f} MB, "
            f"{free / 1e9:.1f} GB are free"
        )
        if need + _SPARE_BYTES > free:
            raise UserError(
                f"the replay cache {self.folder} needs {need / 1e6:.0f} MB and {free / 1e6:.0f} MB are free "
                f"({_SPARE_BYTES / 1e6:.0f} MB are kept free): make room, or set imitation.cache to another disk"
            )

    def _parse(self, missing: list[str], filters: ReplaysConfig, parser: Parser) -> None:
        refused = 0
        with progress("parsing replays", total=len(missing), unit="files") as shown:
            for number, parsed in enumerate(parser(missing, self.folder, filters), start=1):
                if parsed.failure:
                    self._index.commit()
                    raise UserError(
                        f"cannot write to the replay cache {self.folder}: {parsed.failure}; make room, or set "
                        "imitation.cache to another disk. What was parsed so far is kept"
                    )
                self._store(parsed)
                if number % _COMMIT_EVERY == 0:
                    self._index.commit()
                refused += not parsed.has_rows
                shown.advance(1, refused=refused)
        self._index.commit()

    def _store(self, parsed: ParsedFile) -> None:
        file = (parsed.path, parsed.size, parsed.changed_ns, parsed.digest)
        game = (parsed.digest, parsed.reason, parsed.detail, parsed.summary, parsed.has_rows)
        self._index.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", file)
        self._index.execute("INSERT OR REPLACE INTO games VALUES (?, ?, ?, ?, ?)", game)

    def _report(self, path: str, filters: ReplaysConfig) -> FileReport:
        row = self._row(path)
        if row is None:
            raise UserError(f"{path} changed while it was read: start again when the folder rests")
        _, reason, detail, summary_json, _ = row
        if reason:
            return FileReport(Path(path), reason=reason, detail=detail)
        summary = _SUMMARY.validate_json(summary_json)
        objection = refusal(summary, filters)
        return FileReport(Path(path), summary, *((objection[0].value, objection[1]) if objection else ()))

    def _game(self, report: FileReport) -> CachedGame:
        row = self._row(str(report.path))
        assert row is not None
        assert report.summary is not None
        seats = report.summary.meta.seats
        humans = [seats[seat] for seat in report.summary.meta.human_seats]
        return CachedGame(
            report.summary.game_id,
            tuple(human.character for human in humans),
            shard_path(self.folder, row[0]),
            report.path,
            players=tuple(human.code or human.name for human in humans),
        )
