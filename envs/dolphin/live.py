"""One emulator in real time, for those who play on it: frames as they come, inputs whenever they are ready.

The owner decides what is waited for: `wait` comes back with a frame, with the end of the game, when something else
that the owner watches has happened, or when its time is up. Dolphin keeps the time; nothing here slows it down, unless
`lockstep` makes it wait for the inputs of every frame.
"""

from __future__ import annotations

import select
import time
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.dolphin.build import check_display, check_iso, find_build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Plant, Plug
from envs.dolphin.home import run_dir, sweep
from envs.dolphin.instance import Instance, State
from envs.dolphin.menu import GameOrder
from envs.dolphin.person import Account
from envs.dolphin.posix import require_linux
from envs.frame import SEATS, empty_frames, words_i32

TICK_S: Final = 0.05
"""Seconds between two looks at the clock."""
_STATES: Final = {
    State.STARTING: "starting Dolphin",
    State.BOOTING: "Dolphin boots",
    State.MENU: "in the menus",
    State.PLAYING: "playing",
    State.QUITTING: "leaving the game",
    State.SETTLING: "leaving the game",
    State.IDLE: "the game is over",
}


def make_plant(name: str, config: DolphinConfig, account: Account | None = None) -> Plant:
    """What an emulator of the backend `name` (dolphin, standin) is made of, checked. Raises DolphinSetupError."""
    require_linux()
    folder = run_dir(config.run_dir)
    sweep(folder)
    if name == "standin":
        from envs.dolphin.standin.backend import standin_config
        from envs.dolphin.standin.content import simulator
        from envs.dolphin.standin.scenario import Scenario

        simulator()  # compiled here rather than in the stand-in while its boot is waited for
        config = standin_config(config, folder, Scenario())
    build = find_build(config, folder)
    if name != "standin":
        check_display(config, build)
    return Plant(config, build, check_iso(config.iso), folder, account)


class LiveMatch:
    """Games of one emulator, one after another. Faults end a game (`result` says FAULT); see Instance."""

    def __init__(self, plant: Plant, plugs: tuple[Plug, ...] = ()) -> None:
        """plugs: what is in the controller ports; default two pads of ours. The emulator starts with the first game."""
        self.frames = empty_frames(1)
        """[1] FRAME: the newest frame of the game, before the first one what `envs.dolphin.waiting` shows."""
        self._instance = Instance(plant, words_i32(self.frames)[0], plugs)
        self._next_tick = 0.0
        self.replay_folders: list[Path] = []
        """Where Slippi's replays lie, emulator by emulator; whole after `close`."""

    def begin(self, order: GameOrder, stocks: int, time_limit_frames: int) -> None:
        """Head for a game; see Instance.begin."""
        self._instance.begin(order, stocks, time_limit_frames)

    def wait(self, until_s: float, wake: int | None = None) -> bool:
        """Whether a new frame is there, or the game is over; comes back at `until_s` (time.monotonic) at the latest.

        wake: a descriptor; when it is readable the wait is over too. Raises BackendLost, DolphinSetupError.
        """
        while True:
            now = time.monotonic()
            if now >= self._next_tick:
                self._tick(now)
            if self._instance.fresh or self.done:
                return True
            if now >= until_s:
                return False
            if wake in self._ready(min(until_s, self._next_tick) - now, wake):
                return False

    def _ready(self, left_s: float, wake: int | None) -> list[int]:
        """Descriptors that became readable; the emulator's have been read from."""
        poll, own = select.poll(), self._instance.descriptors
        for descriptor in (*own, *(() if wake is None else (wake,))):
            poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(max(left_s, 0.0) * 1000)]
        if any(descriptor in own for descriptor in ready):
            self._instance.read()
        return ready

    def _tick(self, now: float) -> None:
        self._next_tick = now + TICK_S
        self._instance.tick(now)
        emulator = self._instance.emulator
        if emulator is not None and emulator.replays is not None and emulator.replays not in self.replay_folders:
            self.replay_folders.append(emulator.replays)

    def press(self, controllers: NDArray[np.void]) -> None:
        """Hold these inputs [P] CONTROLLER from now on; takes note that the newest frame was seen."""
        self._instance.send(controllers.view(np.int32).reshape(SEATS, -1).tolist())

    @property
    def playing(self) -> bool:
        """Whether the game runs and takes inputs."""
        return self._instance.state is State.PLAYING and not self._instance.done

    @property
    def status(self) -> str:
        """Where it is, for a person to read."""
        return _STATES[self._instance.state]

    @property
    def done(self) -> bool:
        """Whether the game that was begun is over."""
        return self._instance.done

    @property
    def result(self) -> NDArray[np.void]:
        """RESULT (no shape); valid when `done`."""
        return self._instance.result

    @property
    def faults(self) -> dict[str, int]:
        """What broke so far, by kind."""
        return {str(kind): count for kind, count in self._instance.tally.faults.items()}

    def processes(self) -> list[int]:
        """Ids of everything that runs for it now."""
        emulator = self._instance.emulator
        return [] if emulator is None else emulator.processes()

    def close(self) -> None:
        """End everything and make its replays whole; may be called again."""
        self._instance.close()
