"""`report`: a run in one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from exphil_league.cli.command import Command, Outcome
from exphil_league.cli.league import RunPath


@dataclass(frozen=True, kw_only=True)
class Report(Command):
    """One HTML page about a run: ratings, payoff, lineage, alarms, learning curves, games. It loads nothing."""

    folder: RunPath
    out: Annotated[Path | None, tyro.conf.arg(metavar="PAGE")] = None
    """where to write it; default: RUN/report.html. Pages of games are written beside it"""

    def run(self) -> Outcome:
        from exphil_league.observe.console import say
        from exphil_league.observe.report_page import write_report

        found = write_report(self.folder, self.out)
        say(*(f"alarm {alarm['name']}: {alarm['text']}" for alarm in found["alarms"]), f"report: {found['report']}")
        return Outcome(found)
