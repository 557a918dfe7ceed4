"""A tiny game behind the Backend contract: deterministic, quick, and enough to end in every way.

Fighters walk along a line (stick x); a fresh A press within reach deals 10 %, the hit at or above 100 % takes
a stock. Nothing else of Melee is in it: tests that need Melee use the simulator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.backend import MATCHUP, RESULT, EndedBy, Fault
from envs.frame import FIRST_PLAYABLE_FRAME, FRAME, LEADER, SEATS, empty_frames
from envs.game import Button

REACH_UNITS = 12.0
_WALL_UNITS = 80.0
_WAIT_ACTION = 14


class FakeBackend:
    """N games of the line game. `fault_at` ends every game with a fault after so many frames."""

    name = "fake"
    version = "fake-1"

    def __init__(self, num_games: int, fault_at: int | None = None) -> None:
        self.num_games = num_games
        self._fault_at = fault_at
        self._frames = empty_frames(num_games)
        self._done = np.zeros(num_games, np.bool_)
        self._result = np.zeros(num_games, RESULT)
        self._limit = np.zeros(num_games, np.int32)
        self._played = np.zeros(num_games, np.int32)

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        assert matchups.dtype == MATCHUP
        for n in np.flatnonzero(mask):
            self._start(n, matchups[n], int(seeds[n]))
        return self._frames

    def _start(self, n: int, matchup: NDArray[np.void], seed: int) -> None:
        frame = empty_frames(1)[0]
        frame["frame"] = FIRST_PLAYABLE_FRAME - 1
        frame["stage"], frame["seed"], frame["ports"] = matchup["stage"], seed % 2**32, (0, 1)
        frame["frames_left"] = matchup["time_limit_frames"] or -1
        jitter = np.random.default_rng(seed).uniform(-5, 5)
        for seat in range(SEATS):
            player = frame["players"][seat, LEADER]
            side = -1.0 if (seat == 0) != bool(matchup["swap_start"]) else 1.0
            player["character"], player["stocks"] = matchup["character"][seat], matchup["stocks"]
            player["x"], player["y"], player["facing"] = side * 30.0 + jitter, 0.0, -side
            for name in ("percent", "shield", "state_age", "hitlag", "misc_timer", "speed_air_x", "speed_y"):
                player[name] = 0.0
            player["action"], player["airborne"], player["jumps_left"] = _WAIT_ACTION, 0, 2
        self._frames[n] = frame
        self._done[n], self._played[n] = False, 0
        self._result[n] = np.zeros((), RESULT)
        self._limit[n] = matchup["time_limit_frames"]

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        assert controllers.shape == (self.num_games, SEATS)
        live = ~self._done
        players = self._frames["players"][:, :, LEADER]
        pressed = controllers["buttons"] & ~players["controller"]["buttons"] & int(Button.A)
        x = np.clip(players["x"] + controllers["stick_x"], -_WALL_UNITS, _WALL_UNITS)
        players["x"][live] = x[live]
        players["controller"][live] = controllers[live]
        near = np.abs(players["x"][:, 0] - players["x"][:, 1]) < REACH_UNITS
        for seat in range(SEATS):
            self._strike(live & near & (pressed[:, seat] != 0), 1 - seat)
        self._frames["frame"][live] += 1
        self._played[live] += 1
        self._finish(live)
        return self._frames

    def _strike(self, hit: NDArray[np.bool_], seat: int) -> None:
        victim = self._frames["players"][:, seat, LEADER]
        fatal = hit & (victim["percent"] >= 100)
        victim["percent"][hit] += 10
        victim["percent"][fatal] = 0
        victim["stocks"][fatal] -= 1
        victim["x"][fatal] = 60.0 * (1 if seat else -1)

    def _finish(self, live: NDArray[np.bool_]) -> None:
        players = self._frames["players"][:, :, LEADER]
        stocks, percent = players["stocks"], players["percent"]
        out = (stocks <= 0).any(axis=1)
        late = (self._limit > 0) & (self._played >= self._limit)
        fault = np.zeros_like(out) if self._fault_at is None else self._played >= self._fault_at
        score = stocks * 1000.0 - percent
        lead = np.sign(score[:, 0] - score[:, 1])
        winner = np.select([lead > 0, lead < 0], [0, 1], -1)
        for mask, why in ((out, EndedBy.STOCKS), (late & ~out, EndedBy.TIMER), (fault, EndedBy.FAULT)):
            ending = live & mask
            self._done[ending] = True
            self._result["ended_by"][ending] = why
            self._result["winner"][ending] = -1 if why is EndedBy.FAULT else winner[ending]
        self._frames["fault"][live & fault] = Fault.LOST
        self._result["stocks"], self._result["percent"], self._result["frames"] = stocks, percent, self._played

    @property
    def done(self) -> NDArray[np.bool_]:
        return self._done

    @property
    def result(self) -> NDArray[np.void]:
        return self._result

    def take_faults(self) -> dict[str, int]:
        return {}

    def save(self) -> bytes:
        return b"".join(a.tobytes() for a in self._arrays())

    def restore(self, state: bytes) -> NDArray[np.void]:
        at = 0
        for array in self._arrays():
            array[...] = np.frombuffer(state, array.dtype, array.size, at).reshape(array.shape)
            at += array.nbytes
        return self._frames

    def _arrays(self) -> tuple[NDArray, ...]:
        assert self._frames.dtype == FRAME
        return self._frames, self._done, self._result, self._limit, self._played

    def close(self) -> None: ...
