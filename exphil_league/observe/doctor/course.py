"""Checks on one running emulator: boot, menus, inputs, two games, speed, memory, its end by force, what is left."""

from __future__ import annotations

import time
from typing import Final

from envs.backend import EndedBy
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import FaultKind
from envs.dolphin.health import SLOW_FPS
from envs.dolphin.instance import State
from envs.dolphin.self_test import ENOUGH
from exphil_league.observe.doctor.check import Answer, Check, Trouble, bad, fine
from exphil_league.observe.doctor.installation import Installation
from exphil_league.observe.doctor.patient import GONE_S, Patient, to_the_left

GAME_LIMIT_FRAMES: Final = 1200
SPEED_S, SPEED_FRAMES = 3.0, 600
"""How long frames are counted, whichever is over first."""
REAL_TIME_FPS: Final = 60.0
ENDURED: Final = 0.9
"""Share of real time that a build with a window must reach."""
NOTICED_S: Final = 5.0
READY: Final = ("dolphin", "iso", "display", "ports", "pipes")
_KILLED: Final = {FaultKind.EXITED, FaultKind.PAD, FaultKind.DISCONNECTED}
"""How an emulator that was killed may show."""


class Course:
    """One emulator, from its boot to its end."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._patient: Patient | None = None
        self.frames = 0
        """Frames of games, once all is over."""
        self.processes_left = 0

    def checks(self) -> list[Check]:
        """In the order in which they are to be asked."""
        config = self._config
        boot_s = config.boot_timeout_s + 10
        game_s = 2 * boot_s + GAME_LIMIT_FRAMES / REAL_TIME_FPS + config.frame_timeout_s
        return [
            Check("boot", self.boot, READY, boot_s),
            Check("menus", self.menus, ("boot",), 2 * boot_s),
            Check("inputs", self.inputs, ("menus",), boot_s),
            Check("game", self.game, ("inputs",), game_s),
            Check("memory", self.memory, ("game",)),
            Check("next game", self.next_game, ("game",), game_s),
            Check("speed", self.speed, ("next game",), 2 * SPEED_S + config.frame_timeout_s),
            Check("kill and restart", self.restart, ("next game",), NOTICED_S + 3 * boot_s),
            Check("nothing left", self.nothing_left, (), 30.0),
        ]

    def close(self) -> None:
        """End what still runs; may be called again."""
        if self._patient is not None:
            self._patient.close()
            self.frames = self._patient.frames

    @property
    def _config(self) -> DolphinConfig:
        return self._installation.config

    @property
    def _emulator(self) -> Patient:
        assert self._patient is not None
        return self._patient

    def boot(self) -> Answer:
        """From the start to an answer of its spectator server, with both pads opened."""
        self._patient = Patient(self._installation.plant())
        began = time.monotonic()
        self._patient.begin(stocks=1, time_limit_frames=GAME_LIMIT_FRAMES)
        instance = self._patient.instance
        self._patient.until(lambda: instance.state not in (State.STARTING, State.BOOTING) and not instance.done)
        took_s = time.monotonic() - began
        return fine(f"answers on port {self._patient.emulator.port} after {took_s:.1f} s, both pads are opened")

    def menus(self) -> Answer:
        """Through the menus into a game, and its fighters are those that were picked."""
        patient, began = self._emulator, time.monotonic()
        patient.until(lambda: patient.in_game)
        return fine(f"Fox against Fox on Final Destination after {time.monotonic() - began:.1f} s")

    def inputs(self) -> Answer:
        """Do both pads arrive unchanged, and how many frames later?"""
        patient, check = self._emulator, self._emulator.instance.inputs
        assert check is not None, "the self-test is on"
        patient.until(lambda: bool(check.reports))
        reports = check.reports.values()
        told = ", ".join(
            f"seat {seat}: sticks {report.sticks:.0%}, buttons {report.buttons:.0%}, triggers {report.trigger:.0%}, "
            f"lag {report.lag_frames}"
            for seat, report in check.reports.items()
        )
        late = any(report.lag_frames != 1 + self._config.online_delay_frames for report in reports)
        if late:
            return bad(f"{told}; expected lag {1 + self._config.online_delay_frames}", "try another build")
        dropped = any(report.trigger < ENOUGH for report in reports)
        return fine(told, "analog triggers are dropped: mainline builds and EXI inputs pass them" if dropped else "")

    def game(self) -> Answer:
        """One stock: the first player walks off the stage."""
        patient, before = self._emulator, self._emulator.frames
        instance = patient.instance
        patient.until(lambda: instance.done and instance.result["ended_by"] != EndedBy.FAULT, to_the_left())
        how = "a stock was lost" if instance.result["ended_by"] == EndedBy.STOCKS else "its time was up"
        return fine(f"{how} after {patient.frames - before} more frames")

    def memory(self) -> Answer:
        """Resident memory of the emulator after a game; with more than the soft limit it would be replaced now."""
        found = f"{self._emulator.emulator.resident_mib():.0f} MiB resident after {self._emulator.frames} frames"
        if not self._too_big():
            return fine(found)
        limit_mib = self._config.soft_memory_mib
        return bad(found, f"raise game.dolphin.soft_memory_mib above it ({limit_mib} now), or take fewer instances")

    def _too_big(self) -> bool:
        return self._emulator.emulator.resident_mib() > self._config.soft_memory_mib

    def next_game(self) -> Answer:
        """The game is left with L+R+A+START, and the same emulator plays another."""
        patient, began = self._emulator, time.monotonic()
        boots, too_big = patient.instance.tally.boots, self._too_big()
        patient.begin()
        patient.until(lambda: patient.in_game)
        took_s = time.monotonic() - began
        if patient.instance.tally.boots == boots:
            return fine(f"left with L+R+A+START, the next runs after {took_s:.1f} s")
        if too_big:
            return fine(f"the emulator was replaced for its memory, the next game runs after {took_s:.1f} s")
        return fine(
            f"the game could not be left; a new emulator plays the next after {took_s:.1f} s",
            "rating games that end early will cost a restart each; an up to date Slippi may leave them",
        )

    def speed(self) -> Answer:
        """Frames a second in lock-step, with our inputs for every frame."""
        patient, before, began = self._emulator, self._emulator.frames, time.monotonic()
        patient.until(lambda: time.monotonic() - began > SPEED_S or patient.frames - before >= SPEED_FRAMES)
        fps = (patient.frames - before) / (time.monotonic() - began)
        found = f"{fps:.0f} frames a second, {fps / REAL_TIME_FPS:.1f} times real time"
        if self._installation.scenario is not None:
            return fine(f"{found}; a stand-in's, which says nothing of Dolphin's")
        unlimited = self._installation.plant().build.family == "mainline" or self._config.fast_forward
        if unlimited and fps < SLOW_FPS:
            return bad(found, "it ignores emulation_speed or fast_forward, or lacks CPU: try another build or machine")
        if fps < ENDURED * REAL_TIME_FPS:
            return bad(found, "the machine is too slow or too busy for the real game")
        return fine(found)

    def restart(self) -> Answer:
        """Kill it as the kernel does when memory runs out: is that noticed, and does another take over?"""
        patient = self._emulator
        first, before = patient.emulator.pid(), patient.instance.tally.faults.copy()
        noticed_s = patient.killed()
        kinds = set(patient.instance.tally.faults - before)
        if noticed_s > NOTICED_S or not kinds or not kinds <= _KILLED:
            raise Trouble(f"noticed after {noticed_s:.1f} s as {', '.join(kinds) or 'nothing'}", "please report this")
        began = time.monotonic()
        patient.begin()
        patient.until(lambda: patient.in_game)
        assert patient.emulator.pid() != first
        back_s = time.monotonic() - began
        return fine(f"killed, noticed after {noticed_s:.2f} s, in a game again after {back_s:.1f} s")

    def nothing_left(self) -> Answer:
        """No process, home, pipe or lock remains of all that was started."""
        if self._patient is None:
            return fine("nothing was started")
        self.close()
        until = time.monotonic() + GONE_S
        while (processes := self._patient.processes()) and time.monotonic() < until:
            time.sleep(0.05)
        self.processes_left = len(processes)
        left = [*(f"process {pid}" for pid in processes), *self._patient.left()]
        return bad(f"left: {', '.join(left)}", "please report this") if left else fine("no process, home, pipe or lock")
