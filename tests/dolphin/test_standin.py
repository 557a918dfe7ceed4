"""The stand-in: to libmelee as it is, to our backend, and to those who read its replays."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import melee
import numpy as np
import pytest

from envs.backend import EndedBy, Matchup, UnsupportedMatchup
from envs.controller import PART_SIZES, decode, neutral
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.config import DolphinConfig
from envs.dolphin.standin.backend import StandInBackend, standin_config
from envs.dolphin.standin.program import ANSWERS, BuildName, write_executable
from envs.dolphin.standin.scenario import SCRIPTED, FaultSwitch, Scenario
from envs.frame import FIRST_FRAME, LEADER
from envs.slippi.read import read_game
from envs.slippi.stream import messages
from envs.slippi.ubjson import RAW_START
from tests.dolphin.standins import PORTS, recorded_game

FRAMES = 200
ROW = Matchup(characters=("FOX", "MARTH"), stage="BATTLEFIELD").row()
PRESSED = (melee.Menu.PRESS_START, melee.Menu.UNKNOWN_MENU)


@contextmanager
def backend(folder: Path, scenario: Scenario, **config: Any) -> Iterator[StandInBackend]:
    made = StandInBackend(1, DolphinConfig(run_dir=folder / "run", ports=PORTS, **config), scenario)
    try:
        yield made
    finally:
        made.close()


def start(made: StandInBackend) -> np.ndarray:
    return made.reset(np.ones(1, np.bool_), ROW[None], np.zeros(1, np.uint64))


def stock_console(folder: Path, build: BuildName, **more: Any) -> melee.Console:
    """libmelee's, on a stand-in of this build."""
    return melee.Console(
        path=str(write_executable(folder, build)),
        slippi_port=PORTS[1],
        blocking_input=True,
        gfx_backend="" if build == "ishiiruka" else "Null",
        disable_audio=True,
        emulation_speed=0,
        fullscreen=False,
        save_replays=False,
        **more,
    )


class Libmelee:
    """libmelee as everybody uses it, with two controllers."""

    def __init__(self, folder: Path, scenario: Scenario, build: BuildName, cpu_level: int = 0) -> None:
        """cpu_level: of port 2."""
        self._levels = (0, cpu_level)
        self.console = stock_console(folder, build)
        self.pads = [melee.Controller(self.console, port) for port in (1, 2)]
        self.helpers = [melee.MenuHelper() for _ in self.pads]
        self.seen: list[melee.Menu] = []
        iso = scenario.write(folder / "melee.iso")
        self.console.run(iso_path=str(iso), platform="headless" if build.startswith("mainline") else None)
        assert self.console.connect()
        for pad in self.pads:
            pad.connect()

    def frames_of_a_game(self, limit: int = 5000, play: Callable[[melee.GameState], None] | None = None) -> list[int]:
        """Menus, and the ids of the frames up to the game's end; `play` answers each of them, default idle hands."""
        frames: list[int] = []
        for n in range(limit):
            state = self.console.step()
            self.seen.append(state.menu_state)
            if state.menu_state is melee.Menu.IN_GAME:
                frames.append(int(state.frame))
                for pad in self.pads:
                    pad.release_all()
                if play is not None:
                    play(state)
            elif frames:
                return frames
            else:
                self._through_menus(state, n)
        raise AssertionError(f"no game ended: {self.seen[-1]}")

    def _through_menus(self, state: melee.GameState, n: int) -> None:
        wanted = (melee.Character.FOX, melee.Character.MARTH)
        levels = tuple(state.players[pad.port].cpu_level for pad in self.pads if pad.port in state.players)
        is_set = state.menu_state is not melee.Menu.CHARACTER_SELECT or levels == self._levels
        for helper, pad, character, level in zip(self.helpers, self.pads, wanted, self._levels, strict=True):
            if state.menu_state in PRESSED:
                (pad.press_button if n % 2 else pad.release_button)(melee.Button.BUTTON_START)
            else:
                stage, starts = melee.Stage.BATTLEFIELD, pad is self.pads[0] and is_set
                more = {"cpu_level": level, "autostart": starts, "frozen_stadium": False}
                helper.menu_helper_simple(state, pad, character, stage, **more)


@pytest.mark.parametrize("build", get_args(BuildName))
def test_libmelee_knows_each_build_by_its_answer(build: BuildName, tmp_path: Path):
    answer = subprocess.run(
        [write_executable(tmp_path, build), "--version"], capture_output=True, text=True, timeout=20
    )
    assert (answer.stdout.strip(), answer.stderr.strip(), answer.returncode) == ANSWERS[build]


@pytest.mark.parametrize(
    "build", ["mainline", pytest.param("ishiiruka-exiai", marks=pytest.mark.slow)], ids=lambda build: str(build)
)
def test_libmelee_as_it_is_plays_two_games_with_rollbacks(build: BuildName, tmp_path: Path):
    faults = (FaultSwitch("rollback", 60, 3), FaultSwitch("rollback", FRAMES + 90, 7))
    libmelee = Libmelee(tmp_path, Scenario(content=SCRIPTED, scripted_frames=FRAMES, faults=faults), build)
    try:
        for _ in range(2):
            assert libmelee.frames_of_a_game() == list(range(FIRST_FRAME, FIRST_FRAME + FRAMES))
    finally:
        libmelee.console.stop()
    for menu in ("PRESS_START", "MAIN_MENU", "CHARACTER_SELECT", "STAGE_SELECT", "UNKNOWN_MENU"):
        assert melee.Menu[menu] in libmelee.seen


def test_a_recording_is_sent_byte_for_byte_and_libmelee_gets_each_frame_once(tmp_path: Path, monkeypatch: Any):
    path = recorded_game(tmp_path / "game.slp", FRAMES)
    sent: list[bytes] = []
    handle = melee.Console._Console__handle_slippstream_events  # type: ignore[attr-defined]

    def noted(console: melee.Console, payload: bytes, *rest: Any) -> Any:
        sent.append(bytes(payload))
        return handle(console, payload, *rest)

    monkeypatch.setattr(melee.Console, "_Console__handle_slippstream_events", noted)
    libmelee = Libmelee(tmp_path, Scenario(content=str(path)), "mainline")
    try:
        assert libmelee.frames_of_a_game() == list(range(FIRST_FRAME, FIRST_FRAME + FRAMES))
    finally:
        libmelee.console.stop()
    events = [payload for payload in sent if payload[0] != 0x3E]
    assert events == list(messages(path.read_bytes()[RAW_START:]))


@pytest.mark.parametrize("build", ["mainline", "ishiiruka"])
def test_a_game_of_the_simulator_answers_to_the_pads_and_is_saved_as_it_was(build: Any, tmp_path: Path):
    limits = {"standin_build": build, "replay_dir": tmp_path / "replays"}
    with backend(tmp_path, Scenario(), **limits) as made:
        start(made)
        rng, seen = np.random.default_rng(3), []
        for step in range(240):
            if step % 4 == 0:
                sent = decode(np.stack([rng.integers(0, size, (1, 2)) for size in PART_SIZES], axis=-1))
            seen.append(made.step(sent).copy())
        last = np.concatenate(seen)
        assert last["frame"].tolist() == list(range(FIRST_FRAME + 1, FIRST_FRAME + 241))
        assert (last["players"][-1, :, LEADER]["x"] != last["players"][0, :, LEADER]["x"]).all()
        start(made)  # leaves the game
        assert made.figures()["faults"] == {}
    saved = [read_game(path) for path in (tmp_path / "replays").rglob("*.slp")]
    longest = max(saved, key=lambda game: len(game.frames))
    assert (longest.frames["players"]["x"][1:241] == last["players"]["x"])[:, :, LEADER].all()


def test_less_than_a_whole_game_is_left_and_the_next_one_follows(tmp_path: Path):
    with backend(tmp_path, Scenario(content=SCRIPTED, scripted_frames=400)) as made:
        row = ROW.copy()
        row["stocks"], row["swap_start"] = 2, 1
        for _ in range(2):
            made.reset(np.ones(1, np.bool_), row[None], np.zeros(1, np.uint64))
            while not made.done[0]:
                made.step(neutral((1, 2)))
            assert (made.result[0]["ended_by"], made.result[0]["winner"]) == (EndedBy.STOCKS, 1)
        assert made.figures()["boots"] == 1


def test_a_character_that_the_simulator_lacks_is_refused_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    row = Matchup(characters=("FOX", "YOSHI"), stage="BATTLEFIELD").row()
    with backend(tmp_path, Scenario()) as made, pytest.raises(UnsupportedMatchup, match="cannot play YOSHI"):
        made.refuse(row[None])
    limits: dict[str, Any] = {"tries_per_game": 1, "menu_budget_frames": 200}
    config = standin_config(DolphinConfig(run_dir=tmp_path / "run", ports=PORTS, **limits), tmp_path, Scenario())
    by_path = DolphinBackend(1, config)  # as anybody's Dolphin, who only finds out in its menus
    try:
        by_path.reset(np.ones(1, np.bool_), row[None], np.zeros(1, np.uint64))
        assert by_path.done[0]
    finally:
        by_path.close()
    assert "the simulator cannot play YOSHI" in caplog.text


def test_a_scenario_reads_back_as_written_and_passes_for_an_iso(tmp_path: Path):
    scenario = Scenario(SCRIPTED, (3, 16, 0), seed=3, faults=(FaultSwitch("crash", 5), FaultSwitch("leak", 1, 2.5)))
    assert Scenario.read(scenario.write(tmp_path / "a.iso")) == scenario
    with pytest.raises(ValueError, match="unknown fault 'sulk'"):
        FaultSwitch("sulk")  # type: ignore[arg-type]
    (tmp_path / "b.iso").write_bytes(b"GALE")
    status = subprocess.run(
        [sys.executable, "-m", "envs.dolphin.standin", "-e", tmp_path / "b.iso", "-u", tmp_path],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (status.returncode, "is no scenario" in status.stdout) == (1, True)


def test_random_faults_are_of_every_kind_and_as_frequent_as_asked():
    drawn, rng = Scenario(faults=(FaultSwitch("random", 500),)), random.Random(1)
    lives = [drawn.drawn(rng).faults for _ in range(2000)]
    struck = [fault for life in lives for fault in life if fault.at_frame > 1]
    kinds = {fault.kind for life in lives for fault in life}
    assert len(kinds) == 16
    assert sum(life[-1].at_frame for life in lives) / len(struck) == pytest.approx(500, rel=0.1)
    assert all(len(life) == 1 or life[-1].kind not in ("late", "rollback", "menu_in_frame") for life in lives)
