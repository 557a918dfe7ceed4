"""The committed split of the usable games: tables are measured on one half, figures reported on both.

All games of a session (one set, one evening of the same two players) lie in the same half, except those of
characters so rare that either half needs some.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Final

HALVES: Final = ("tune", "report")


@lru_cache(maxsize=1)
def _halves() -> dict[str, str]:
    """File name -> half."""
    text = resources.files("envs.sim.fidelity").joinpath("split.json").read_text(encoding="utf-8")
    sessions = json.loads(text)["sessions"]
    return {game: session["half"] for session in sessions for game in session["games"]}


def half_of(name: str) -> str:
    """The half of a game by its file name; "" for a game that the split does not know."""
    return _halves().get(name, "")
