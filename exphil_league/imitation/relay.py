"""Progress of a loop in another process, shown on this one's console.

The training process appends how far it is to a small file; a thread here reads it and draws the line.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from exphil_league.observe.progress import progress

_EVERY_S: Final = 1.0


class Shown(Protocol):
    """What a loop reports to: `observe.progress.Progress`, or its writing end here."""

    def advance(self, amount: float = 1, **fields: object) -> None:
        """Count units as done; fields are shown behind the rate."""
        ...


class _Written:
    """The writing end: at most one line a second, and one at the end."""

    def __init__(self, path: Path, label: str, total: float | None, unit: str) -> None:
        self._path = path
        self._state: dict[str, Any] = {"label": label, "total": total, "unit": unit, "done": 0.0, "fields": {}}
        self._last_s = -math.inf

    def advance(self, amount: float = 1, **fields: object) -> None:
        self._state["done"] += amount
        self._state["fields"].update(fields)
        if time.monotonic() - self._last_s >= _EVERY_S:
            self.write()

    def write(self) -> None:
        self._last_s = time.monotonic()
        with self._path.open("a") as file:
            file.write(json.dumps(self._state) + "\n")


class Relay:
    """Both ends, joined by a file that both processes see."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def progress(self, label: str, total: float | None = None, unit: str = "items") -> Iterator[Shown]:
        """In the training process: stands in for `observe.progress.progress`."""
        written = _Written(self._path, label, total, unit)
        try:
            yield written
        finally:
            written.write()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """In this process: draw what the other writes while the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._draw, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _draw(self, over: threading.Event) -> None:
        label, offset = None, 0
        with ExitStack() as display:
            while True:
                last_look = over.is_set()
                lines, offset = self._new_lines(offset)
                for state in map(json.loads, lines):
                    if state["label"] != label:
                        display.close()
                        label = state["label"]
                        drawn = display.enter_context(progress(label, total=state["total"], unit=state["unit"]))
                    drawn.advance(state["done"] - drawn.done, **state["fields"])
                if last_look:
                    return
                over.wait(_EVERY_S)

    def _new_lines(self, offset: int) -> tuple[list[str], int]:
        """Whole lines written since `offset`, and where they end."""
        if not self._path.exists():
            return [], offset
        with self._path.open() as file:
            file.seek(offset)
            text, _, _ = file.read().rpartition("\n")
        return text.splitlines(), offset + len(text) + bool(text)
