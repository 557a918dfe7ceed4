"""What goes wrong with emulators in long runs: seen in time, the other games go on, nothing is left.

The stand-in is made to fail as Dolphin was seen to (or a plain process is, in `test_rooms`); the fixture `left` looks
after each test for processes, zombies, homes with their pipes, and locks. By failure:

 1 actor killed                       test_a_killed_owner_leaves_nothing
 2 end without closing                test_an_owner_that_ends_without_closing_ends_at_once
 3 closed before it was connected     test_closing_in_the_middle_of_a_boot_leaves_nothing
 4 crash                              test_a_fault_aborts_its_game_in_time_and_no_other[crash, exit]
 5 all threads frozen                 test_a_fault_aborts_its_game_in_time_and_no_other[freeze]
 6 emulation hangs, network alive     test_a_fault_aborts_its_game_in_time_and_no_other[hang]
 7 exit at boot                       test_a_dolphin_that_never_starts_is_the_users_to_mend_and_its_words_are_shown
 8 slow boot, endless boot            test_a_slow_boot_is_waited_for, test_a_boot_that_never_ends_is_given_up...
 9 stuck in menus                     test_menus_have_a_budget
10 another character or stage         test_another_game_than_was_picked_is_not_played
11 port taken                         test_a_port_that_another_program_takes_meanwhile_costs_one_emulator, test_rooms
12 homes left                         test_homes_of_killed_owners_are_swept_at_the_next_start, test_rooms
13 pipe closed or never drained       test_a_pad_whose_reader_is_gone_is_a_fault, test_rooms
14 zombies                            every test, by the fixture `left`
15 memory                             test_memory_above_the_hard_limit..., test_memory_above_the_soft_limit...
16 instant match crashes              not used: games are entered through the menus
17 rollbacks, menu events, ends       test_oddities_of_the_stream..., test_a_game_that_ends_without_..., test_stream
18 seldom stepped                     test_a_backend_that_is_not_stepped_for_a_while_goes_on
19 fork of a threaded actor           test_helpers_share_nothing_with_their_owner
20 inputs changed, late or lost       test_the_self_test_..., test_lag_and_lost_..., test_inputs_that_do_not_...
21 home of another build              test_each_start_has_a_home_of_its_own
"""

from __future__ import annotations

import os
import signal
import socket
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
from envs.dolphin.errors import DolphinSetupError, InstanceFault
from envs.dolphin.home import make_home, run_dir, sweep
from envs.dolphin.instance import Instance
from envs.dolphin.pads import Pad
from envs.dolphin.standin.scenario import FaultSwitch
from envs.frame import FIRST_FRAME
from tests.dolphin.conftest import Left
from tests.dolphin.standins import FRAMES, MATCHUP, StandIns, recorded_game
from tests.left_behind import all_gone

AT = 60
"""Frame of a game at which faults strike."""


def suffering(kind: Any, at_frame: int = AT, value: float = 1.0, **config: Any) -> dict[str, Any]:
    """Arguments of a StandIns with one fault."""
    return {"faults": [FaultSwitch(kind, at_frame, value)], **config}


@pytest.fixture
def backend(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StandIns]:
    made = StandIns(tmp_path, **getattr(request, "param", {}))
    yield made
    made.close()


def test_a_game_is_played_to_its_end_and_the_next_follows(backend: StandIns):
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
    pytest.param("crash", "exited", 2.0, id="crash"),
    pytest.param("hang", "frame_timeout", 4.5, id="hang"),
    pytest.param("disconnect", "disconnected", 4.5, id="disconnect"),
    pytest.param("truncated", "broken_stream", 2.0, id="truncated"),
    pytest.param("exit", "exited", 2.0, id="exit", marks=pytest.mark.slow),
    pytest.param("freeze", "frame_timeout", 4.5, id="freeze", marks=pytest.mark.slow),
    pytest.param("unknown_event", "broken_stream", 2.0, id="unknown_event", marks=pytest.mark.slow),
]
"""Fault, what it is counted as, and seconds within which (libmelee takes 7 for a crash, for ever for a hang)."""


@pytest.mark.parametrize(("fault", "kind", "limit_s"), CASES)
def test_a_fault_aborts_its_game_in_time_and_no_other(fault: str, kind: str, limit_s: float, tmp_path: Path):
    backend = StandIns(tmp_path, num_games=2, frames=60_000, **suffering(fault))
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


@pytest.mark.parametrize(
    "backend",
    [suffering("random", 20, frames=60_000, tries_per_game=1, hard_memory_mib=300, soft_memory_mib=300)],
    indirect=True,
)
def test_random_faults_strike(backend: StandIns):
    backend.start()
    backend.play()
    assert backend.result[0]["ended_by"] == EndedBy.FAULT
    assert sum(backend.faults.values()) == 1


@pytest.mark.parametrize("backend", [suffering("exit_at_boot")], indirect=True)
def test_a_dolphin_that_never_starts_is_the_users_to_mend_and_its_words_are_shown(backend: StandIns):
    with pytest.raises(DolphinSetupError, match=r"(?s)ended right after its start, 3 times.*cannot read the disc"):
        backend.start()


@pytest.mark.slow
@pytest.mark.parametrize("backend", [suffering("slow_boot", value=3.0)], indirect=True)
def test_a_slow_boot_is_waited_for(backend: StandIns):
    assert backend.start()["frame"][0] == FIRST_FRAME
    assert backend.faults == {}


@pytest.mark.slow
@pytest.mark.parametrize("backend", [suffering("no_spectator", boot_timeout_s=1.5, tries_per_game=2)], indirect=True)
def test_a_boot_that_never_ends_is_given_up_and_the_game_with_it(backend: StandIns):
    backend.start()
    assert backend.done[0]
    assert backend.result[0]["ended_by"] == EndedBy.FAULT
    assert backend.faults == {"boot_timeout": 2}


@pytest.mark.parametrize("backend", [suffering("stuck_menu", menu_budget_frames=300, tries_per_game=1)], indirect=True)
def test_menus_have_a_budget(backend: StandIns):
    backend.start()
    assert backend.faults == {"menu_stuck": 1}
    assert backend.done[0]


def test_another_game_than_was_picked_is_not_played(tmp_path: Path):
    """The stand-in plays a recording of Battlefield whatever is picked."""
    game = recorded_game(tmp_path / "game.slp")
    backend = StandIns(tmp_path, content=str(game), tries_per_game=2)
    try:
        backend.start(Matchup(characters=MATCHUP.characters, stage="DREAM_LAND"))
        assert backend.result[0]["ended_by"] == EndedBy.FAULT
        assert backend.faults == {"wrong_game": 2}
    finally:
        backend.close()


@pytest.mark.slow
@pytest.mark.parametrize("backend", [suffering("wrong_character", tries_per_game=1)], indirect=True)
def test_another_character_than_was_picked_is_not_played(backend: StandIns):
    backend.start()
    assert backend.faults == {"wrong_game": 1}


def test_what_cannot_be_picked_is_refused_before_anything_happens(backend: StandIns):
    for change, message in ((("character", (11, 1)), "cannot be picked"), (("stocks", 5), "4 stocks")):
        row = MATCHUP.row()
        row[change[0]] = change[1]
        with pytest.raises(UnsupportedMatchup, match=message):
            backend.reset(np.ones(1, np.bool_), row[None], np.zeros(1, np.uint64))
    assert backend.instances[0].emulator is None


@pytest.mark.parametrize(
    "fault",
    [
        FaultSwitch("rollback", AT, 3),
        pytest.param(FaultSwitch("menu_in_frame", AT), marks=pytest.mark.slow),
        pytest.param(FaultSwitch("duplicate_end"), marks=pytest.mark.slow),
    ],
    ids=lambda fault: fault.kind,
)
def test_oddities_of_the_stream_do_not_disturb_a_game(fault: FaultSwitch, tmp_path: Path):
    backend = StandIns(tmp_path, faults=[fault])
    try:
        backend.start()
        frames = [int(backend.step(neutral((1, 2)))["frame"][0]) for _ in range(FRAMES - 1)]
        assert frames == list(range(FIRST_FRAME + 1, FIRST_FRAME + FRAMES))
        assert backend.result[0]["ended_by"] == EndedBy.STOCKS
        assert backend.again(backend.done)["frame"][0] == FIRST_FRAME
        assert backend.faults == {}
    finally:
        backend.close()


@pytest.mark.parametrize("backend", [suffering("missing_end")], indirect=True)
def test_a_game_that_ends_without_a_word_is_over_when_its_scene_is(backend: StandIns):
    backend.start()
    backend.play()
    assert backend.result[0]["ended_by"] == EndedBy.STOCKS
    assert backend.again(backend.done)["frame"][0] == FIRST_FRAME
    assert backend.faults == {}


@pytest.mark.slow
def test_a_late_frame_delays_only_its_own_game(tmp_path: Path):
    backend = StandIns(tmp_path, num_games=2, frames=60_000, frame_timeout_s=20.0, **suffering("late", value=2.0))
    try:
        backend.start()
        hands = neutral((2, 2))
        while backend.instances[0].tally.frames < AT - 5:
            backend.step(hands)
        moved = [backend.step(hands)["frame"].tolist() for _ in range(60)]
        assert moved[50][0] == moved[20][0]
        assert moved[50][1] > moved[20][1] or backend.instances[1].waiting
        while backend.instances[0].tally.frames < AT + 5:
            backend.step(hands)
        assert backend.faults == {}
    finally:
        backend.close()


@pytest.mark.parametrize(
    "backend", [suffering("leak", 1, 8.0, soft_memory_mib=300, hard_memory_mib=500, frames=60_000)], indirect=True
)
def test_memory_above_the_hard_limit_ends_the_instance(backend: StandIns, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envs.dolphin.instance.GLANCE_S", 0.05)
    backend.start()
    backend.play()
    assert backend.faults == {"memory": 1}


@pytest.mark.slow
@pytest.mark.parametrize("backend", [suffering("leak", 1, 2.0, soft_memory_mib=300, frames=300)], indirect=True)
def test_memory_above_the_soft_limit_is_mended_between_two_games(backend: StandIns, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envs.dolphin.instance.GLANCE_S", 0.05)
    backend.start()
    backend.play()
    assert backend.result[0]["ended_by"] == EndedBy.STOCKS
    backend.again(backend.done)
    assert backend.figures()["recycled"] == 1
    assert backend.faults == {}


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"recycle_frames": 150}], indirect=True)
def test_an_old_instance_is_replaced_between_two_games(backend: StandIns):
    backend.start()
    backend.play()
    backend.again(backend.done)
    assert backend.figures()["recycled"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("backend", [suffering("crash", 10, restarts=2)], indirect=True)
def test_a_spent_budget_is_an_error_that_names_the_last_fault(backend: StandIns):
    for _ in range(2):
        backend.start()
        backend.play()
    backend.start()
    with pytest.raises(BackendLost, match=r"broke 3 times in 600 s, the last time: exited"):
        backend.play()


# Inputs


def test_the_self_test_finds_inputs_unchanged_one_frame_later(backend: StandIns):
    backend.start()
    backend.play()
    check = backend.instances[0].inputs
    assert check is not None
    assert sorted(check.reports) == [0, 1]
    for report in check.reports.values():
        assert (report.lag_frames, report.sticks, report.buttons, report.trigger) == (1, 1.0, 1.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", [{"faults": [FaultSwitch("lag", 1, 2), FaultSwitch("no_trigger")]}], indirect=True)
def test_lag_and_lost_triggers_are_measured_and_told(backend: StandIns, caplog: pytest.LogCaptureFixture):
    backend.start()
    backend.play()
    check = backend.instances[0].inputs
    assert check is not None
    assert {report.lag_frames for report in check.reports.values()} == {3}
    assert all(report.trigger < 0.9 for report in check.reports.values())
    assert "played 3 frames after they are sent, not 1" in caplog.text
    assert "analog triggers do not arrive" in caplog.text


@pytest.mark.parametrize("backend", [suffering("deaf_pad")], indirect=True)
def test_inputs_that_do_not_arrive_are_a_fault(backend: StandIns):
    backend.start()
    backend.play()
    assert backend.faults == {"input": 1}


@pytest.mark.slow
def test_a_pad_whose_reader_is_gone_is_a_fault(backend: StandIns):
    """A process that was stopped reads no pipe: it fills, and no write ever waits."""
    backend.start()
    emulator = backend.instances[0].emulator
    assert emulator is not None
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(InstanceFault, match="is full: nobody reads it"):
        flood(emulator.pads[0])
    assert time.monotonic() - began < 2.0


def flood(pad: Pad) -> None:
    for _ in range(100_000):
        pad.again()


# Owners that go


OWNER = """
import sys
from pathlib import Path
from tests.dolphin.standins import StandIns
from envs.controller import neutral
backend = StandIns(Path(sys.argv[1]), num_games=2, frames=60_000)
backend.start()
hands = neutral((2, 2))
while backend.figures()["boots"] < 2:
    backend.step(hands)
print("playing", flush=True)
while sys.argv[2] == "on":
    backend.step(hands)
"""


def owner(folder: Path, what: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder), what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "playing\n"
    return process


def test_a_killed_owner_leaves_nothing(tmp_path: Path, left: Left):
    process = owner(tmp_path, "on")
    assert len(left()) >= 9  # owner, two homes; keeper, Dolphin and link of each
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not all_gone(left, 4.0)


@pytest.mark.slow
def test_an_owner_that_ends_without_closing_ends_at_once(tmp_path: Path, left: Left):
    process = owner(tmp_path, "off")
    assert process.wait(5) == 0
    assert not all_gone(left, 4.0)


def test_a_killed_keeper_is_noticed_and_cleared_up(backend: StandIns):
    backend.start()
    emulator = backend.instances[0].emulator
    assert emulator is not None
    emulator._keeper.kill()
    backend.play()
    assert set(backend.faults) <= {"exited", "pad"}  # whichever shows first


def test_closing_in_the_middle_of_a_boot_leaves_nothing(backend: StandIns):
    instance: Instance = backend.instances[0]
    instance.begin(backend._order(MATCHUP.row()))
    instance.tick(time.monotonic())
    assert instance.emulator is not None
    backend.close()
    backend.close()


def test_homes_of_killed_owners_are_swept_at_the_next_start(tmp_path: Path, left: Left):
    folder = run_dir(tmp_path / "run")
    home = make_home(folder)
    os.close(home._lease._descriptor or -1)  # as the kernel does when the owner dies
    assert left()
    StandIns(tmp_path).close()
    assert not left()
    assert sweep(folder) == 0


def test_each_start_has_a_home_of_its_own(backend: StandIns):
    homes = []
    for _ in range(2):
        backend.instances[0].begin(backend._order(MATCHUP.row()))
        backend.instances[0].tick(time.monotonic())
        emulator = backend.instances[0].emulator
        assert emulator is not None
        homes.append(emulator.home.folder)
        assert (emulator.home.user / "Config" / "Dolphin.ini").is_file()
        backend.instances[0].close()
    assert homes[0] != homes[1]


def test_helpers_share_nothing_with_their_owner(backend: StandIns):
    """They are programs of their own: no copy of the owner's memory, none of its files but what they were given."""
    with socket.create_server(("127.0.0.1", 0)) as mine:
        os.set_inheritable(mine.fileno(), True)
        backend.start()
        emulator = backend.instances[0].emulator
        assert emulator is not None
        own_socket = os.readlink(f"/proc/self/fd/{mine.fileno()}")
        keeper, link, dolphin = emulator.processes()
        for pid in (keeper, link):
            assert "numpy" not in Path(f"/proc/{pid}/maps").read_text()
        for pid in (keeper, link, dolphin):
            files = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()]
            assert own_socket not in files


@pytest.mark.slow
def test_a_port_that_another_program_takes_meanwhile_costs_one_emulator(
    backend: StandIns, monkeypatch: pytest.MonkeyPatch
):
    """Dolphin tries for 20 s to open its port and then runs on without a server."""
    instance = backend.instances[0]
    instance._config = backend.config.model_copy(update={"boot_timeout_s": 3.0})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, monkeypatch.context() as patch:
        taken.bind(("0.0.0.0", backend.config.ports[0]))
        patch.setattr("envs.dolphin.ports.port_is_free", lambda port: True)
        patch.setattr("envs.dolphin.ports._first_try", 0)
        instance.begin(backend._order(MATCHUP.row()))
        while not backend.faults:
            instance.tick(time.monotonic())
            instance.read()
            time.sleep(0.02)
    instance._config = backend.config
    assert backend.start()["frame"][0] == FIRST_FRAME
    assert backend.faults == {"boot_timeout": 1}


@pytest.mark.slow
def test_a_backend_that_is_not_stepped_for_a_while_goes_on(backend: StandIns):
    backend.start()
    time.sleep(40)  # longer than any of the network library's time limits
    backend.play()
    assert backend.faults == {}
