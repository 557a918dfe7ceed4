"""What a person sees while a game runs on an emulator: where it is, how well time is kept, what the agent does.

On a terminal a few lines are redrawn five times a second; in a log a line appears when something changes and every ten
seconds.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from envs.dolphin.live import LiveMatch
from envs.frame import LEADER, SEATS
from exphil_league.observe.watch_names import character_title
from exphil_league.play.meter import Meter
from exphil_league.play.seats import Seats
from exphil_league.play.words import action_words

TERMINAL_EVERY_S: Final = 0.2
LOG_EVERY_S: Final = 10.0


class Readout:
    """A context manager; a `Screen` of the loops."""

    def __init__(self, seats: Seats, names: tuple[str, str], console: Console | None = None) -> None:
        """names: of the seats' players."""
        self._seats, self._names = seats, names
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._spinner = Spinner("dots")
        self._next_s, self._status, self._told = 0.0, "", ""
        self.game = 1
        """Number of the game, from 1."""

    def __enter__(self) -> Readout:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def warming(self, what: str) -> None:
        """Something that takes its time goes on before the game."""
        if self._console.is_terminal:
            self._spinner.update(text=f"warming up: {what}")
            self._live.update(self._spinner, refresh=True)
        elif what != self._status:
            self._console.print(f"warming up: {what}", highlight=False)
        self._status = what

    def show(self, match: LiveMatch, meter: Meter, parts: NDArray[np.uint8]) -> None:
        """See Screen."""
        now = time.monotonic()
        if now < self._next_s and match.status == self._told:
            return
        self._told = match.status
        self._next_s = now + (TERMINAL_EVERY_S if self._console.is_terminal else LOG_EVERY_S)
        if not match.playing:
            self.warming(match.status)
        elif self._console.is_terminal:
            self._live.update(self._picture(match, meter, parts), refresh=True)
        elif meter.frames:
            self._console.print(self._line(meter), highlight=False)
            self._status = ""

    def _line(self, meter: Meter) -> str:
        times = meter.inference_ms() or {"p50": 0.0, "p95": 0.0}
        return (
            f"game {self.game}: {meter.recent_fps:.1f} frames a second, {meter.late_frames} of {meter.frames} late, "
            f"{meter.repeated_actions} actions repeated, inference {times['p50']:.1f} ms, "
            f"95 % under {times['p95']:.1f} ms"
        )

    def _picture(self, match: LiveMatch, meter: Meter, parts: NDArray[np.uint8]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_row(self._line(meter))
        for seat in range(SEATS):
            player = match.frames[0]["players"][seat, LEADER]
            score = f"{int(player['stocks'])} stocks, {float(np.nan_to_num(player['percent'])):.0f} %"
            who = f"{self._names[seat]} ({character_title(int(player['character']))}): {score}"
            table.add_row(who + self._choice(seat, parts))
        return table

    def _choice(self, seat: int, parts: NDArray[np.uint8]) -> str:
        if self._seats.agents[seat] is None:
            return ""
        confidence = self._seats.confidence(seat)
        return f"; presses {action_words(parts[seat])}" + (
            f" ({confidence:.0%} sure)" if confidence is not None else ""
        )
