"""Pads of the stand-in: pipes are read as Dolphin reads them, and inputs are played in the frame they are for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import melee
import numpy as np
import pytest

from envs.controller import CONTROLLER, PART_SIZES, decode, neutral
from envs.dolphin.standin.pads import START, Pad, Pads, inputs_of
from envs.dolphin.standin.program import BuildName
from envs.dolphin.standin.scenario import SCRIPTED, FaultSwitch, Scenario
from envs.frame import FIRST_PLAYABLE_FRAME, LEADER
from envs.game import Button
from tests.dolphin.test_standin import ROW, Libmelee, backend, start

SOON_S, NEVER_S = 5.0, 0.15


class Piped:
    """A pad and the other end of its pipe."""

    def __init__(self, path: Path, gives_up: bool) -> None:
        os.mkfifo(path)
        self.pad = Pad(path, gives_up)
        self._writer = os.open(path, os.O_WRONLY)

    def write(self, block: bytes) -> None:
        os.write(self._writer, block)

    def close(self) -> None:
        os.close(self._writer)

    def wait(self) -> threading.Thread:
        """The game waits for this pad, on a thread."""
        thread = threading.Thread(target=self.pad.poll, args=(True,), daemon=True)
        thread.start()
        return thread

    def held(self) -> int:
        self.pad.sample()
        return self.pad.held.buttons


@pytest.fixture(params=[True, False], ids=["ishiiruka", "mainline"])
def piped(request: pytest.FixtureRequest, tmp_path: Path) -> Piped:
    return Piped(tmp_path / "pipe", request.param)


def ends(thread: threading.Thread, limit_s: float) -> bool:
    thread.join(limit_s)
    return not thread.is_alive()


def test_a_poll_takes_all_and_answers_that_pile_up_count_as_one(piped: Piped):
    piped.write(b"PRESS A\nFLUSH\nRELEASE A\nPRESS B\nFLUSH\n")
    assert ends(piped.wait(), SOON_S)
    assert piped.held() == Button.B
    waiting = piped.wait()
    assert not ends(waiting, NEVER_S)
    piped.write(b"PRESS Y\nFLUSH\n")
    assert ends(waiting, SOON_S)
    assert (piped.held(), piped.pad.new) == (Button.B | Button.Y, Button.Y)


def test_a_wait_goes_on_until_the_last_command_is_a_flush(piped: Piped):
    piped.write(b"FLUSH\nSET MAIN 1 0.5\nPRESS")
    waiting = piped.wait()
    assert not ends(waiting, NEVER_S)
    piped.write(b" A\nNONSENSE\nSET L\nFLUSH\n")
    assert ends(waiting, SOON_S)
    assert (piped.held(), piped.pad.held.stick) == (Button.A, (1.0, 0.0))


def test_what_comes_while_nothing_is_asked_for_is_taken_and_gone(piped: Piped):
    piped.write(b"PRESS A\nFLUSH\n")
    piped.pad.poll(waits=False)
    waiting = piped.wait()
    assert not ends(waiting, NEVER_S)
    piped.write(b"FLUSH\n")
    assert ends(waiting, SOON_S)
    assert piped.held() == Button.A


def test_without_a_writer_ishiiruka_goes_on_and_mainline_waits(tmp_path: Path):
    for gives_up in (True, False):
        piped = Piped(tmp_path / f"pipe{gives_up}", gives_up)
        piped.close()
        waiting = piped.wait()
        assert ends(waiting, NEVER_S) is gives_up
        if not gives_up:
            again = os.open(tmp_path / f"pipe{gives_up}", os.O_WRONLY)
            os.write(again, b"FLUSH\n")
            assert ends(waiting, SOON_S)


def test_inputs_are_read_late_by_the_delay(tmp_path: Path):
    piped = Piped(tmp_path / "pipe", True)
    piped.pad.delay(2)
    seen = []
    for block in (b"PRESS A\n", b"RELEASE A\n", b"", b"PRESS B\n", b"", b""):
        piped.write(block)
        piped.pad.poll(waits=False)
        seen.append(piped.held())
    assert seen == [0, 0, Button.A, 0, 0, Button.B]


def test_old_builds_wait_for_one_pad_only(tmp_path: Path):
    pipes = [tmp_path / name for name in ("one", "two")]
    for pipe in pipes:
        os.mkfifo(pipe)
    pads = Pads((*pipes, None, None), blocking=True, gives_up=True, one_flush=True)
    first, second = (os.open(tmp_path / name, os.O_WRONLY) for name in os.listdir(tmp_path))
    os.write(first, b"PRESS START\nFLUSH\n")
    os.write(second, b"PRESS A\n")
    waiting = threading.Thread(target=pads.need_input, daemon=True)
    waiting.start()
    assert ends(waiting, SOON_S)
    assert pads.pressed(START)
    assert {inputs_of(pad.held)[1] for pad in pads.by_port.values()} == {START, Button.A}


def lags(sent: dict[int, np.ndarray], played: dict[int, np.ndarray]) -> set[int]:
    """By how many frames inputs that differ from frame to frame come later than they were sent."""
    found = set()
    for frame, inputs in played.items():
        same = [lag for lag in range(5) if frame - lag in sent and np.allclose(sent[frame - lag], inputs, atol=1e-4)]
        if frame - min(sent) > 5:
            found.add(min(same, default=-1))
    return found


@pytest.mark.parametrize("level", [0, 7], ids=["two ports", "one port"])
@pytest.mark.parametrize("build", ["mainline", pytest.param("ishiiruka-exiai", marks=pytest.mark.slow)])
def test_stock_libmelee_plays_each_input_in_the_next_frame(build: BuildName, level: int, tmp_path: Path):
    libmelee = Libmelee(tmp_path, Scenario(content=SCRIPTED, scripted_frames=250), build, cpu_level=level)
    sent: list[dict[int, np.ndarray]] = [{}, {}]
    played: list[dict[int, np.ndarray]] = [{}, {}]
    own = libmelee.pads[: 1 if level else 2]

    def note(state: melee.GameState) -> None:
        frame = int(state.frame)
        for seat, pad in enumerate(own):
            played[seat][frame] = np.array(state.players[seat + 1].controller_state.main_stick)
            tilt = np.array([0.5 + (40 + frame % 40) / 160, 0.5])[:: 1 - 2 * seat]
            pad.tilt_analog(melee.Button.BUTTON_MAIN, *tilt)
            sent[seat][frame] = tilt
        assert [state.players[port].cpu_level for port in (1, 2)] == [0, level]

    try:
        libmelee.frames_of_a_game(play=note)
    finally:
        libmelee.console.stop()
    assert [lags(*pair) for pair in zip(sent[: len(own)], played, strict=False)] == [{1}] * len(own)


@pytest.mark.parametrize(
    ("faults", "delay_frames"),
    [((), 3), ((FaultSwitch("one_flush"),), 0), pytest.param((), 0, marks=pytest.mark.slow)],
    ids=["delay", "one_flush", "plain"],
)
def test_our_pads_are_played_when_they_are_due(faults: tuple[FaultSwitch, ...], delay_frames: int, tmp_path: Path):
    scenario = Scenario(content=SCRIPTED, scripted_frames=600, faults=faults)
    rng = np.random.default_rng(3)
    parts = np.stack([rng.integers(0, size, (400, 2)) for size in PART_SIZES], axis=-1)
    parts[..., 2:5] = 8  # one axis, so that the stick's circle changes nothing
    parts[..., 0] = rng.integers(0, 16, (400, 2))
    inputs = decode(parts)
    sent, played = [], []
    with backend(tmp_path, scenario, online_delay_frames=delay_frames) as made:
        frame = int(start(made)["frame"][0])
        for controllers in inputs:
            sent += [controllers] if frame >= FIRST_PLAYABLE_FRAME else []
            frames = made.step(controllers[None])
            frame = int(frames["frame"][0])
            played += [frames["players"]["controller"][0, :, LEADER].copy()] if frame > FIRST_PLAYABLE_FRAME else []
        assert {report.lag_frames for report in made.instances[0].inputs.reports.values()} == {1 + delay_frames}
    until = len(sent) - delay_frames
    ours, theirs = (np.array(rows).view(np.int32).view(CONTROLLER)[..., 0] for rows in (words(sent), words(played)))
    for name in ("buttons", "stick_x", "stick_y", "c_x", "c_y"):
        assert np.allclose(ours[name][:until], theirs[name][delay_frames:], atol=1e-6), name


def words(records: list[np.ndarray]) -> np.ndarray:
    """Inputs [T, P, words] of a list of [P] CONTROLLER."""
    return np.array([np.ascontiguousarray(record).view(np.int32).reshape(2, -1) for record in records])


def test_start_pauses_and_goes_on_and_all_four_together_leave(tmp_path: Path):
    with backend(tmp_path, Scenario(content=SCRIPTED, scripted_frames=600)) as made:
        frame = int(start(made)["frame"][0])
        first, began = made.instances[0].emulator.pads[0], time.monotonic()
        first.write(b"PRESS START\n")
        for when_s, block in ((0.3, b"RELEASE START\n"), (0.4, b"PRESS START\n"), (0.5, b"RELEASE START\n")):
            threading.Timer(when_s, first.write, (block,)).start()
        assert made.step(neutral((1, 2)))["frame"][0] == frame + 1
        assert time.monotonic() - began > 0.4
        made.reset(np.ones(1, np.bool_), ROW[None], np.zeros(1, np.uint64))
        assert made.figures()["boots"] == 1


def test_a_game_that_cannot_be_paused_is_left_all_the_same(tmp_path: Path):
    with backend(tmp_path, Scenario(content=SCRIPTED, scripted_frames=600, pausing=False)) as made:
        frame = int(start(made)["frame"][0])
        made.instances[0].emulator.pads[0].write(b"PRESS START\n")
        assert made.step(neutral((1, 2)))["frame"][0] == frame + 1
        made.reset(np.ones(1, np.bool_), ROW[None], np.zeros(1, np.uint64))
        assert made.figures()["boots"] == 1


def test_slow_frames_and_a_port_that_is_refused_at_first_are_endured(tmp_path: Path):
    faults = (FaultSwitch("bind_refused", value=1), FaultSwitch("slow_frames", at_frame=195, value=0.05))
    with backend(tmp_path, Scenario(content=SCRIPTED, scripted_frames=200, faults=faults)) as made:
        start(made)
        while not made.done[0]:
            began = time.monotonic()
            made.step(neutral((1, 2)))
        assert time.monotonic() - began >= 0.05
        assert (made.figures()["boots"], made.figures()["faults"]) == (1, {})
