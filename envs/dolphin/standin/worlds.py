"""What advances the stand-in's games frame by frame: our simulator, or fighters who stand still."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, EndedBy, Matchup
from envs.controller import CONTROLLER
from envs.frame import FIRST_FRAME, LEADER, SEATS, empty_frames

STOCKS: Final = 4
TIME_LIMIT_FRAMES: Final = 480 * 60
_STANDING: Final = 14


class World(Protocol):
    """A backend of one game, or as much of it as is needed."""

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        """See envs.backend.Backend."""
        ...

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        """See envs.backend.Backend."""
        ...

    @property
    def done(self) -> NDArray[np.bool_]: ...

    @property
    def result(self) -> NDArray[np.void]: ...


class StillWorld:
    """Fighters who stand where they are while the second one loses a stock every quarter of the game."""

    def __init__(self, length: int) -> None:
        """length: frames of a game."""
        self._length = length
        self._frames = empty_frames(1)
        self.done, self.result = np.ones(1, np.bool_), np.zeros(1, RESULT)

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        """See World."""
        self._frames = empty_frames(1)
        frame, leaders = self._frames[0], self._frames[0]["players"][:, LEADER]
        frame["frame"], frame["stage"], frame["seed"] = FIRST_FRAME, matchups[0]["stage"], int(seeds[0]) & 0xFFFFFFFF
        frame["frames_left"], frame["ports"] = TIME_LIMIT_FRAMES, (0, 1)
        for name in leaders.dtype.names or ():
            leaders[name] = np.zeros_like(leaders[name])
        leaders["character"], leaders["action"] = matchups[0]["character"], _STANDING
        leaders["stocks"], leaders["shield"], leaders["jumps_left"] = STOCKS, 60.0, 2
        leaders["x"], leaders["facing"], leaders["last_hit_by"] = (-30.0, 30.0), (1.0, -1.0), 6
        self.done[0] = False
        return self._frames

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        """See World."""
        frame = self._frames[0]
        frame["frame"] += 1
        played = int(frame["frame"]) - FIRST_FRAME + 1
        frame["frames_left"] = TIME_LIMIT_FRAMES - max(int(frame["frame"]), 0)
        leaders = frame["players"][:, LEADER]
        leaders["controller"] = controllers[0]
        leaders["stocks"][1] = max(STOCKS - played * STOCKS // self._length, 0)
        if leaders["stocks"][1] == 0:
            self.done[0] = True
            self.result[0] = (EndedBy.STOCKS, 0, leaders["stocks"], leaders["percent"], played)
        return self._frames


def simulator() -> World:
    """Our simulator, compiled and loaded: it has played a frame."""
    from envs.sim.batch import SimBackend

    world, every = SimBackend(1), np.ones(1, np.bool_)
    world.reset(every, Matchup().row()[None], np.zeros(1, np.uint64))
    world.step(np.zeros((1, SEATS), CONTROLLER))
    return world
