"""The two loops that play a game on an emulator: one that waits for the agents on every frame, and one that never does.

`sync`: the game waits for each decision, as it did in training; a slow decision slows the game down.
`async`: the game goes on. Decisions are made on another thread and pressed when they are due; one that is late is
pressed late, the action before is held until then, and the frame is counted. A delay that the policy was trained with
is time to think: a decision of 18 frames' delay may take 300 ms and be in time.
"""

from __future__ import annotations

import time
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS, decode
from envs.dolphin.live import LiveMatch
from envs.frame import SEATS
from exphil_league.play.meter import Meter
from exphil_league.play.seats import Holds, Schedule, Seats
from exphil_league.play.settings import LoopName
from exphil_league.play.thinker import Thinker

_LOOK_S: Final = 0.2
"""Seconds after which the screen is looked after when no frame comes."""


class Screen(Protocol):
    """Whatever shows how it goes."""

    def show(self, match: LiveMatch, meter: Meter, parts: NDArray[np.uint8]) -> None:
        """Called often, with the parts [P, 6] that are held; shows something now and then."""
        ...


def play_live(loop: LoopName, match: LiveMatch, seats: Seats, holds: Holds, meter: Meter, screen: Screen) -> None:
    """Play the game that `match` was told to begin, until it is over. Raises BackendLost, and what agents raise."""
    seats.reset()
    nothing = np.tile(NEUTRAL_PARTS, (SEATS, 1))
    while not match.playing and not match.done:
        match.wait(time.monotonic() + _LOOK_S)
        screen.show(match, meter, nothing)
    run = _play_sync if loop == "sync" else _play_async
    run(match, seats, Schedule(holds), meter, screen)


def _play_sync(match: LiveMatch, seats: Seats, schedule: Schedule, meter: Meter, screen: Screen) -> None:
    parts = np.tile(NEUTRAL_PARTS, (SEATS, 1))
    while not match.done:
        if match.wait(time.monotonic() + _LOOK_S) and not match.done:
            began_s, frame = time.monotonic(), int(match.frames[0]["frame"])
            meter.frame(began_s)
            schedule.decided(frame, seats.decide(match.frames))
            meter.inference_s.append(time.monotonic() - began_s)
            parts, _ = schedule.at(frame)
            match.press(decode(parts))
        screen.show(match, meter, parts)


def _play_async(match: LiveMatch, seats: Seats, schedule: Schedule, meter: Meter, screen: Screen) -> None:
    frame, in_time = 0, True
    parts = np.tile(NEUTRAL_PARTS, (SEATS, 1))
    with Thinker(seats) as thinker:
        while not match.done:
            if match.wait(time.monotonic() + _LOOK_S, thinker.wake) and not match.done:
                meter.frame(time.monotonic())
                meter.repeated_actions += not in_time
                frame = int(match.frames[0]["frame"])
                meter.skipped_frames += thinker.offer(frame, match.frames)
                parts, in_time = schedule.at(frame)
                match.press(decode(parts))
            for thought in thinker.take():
                schedule.decided(thought.frame, thought.parts)
                meter.inference_s.append(thought.seconds)
            if not in_time and match.playing:
                late, in_time = schedule.at(frame)
                if (late != parts).any():
                    parts = late
                    match.press(decode(parts))
            screen.show(match, meter, parts)
