"""One game between two agents, in real time or flat out, saved as a .slp file.

What `play` runs. It steps a Backend of one game and imports neither ray nor torch.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.backend import Backend, EndedBy, Matchup
from envs.controller import decode
from envs.frame import SEATS
from envs.slippi.write import SlpWriter, meta_from_frame
from exphil_league.play.pace import Pacer
from exphil_league.play.seats import COLUMNS, Seats
from exphil_league.play.terminal import TerminalView
from policies.agent import Agent
from policies.delay import DelayQueue

_VIEW_EVERY_FRAMES = 3
_WARM_UP_FRAMES = 3


@dataclass(frozen=True)
class Played:
    """How a game went. `winner` is a seat, None for a draw; pairs are by seat."""

    winner: int | None
    stocks: tuple[int, int]
    percent: tuple[float, float]
    frames: int
    ended_by: str
    seconds: float
    late_frames: int


class Table:
    """A backend of one game with an agent in each seat."""

    def __init__(
        self,
        backend: Backend,
        agents: tuple[Agent, Agent],
        matchup: Matchup,
        seed: int,
        hold_frames: tuple[int, int] = (0, 0),
    ) -> None:
        """`hold_frames`: by seat, inputs reach the backend so late, as a console's would."""
        self.backend, self._seats = backend, Seats(agents)
        self._holds, self._queue = np.array(hold_frames), DelayQueue(SEATS, max(hold_frames))
        self._matchup, self._seed = matchup.row()[None], np.array([seed], np.uint64)

    def start(self) -> NDArray[np.void]:
        """A new game; returns its first frame [1]. Raises UnsupportedMatchup."""
        self._seats.reset()
        self._queue.reset(COLUMNS, self._holds)
        return self.backend.reset(np.ones(1, np.bool_), self._matchup, self._seed)

    def step(self, frames: NDArray[np.void]) -> NDArray[np.void]:
        """Both agents see `frames` [1] and press; returns the next [1]."""
        parts = self._queue.push(COLUMNS, self._seats.decide(frames))
        return self.backend.step(decode(parts[None]))


def play_game(
    backend: Backend,
    agents: tuple[Agent, Agent],
    matchup: Matchup,
    seed: int,
    *,
    speed: float = 1.0,
    out: Path | None = None,
    view: bool = False,
    hold_frames: tuple[int, int] = (0, 0),
) -> Played:
    """Play one game on a backend of one game.

    `speed` is a multiple of 60 frames a second, 0 for flat out. With `out` the game is saved there as it goes; an
    interrupted one too, as a game without an end. `hold_frames` delays each seat's inputs (see Table).
    Raises UnsupportedMatchup, and OSError where `out` cannot be written.
    """
    table = Table(backend, agents, matchup, seed, hold_frames)
    frames = table.start()
    for _ in range(_WARM_UP_FRAMES):  # what compiles or loads at the first call does so before the clock runs
        frames = table.step(frames)
    frames = table.start()
    with ExitStack() as stack:
        writer = None
        if out is not None:
            names = (agents[0].name, agents[1].name)
            writer = stack.enter_context(SlpWriter(out, meta_from_frame(frames[0], names)))
            writer.write(frames[0])
        screen = stack.enter_context(TerminalView()) if view else None
        pacer, began_s = Pacer(speed), time.perf_counter()
        while not backend.done[0]:
            frames = table.step(frames)
            if writer is not None:
                writer.write(frames[0])
            if screen is not None and pacer.frames % _VIEW_EVERY_FRAMES == 0:
                screen.draw(frames[0])
            pacer.wait()
        played = played_of(backend.result[0], time.perf_counter() - began_s, pacer.late_frames)
        if writer is not None:
            writer.finish(backend.result[0])
    return played


def played_of(row: NDArray[np.void], seconds: float, late_frames: int) -> Played:
    """From a RESULT (no shape)."""
    winner = int(row["winner"])
    return Played(
        winner=winner if winner >= 0 else None,
        stocks=(int(row["stocks"][0]), int(row["stocks"][1])),
        percent=(float(row["percent"][0]), float(row["percent"][1])),
        frames=int(row["frames"]),
        ended_by=EndedBy(int(row["ended_by"])).name.lower(),
        seconds=seconds,
        late_frames=late_frames,
    )
