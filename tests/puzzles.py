"""Games whose best play is known, behind the Backend contract: they say whether the learning engine can learn at all.

Both seats get puzzles of their own. A point for a seat is a percent of damage to the other one, so that the reward
of weight 1 on damage is points made minus points of the opponent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.backend import MATCHUP, RESULT, EndedBy
from envs.frame import FIRST_PLAYABLE_FRAME, LEADER, SEATS, empty_frames

LEFT, MIDDLE, RIGHT = range(3)


class Puzzle:
    """N games of `length` frames. A subclass shows something in the frame and scores the stick."""

    name = "puzzle"
    version = "puzzle-1"
    length = 16

    def __init__(self, num_games: int) -> None:
        self.num_games = num_games
        self._frames = empty_frames(num_games)
        self.done = np.zeros(num_games, np.bool_)
        self.result = np.zeros(num_games, RESULT)
        self.age = np.zeros(num_games, np.int64)
        self.random = np.random.default_rng(0)
        self.points = 0.0
        """Sum of all points so far, both seats."""

    @property
    def players(self) -> NDArray[np.void]:
        return self._frames["players"][:, :, LEADER]

    def begin(self, games: NDArray[np.int64]) -> None:
        """New puzzles in these games."""

    def show(self) -> None:
        """Write what the players see into the frames."""

    def score(self, choice: NDArray[np.int64]) -> NDArray[np.float64]:
        """Points [N, P] for choices [N, P] of LEFT, MIDDLE, RIGHT."""
        raise NotImplementedError

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        assert matchups.dtype == MATCHUP
        games = np.flatnonzero(mask)
        blank = empty_frames(1)[0]
        blank["frame"], blank["stage"], blank["ports"] = FIRST_PLAYABLE_FRAME, 32, (0, 1)
        for name, value in (("character", 1), ("stocks", 4), ("action", 14), ("percent", 0), ("airborne", 0)):
            blank["players"][name][:, LEADER] = value
        self._frames[games] = blank
        self.done[games], self.age[games] = False, 0
        self.begin(games)
        self.show()
        return self._frames

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        stick = controllers["stick_x"]
        points = self.score(np.where(stick < -0.5, LEFT, np.where(stick > 0.5, RIGHT, MIDDLE)))
        self.points += points.sum()
        for seat in range(SEATS):
            self.players["percent"][:, seat] += np.maximum(-points[:, seat], 0) + np.maximum(points[:, 1 - seat], 0)
        self.players["controller"][...] = controllers
        self.age += 1
        self.done[:] = self.age >= self.length
        self.result["ended_by"], self.result["winner"], self.result["frames"] = EndedBy.TIMER, -1, self.age
        self.show()
        return self._frames

    def take_faults(self) -> dict[str, int]:
        return {}

    def save(self) -> bytes:
        raise NotImplementedError

    def restore(self, state: bytes) -> NDArray[np.void]:
        raise NotImplementedError

    def close(self) -> None: ...


class Memory(Puzzle):
    """A side is shown on the first two frames; ten frames later, when asked, the stick must point there."""

    length = 13
    asked_at = 11

    def begin(self, games: NDArray[np.int64]) -> None:
        if not hasattr(self, "side"):
            self.side = np.zeros((self.num_games, SEATS), np.int64)
        self.side[games] = self.random.choice([LEFT, RIGHT], (len(games), SEATS))

    def show(self) -> None:
        cue = np.where(self.side == LEFT, -50.0, 50.0)
        self.players["y"] = np.where(self.age[:, None] < 2, cue, 0.0)
        self.players["shield"] = np.where(self.age == self.asked_at, 60.0, 0.0)[:, None]

    def score(self, choice: NDArray[np.int64]) -> NDArray[np.float64]:
        asked = self.age[:, None] == self.asked_at
        return np.where(asked, np.where(choice == self.side, 1.0, -1.0), 0.0)


class Lamp(Puzzle):
    """A lamp goes out when the stick is pushed right, for six to ten frames; pushing right while it is out costs."""

    length = 64

    def __init__(self, num_games: int) -> None:
        super().__init__(num_games)
        self.dark = np.zeros((num_games, SEATS), np.int64)
        self.lit = 0
        """Times that a lamp came on."""

    def begin(self, games: NDArray[np.int64]) -> None:
        self.dark[games] = self.random.integers(1, 9, (len(games), SEATS))

    def show(self) -> None:
        self.players["shield"] = np.where(self.dark == 0, 60.0, 0.0)

    def score(self, choice: NDArray[np.int64]) -> NDArray[np.float64]:
        pushed, on = choice == RIGHT, self.dark == 0
        self.lit += int((self.dark == 1).sum())
        self.dark = np.where(on & pushed, self.random.integers(6, 11, self.dark.shape), np.maximum(self.dark - 1, 0))
        return np.where(pushed, np.where(on, 1.0, -1.0), 0.0)


class BiasedRockPaperScissors(Puzzle):
    """Rock beats scissors for two points, paper rock and scissors paper for one.

    Equilibrium: rock 1/4, paper 1/2, scissors 1/4 (each option then earns nothing against it).
    """

    length = 8
    payoff = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    equilibrium = np.array([0.25, 0.5, 0.25])

    def __init__(self, num_games: int) -> None:
        super().__init__(num_games)
        self.chosen = np.zeros(3)
        """How often each was chosen."""

    def score(self, choice: NDArray[np.int64]) -> NDArray[np.float64]:
        self.chosen += np.bincount(choice.ravel(), minlength=3)
        gain = self.payoff[choice[:, 0], choice[:, 1]]
        return np.stack([np.maximum(gain, 0), np.maximum(-gain, 0)], 1)
