"""What goes wrong with emulators in long runs: seen in time, the other games go on, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.backend import BackendLost, EndedBy, Fault, Matchup, UnsupportedMatchup
from envs.controller import neutral
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.home import make_home, run_dir, sweep
from envs.dolphin.instance import Instance
from envs.frame import FIRST_FRAME
from tests.dolphin.tiny import FRAMES, MATCHUP, TinyBackend, all_gone, left_behind

AT = 60
"""Frame of a game at which faults strike."""


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert all_gone(tmp_path), left_behind(tmp_path)


@pytest.fixture
def backend(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TinyBackend]:
    made = TinyBackend(tmp_path, **getattr(request, "param", {}))
    yield made
    made.close()


def test_a_game_is_played_to_its_end_and_the_next_follows(backend: TinyBackend):
    first = backend.start().copy()
    assert first["frame"][0] == FIRST_FRAME
    for _ in range(2):
        backend.play()
        result = backend.result[0]
        assert (result["ended_by"], result["winner"], result["frames"]) == (EndedBy.STOCKS, 0, FRAMES)
        assert backend.again(backend.done)["frame"][0] == FIRST_FRAME
    figures = backend.figures()
    assert (figures["boots"], figures["games"], figures["faults"]) == (1, 2, {})


CASES = [
    pytest.param({"crash": AT}, "exited", 1.0, id="crash"),
    pytest.param({"hang": AT}, "frame_timeout", 2.5, id="hang"),
    pytest.param({"silent": AT}, "disconnected", 2.5, id="silent"),
    pytest.param({"truncated": AT}, "broken_stream", 1.0, id="truncated"),
    pytest.param({"exit": AT}, "exited", 1.0, id="exit", marks=pytest.mark.slow),
    pytest.param({"freeze": AT}, "frame_timeout", 2.5, id="freeze", marks=pytest.mark.slow),
    pytest.param({"unknown_event": AT}, "broken_stream", 1.0, id="unknown_event", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("faults", "kind", "limit_s"), CASES)
def test_a_fault_aborts_its_game_in_time_and_no_other(
    faults: dict[str, Any], kind: str, limit_s: float, tmp_path: Path
):
    backend = TinyBackend(tmp_path, num_games=2, faults=faults, frames=6000)
    try:
        backend.start()
        other, hands = backend.instances[1], neutral((2, 2))
        while backend.step(hands)["frame"][0] < FIRST_FRAME + AT - 2:
            pass
        struck, before = time.monotonic(), other.tally.frames
        while not backend.done[0]:
            backend.step(hands)
        assert time.monotonic() - struck < limit_s
        assert backend.result[0]["ended_by"] == EndedBy.FAULT
        assert backend.result[0]["winner"] == -1
        assert backend._frames["fault"][0] == Fault.LOST
        assert backend.faults == {kind: 1}
        backend.instances[0]._iso = backend.fine
        backend.again(backend.done)
        while backend.instances[0].waiting:
            backend.step(hands)
        assert not backend.done[0]
        assert other.tally.frames > before
        assert other.tally.boots == 1
    finally:
        backend.close()


@pytest.mark.parametrize("backend", [{"faults": {"exit_at_boot": 1}}], indirect=True)
def test_a_dolphin_that_never_starts_is_the_users_to_mend_and_its_words_are_shown(backend: TinyBackend):
    with pytest.raises(DolphinSetupError, match=r"(?s)ended right after its start, 3 times.*cannot read the disc"):
        backend.start()


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"faults": {"slow_boot": 3.0}}], indirect=True)
def test_a_slow_boot_is_waited_for(backend: TinyBackend):
    assert backend.start()["frame"][0] == FIRST_FRAME
    assert backend.faults == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", [{"faults": {"no_server": 1}, "boot_timeout_s": 0.7, "tries_per_game": 2}], indirect=True
)
def test_a_boot_that_never_ends_is_given_up_and_the_game_with_it(backend: TinyBackend):
    backend.start()
    assert backend.done[0]
    assert backend.result[0]["ended_by"] == EndedBy.FAULT
    assert backend.faults == {"boot_timeout": 2}


@pytest.mark.parametrize(
    "backend", [{"faults": {"stuck_menu": 1}, "menu_budget_frames": 120, "tries_per_game": 1}], indirect=True
)
def test_menus_have_a_budget(backend: TinyBackend):
    backend.start()
    assert backend.faults == {"menu_stuck": 1}
    assert backend.done[0]


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"tries_per_game": 2}], indirect=True)
@pytest.mark.parametrize("other", [{"characters": ("FOX", "MARTH")}, {"stage": "DREAM_LAND"}])
def test_another_game_than_was_picked_is_not_played(backend: TinyBackend, other: dict[str, Any]):
    backend.start(Matchup(**({"characters": MATCHUP.characters, "stage": MATCHUP.stage} | other)))
    if not backend.done[0]:
        backend.play()
    assert backend.result[0]["ended_by"] == EndedBy.FAULT
    assert set(backend.faults) == {"wrong_game"}


def test_what_cannot_be_picked_is_refused_before_anything_happens(backend: TinyBackend):
    for change, message in ((("character", (11, 1)), "cannot be picked"), (("stocks", 5), "4 stocks")):
        row = MATCHUP.row()
        row[change[0]] = change[1]
        with pytest.raises(UnsupportedMatchup, match=message):
            backend.reset(np.ones(1, np.bool_), row[None], np.zeros(1, np.uint64))
    assert backend.instances[0].emulator is None


@pytest.mark.parametrize(
    "faults",
    [{"rollback": AT}, {"menu_in_frame": AT}, {"two_ends": 1}],
    ids=["rollback", "menu event in a frame", "two ends"],
)
def test_oddities_of_the_stream_do_not_disturb_a_game(faults: dict[str, int], tmp_path: Path):
    backend = TinyBackend(tmp_path, faults=faults)
    try:
        backend.start()
        frames = [int(backend.step(neutral((1, 2)))["frame"][0]) for _ in range(FRAMES - 1)]
        assert frames == list(range(FIRST_FRAME + 1, FIRST_FRAME + FRAMES))
        assert backend.result[0]["ended_by"] == EndedBy.STOCKS
        assert backend.again(backend.done)["frame"][0] == FIRST_FRAME
        assert backend.faults == {}
    finally:
        backend.close()


def test_a_game_that_ends_without_a_word_is_over_when_its_scene_is(tmp_path: Path):
    backend = TinyBackend(tmp_path, faults={"no_end": 1})
    try:
        backend.start(Matchup(characters=MATCHUP.characters, stage=MATCHUP.stage))
        backend.play()
        assert backend.result[0]["ended_by"] == EndedBy.STOCKS
        assert backend.again(backend.done)["frame"][0] == FIRST_FRAME
    finally:
        backend.close()


@pytest.mark.slow
def test_a_late_frame_delays_only_its_own_game(tmp_path: Path):
    backend = TinyBackend(tmp_path, num_games=2, faults={"late": AT}, frames=5000, frame_timeout_s=5.0)
    try:
        backend.start()
        hands = neutral((2, 2))
        while backend.step(hands)["frame"][0] < FIRST_FRAME + AT - 5:
            pass
        moved = [backend.step(hands)["frame"].tolist() for _ in range(60)]
        assert moved[50][0] == moved[20][0]
        assert moved[50][1] > moved[20][1]
        while backend.step(hands)["frame"][0] < FIRST_FRAME + AT + 5:
            pass
        assert backend.faults == {}
    finally:
        backend.close()


@pytest.mark.parametrize(
    "backend", [{"faults": {"leak": 3}, "soft_memory_mib": 80, "hard_memory_mib": 150, "frames": 5000}], indirect=True
)
def test_memory_above_the_hard_limit_ends_the_instance(backend: TinyBackend, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envs.dolphin.instance.GLANCE_S", 0.05)
    backend.start()
    backend.play()
    assert backend.faults == {"memory": 1}


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"faults": {"leak": 1}, "soft_memory_mib": 100, "frames": 300}], indirect=True)
def test_memory_above_the_soft_limit_is_mended_between_two_games(backend: TinyBackend, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envs.dolphin.instance.GLANCE_S", 0.05)
    backend.start()
    backend.play()
    assert backend.result[0]["ended_by"] == EndedBy.STOCKS
    backend.again(backend.done)
    assert backend.figures()["recycled"] == 1
    assert backend.faults == {}


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"recycle_frames": 150}], indirect=True)
def test_an_old_instance_is_replaced_between_two_games(backend: TinyBackend):
    backend.start()
    backend.play()
    backend.again(backend.done)
    assert backend.figures()["recycled"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"faults": {"crash": 10}, "restarts": 2}], indirect=True)
def test_a_spent_budget_is_an_error_that_names_the_last_fault(backend: TinyBackend):
    for _ in range(2):
        backend.start()
        backend.play()
    backend.start()
    with pytest.raises(BackendLost, match=r"broke 3 times in 600 s, the last time: exited"):
        backend.play()


# Inputs


def test_the_self_test_finds_inputs_unchanged_one_frame_later(backend: TinyBackend):
    backend.start()
    backend.play()
    check = backend.instances[0].inputs
    assert check is not None
    for report in check.reports.values():
        assert (report.lag_frames, report.sticks, report.buttons, report.trigger) == (1, 1.0, 1.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"faults": {"lag": 2, "no_trigger": 1}}], indirect=True)
def test_lag_and_lost_triggers_are_measured_and_told(backend: TinyBackend, caplog: pytest.LogCaptureFixture):
    backend.start()
    backend.play()
    check = backend.instances[0].inputs
    assert check is not None
    assert {report.lag_frames for report in check.reports.values()} == {3}
    assert all(report.trigger < 0.9 for report in check.reports.values())
    assert "played 3 frames after they are sent, not 1" in caplog.text
    assert "analog triggers do not arrive" in caplog.text


@pytest.mark.parametrize("backend", [{"faults": {"deaf_pad": 1}}], indirect=True)
def test_inputs_that_do_not_arrive_are_a_fault(backend: TinyBackend):
    backend.start()
    backend.play()
    assert backend.faults == {"input": 1}


# Owners that go


OWNER = """
import sys
from pathlib import Path
from tests.dolphin.tiny import TinyBackend
from envs.controller import neutral
backend = TinyBackend(Path(sys.argv[1]), num_games=2, frames=6000)
backend.start()
hands = neutral((2, 2))
while backend.figures()["boots"] < 2:
    backend.step(hands)
print("playing", flush=True)
while sys.argv[2] == "on":
    backend.step(hands)
    backend.again(backend.done)
"""


def owner(folder: Path, what: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder), what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "playing\n"
    return process


def test_a_killed_owner_leaves_nothing(tmp_path: Path):
    process = owner(tmp_path, "on")
    assert len(left_behind(tmp_path)) >= 8  # two homes; keeper, Dolphin and link of each
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert all_gone(tmp_path, 3.0), left_behind(tmp_path)


@pytest.mark.slow
def test_an_owner_that_ends_without_closing_ends_at_once(tmp_path: Path):
    process = owner(tmp_path, "off")
    assert process.wait(5) == 0
    assert all_gone(tmp_path, 3.0), left_behind(tmp_path)


def test_a_killed_keeper_is_noticed_and_cleared_up(backend: TinyBackend):
    backend.start()
    emulator = backend.instances[0].emulator
    assert emulator is not None
    emulator._keeper.kill()
    backend.play()
    assert set(backend.faults) <= {"exited", "pad"}  # whichever shows first


def test_closing_in_the_middle_of_a_boot_leaves_nothing(backend: TinyBackend):
    instance: Instance = backend.instances[0]
    instance.begin(backend._order(MATCHUP.row()))
    instance.tick(time.monotonic())
    assert instance.emulator is not None
    backend.close()
    backend.close()


def test_homes_of_killed_owners_are_swept_at_the_next_start(tmp_path: Path):
    folder = run_dir(tmp_path / "run")
    home = make_home(folder)
    os.close(home._lease._descriptor or -1)  # as the kernel does when the owner dies
    assert left_behind(tmp_path)
    TinyBackend(tmp_path).close()
    assert not left_behind(tmp_path)
    assert sweep(folder) == 0


@pytest.mark.slow
def test_a_backend_that_is_not_stepped_for_a_while_goes_on(backend: TinyBackend):
    backend.start()
    time.sleep(40)  # longer than any of the network library's time limits
    backend.play()
    assert backend.faults == {}
