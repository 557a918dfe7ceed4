"""A two-fighter game of the simulator that a test can set up, every field of the state at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.backend import MATCHUP, Matchup
from envs.controller import CONTROLLER
from envs.frame import FRAME
from envs.game import Button
from envs.sim.batch import SimBackend
from envs.sim.layout import GAME

FLOOR = 1e-4
NEUTRAL = np.zeros((), CONTROLLER)


def pad(*buttons: Button, **axes: float) -> NDArray[np.void]:
    """A controller with buttons down and axes set (stick_x, stick_y, c_x, c_y, shoulder)."""
    controller = np.zeros((), CONTROLLER)
    controller["buttons"] = int(sum(int(button) for button in buttons))
    for axis, value in axes.items():
        controller[axis] = value
    return controller


class Duel:
    """One game on Final Destination, both fighters standing, `gap` apart and facing each other."""

    def __init__(self, gap: float = 8.0, percent: float = 0.0, characters: tuple[str, str] = ("FOX", "FOX")) -> None:
        self.backend = SimBackend(1)
        matchups = np.zeros(1, MATCHUP)
        matchups[:] = Matchup(characters=characters).row()
        self.backend.reset(np.ones(1, np.bool_), matchups, np.array([7], np.uint64))
        self.put(0, x=0.0, prev_x=0.0, facing=1.0)
        self.put(1, x=gap, prev_x=gap, facing=-1.0, percent=percent)

    def put(self, seat: int, **fields: Any) -> None:
        """Set fields of a fighter's state record."""
        state = bytearray(self.backend.save())
        game = np.frombuffer(memoryview(state)[: GAME.itemsize], GAME)
        for name, value in fields.items():
            game["fighters"][name][0, seat] = value
        self.backend.restore(bytes(state))

    def get(self, seat: int, field: str) -> Any:
        """A field of a fighter's state record."""
        game = np.frombuffer(self.backend.save()[: GAME.itemsize], GAME)
        return game["fighters"][field][0, seat]

    def step(self, first: NDArray[np.void] = NEUTRAL, second: NDArray[np.void] = NEUTRAL) -> NDArray[np.void]:
        """One frame; returns the leaders [P] PLAYER of the published frame."""
        pads = np.stack([first, second]).reshape(1, 2)
        frames = self.backend.step(pads)
        assert frames.dtype == FRAME
        self.items = frames["items"][0].copy()
        return frames["players"][0, :, 0].copy()

    def attack(self, *pads: NDArray[np.void], foe: NDArray[np.void] = NEUTRAL, limit: int = 60) -> NDArray[np.void]:
        """Give seat 0 these inputs, then nothing, until seat 1's percent rises; returns that frame's leaders."""
        before = self.get(1, "percent")
        for frame in range(limit):
            players = self.step(pads[frame] if frame < len(pads) else NEUTRAL, foe)
            if players["percent"][1] > before:
                return players
        raise AssertionError("the attack never hit")


UP_SMASH = pad(Button.A, stick_y=1.0)
JAB = pad(Button.A)
FORWARD_SMASH = pad(Button.A, stick_x=1.0)
SHINE = pad(Button.B, stick_y=-1.0)
