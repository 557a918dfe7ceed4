"""`bench dolphin`: what we cost beside an emulator, and how fast games go in lock-step.

Frames per CPU-second are from one spectator message, as it comes from the network, to a frame: ours through the link's
translation and the live parser, libmelee's through `json.loads` and `Console.step`. Our own cost is the CPU time of
this process and of the links' helper per frame and instance, with inputs for both seats. Without a Dolphin the games
are those of stand-ins whose fighters stand still.
"""

from __future__ import annotations

import base64
import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.libmelee import Console
from envs.dolphin.link import GAME, Message
from envs.dolphin.link_helper import translate
from envs.dolphin.posix import cpu_seconds
from envs.dolphin.standin.backend import StandInBackend
from envs.dolphin.standin.scenario import SCRIPTED, Scenario
from envs.frame import SEATS, WORDS
from envs.slippi.live import LiveParser
from envs.slippi.stream import messages
from envs.slippi.ubjson import RAW_START
from exphil_league.bench.sim import sticky_inputs
from exphil_league.evaluation.scripted_games import make_scripted_games

MATCHUP: Final = Matchup(stage="BATTLEFIELD", countdown=True)
PASSES: Final = 3
INSTANCES: Final = 8
GAMES: Final = Scenario(content=SCRIPTED, scripted_frames=20_000)


def measure_dolphin(config: DolphinConfig | None = None, seconds: float = 8.0) -> dict[str, Any]:
    """{"backend", "parser_frames_per_cpu_s", "libmelee_frames_per_cpu_s", "ratio", "lockstep_fps_1", "lockstep_fps_8",
    "our_cpu_us_per_frame"}.

    config: the Dolphin to play on, `seconds` of wall time with 1 and with 8 instances; without one, stand-ins.
    `lockstep_fps_8` sums over the instances. Raises DolphinSetupError.
    """
    with tempfile.TemporaryDirectory() as folder:
        game = make_scripted_games(Path(folder), 1, 0, [MATCHUP])[0]
        ours, theirs = parser_rates(game)

        def backend(games: int) -> DolphinBackend:
            if config is not None:
                return DolphinBackend(games, config)
            return StandInBackend(games, DolphinConfig(run_dir=Path(folder)), GAMES)

        one, _ = lockstep(backend(1), seconds)
        many, cost_us = lockstep(backend(INSTANCES), seconds)
    return {
        "backend": "standin" if config is None else "dolphin",
        "parser_frames_per_cpu_s": round(ours),
        "libmelee_frames_per_cpu_s": round(theirs),
        "ratio": round(ours / theirs, 2),
        "lockstep_fps_1": one,
        "lockstep_fps_8": many,
        "our_cpu_us_per_frame": cost_us,
    }


def parser_rates(game: Path) -> tuple[float, float]:
    """(ours, libmelee's) frames per CPU-second over a recorded game, the best of a few passes."""
    sent = [_on_the_wire(message) for message in messages(game.read_bytes()[RAW_START:])]
    with tempfile.TemporaryDirectory() as home:
        console = Console(Path(home), DolphinConfig(), Build(game, "mainline", False, "bench"), 51441, None)
        ours = max(_our_rate(sent) for _ in range(PASSES))
        theirs = max(_libmelee_rate(sent, console) for _ in range(PASSES))
    return ours, theirs


def _on_the_wire(message: bytes) -> bytes:
    payload = base64.b64encode(message).decode()
    return json.dumps({"cursor": 0, "next_cursor": 1, "payload": payload, "type": "game_event"}).encode()


def _our_rate(sent: list[bytes]) -> float:
    parser, out = LiveParser(), np.zeros(WORDS, np.int32)
    began = time.process_time()
    for data in sent:
        message = translate(data)
        assert message is not None
        parser.feed(message[1], out)
    return len(sent) / (time.process_time() - began)


def _libmelee_rate(sent: list[bytes], console: Console) -> float:
    ready = [Message(GAME, base64.b64decode(json.loads(data)["payload"])) for data in sent]
    began = time.process_time()
    for data, message in zip(sent, ready, strict=True):
        json.loads(data)
        console.read(message)
    return len(sent) / (time.process_time() - began)


def lockstep(backend: DolphinBackend, seconds: float) -> tuple[float, float]:
    """(frames a second of all instances, our CPU time per frame and instance in microseconds)."""
    n = backend.num_games
    inputs = sticky_inputs(np.random.default_rng(0), 256, n)
    try:
        backend.reset(np.ones(n, np.bool_), _matchups(n), np.zeros(n, np.uint64))
        while any(instance.waiting for instance in backend.instances):
            _step(backend, inputs[0])
        return _timed(backend, inputs, seconds)
    finally:
        backend.close()


def _timed(backend: DolphinBackend, inputs: NDArray[np.void], seconds: float) -> tuple[float, float]:
    frames, cpu_s, began, steps = _frames(backend), _our_cpu_s(backend), time.monotonic(), 0
    while (took_s := time.monotonic() - began) < seconds:
        _step(backend, inputs[steps % len(inputs)])
        steps += 1
    played = _frames(backend) - frames
    return round(played / took_s, 1), round((_our_cpu_s(backend) - cpu_s) / max(played, 1) * 1e6, 1)


def _step(backend: DolphinBackend, controllers: NDArray[np.void]) -> None:
    assert controllers.shape == (backend.num_games, SEATS)
    backend.step(controllers)
    if backend.done.any():
        n = backend.num_games
        backend.reset(backend.done.copy(), _matchups(n), np.zeros(n, np.uint64))


def _matchups(count: int) -> NDArray[np.void]:
    return np.repeat(MATCHUP.row()[None], count)


def _frames(backend: DolphinBackend) -> int:
    return sum(instance.tally.frames for instance in backend.instances)


def _our_cpu_s(backend: DolphinBackend) -> float:
    """This process and the links' helper; a helper that was replaced takes its share with it."""
    helpers = {instance.emulator.link.helper_pid for instance in backend.instances if instance.emulator is not None}
    return time.process_time() + sum(cpu_seconds(pid) for pid in helpers)
