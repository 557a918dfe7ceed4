"""Scan a folder of replays: every file is a usable game or has a named, counted reason."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path

from envs.slippi.errors import ReplayError
from envs.slippi.read import read_game
from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.observe.progress import progress
from exphil_league.replays.filters import Refusal, refusal
from exphil_league.replays.summary import GameSummary, summarise

_FILES_PER_TASK = 8


@dataclass(frozen=True)
class FileReport:
    """One file: `reason` is empty for a usable game, else a `Reason` or `Refusal` value."""

    path: Path
    summary: GameSummary | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ScanReport:
    """All files of a folder, sorted by path."""

    directory: Path
    files: tuple[FileReport, ...]

    @property
    def usable(self) -> tuple[FileReport, ...]:
        """The files to learn from."""
        return tuple(file for file in self.files if not file.reason)

    @property
    def reasons(self) -> dict[str, int]:
        """How many files each reason took out, most first."""
        return dict(Counter(file.reason for file in self.files if file.reason).most_common())

    def require_usable(self) -> tuple[FileReport, ...]:
        """The usable files. Raises UserError, with the reasons, when there is none."""
        if not self.usable:
            counts = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
            raise UserError(
                f"{self.directory}: none of {len(self.files)} replays can be learnt from ({counts}); "
                "`replays scan` names the reason for each, the recipe's `replays` section sets the limits"
            )
        return self.usable


def replay_files(path: Path) -> tuple[Path, ...]:
    """All .slp files under a folder, or the one file given, sorted. Raises UserError when there is none."""
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise UserError(f"{path}: no such folder of replays; give the folder that holds your .slp files")
    found = sorted(
        Path(folder, name) for folder, _, names in os.walk(path) for name in names if name.lower().endswith(".slp")
    )
    if not found:
        raise UserError(f"{path}: no .slp file in this folder or below; give the folder that holds your .slp files")
    return tuple(found)


def scan(directory: Path, config: ReplaysConfig | None = None, workers: int = 1) -> ScanReport:
    """Read every .slp file under `directory` and judge it by `config`.

    With `workers` > 1 that many processes read. Shows progress on standard error. Raises UserError for a missing
    or empty folder; a bad file never stops the scan.
    """
    config = config or ReplaysConfig()
    paths = replay_files(directory)
    reports: list[FileReport] = []
    with progress("scanning replays", total=len(paths), unit="files") as shown:
        refused = 0
        for report in _examined(paths, config, workers):
            reports.append(report)
            refused += bool(report.reason)
            shown.advance(1, refused=refused)
    return ScanReport(directory, without_duplicates(reports))


def examine(path: Path, config: ReplaysConfig) -> FileReport:
    """Judge one file by itself."""
    try:
        summary = summarise(read_game(path))
    except ReplayError as error:
        return FileReport(path, reason=error.reason.value, detail=error.detail)
    objection = refusal(summary, config)
    if objection is None:
        return FileReport(path, summary)
    return FileReport(path, summary, objection[0].value, objection[1])


def _examined(paths: tuple[Path, ...], config: ReplaysConfig, workers: int) -> Iterator[FileReport]:
    if workers <= 1 or len(paths) <= _FILES_PER_TASK:
        yield from (examine(path, config) for path in paths)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(examine, config=config), paths, chunksize=_FILES_PER_TASK)


def without_duplicates(reports: list[FileReport]) -> tuple[FileReport, ...]:
    """Of usable files of the same game only the longest stays (the first by path, if equal); order is kept."""
    best: dict[str, FileReport] = {}
    for report in reports:
        if report.summary is None or report.reason:
            continue
        kept = best.get(report.summary.game_id)
        if kept is None or kept.summary is None or report.summary.frames > kept.summary.frames:
            best[report.summary.game_id] = report
    return tuple(_marked(report, best) for report in reports)


def _marked(report: FileReport, best: dict[str, FileReport]) -> FileReport:
    if report.summary is None or report.reason or best[report.summary.game_id] is report:
        return report
    original = best[report.summary.game_id].path
    return replace(report, reason=Refusal.DUPLICATE.value, detail=f"same game as {original.name}")


def held_out(game_id: str, share: float = 0.1) -> bool:
    """Whether a game belongs to the validation set: by a hash of its id, so that it never changes sides."""
    fraction = int.from_bytes(blake2b(game_id.encode(), digest_size=8).digest(), "big") / 2**64
    return fraction < share
