"""`SimBackend`: the simulator behind the contract of envs.backend, N games on one buffer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, UnsupportedMatchup
from envs.controller import CONTROLLER
from envs.frame import FRAME, LEADER, SEATS, empty_frames
from envs.game import character_name
from envs.sim.compile import CHARACTERS, SIM_VERSION, STAGES, digest, tables
from envs.sim.kernel.step import publish_batch, step_batch
from envs.sim.layout import GAME, new_games
from envs.sim.start import start_game

__all__ = ["SIM_VERSION", "SimBackend"]

PORTS: Final = (0, 1)
_IDLE: Final = np.zeros(1, CONTROLLER)


class SimBackend:
    """N two-player games in one process, stepped by compiled code on one thread. See envs.backend.Backend.

    Everything that happens follows from the matchup, the seed and the controllers: equal inputs give equal bytes.
    """

    name = "sim"

    def __init__(self, num_games: int) -> None:
        """Make `num_games` games that all wait for their reset. Raises ValueError for fewer than one."""
        if num_games < 1:
            raise ValueError(f"num_games must be at least 1, not {num_games}")
        self.num_games = num_games
        self.version = f"{SIM_VERSION}-{digest()}"
        self._tables = tables()
        self._rows = {int(c): row for row, c in enumerate(self._tables[0]["characters"]["character"])}
        self._stage_rows = {int(s): row for row, s in enumerate(self._tables[0]["stages"]["stage"][: len(STAGES)])}
        self._games = new_games(num_games)
        self._frames = empty_frames(num_games)
        self._done = np.ones(num_games, np.bool_)
        self._result = np.zeros(num_games, RESULT)

    def refuse(self, matchups: NDArray[np.void]) -> None:
        """Raises UnsupportedMatchup; see Backend.refuse."""
        for matchup in matchups:
            self._matchup_rows(matchup)

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        """Start new games where mask [N]; see Backend.reset. Raises UnsupportedMatchup before any game changes."""
        chosen = np.flatnonzero(mask)
        rows = [self._matchup_rows(matchups[n]) for n in chosen]
        self._games[chosen] = new_games(len(chosen))  # nothing of the last game is left, held buttons neither
        for n, (characters, stage) in zip(chosen, rows, strict=True):
            start_game(self._games[n : n + 1], self._tables, matchups[n], characters, stage, int(seeds[n]))
            self._blank(n, matchups[n])
        self._done[chosen] = False
        publish_batch(self._games, self._tables, self._frames, mask)
        return self._frames

    def _matchup_rows(self, matchup: NDArray[np.void]) -> tuple[tuple[int, int], int]:
        wanted = [int(c) for c in matchup["character"]]
        if any(c not in self._rows for c in wanted):
            names = ", ".join(character_name(c) for c in wanted)
            raise UnsupportedMatchup(f"the simulator cannot play {names}; it can play {', '.join(CHARACTERS)}")
        if matchup["cpu_level"].any():
            raise UnsupportedMatchup("the simulator has no CPU players; they play on the backends dolphin and standin")
        stage = int(matchup["stage"])
        if stage not in self._stage_rows:
            raise UnsupportedMatchup(f"the simulator has no stage {stage}; it has {', '.join(STAGES)}")
        return (self._rows[wanted[0]], self._rows[wanted[1]]), self._stage_rows[stage]

    def _blank(self, n: int | np.intp, matchup: NDArray[np.void]) -> None:
        """Fields of a frame that stay as they are for a whole game."""
        frame = self._frames[n : n + 1]
        frame[...] = empty_frames(1)
        frame["stage"] = matchup["stage"]
        frame["seed"] = self._games[n]["seed"] & 0xFFFFFFFF
        frame["ports"] = PORTS
        frame["players"]["character"][0, :SEATS, LEADER] = matchup["character"]

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        """Advance every running game one frame; see Backend.step."""
        step_batch(self._games, self._tables, controllers, _IDLE, self._frames, self._done)
        return self._frames

    @property
    def done(self) -> NDArray[np.bool_]:
        """[N], True from the frame that ended the game until its reset."""
        return self._done

    @property
    def result(self) -> NDArray[np.void]:
        """[N] RESULT; valid where `done`."""
        games, result = self._games, self._result
        result["ended_by"], result["winner"] = games["ended_by"], games["winner"]
        result["stocks"], result["percent"] = games["fighters"]["stocks"], games["fighters"]["percent"]
        result["frames"] = games["frames_played"]
        return result

    def take_faults(self) -> dict[str, int]:
        """A computation does not break."""
        return {}

    def save(self) -> bytes:
        """Whole state: games, frames, which are done."""
        return self._games.tobytes() + self._frames.tobytes() + self._done.tobytes()

    def restore(self, state: bytes) -> NDArray[np.void]:
        """Back to a state saved by a backend of as many games. Raises ValueError for another size."""
        count = self.num_games
        wanted = count * (GAME.itemsize + FRAME.itemsize + 1)
        if len(state) != wanted:
            raise ValueError(f"a saved state of {count} games has {wanted} bytes, this one {len(state)}")
        games_end = count * GAME.itemsize
        frames_end = games_end + count * FRAME.itemsize
        self._games[...] = np.frombuffer(state[:games_end], GAME)
        self._frames[...] = np.frombuffer(state[games_end:frames_end], FRAME)
        self._done[...] = np.frombuffer(state[frames_end:], np.bool_)
        return self._frames

    def close(self) -> None:
        """Nothing to release."""
