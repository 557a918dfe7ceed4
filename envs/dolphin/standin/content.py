"""What a stand-in's games are made of, as Slippi's events: a header, a message for each frame, the end."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.backend import MATCHUP, EndedBy
from envs.controller import CONTROLLER
from envs.dolphin.standin.cpu import Cpu, cpu_class
from envs.dolphin.standin.menus import Choice
from envs.dolphin.standin.pads import INPUT, Pads, inputs_of
from envs.dolphin.standin.scenario import SCRIPTED, SIM, Scenario
from envs.dolphin.standin.screens import CPU, Seat
from envs.dolphin.standin.worlds import STOCKS, TIME_LIMIT_FRAMES, StillWorld, World, simulator
from envs.frame import FIRST_FRAME, FRAME, LEADER, SEATS, word_offset, words_i32
from envs.game import character_id
from envs.slippi.encode import end_event, payloads_event, start_event
from envs.slippi.events import Command
from envs.slippi.frame_bytes import frame_events
from envs.slippi.game import EndMethod, GameMeta, PlayerKind
from envs.slippi.stream import messages
from envs.slippi.ubjson import LENGTH_AT, RAW_START
from envs.slippi.write import SlpWriter, ended, meta_from_frame

ONLINE_SCENE: Final = (8, 2)
MATCH_ID: Final = "mode.direct-standin"
_INPUT_WORDS: Final = np.array(
    [
        word_offset(FRAME, "players", seat, LEADER, "controller") + np.arange(INPUT.itemsize // 4)
        for seat in range(SEATS)
    ]
)
"""[P, words]: where in a frame each leader's INPUT lies."""

Hands = Callable[[NDArray[np.void]], tuple[Any, ...]]
"""One seat's player: from a frame (FRAME, no shape) the values of INPUT for the next one."""


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
        seed = self._scenario.seed + self._games
        self._games += 1
        players = _Players([self._hands(seat, n, seed, pads) for n, seat in enumerate(seats)], seats)
        frames = self._world.reset(np.ones(1, np.bool_), _matchup(seats, choice.stage), np.array([seed], np.uint64))
        meta = self._meta(frames[0], choice)
        yield payloads_event(meta.version) + start_event(meta)
        with ExitStack() as stack:
            saved = stack.enter_context(self._writer(meta)) if self._replays else None
            before = None
            while True:
                controllers = players.act(frames[0])
                frames = frames if before is None else self._world.step(controllers)
                now = players.signed(frames)
                if saved is not None:
                    saved.write(now)
                yield frame_events(now, before, meta.version)
                quitter = pads.quits()
                if quitter is not None or self._world.done[0]:
                    break
                before = now
            result = self._world.result[0].copy()
            if quitter is not None:
                result["ended_by"], result["winner"] = EndedBy.FAULT, -1
            if saved is not None:
                saved.finish(result)
            end = ended(meta, result)
            yield end_event(end if quitter is None else replace(end, lras_port=quitter))

    def _writer(self, meta: GameMeta) -> SlpWriter:
        assert self._replays is not None
        self._replays.mkdir(parents=True, exist_ok=True)
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%f")
        return SlpWriter(self._replays / f"Game_{stamp}.slp", meta)

    def _hands(self, seat: Seat, number: int, seed: int, pads: Pads) -> Hands:
        if seat.pad is not None and seat.status != CPU:
            pad = pads.by_port[seat.pad]
            return lambda frame: inputs_of(pad.held)
        cpu = cpu_class(self._scenario.cpu)(seat.cpu_level, number, seed)
        return _unphysical(cpu) if seat.status == CPU else _physical(cpu)

    def _meta(self, frame: NDArray[np.void], choice: Choice) -> GameMeta:
        meta = meta_from_frame(frame)
        first, second = (
            replace(
                one,
                port=seat.port,
                costume=seat.costume,
                kind=PlayerKind.CPU if seat.status == CPU else PlayerKind.HUMAN,
                cpu_level=seat.cpu_level if seat.status == CPU else 0,
                name=seat.name,
                code=seat.code,
            )
            for one, seat in zip(meta.seats, choice.seats, strict=True)
        )
        frozen = choice.frozen_stadium
        meta = replace(meta, version=self._scenario.slippi, seats=(first, second), is_frozen_stadium=frozen)
        if not choice.is_online:
            return meta
        return replace(meta, scene=ONLINE_SCENE, match_id=MATCH_ID, match_game=self._games)


class _Players:
    """Both players' hands, and the frames that their inputs are written into."""

    def __init__(self, hands: list[Hands], seats: tuple[Seat, ...]) -> None:
        self._hands, self._ports = hands, tuple(seat.port for seat in seats)
        self._inputs = np.zeros(SEATS, INPUT)
        self._controllers = np.zeros((1, SEATS), CONTROLLER)

    def act(self, frame: NDArray[np.void]) -> NDArray[np.void]:
        """[1, P] CONTROLLER for the frame after `frame`."""
        for seat, hands in enumerate(self._hands):
            self._inputs[seat] = hands(frame)
        self._controllers[0] = self._inputs["controller"]
        self._controllers["buttons"][0] = self._inputs["buttons_processed"]
        return self._controllers

    def signed(self, frames: NDArray[np.void]) -> NDArray[np.void]:
        """A copy [1] FRAME with the ports that are plugged in, and the inputs, which worlds leave out of countdowns."""
        words = words_i32(frames).copy()  # several times faster than a copy of the records
        frames = words.view(FRAME)[:, 0]
        if self._ports != (0, 1):
            for values in (frames["items"]["owner"], frames["players"]["last_hit_by"]):
                was = values.copy()
                for seat in range(SEATS):
                    values[was == seat] = self._ports[seat]
        frames["ports"] = self._ports
        words[0, _INPUT_WORDS] = self._inputs.view(np.int32).reshape(SEATS, -1)
        return frames


def _physical(cpu: Cpu) -> Hands:
    """Somebody's hands on a controller."""

    def act(frame: NDArray[np.void]) -> tuple[Any, ...]:
        controller = cpu(frame).item()
        return (controller, controller[0], 0, 0, 0.0, 0.0)

    return act


def _unphysical(cpu: Cpu) -> Hands:
    """The game's own player: it presses without a controller, and the physical inputs stay empty."""

    def act(frame: NDArray[np.void]) -> tuple[Any, ...]:
        buttons, *sticks = cpu(frame).item()
        return ((0, *sticks), buttons, 0, 0, 0.0, 0.0)

    return act


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


def _matchup(seats: tuple[Seat, ...], stage: int) -> NDArray[np.void]:
    row = np.zeros(1, MATCHUP)
    row["character"], row["stage"], row["stocks"] = [seat.character for seat in seats], stage, STOCKS
    row["time_limit_frames"], row["start_frame"] = TIME_LIMIT_FRAMES, FIRST_FRAME
    return row


def make_content(scenario: Scenario, replays: Path | None) -> Content:
    """What a scenario asks for. Raises OSError, BrokenStream for a recording that is none."""
    if scenario.content == SCRIPTED:
        return Played(StillWorld(scenario.scripted_frames), scenario, None, replays)
    if scenario.content == SIM:
        from envs.sim.compile import CHARACTERS

        return Played(simulator(), scenario, [character_id(name) for name in CHARACTERS], replays)
    return Recorded(Path(scenario.content))
