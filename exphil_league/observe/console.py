"""What a person reads: plain lines and tables on standard error, never on standard output."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence


def say(*lines: str) -> None:
    """Print lines to standard error."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def say_what_compiles() -> None:
    """From now on this process says when the game has to be compiled, which nothing else shows; see `envs.jit`."""
    logger = logging.getLogger("envs.jit")
    if not logger.handlers:
        logger.addHandler(_Said())
        logger.setLevel(logging.INFO)
        logger.propagate = False


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to standard error: the first column to the left, the others to the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        shown.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    console = Console(stderr=True)
    if not console.is_terminal:
        console = Console(stderr=True, width=140)
    console.print(shown)
