"""`report --run RUN`: one self-contained HTML file about a run, and watch pages of its telling games beside it."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from envs.slippi.errors import ReplayError
from exphil_league.observe.report_data import report_data
from exphil_league.observe.telling_games import TELLING
from exphil_league.observe.watch_page import write_watch_page
from exphil_league.run_folder import RunFolder, write_atomic

_FOLDER: Final = files("exphil_league.observe").joinpath("html")
_SCRIPTS: Final = ("report_svg.js", "report_charts.js", "report_app.js")


def write_report(root: Path, page: Path | None = None) -> dict[str, Any]:
    """Write the page (default RUN/report.html). Returns {"report", "bytes", "games", "alarms", "missing"}.

    Raises UserError for a folder that is no run.
    """
    run = RunFolder(root.resolve())
    page = page or run.report
    page.parent.mkdir(parents=True, exist_ok=True)
    data = report_data(run)
    data["games"] = _watch_pages(run, page.parent, data["missing"])
    text = render(data)
    write_atomic(page, text)
    alarms = [] if data["league"] is None else data["league"]["alarms"]
    return {
        "report": str(page),
        "bytes": len(text.encode()),
        "games": [game["page"] for game in data["games"]],
        "alarms": alarms,
        "missing": data["missing"],
    }


def render(data: dict[str, Any]) -> str:
    """The whole page as text; it loads nothing."""
    parts = {
        "TITLE": html.escape(f"{data['name']}: training report"),
        "STYLE": _text("report.css"),
        # A bare `<` could end the script element early; inside JSON its escape is the same text.
        "DATA": json.dumps(_finite(data), separators=(",", ":")).replace("<", "\\u003c"),
        "SCRIPT": "\n".join(_text(name) for name in _SCRIPTS),
    }
    return re.sub(r"<!--([A-Z]+)-->", lambda slot: parts[slot[1]], _text("report.html"))


def _watch_pages(run: RunFolder, folder: Path, missing: list[str]) -> list[dict[str, str]]:
    """A page of each telling game that was kept."""
    found = []
    for game in TELLING:
        replay, page = run.replays / f"{game.name}.slp", folder / f"{game.name}.html"
        if not replay.is_file():
            continue
        try:
            if not page.is_file() or page.stat().st_mtime < replay.stat().st_mtime:
                write_watch_page(replay, page)
        except ReplayError as error:
            missing.append(f"{replay.name} cannot be shown: {error}")
            continue
        found.append({"page": page.name, "title": game.title, "text": game.why})
    if not found:
        missing.append("games are recorded in the rating phase at the end; there are none yet")
    return found


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
