"""`DolphinBackend`: N emulators behind the contract of `envs.backend`, sent to together and then awaited together.

A step gives every running game its inputs and waits until each has answered with a frame, or is late. What is late, in
its menus, or without an emulator does not hold up the others: such a game is served on the way and shows its last frame
again, or `envs.dolphin.waiting` before its first. Only when no game has a frame does a step wait for one.
"""

from __future__ import annotations

import select
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, UnsupportedMatchup
from envs.dolphin.build import Build, check_display, check_iso, find_build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Plant
from envs.dolphin.home import run_dir, sweep
from envs.dolphin.instance import Instance
from envs.dolphin.link import Link
from envs.dolphin.menu import GameOrder
from envs.dolphin.pads import NEUTRAL
from envs.dolphin.posix import require_linux
from envs.frame import SEATS, empty_frames, words_i32
from envs.game import EXTERNAL_ID, LEGAL_STAGES, stage_name

TICK_S: Final = 0.05
"""Seconds between two looks at the clock of every instance."""
STOCKS: Final = 4
TIME_LIMIT_FRAMES: Final = 480 * 60
"""What Slippi's games are played with; a matchup may have less, not more."""
_CONTROLLER_WORDS: Final = len(NEUTRAL)


class DolphinBackend:
    """N two-player games on N emulators. See envs.backend.Backend; seeds mean nothing here, Melee draws its own."""

    name = "dolphin"

    def __init__(self, num_games: int, config: DolphinConfig) -> None:
        """Checks everything that can be checked; emulators start with their first game. Raises DolphinSetupError."""
        require_linux()
        if num_games < 1:
            raise ValueError(f"num_games must be at least 1, not {num_games}")
        self.num_games, self.config = num_games, config
        folder = run_dir(config.run_dir)
        sweep(folder)
        build, iso = self._installation(config, folder)
        self.version = build.label
        self._frames = empty_frames(num_games)
        words = words_i32(self._frames)
        plant = Plant(config, build, iso, folder)
        self.instances = [Instance(plant, words[n]) for n in range(num_games)]
        self._done = np.ones(num_games, np.bool_)
        self._result = np.zeros(num_games, RESULT)
        self._exchange = plant.exchange
        self._poll = select.poll()
        self._watched: dict[int, Instance] = {}
        self._by_link: dict[Link, Instance] = {}
        self._next_tick = 0.0
        self._told_faults: Counter[str] = Counter()

    def _installation(self, config: DolphinConfig, folder: Path) -> tuple[Build, Path]:
        build = find_build(config, folder)
        check_display(config, build)
        return build, check_iso(config.iso)

    def refuse(self, matchups: NDArray[np.void]) -> None:
        """Raises UnsupportedMatchup; see Backend.refuse."""
        for matchup in matchups:
            self._order(matchup)

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        """Start new games where mask [N]; see Backend.reset. A game that still runs is left.

        Comes back when a game runs: with one game this is its first frame. Raises UnsupportedMatchup before any game
        changes; BackendLost, DolphinSetupError.
        """
        chosen = [int(n) for n in np.flatnonzero(mask)]
        orders = [self._order(matchups[n]) for n in chosen]
        for n, order in zip(chosen, orders, strict=True):
            self._begin(n, order, matchups[n])
        self._serve()
        return self._frames

    def _begin(self, n: int, order: GameOrder, matchup: NDArray[np.void]) -> None:
        self._done[n] = False
        self.instances[n].begin(order, int(matchup["stocks"]), int(matchup["time_limit_frames"]))

    def _order(self, matchup: NDArray[np.void]) -> GameOrder:
        first, second = (int(character) for character in matchup["character"])
        unknown = [character for character in (first, second) if character not in EXTERNAL_ID]
        if unknown:
            raise UnsupportedMatchup(f"character {unknown[0]} (internal id) cannot be picked in Melee's menus")
        if int(matchup["stage"]) not in LEGAL_STAGES:
            names = ", ".join(stage_name(stage) for stage in LEGAL_STAGES)
            raise UnsupportedMatchup(f"stage {int(matchup['stage'])} is not picked; there are {names}")
        self._check_rules(matchup)
        ports = (1, 0) if matchup["swap_start"] else (0, 1)
        one, other = (int(level) for level in matchup["cpu_level"])
        return GameOrder((first, second), int(matchup["stage"]), ports, cpu_levels=(one, other))

    def _check_rules(self, matchup: NDArray[np.void]) -> None:
        if matchup["stocks"] > STOCKS or matchup["time_limit_frames"] > TIME_LIMIT_FRAMES:
            raise UnsupportedMatchup(
                "Slippi's games have 4 stocks and 480 seconds: set game.stocks and time_limit_s to less"
            )

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        """Advance every game that has had its frame; see Backend.step. Raises BackendLost, DolphinSetupError."""
        inputs = controllers.view(np.int32).reshape(self.num_games, SEATS, _CONTROLLER_WORDS).tolist()
        for instance, pads in zip(self.instances, inputs, strict=True):
            if instance.fresh and not instance.done:
                instance.send(pads)
            elif not instance.done:
                instance.tally.waiting_steps += 1
        self._serve()
        return self._frames

    def _serve(self) -> None:
        """Take messages until every running game has its frame or is late, and at least one has something to show."""
        pressing = self.instances
        while True:
            now = time.monotonic()
            if now >= self._next_tick:
                self._tick(now)
                pressing = self.instances  # a game may have begun
            pressing = [instance for instance in pressing if instance.presses(now)]
            if not pressing and self._something_to_show():
                break
            self._read()
        for n, instance in enumerate(self.instances):
            if instance.done != self._done[n]:
                self._done[n] = instance.done
                if instance.done:
                    self._result[n] = instance.result

    def _something_to_show(self) -> bool:
        """Whether a game has a new frame, or is over and was not at the last step; True if none can have."""
        hopes = False
        for n, instance in enumerate(self.instances):
            if (instance.fresh and not instance.done) or (instance.done and not self._done[n]):
                return True
            hopes |= instance.due or instance.waiting
        return not hopes

    def _tick(self, now: float) -> None:
        self._next_tick = now + TICK_S
        for instance in self.instances:
            instance.tick(now)
        self._watch()

    def _watch(self) -> None:
        """Keep the poll's descriptors those of the emulators that run."""
        running = ((instance.emulator, instance) for instance in self.instances)
        self._by_link = {emulator.link: instance for emulator, instance in running if emulator is not None}
        current = {fd: instance for instance in self.instances for fd in instance.descriptors}
        if current == self._watched:
            return
        self._poll = select.poll()
        for descriptor in current:
            self._poll.register(descriptor, select.POLLIN)
        self._watched = current

    def _read(self) -> None:
        """Give every instance what has come for it, or wait for it until the next tick."""
        left_s = max(self._next_tick - time.monotonic(), 0.0)
        ready, exchange = self._poll.poll(left_s * 1000), self._exchange.fileno()
        changed = False
        for descriptor, _ in ready:
            if descriptor == exchange:
                self._exchange.take()
            else:
                changed |= _read_one(self._watched[descriptor])
        for link in self._exchange.mail():
            while link.inbox and link in self._by_link:
                changed |= _read_one(self._by_link[link])
        if changed:
            self._watch()

    @property
    def done(self) -> NDArray[np.bool_]:
        """[N], True from the frame that ended the game until its reset."""
        return self._done

    @property
    def result(self) -> NDArray[np.void]:
        """[N] RESULT; valid where `done`."""
        return self._result

    def take_faults(self) -> dict[str, int]:
        """Faults since the last call, by FaultKind; see Backend.take_faults."""
        every = sum((instance.tally.faults for instance in self.instances), Counter[str]())
        new, self._told_faults = every - self._told_faults, every
        return {str(kind): count for kind, count in new.items()}

    def save(self) -> bytes:
        """Emulators cannot be saved."""
        raise NotImplementedError("a running Dolphin cannot be saved")

    def restore(self, state: bytes) -> NDArray[np.void]:
        """Emulators cannot be saved."""
        raise NotImplementedError("a running Dolphin cannot be restored")

    def close(self) -> None:
        """End all emulators and leave nothing behind; may be called again."""
        for instance in self.instances:
            instance.close(wait_s=0.0)
        for instance in self.instances:
            instance.close()

    def figures(self) -> dict[str, Any]:
        """What the emulators have been through, summed: boots, games, frames, faults by kind, speed, memory."""
        tallies = [instance.tally for instance in self.instances]
        running = [instance.emulator for instance in self.instances if instance.emulator is not None]
        return {
            "boots": sum(tally.boots for tally in tallies),
            "games": sum(tally.games for tally in tallies),
            "frames": sum(tally.frames for tally in tallies),
            "waiting_steps": sum(tally.waiting_steps for tally in tallies),
            "recycled": sum(tally.recycled for tally in tallies),
            "faults": dict(sum((tally.faults for tally in tallies), Counter())),
            "emulator_fps": float(np.mean([tally.emulator_fps for tally in tallies])),
            "resident_mib": max((emulator.resident_mib() for emulator in running), default=0.0),
        }


def _read_one(instance: Instance) -> bool:
    """Whether its emulator was lost over it."""
    emulator = instance.emulator
    instance.read()
    return instance.emulator is not emulator
