"""Recovery success as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exphil_league.observe.console import table


def show_recoveries(rows: Sequence[tuple[str, dict[str, dict[str, Any]]]]) -> None:
    """Print (whose, {character: row of Recoveries.of}) to standard error; nothing without an attempt."""
    cells = [
        (whose, character, f"{row['rate']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}", row["attempts"])
        for whose, by_character in rows
        for character, row in by_character.items()
        if row["attempts"]
    ]
    if cells:
        table("back from off the stage", ("player", "character", "success", "95 %", "attempts"), cells)
