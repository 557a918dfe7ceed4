"""Progress of long work on standard error: how far, how fast, how long to go.

On a terminal one line is redrawn; in a log a line appears every few seconds. Work shorter than the first
interval prints its summary only, so tests and pipes stay quiet.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

TERMINAL_EVERY_S = 0.2
LOG_EVERY_S = 10.0


def duration(seconds: float) -> str:
    """Seconds in words a person reads at a glance: 8 s, 3 min 05 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def quantity(value: float) -> str:
    """A count or rate with three significant digits and a suffix: 812, 4.2k, 1.35M."""
    for limit, unit, suffix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


class Progress:
    """One piece of long work. `advance` is cheap enough to call for every item."""

    def __init__(
        self, label: str, total: float | None, unit: str, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0.0
        self.fields: dict[str, object] = {}
        self._stream, self._clock = stream, clock
        self._terminal = stream.isatty()
        self._every_s = TERMINAL_EVERY_S if self._terminal else LOG_EVERY_S
        self._start_s = self._last_s = clock()
        self._first: tuple[float, float] | None = None

    def advance(self, amount: float = 1, **fields: object) -> None:
        """Count `amount` more units as done; `fields` (loss, faults, ...) are shown behind the rate."""
        self.done += amount
        self.fields.update(fields)
        now_s = self._clock()
        if self._first is None:
            self._first = self.done, now_s
        if now_s - self._last_s >= self._every_s:
            self._last_s = now_s
            self._write(self._line(now_s))

    def finish(self) -> None:
        """Print the summary line."""
        self._write(self._line(self._clock(), finished=True), last=True)

    def _line(self, now_s: float, *, finished: bool = False) -> str:
        elapsed_s = max(now_s - self._start_s, 1e-9)
        rate = self.done / elapsed_s
        parts = [f"{self.label}: {quantity(self.done)}"]
        if self.total is not None:
            parts[0] += f"/{quantity(self.total)}"
        parts[0] += f" {self.unit}"
        parts.append(f"{quantity(rate)} {self.unit}/s")
        parts += [f"{name} {_field(value)}" for name, value in self.fields.items()]
        if finished:
            parts.append(f"took {duration(elapsed_s)}")
        elif (left_s := self._left_s(now_s)) is not None:
            parts.append(f"{duration(left_s)} left")
        return ", ".join(parts)

    def _left_s(self, now_s: float) -> float | None:
        """At the rate since the first unit was done: before it things are compiled, loaded and started."""
        if self.total is None or self._first is None or self.done <= self._first[0]:
            return None
        done, since_s = self._first
        return (self.total - self.done) * (now_s - since_s) / (self.done - done)

    def _write(self, line: str, *, last: bool = False) -> None:
        if self._terminal:
            self._stream.write(f"\r\x1b[2K{line}" + ("\n" if last else ""))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()


def _field(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextmanager
def progress(label: str, total: float | None = None, unit: str = "items") -> Iterator[Progress]:
    """Show how work goes on: `with progress("parsing replays", total=n, unit="files") as p: p.advance(k)`."""
    shown = Progress(label, total, unit, sys.stderr)
    try:
        yield shown
    finally:
        shown.finish()
