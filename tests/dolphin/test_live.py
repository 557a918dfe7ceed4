"""One emulator in real time: who begins the game, a person's controller, games on line, inputs nobody waits for."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import melee
import numpy as np
import pytest

from envs.backend import EndedBy
from envs.controller import neutral
from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Plug
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.libmelee import Console, MenuPad
from envs.dolphin.link import MENU, Message
from envs.dolphin.live import LiveMatch, make_plant
from envs.dolphin.menu import RETYPE_EVERY, GameOrder, MenuWalk
from envs.dolphin.person import Account, find_account, plug_in
from envs.dolphin.standin.program import write_executable
from envs.dolphin.standin.scenario import SCRIPTED, Opponent, Scenario
from envs.game import Character, Stage
from envs.slippi.encode import payloads_event, start_event
from envs.slippi.live import LiveParser, Seen
from envs.slippi.read import read_game
from tests.dolphin.standins import FRAMES, PORTS, recorded_game

FOX, MARTH = Character.FOX.value, Character.MARTH.value
ORDER = GameOrder((FOX, MARTH), Stage.BATTLEFIELD)
STRANGER = Opponent()


@contextmanager
def live(
    folder: Path,
    plugs: tuple[Plug, ...] = (),
    account: Account | None = None,
    opponent: Opponent = STRANGER,
    **config: Any,
) -> Iterator[LiveMatch]:
    """A stand-in taken for a Dolphin, with a scripted game."""
    executable = write_executable(folder)
    iso = Scenario(content=SCRIPTED, scripted_frames=FRAMES, opponent=opponent).write(folder / "melee.iso")
    settings = {"run_dir": folder / "run", "ports": PORTS, "replay_dir": folder / "games", "self_test": False}
    plant = make_plant("dolphin", DolphinConfig(path=executable, iso=iso, **(settings | config)), account)
    match = LiveMatch(plant, plugs)
    try:
        yield match
    finally:
        match.close()


def play(match: LiveMatch, order: GameOrder, limit_s: float = 120.0) -> int:
    """A game with idle hands; returns how many frames came."""
    match.begin(order, 4, 0)
    frames, end = 0, time.monotonic() + limit_s
    while not match.done:
        if match.wait(time.monotonic() + 0.5) and not match.done:
            frames += 1
            match.press(neutral((2,)))
        assert time.monotonic() < end, match.status
    return frames


def test_the_game_waits_for_cpu_level_and_costumes(tmp_path: Path) -> None:
    """In the first game both are set, the second one has them already; the header is checked against the order."""
    order = replace(ORDER, cpu_levels=(0, 7), costumes=(1, 2))
    with live(tmp_path) as match:
        for _ in range(2):
            assert play(match, order) == FRAMES - 1
            assert match.result["ended_by"] == EndedBy.STOCKS
        assert match.faults == {}
    (folder,) = match.replay_folders
    for replay in folder.glob("*.slp"):
        first, second = read_game(replay).meta.seats
        assert (first.cpu_level, first.costume, second.cpu_level, second.costume) == (0, 1, 7, 2)


def test_nobody_is_waited_for_without_lockstep(tmp_path: Path) -> None:
    """The game goes on at its pace when nothing is pressed, and the next one begins in the same emulator."""
    with live(tmp_path, lockstep=False, emulation_speed=4.0) as match:
        match.begin(ORDER, 4, 0)
        while not match.playing:
            match.wait(time.monotonic() + 0.5)
        assert match.wait(time.monotonic() + 10.0)
        first = int(match.frames[0]["frame"])
        time.sleep(0.2)  # half a second of the game
        match.press(neutral((2,)))
        newer = 0
        while match.wait(time.monotonic() + 0.01):
            newer = int(match.frames[0]["frame"])
            match.press(neutral((2,)))
            if newer >= first + 20:
                break
        assert newer >= first + 20
        match.begin(replace(ORDER, stage=Stage.FINAL_DESTINATION), 4, 0)  # leaves this one
        while not match.playing:
            match.wait(time.monotonic() + 0.5)
        match.wait(time.monotonic() + 10.0)
        assert match.frames[0]["stage"] == Stage.FINAL_DESTINATION
        assert match.faults == {}


class Person:
    """Somebody with a controller of their own, who picks Falco, waits for the other side, and begins on Dream Land."""

    CONTROLLER = "[GCPad3]\nDevice = Pipe/0/person\nButtons/A = Button A\n"
    START, CHARACTERS, STAGES = b"PRESS START\n", 0x0002, 0x0102

    def __init__(self, pipe: Path) -> None:
        os.mkfifo(pipe)
        self.pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self.frame, self.waited = 0, Counter[int]()

    def answer(self, event: bytes) -> None:
        """One frame of the menus, which the event shows."""
        self.frame += 1
        (scene,) = struct.unpack_from(">H", event, 1)
        block = b"RELEASE A\nRELEASE START\nSET MAIN 0.5 0.5\n"
        if scene == self.CHARACTERS and event[0x2D] != 2:
            row, column = divmod(melee.enums.from_internal(melee.Character.FALCO), 9)
            block += self._towards(event, 0x3, -29.0 + 7 * column, 4.5 + 7 * (2 - row))
        elif scene == self.CHARACTERS and event[0x23] == 0 and self._has_waited(scene) and self.presses:
            block += self.START
        elif scene == self.STAGES and self._has_waited(scene):
            block += self._towards(event, 0x31, 12.5, -9.0)
        os.write(self.pipe, block + b"FLUSH\n")

    def _has_waited(self, scene: int) -> bool:
        """Whether everything was there for so long that somebody else would have gone on."""
        self.waited[scene] += 1
        return self.waited[scene] > 150

    @property
    def presses(self) -> bool:
        """A button is held for four frames and let go for four."""
        return self.frame % 8 < 4

    def _towards(self, event: bytes, at: int, x: float, y: float) -> bytes:
        here = struct.unpack_from(">ff", event, at)
        left = [there - now for there, now in zip((x, y), here, strict=True)]
        way = [0.5 + np.sign(far) * (0.0 if abs(far) < 1.5 else 0.15 if abs(far) < 5 else 0.5) for far in left]
        if way == [0.5, 0.5]:
            return b"PRESS A\n" if self.presses else b""
        return f"SET MAIN {way[0]} {way[1]}\n".encode()


def test_a_person_with_a_controller_of_their_own_picks_and_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.ini").write_text(Person.CONTROLLER)
    persons: list[Person] = []
    on_menu = MenuWalk.on_menu

    def plug_both_in(user: Path, configuration: Path, port: int) -> None:
        plug_in(user, configuration, port)
        persons.append(Person(user / "Pipes" / "person"))

    def answer_both(walk: MenuWalk, message: Message) -> None:
        on_menu(walk, message)
        persons[0].answer(message.payload)

    monkeypatch.setattr("envs.dolphin.emulator.plug_in", plug_both_in)
    monkeypatch.setattr(MenuWalk, "on_menu", answer_both)
    plugs = (Plug(0, controller=tmp_path / "own.ini"), Plug(1))
    with live(tmp_path, plugs, lockstep=False, emulation_speed=2.0) as match:
        match.begin(replace(ORDER, ports=(1, 0), person=1, costumes=(2, 0)), 4, 0)
        first = None
        while not match.done:
            if match.wait(time.monotonic() + 0.5) and not match.done:
                first = match.frames[0].copy() if first is None else first
                match.press(neutral((2,)))
        os.close(persons[0].pipe)
        assert match.faults == {}
    assert first is not None
    assert first["players"]["character"][:, 0].tolist() == [FOX, Character.FALCO.value]
    assert (first["stage"], first["ports"].tolist()) == (Stage.DREAM_LAND, [1, 0])


def test_who_we_are_on_line_is_seat_0_whatever_the_port(tmp_path: Path) -> None:
    game = read_game(recorded_game(tmp_path / "game.slp"))
    first, second = (replace(seat, code=code) for seat, code in zip(game.meta.seats, ("THEM#1", "US#22"), strict=True))
    meta = replace(game.meta, version=(3, 18, 0), seats=(first, second))
    header = payloads_event(meta.version) + start_event(meta)
    for code, ports in (("US#22", [1, 0]), ("THEM#1", [0, 1]), ("", [0, 1])):
        parser = LiveParser(own_code=code)
        words = np.zeros_like(parser._header)
        assert parser.feed(header, words) & Seen.START
        assert [seat.code for seat in parser.meta.seats] == ["THEM#1", "US#22"]  # type: ignore[union-attr]
        assert parser._seat_of[ports].tolist() == [0, 1]


@pytest.mark.parametrize("port", [0, 1])
def test_a_game_on_line_by_direct_code(port: int, tmp_path: Path) -> None:
    """From the title to the game, whichever port the connection gives us; the account goes with the emulator."""
    file = tmp_path / "user.json"
    file.write_text(json.dumps({"uid": "u", "playKey": "secret", "connectCode": "MINE#7", "displayName": "me"}))
    other = Opponent(code="ABCD#123", port=1 - port, character="MARTH", level=1)
    order = GameOrder((FOX, FOX), Stage.BATTLEFIELD, costumes=(1, 0), person=1, connect_code="ABCD#123")
    with live(tmp_path, (Plug(0),), find_account(file), opponent=other) as match:
        match.begin(order, 4, 0)
        while not match.playing and not match.done:
            match.wait(time.monotonic() + 0.5)
        emulator = match._instance.emulator
        assert emulator is not None
        assert stat.S_IMODE((emulator.home.user / "Slippi" / "user.json").stat().st_mode) == 0o600
        held = neutral((2,))
        held["stick_x"] = 1.0, -1.0
        for _ in range(40):
            assert match.wait(time.monotonic() + 10.0)
            match.press(held)
        assert match.frames[0]["ports"].tolist() == [port, 1 - port]
        assert match.frames[0]["players"]["character"][:, 0].tolist() == [FOX, MARTH]
        assert match.frames[0]["players"]["controller"]["stick_x"][0, 0] == 1.0, "our pad is in port 1 always"
        assert match.faults == {}
        home = emulator.home.folder
    assert not home.exists()
    for path in (path for path in tmp_path.rglob("*") if path.is_file() and path != file):
        assert b"secret" not in path.read_bytes(), path


def menu_event(scene: int, submenu: int = 0, selection: int = 0, nametag: int = 0, frame: int = 1) -> Message:
    event = bytearray(74)
    struct.pack_into(">BH", event, 0, 0x3E, scene)
    struct.pack_into(">i", event, 0x39, frame)
    event[0x3D], event[0x3E], event[0x40] = submenu, selection, nametag
    return Message(MENU, bytes(event))


def test_a_direct_code_is_typed_and_only_the_direct_mode_is_entered(tmp_path: Path) -> None:
    """As libmelee's helper sees the menus; the stand-in has none on line."""
    (tmp_path / "Slippi").mkdir()
    (tmp_path / "Slippi" / "user.json").write_text("{}")
    build = Build(tmp_path, "mainline", False, "4.0")
    console = Console(tmp_path, DolphinConfig(lockstep=False), build, PORTS[0], None)
    menu_pad = MenuPad(console, 1)
    assert menu_pad.pad is not None
    reader = os.open(menu_pad.pad.path, os.O_RDONLY | os.O_NONBLOCK)
    menu_pad.pad.connect()
    walk = MenuWalk(console, [menu_pad], frozen_stadium=False, budget_frames=3 * RETYPE_EVERY)
    walk.begin(replace(ORDER, person=1, connect_code="A#1"))

    def pressed(message: Message) -> str:
        walk.on_menu(message)
        return os.read(reader, 4096).decode()

    one_p, online, letters = 1, 8, (45, 2, 43)
    assert "PRESS A" in pressed(menu_event(0x0001))
    assert "PRESS A" in pressed(menu_event(0x0001, one_p, 2))
    assert "PRESS A" not in pressed(menu_event(0x0001, online, 0)), "ranked and unranked are passed by"
    assert "PRESS A" in pressed(menu_event(0x0001, online, 2))
    pressed(menu_event(0x0008, 0, 44, nametag=5))
    for letter in letters:
        assert "PRESS A" in pressed(menu_event(0x0008, 0, letter, nametag=5))
        assert "PRESS A" not in pressed(menu_event(0x0008, 0, letter, nametag=5, frame=2))
    assert "PRESS START" in pressed(menu_event(0x0008, 0, 43, nametag=5))
    searching = [pressed(menu_event(0x0008)) for _ in range(RETYPE_EVERY)]
    assert 1 <= sum("PRESS B" in block for block in searching) < 20, "the code may have been mistyped: once more"
    menu_pad.pad.close()
    os.close(reader)


def test_a_port_that_is_taken_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        with live(tmp_path, ports=(port, port)) as match:
            match.begin(ORDER, 4, 0)
            with pytest.raises(DolphinSetupError, match="no free UDP port"):
                match.wait(time.monotonic() + 5.0)
