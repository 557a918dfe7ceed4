"""One offline HTML page that plays a game: `watch FILE.slp --html PAGE`.

The page is a template with its style and scripts put in, and the game's data as JSON; it loads nothing.
"""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from envs.slippi.game import Game
from envs.slippi.read import read_game
from exphil_league.observe.watch_data import page_data
from exphil_league.run_folder import write_atomic

_FOLDER: Final = files("exphil_league.observe").joinpath("html")
_SCRIPTS: Final = ("watch_data.js", "watch_figure.js", "watch_scene.js", "watch_app.js")


def render_watch_page(game: Game, title: str | None = None) -> str:
    """The whole page as text."""
    data = page_data(game, title)
    parts = {
        "TITLE": html.escape(data["title"]),
        "STYLE": _text("watch.css"),
        # A bare `<` could end the script element early; inside JSON its escape is the same text.
        "DATA": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "SCRIPT": "\n".join(_text(name) for name in _SCRIPTS),
    }
    return re.sub(r"<!--([A-Z]+)-->", lambda slot: parts[slot[1]], _text("watch.html"))


def write_watch_page(replay: Path, page: Path, title: str | None = None) -> dict[str, Any]:
    """Write the page of a .slp file. Raises envs.slippi.errors.ReplayError for a file that is no game.

    Returns {"page", "bytes", "frames", "stocks_lost"}.
    """
    game = read_game(replay)
    text = render_watch_page(game, title)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(page, text)
    return {
        "page": str(page),
        "bytes": len(text.encode()),
        "frames": len(game.frames),
        "stocks_lost": len(page_data(game)["losses"]),
    }


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
