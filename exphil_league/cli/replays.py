"""`replays scan` and `replays stats`: what is in a folder of replays, and what is wrong with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from exphil_league.cli.command import Command, Outcome

Directory = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(help="folder of .slp files, searched recursively")]
Workers = Annotated[int, tyro.conf.arg(help="processes that read")]
_REFUSED_SHOWN = 20


@dataclass(frozen=True)
class ReplaysScan(Command):
    """Check every replay of a folder: usable for learning, or the reason why not."""

    directory: Directory = tyro.MISSING
    workers: Workers = 1

    def run(self) -> Outcome:
        return Outcome(run_scan(self.directory, self.workers))


@dataclass(frozen=True)
class ReplaysStats(Command):
    """Count the usable games of a folder by character, stage and version."""

    directory: Directory = tyro.MISSING
    workers: Workers = 1

    def run(self) -> Outcome:
        return Outcome(run_stats(self.directory, self.workers))


def run_scan(directory: Path, workers: int = 1) -> dict[str, Any]:
    """Scan with the default filters; tables to standard error, the result for `--json`.

    {"directory", "files", "usable", "minutes", "reasons": {reason: files}, "refused": [{"path", "reason",
    "detail"}]}. Raises UserError for a missing or empty folder.
    """
    from exphil_league.replays.scan import scan

    report = scan(directory, workers=workers)
    result = {
        "directory": str(directory),
        "files": len(report.files),
        "usable": len(report.usable),
        "minutes": round(sum(f.summary.minutes for f in report.usable if f.summary), 2),
        "reasons": report.reasons,
        "refused": [{"path": str(f.path), "reason": f.reason, "detail": f.detail} for f in report.files if f.reason],
    }
    _show_scan(result)
    return result


def run_stats(directory: Path, workers: int = 1) -> dict[str, Any]:
    """Statistics of the usable games (see `exphil_league.replays.stats.statistics`); tables to standard error."""
    from exphil_league.replays.scan import scan
    from exphil_league.replays.stats import statistics

    result = statistics(scan(directory, workers=workers))
    _show_stats(result)
    return result


def _show_scan(result: dict[str, Any]) -> None:
    from exphil_league.observe.console import say, table

    say(f"{result['usable']} of {result['files']} replays are usable, {result['minutes']} minutes of play")
    if result["reasons"]:
        table("Not used", ("reason", "files"), result["reasons"].items())
    shown = result["refused"][:_REFUSED_SHOWN]
    say(*(f"{file['path']}: {file['reason']} ({file['detail']})" for file in shown))
    if len(result["refused"]) > len(shown):
        say(f"... and {len(result['refused']) - len(shown)} more; --json lists all")


def _show_stats(result: dict[str, Any]) -> None:
    from exphil_league.observe.console import say, table

    say(f"{result['games']} games, {result['minutes']} minutes, {result['frames']} frames")
    for title in ("characters", "stages", "versions"):
        table(title.capitalize(), (title, "count"), result[title].items())
    if result["input_change_share"]:
        share = result["input_change_share"]
        say(f"human inputs change on {share['min']:.1%} to {share['max']:.1%} of frames, median {share['median']:.1%}")
    if result["reasons"]:
        table("Not used", ("reason", "files"), result["reasons"].items())
