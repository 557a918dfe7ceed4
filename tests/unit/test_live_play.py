"""What `play` on emulators is made of, without one: settings, delays, schedules, the loops, saved games, persons."""

from __future__ import annotations

import configparser
import io
import json
import os
import re
import select
import stat
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from envs.backend import RESULT, BackendLost, EndedBy
from envs.controller import CONTROLLER, NEUTRAL_PARTS, encode
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.home import make_home, run_dir
from envs.dolphin.menu import GameOrder
from envs.dolphin.person import check_connect_code, find_account, find_controller, plug_in
from envs.frame import SEATS, empty_frames
from envs.slippi.read import read_game
from exphil_league.errors import UserError
from exphil_league.play.delays import arrange_delay
from exphil_league.play.live_session import LiveSession
from exphil_league.play.loop import play_live
from exphil_league.play.meter import Meter, together
from exphil_league.play.readout import Readout
from exphil_league.play.saved import collect, rescue
from exphil_league.play.seats import Schedule, Seats
from exphil_league.play.settings import Opponent, PlaySettings, check_settings
from exphil_league.play.thinker import MOST_BEHIND_FRAMES
from exphil_league.play.words import action_words
from policies.agent import SeatView
from policies.spec import ActionTiming
from tests.dolphin.standins import recorded_game

# Settings

HERE = PlaySettings(agent="idle", backend="standin")
THERE = replace(HERE, backend="dolphin")
REFUSED: list[tuple[PlaySettings, str]] = [
    (replace(HERE, backend="dolphni"), "did you mean dolphin"),
    (replace(HERE, backend="sim", opponent="human"), "--backend dolphin"),
    (replace(HERE, backend="sim", opponent="cpu:3"), "--backend dolphin, or --backend standin"),
    (replace(HERE, backend="sim", games=2), "--games is for emulators"),
    (replace(HERE, opponent="cpu:0"), "levels 1 to 9"),
    (replace(HERE, opponent="cpu:10"), "levels 1 to 9"),
    (replace(HERE, opponent="cpu"), "cpu:1 to cpu:9"),
    (replace(HERE, opponent="human"), "needs --backend dolphin"),
    (replace(THERE, agent="human", opponent="human"), "AGENT --opponent human"),
    (replace(THERE, opponent="human", headless=True), "--headless shows a person nothing"),
    (replace(THERE, opponent="human", speed=2), "real time"),
    (replace(THERE, opponent="human", stocks=2), "leave --stocks"),
    (replace(THERE, opponent="unranked"), "closed to programs"),
    (replace(THERE, connect_code="ranked"), "closed to programs"),
    (replace(THERE, connect_code="abcd123"), "is no connect code"),
    (replace(THERE, connect_code="ABCD#123", opponent="fighter"), "leave --opponent out"),
    (replace(THERE, connect_code="ABCD#123", loop="sync"), "other side's game"),
    (replace(THERE, connect_code="ABCD#123", characters=("ZELDA", "FOX")), "take SHEIK"),
    (replace(THERE, opponent="cpu:9", characters=("FOX", "SHEIK")), "take ZELDA"),
    (replace(HERE, console_delay=16), "at most 15 frames"),
    (replace(HERE, delay_frames=-1), "--delay-frames"),
    (replace(HERE, action_repeat=0), "--action-repeat"),
    (replace(HERE, games=0), "--games"),
    (replace(HERE, games=3, on_game_end="stop"), "--on-game-end stop"),
    (replace(HERE, agent="cpu:5"), "--opponent cpu:5"),
    (replace(HERE, stocks=5), "Slippi's games have 4"),
    (replace(HERE, controller="pad.ini"), "add --opponent human"),
    (replace(HERE, view=True), "window of its own"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_be_is_refused_before_anything_starts(settings: PlaySettings, words: str) -> None:
    with pytest.raises((UserError, ValueError), match=words):
        check_settings(settings)


# Delays and schedules


class Network:
    """An agent with a delay that decides `parts` on every frame."""

    name, digest, capacity = "network", "d", SEATS

    def __init__(self, parts: np.ndarray = NEUTRAL_PARTS, **timing: int) -> None:
        self.timing, self.parts = ActionTiming(**timing), parts
        self.console: int | None = None
        self.at_once: int | None = None

    def expect_console_delay(self, frames: int) -> int:
        self.console = frames
        return max(self.timing.delay_frames - frames, 0)

    def press_at_once(self, delay_frames: int) -> None:
        self.at_once = delay_frames

    def reset(self, columns: np.ndarray) -> None:
        pass

    def act(self, view: SeatView, columns: np.ndarray) -> np.ndarray:
        return np.tile(self.parts, (len(columns), 1))


@pytest.mark.parametrize(
    ("timing", "console", "wanted", "total", "hold", "words"),
    [
        ({"delay_frames": 18}, 0, None, 18, 18, None),
        ({"delay_frames": 18}, 15, None, 18, 3, None),
        ({"delay_frames": 2}, 5, None, 5, 0, "plays with 5, all of them the console's"),
        ({"delay_frames": 18}, 2, 12, 12, 10, "delay of 18 frames and plays with 12: .*--delay-frames 18 is its own"),
        ({"delay_frames": 18, "min_delay_frames": 6}, 2, 12, 12, 10, None),
        ({"delay_frames": 18, "min_delay_frames": 6}, 2, None, 18, 0, None),
    ],
)
def test_a_delay_is_the_consoles_and_ours_together(timing, console, wanted, total, hold, words) -> None:
    agent = Network(**timing)
    delay = arrange_delay(agent, console, wanted)
    assert (delay.total_frames, delay.hold_frames) == (total, hold)
    if wanted is None and agent.timing.delay_varies:
        assert (agent.console, agent.at_once) == (console, None), "its games go on drawing their delays"
    else:
        assert (agent.console, agent.at_once) == (None, total)
    if words is None:
        assert delay.warning is None
    else:
        assert re.search(words, delay.warning or "")


def parts_of(number: int) -> np.ndarray:
    """Parts [P, 6] that stand for a frame's decision."""
    parts = np.tile(NEUTRAL_PARTS, (SEATS, 1))
    parts[:, 0] = number % 256
    return parts


@given(st.tuples(st.integers(0, 5), st.integers(0, 5)), st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_every_decision_is_pressed_when_due_or_as_soon_as_it_is_there(hold, lateness) -> None:
    schedule = Schedule(hold)
    known = -1  # the newest frame that was decided on
    for frame in range(1, len(lateness) + 1):
        held, in_time = schedule.at(frame)
        due = [min(frame - wait, known) for wait in hold]
        assert held[:, 0].tolist() == [max(decided, 0) for decided in due]
        assert in_time == all(known >= frame - wait or frame - wait < 1 for wait in hold)
        newest = frame - lateness[frame - 1]
        for decided in range(max(known, 0) + 1, newest + 1):
            schedule.decided(decided, parts_of(decided))
            known = decided


def test_late_frames_are_those_that_people_would_see() -> None:
    meter, now = Meter(), 100.0
    for gap in (0.0, 1 / 60, 1 / 60 + 0.003, 1 / 59.94, 0.03, 0.005, 1 / 60):
        now += gap
        meter.frame(now)
    meter.inference_s += [0.001] * 98 + [0.010, 0.020]
    assert (meter.frames, meter.late_frames) == (7, 1)
    figures = together([meter, meter]).figures()
    assert figures["late_frames"] == 2
    assert figures["fps"] == pytest.approx(6 / meter.seconds)
    assert figures["inference_ms"]["p50"] == pytest.approx(1.0)  # type: ignore[index]
    assert figures["inference_ms"]["p99"] == pytest.approx(10.0, abs=1)  # type: ignore[index]
    assert Meter(speed=0).figures()["inference_ms"] is None


def test_actions_have_words() -> None:
    controller = np.zeros((), CONTROLLER)
    assert action_words(encode(controller)) == "nothing"
    controller["buttons"], controller["stick_x"], controller["c_y"], controller["shoulder"] = 0x300, -1.0, 1.0, 0.35
    assert action_words(encode(controller)) == "A, B, stick left, C-stick up, shoulder 35 %"


# The loops


class FakeMatch:
    """A game whose next frame comes when every decision was taken, except on frames on which the agent is slow."""

    status = "playing"

    def __init__(self, frames: int, gate: Gate, meter: Meter) -> None:
        self.frames, self._last, self._gate, self._meter = empty_frames(1), frames, gate, meter
        self.frames["frame"] = 0
        self.done = False
        self.pressed: dict[int, list[int]] = {}

    @property
    def playing(self) -> bool:
        return not self.done

    def wait(self, until_s: float, wake: int | None = None) -> bool:
        frame = int(self.frames[0]["frame"])
        taken = len(self._meter.inference_s) + self._meter.skipped_frames
        if wake is not None and taken < frame and not self._gate.keeps(frame):
            assert select.select([wake], [], [], 60.0)[0]
            return False
        self.done = frame == self._last
        if not self.done:
            self.frames["frame"] += 1
        return True

    def press(self, controllers: np.ndarray) -> None:
        self.pressed.setdefault(int(self.frames[0]["frame"]), []).append(int(encode(controllers)[0, 0]))


class Gate:
    """Holds an agent up on some frames until the last of them has come."""

    def __init__(self, slow: range) -> None:
        self._slow, self._open = slow, threading.Event()

    def keeps(self, newest: int) -> bool:
        """Whether the game goes on without the agent after this frame."""
        if newest in self._slow[-1:]:
            self._open.set()
        return newest in self._slow[:-1]

    def enter(self, frame: int) -> None:
        if frame in self._slow:
            assert self._open.wait(60.0)


class Gated(Network):
    """Decides the number of the frame, when the gate lets it."""

    def __init__(self, gate: Gate, **timing: int) -> None:
        super().__init__(**timing)
        self.gate, self.seen = gate, list[int]()

    def act(self, view: SeatView, columns: np.ndarray) -> np.ndarray:
        frame = int(view.frames[0]["frame"])
        self.gate.enter(frame)
        self.seen.append(frame)
        return parts_of(frame)[:1]


def played(loop: Any, frames: int, gate: Gate, agent: Any, hold: int) -> tuple[FakeMatch, Meter]:
    meter = Meter()
    match = FakeMatch(frames, gate, meter)
    screen = SimpleNamespace(show=lambda *given: None)
    play_live(loop, match, Seats((agent, None)), (hold, None), meter, screen)  # type: ignore[arg-type]
    return match, meter


@pytest.mark.parametrize(("hold", "repeated"), [(0, 3), (1, 2), (3, 0)])
def test_the_game_never_waits_for_a_slow_agent_and_its_delay_is_time_to_think(hold: int, repeated: int) -> None:
    gate = Gate(slow=range(5, 9))  # the decision on frame 5 comes after frame 8
    agent = Gated(gate, delay_frames=hold)
    match, meter = played("async", 20, gate, agent, hold)
    assert (meter.frames, meter.repeated_actions, meter.skipped_frames) == (20, repeated, 0)
    assert agent.seen == list(range(1, 21)), "a recurrent state needs every frame"
    assert [presses[-1] for presses in match.pressed.values()][8:] == [frame - hold for frame in range(9, 21)]


def test_who_is_too_far_behind_gives_frames_up_and_leaves_nothing() -> None:
    gate = Gate(slow=range(2, 41))
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    agent = Gated(gate)
    _, meter = played("async", 45, gate, agent, 0)
    assert meter.skipped_frames in (38 - MOST_BEHIND_FRAMES, 39 - MOST_BEHIND_FRAMES), "one may be in hand"
    assert len(agent.seen) == 45 - meter.skipped_frames
    assert agent.seen[-5:] == [41, 42, 43, 44, 45]
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_the_sync_loop_answers_every_frame_once() -> None:
    match, meter = played("sync", 10, Gate(range(0)), Gated(Gate(range(0))), 2)
    assert match.pressed == {frame: [max(frame - 2, 0)] for frame in range(1, 11)}
    assert len(meter.inference_s) == 10


def test_what_an_agent_raises_ends_the_game() -> None:
    class Broken(Network):
        def act(self, view: SeatView, columns: np.ndarray) -> np.ndarray:
            raise ZeroDivisionError("broken")

    with pytest.raises(ZeroDivisionError):
        played("async", 10, Gate(range(0)), Broken(), 0)


class ClosedMatch(FakeMatch):
    """An emulator that ends in the middle of a game."""

    faults: ClassVar = {"exited": 1}
    replay_folders: ClassVar[list[Path]] = []

    def begin(self, order: Any, stocks: int, time_limit_frames: int) -> None:
        self.limit_frames = time_limit_frames

    def wait(self, until_s: float, wake: int | None = None) -> bool:
        if self.frames[0]["frame"] == self._last:
            raise BackendLost("an emulator broke")
        return super().wait(until_s, None)

    def close(self) -> None:
        self.done = True


@pytest.mark.parametrize("kind", ["human", "cpu"])
def test_a_person_may_close_dolphins_window(kind: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opponent, match = Opponent(kind, kind), ClosedMatch(30, Gate(range(0)), Meter())
    seats, names = Seats((Network(), None)), ("network", kind)
    session = LiveSession(THERE, opponent, match, seats, GameOrder((1, 1), 31), "sync", (0, None), names)  # type: ignore[arg-type]
    if kind == "human":
        session.run(tmp_path / "x.slp")
        assert match.limit_frames == 0, "the game has a clock of its own"
    else:
        with pytest.raises(UserError, match=r"(?s)an emulator broke.*doctor"):
            session.run(tmp_path / "x.slp")
    told = capsys.readouterr().err
    assert ("Dolphin was closed" in told) == (kind == "human")
    assert "broken off after 30 frames" in told
    assert (match.done, session.games[0].played) == (True, None)


class Games(FakeMatch):
    """One game after the other, of ten frames; the second one is lost to a fault."""

    faults: ClassVar[dict[str, int]] = {}
    replay_folders: ClassVar[list[Path]] = []
    begun = 0

    def begin(self, order: Any, stocks: int, time_limit_frames: int) -> None:
        self.begun += 1
        self.done, self.frames["frame"], self.frames["stage"] = False, 0, (31 if self.begun < 3 else 5)
        self.result = np.zeros((), RESULT)
        self.result["ended_by"] = EndedBy.FAULT if self.begun == 2 else EndedBy.STOCKS
        self.result["winner"], self.result["frames"] = (-1 if self.begun == 2 else 1), 10

    def close(self) -> None:
        self.closed = True


def test_games_follow_one_another_and_each_has_figures_of_its_own(tmp_path: Path) -> None:
    settings, match = replace(THERE, games=3), Games(10, Gate(range(0)), Meter())
    seats, order = Seats((Network(), None)), GameOrder((1, 1), 31)
    session = LiveSession(settings, Opponent("cpu", "cpu:5", 5), match, seats, order, "sync", (0, None), ("a", "b"))  # type: ignore[arg-type]
    session.run(tmp_path / "x.slp")
    results = json.loads(json.dumps([game.result() for game in session.games]))
    assert [game["winner"] for game in results] == ["opponent", None, "opponent"]
    assert [game["ended_by"] for game in results] == ["stocks", "fault", "stocks"]
    assert [game["stage"] for game in results] == ["BATTLEFIELD", "BATTLEFIELD", "stage 5"]
    assert [game.meter.frames for game in session.games] == [10] * 3
    assert match.closed


def test_the_read_out_says_how_it_goes_and_what_the_agent_does() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    agent = Network()
    agent.confidence = np.array([0.62, np.nan], np.float32)  # type: ignore[attr-defined]
    match, meter = FakeMatch(3, Gate(range(0)), Meter()), Meter()
    match.frames["players"]["stocks"], match.frames["players"]["character"] = 3, 1
    for second in range(3):
        meter.frame(second / 60)
    meter.inference_s.append(0.002)
    parts = np.tile(NEUTRAL_PARTS, (SEATS, 1))
    parts[0] = encode(np.array((0x100, -1.0, 0.0, 0.0, 0.0, 0.0), CONTROLLER))
    with Readout(Seats((agent, None)), ("mine", "you"), screen) as readout:  # type: ignore[arg-type]
        match.done, match.status = True, "in the menus"
        readout.show(match, meter, parts)  # type: ignore[arg-type]
        match.done, match.status = False, "playing"
        readout.show(match, meter, parts)  # type: ignore[arg-type]
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.file.getvalue())  # type: ignore[attr-defined]
    for words in (
        "warming up: in the menus",
        "game 1: 60.0 frames a second, 0 of 3 late, 0 actions repeated, inference 2.0 ms",
        "mine (Fox): 3 stocks, 0 %; presses A, stick left (62% sure)",
        "you (Fox): 3 stocks, 0 %",
    ):
        assert words in shown


# Saved games


def cut_short(path: Path, frames: int) -> Path:
    """A game whose writer was killed: its length was never written, and it stops within a frame."""
    whole = recorded_game(path, frames).read_bytes()
    path.write_bytes(whole[:11] + bytes(4) + whole[15:-2000])
    return path


def test_a_sessions_games_are_whole_and_named_in_order(tmp_path: Path) -> None:
    folders = [tmp_path / "emulator-b", tmp_path / "emulator-a"]
    for folder in folders:
        folder.mkdir()
    recorded_game(folders[0] / "Game_1.slp", 150)
    cut_short(folders[0] / "Game_2.slp", 200)
    recorded_game(folders[1] / "Game_1.slp", 170)
    (folders[1] / "Game_2.slp").write_bytes((folders[1] / "Game_1.slp").read_bytes()[:300])
    kept = collect(folders, tmp_path / "mine.slp")
    assert [path.name for path in kept] == ["mine.slp", "mine-2.slp", "mine-3.slp"]
    lengths = [len(read_game(path).frames) for path in kept]
    assert (lengths[0], lengths[2]) == (150, 170)
    assert 100 < lengths[1] < 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine-2.slp", "mine-3.slp", "mine.slp"]


def test_what_a_killed_session_left_is_rescued_and_what_runs_is_left_alone(tmp_path: Path) -> None:
    home = make_home(run_dir(tmp_path / "run"))
    games = tmp_path / "games"
    for name in (home.folder.name, "emulator-dead", "emulator-fresh"):
        (games / name).mkdir(parents=True)
        cut_short(games / name / "Game_1.slp", 200)
    for name in (home.folder.name, "emulator-dead"):
        os.utime(games / name / "Game_1.slp", (1, 1))
    saved = rescue(games, tmp_path / "run")
    assert [path.name for path in saved] == ["Game_1-dead.slp"]
    assert len(read_game(saved[0]).frames) > 100
    assert {path.name for path in games.iterdir()} == {"Game_1-dead.slp", home.folder.name, "emulator-fresh"}
    home.remove()


# Persons


PAD = "[GCPad1]\nDevice = evdev/0/Pad\nButtons/A = SOUTH\n[GCPad2]\nDevice = Pipe/0/slippibot2\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """~/.config of somebody who has nothing, and no adapter."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("envs.dolphin.person.usb_device_present", lambda *ids: False)
    return tmp_path / "config"


def test_a_persons_controller_is_found_or_what_to_do(config: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(DolphinSetupError, match=r"no controller for a person.*--controller FILE\.ini"):
        find_controller(None)
    own = config / "SlippiOnline" / "Config" / "GCPadNew.ini"
    own.parent.mkdir(parents=True)
    own.write_text("[GCPad1]\nDevice = Pipe/0/slippibot1\n")
    with pytest.raises(DolphinSetupError, match="no controller for a person"):
        find_controller(None)
    own.write_text(PAD)
    assert find_controller(None) == own
    assert find_controller("adapter") is None
    monkeypatch.setattr("envs.dolphin.person.usb_device_present", lambda *ids: True)
    assert find_controller(None) is None
    for text, words in (("", "configures no controller"), ("Device = 1", "no configuration of Dolphin's")):
        (tmp_path / "bad.ini").write_text(text)
        with pytest.raises(DolphinSetupError, match=words):
            find_controller(str(tmp_path / "bad.ini"))
    with pytest.raises(DolphinSetupError, match="no such file"):
        find_controller(str(tmp_path / "none.ini"))


def test_a_controller_is_copied_into_its_port_and_nothing_else_changes(tmp_path: Path) -> None:
    home, own = tmp_path / "User" / "Config", tmp_path / "own.ini"
    home.mkdir(parents=True)
    own.write_text(PAD)
    (home / "GCPadNew.ini").write_text("[GCPad2]\ndevice = Pipe/0/slippibot2\n")
    (home / "Dolphin.ini").write_text("[Core]\nsidevice1 = 6\n")
    plug_in(tmp_path / "User", own, 0)
    pads, core = configparser.ConfigParser(), configparser.ConfigParser()
    pads.read(home / "GCPadNew.ini")
    core.read(home / "Dolphin.ini")
    assert dict(pads["GCPad1"]) == {"device": "evdev/0/Pad", "buttons/a": "SOUTH"}
    assert pads["GCPad2"]["device"] == "Pipe/0/slippibot2"
    assert dict(core["Core"]) == {"sidevice1": "6", "sidevice0": "6"}
    assert own.read_text() == PAD


SECRET = {"uid": "someone", "playKey": "never-to-be-seen", "connectCode": "ABCD#123", "displayName": "x"}


def test_an_account_is_copied_for_its_owner_alone_and_never_shown(config: Path, tmp_path: Path) -> None:
    with pytest.raises(DolphinSetupError, match="--user-json"):
        find_account(None)
    own = config / "SlippiOnline" / "Slippi" / "user.json"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps(SECRET))
    account = find_account(None)
    assert account.code == "ABCD#123"
    account.copy_to(tmp_path / "User")
    copy = tmp_path / "User" / "Slippi" / "user.json"
    assert json.loads(copy.read_text()) == SECRET
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert "never" not in repr(account)
    for content in ({"connectCode": "A#1", "playKey": "never-to-be-seen"}, [1], "never-to-be-seen"):
        own.write_text(json.dumps(content))
        with pytest.raises(DolphinSetupError, match=r"is no user\.json") as caught:
            find_account(own)
        assert "never" not in str(caught.value)


def test_only_direct_codes_are_codes() -> None:
    assert check_connect_code("ABCD#123") == "ABCD#123"
    for text in ("abcd#123", "ABCD", "#1", "ABCD#", "ABCDEF#123", "AB CD#1", ""):
        with pytest.raises(DolphinSetupError, match="no connect code"):
            check_connect_code(text)
