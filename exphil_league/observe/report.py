"""The end of a run: its ladder, and a page about it all."""

from __future__ import annotations

from typing import Any

from exphil_league.league.service import LeagueHandle
from exphil_league.observe.console import say
from exphil_league.observe.league_tables import TOP_PLAYERS, show_ladder
from exphil_league.observe.recovery_table import show_recoveries
from exphil_league.observe.report_page import write_report
from exphil_league.run_folder import RunFolder, read_json, write_json


def report(run: RunFolder, league: LeagueHandle, promotion: dict[str, Any]) -> dict[str, Any]:
    """Write RUN/ladder.json, print it, and return what `train --json` prints of it.

    `promotion`: the gate's verdict, whose agent file the run stands for.
    """
    ladder = league.ladder()
    write_json(run.ladder, ladder)
    show_ladder(ladder, TOP_PLAYERS)
    recovery = read_json(run.recovery) if run.recovery.is_file() else None
    if recovery is not None:
        show_recoveries([("before: warm start", recovery["before"]), ("after: main", recovery["after"])])
    result = {"run": str(run.root), "ladder": ladder, "recovery": recovery, "agent": str(run.agent)}
    result["promotion"] = {key: promotion[key] for key in ("candidate", "promoted", "reason", "top", "top_digest")}
    return result


def report_page(run: RunFolder) -> dict[str, Any]:
    """Write RUN/report.html and pages of games from what the closed league left, and say where they are."""
    written = write_report(run.root)
    page = str(run.page) if run.best_game.is_file() else None
    if page is not None:
        say(f"best game:   {page}")
    say(f"report:      {run.report}", f"play it:     exphil-league play {run.agent} --opponent fighter")
    return {"report": written["report"], "page": page}
