"""What a stand-in's games are made of, as Slippi's events: a header, a message for each frame, the end."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.backend import MATCHUP, RESULT, EndedBy, Matchup
from envs.controller import CONTROLLER
from envs.dolphin.standin.cpu import Cpu, cpu_class
from envs.dolphin.standin.menus import CPU, Choice, Seat
from envs.dolphin.standin.pads import Pads, own_controllers
from envs.dolphin.standin.scenario import SCRIPTED, SIM, Scenario
from envs.frame import FIRST_FRAME, LEADER, SEATS, empty_frames
from envs.game import character_id
from envs.slippi.encode import end_event, payloads_event, start_event
from envs.slippi.events import Command
from envs.slippi.frame_bytes import frame_events
from envs.slippi.game import EndMethod, GameMeta, PlayerKind
from envs.slippi.stream import messages
from envs.slippi.ubjson import LENGTH_AT, RAW_START
from envs.slippi.write import SlpWriter, ended, meta_from_frame

STOCKS: Final = 4
TIME_LIMIT_FRAMES: Final = 480 * 60
_RAW_STICK: Final = 80


class World(Protocol):
    """What advances a game frame by frame: a backend of one game, or as much of it as is needed."""

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


class Content(Protocol):
    """Games, one after the other."""

    playable: Collection[int] | None
    """Internal ids of the characters that it has; None: whatever is picked."""

    def game(self, choice: Choice, pads: Pads) -> Iterator[bytes]:
        """Messages of one game, the header first; before each of the others the inputs of a frame were taken."""
        ...


class Played:
    """Games that answer to the pads, out of a world."""

    def __init__(
        self, world: World, scenario: Scenario, playable: Collection[int] | None, replays: Path | None
    ) -> None:
        """replays: folder that each game is saved in, as Slippi would."""
        self.playable = playable
        self._world, self._scenario, self._replays = world, scenario, replays
        self._games = 0

    def game(self, choice: Choice, pads: Pads) -> Iterator[bytes]:
        """See Content."""
        seats = choice.seats[:SEATS]
        ports = (seats[0].port, seats[1].port)
        seed = self._scenario.seed + self._games
        self._games += 1
        cpus = {seat: self._cpu(one.cpu_level, seat, seed) for seat, one in enumerate(seats) if one.status == CPU}
        frames = self._world.reset(np.ones(1, np.bool_), _matchup(seats, choice.stage), np.array([seed], np.uint64))
        meta = self._meta(frames[0], seats)
        yield payloads_event(meta.version) + start_event(meta)
        with _Saved(self._replays, meta) as saved:
            before, controllers = None, self._controllers(pads, ports, cpus, frames)
            now = _own(frames, ports, controllers)
            while True:
                saved.write(now)
                yield frame_events(now, before, meta.version)
                quitter = pads.quits()
                if quitter is not None or self._world.done[0]:
                    break
                before, controllers = now, self._controllers(pads, ports, cpus, now)
                now = _own(self._world.step(controllers), ports, controllers)
            result = self._world.result[0].copy()
            if quitter is not None:
                result["ended_by"], result["winner"] = EndedBy.FAULT, -1
            end = ended(meta, result)
            saved.finish(result)
            yield end_event(end if quitter is None else replace(end, lras_port=quitter))

    def _cpu(self, level: int, seat: int, seed: int) -> Cpu:
        return cpu_class(self._scenario.cpu)(level, seat, seed)

    def _controllers(
        self, pads: Pads, ports: tuple[int, int], cpus: dict[int, Cpu], frames: NDArray[np.void]
    ) -> NDArray[np.void]:
        """[1, P] CONTROLLER of the next frame."""
        controllers = np.zeros((1, SEATS), CONTROLLER)
        for seat, record in own_controllers(pads, ports).items():
            controllers[0, seat] = cpus[seat](frames[0]) if seat in cpus else record
        return controllers

    def _meta(self, frame: NDArray[np.void], seats: tuple[Seat, ...]) -> GameMeta:
        meta = meta_from_frame(frame)
        first, second = (
            replace(
                one,
                port=seat.port,
                costume=seat.costume,
                kind=PlayerKind.CPU if seat.status == CPU else PlayerKind.HUMAN,
                cpu_level=seat.cpu_level if seat.status == CPU else 0,
            )
            for one, seat in zip(meta.seats, seats, strict=True)
        )
        return replace(meta, version=self._scenario.slippi, seats=(first, second))


class Recorded:
    """A .slp again and again, byte for byte, whatever the pads say."""

    playable: Collection[int] | None = None

    def __init__(self, path: Path) -> None:
        """Raises OSError, BrokenStream."""
        data = path.read_bytes()
        length = int.from_bytes(data[LENGTH_AT : LENGTH_AT + 4], "big")
        self._messages = list(messages(data[RAW_START : RAW_START + length] if length else data[RAW_START:]))

    def game(self, choice: Choice, pads: Pads) -> Iterator[bytes]:
        """See Content."""
        for message in self._messages:
            if pads.quits() is not None:
                yield bytes([Command.GAME_END, EndMethod.NO_CONTEST, pads.quits() or 0, *[0xFF] * 4])
                return
            yield message


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
        leaders["character"], leaders["action"] = matchups[0]["character"], 14
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


class _Saved:
    """The game's replay, where one is wanted."""

    def __init__(self, folder: Path | None, meta: GameMeta) -> None:
        self._writer: SlpWriter | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%f")
            self._writer = SlpWriter(folder / f"Game_{stamp}.slp", meta)

    def __enter__(self) -> _Saved:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None and not self._writer.path.exists():
            self._writer.finish()

    def write(self, frames: NDArray[np.void]) -> None:
        if self._writer is not None:
            self._writer.write(frames)

    def finish(self, result: NDArray[np.void]) -> None:
        if self._writer is not None:
            self._writer.finish(result)


def _matchup(seats: tuple[Seat, ...], stage: int) -> NDArray[np.void]:
    row = np.zeros(1, MATCHUP)
    row["character"], row["stage"], row["stocks"] = [seat.character for seat in seats], stage, STOCKS
    row["time_limit_frames"], row["start_frame"] = TIME_LIMIT_FRAMES, FIRST_FRAME
    return row


def _own(frames: NDArray[np.void], ports: tuple[int, int], controllers: NDArray[np.void]) -> NDArray[np.void]:
    """A copy [1] FRAME with the ports that are plugged in, and the inputs of the countdown, which worlds leave out."""
    frames = frames.copy()
    if ports != (0, 1):
        for values in (frames["items"]["owner"], frames["players"]["last_hit_by"]):
            for seat in (1, 0):
                values[values == seat] = ports[seat]
    frames["ports"] = ports
    players = frames["players"][:, :, LEADER]
    players["controller"], players["buttons_processed"] = controllers, controllers["buttons"]
    players["raw_x"] = np.round(controllers["stick_x"] * _RAW_STICK)
    players["raw_y"] = np.round(controllers["stick_y"] * _RAW_STICK)
    return frames


def simulator() -> World:
    """Our simulator, compiled and loaded: it has played a frame."""
    from envs.sim.batch import SimBackend

    world, every = SimBackend(1), np.ones(1, np.bool_)
    world.reset(every, Matchup().row()[None], np.zeros(1, np.uint64))
    world.step(np.zeros((1, SEATS), CONTROLLER))
    return world


def make_content(scenario: Scenario, replays: Path | None) -> Content:
    """What a scenario asks for. Raises OSError, BrokenStream for a recording that is none."""
    if scenario.content == SCRIPTED:
        return Played(StillWorld(scenario.scripted_frames), scenario, None, replays)
    if scenario.content == SIM:
        from envs.sim.compile import CHARACTERS

        return Played(simulator(), scenario, [character_id(name) for name in CHARACTERS], replays)
    return Recorded(Path(scenario.content))
