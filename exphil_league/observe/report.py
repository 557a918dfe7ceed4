"""The end of a run: its ladder, its best player as an agent file, its best game as a page."""

from __future__ import annotations

from typing import Any

from exphil_league.league.service import LeagueHandle
from exphil_league.observe.console import say
from exphil_league.observe.league_tables import show_ladder
from exphil_league.observe.recovery_table import show_recoveries
from exphil_league.observe.watch_page import write_watch_page
from exphil_league.run_folder import RunFolder, read_json, write_json


def report(run: RunFolder, league: LeagueHandle, promotion: dict[str, Any]) -> dict[str, Any]:
    """Write RUN/ladder.json and best_game.html, print them, and return what `train --json` prints.

    `promotion`: the gate's verdict, whose agent file the run stands for.
    """
    ladder = league.ladder()
    write_json(run.ladder, ladder)
    show_ladder(ladder)
    recovery = read_json(run.recovery) if run.recovery.is_file() else None
    if recovery is not None:
        show_recoveries([("before: warm start", recovery["before"]), ("after: main", recovery["after"])])
    result = {"run": str(run.root), "ladder": ladder, "recovery": recovery, "agent": str(run.agent), "page": None}
    result["promotion"] = {key: promotion[key] for key in ("candidate", "promoted", "reason", "top", "top_digest")}
    if run.best_game.is_file():
        write_watch_page(run.best_game, run.page)
        result["page"] = str(run.page)
        say(f"best game:   {run.page}")
    say(f"play it:     exphil-league play {run.agent} --opponent fighter")
    return result
