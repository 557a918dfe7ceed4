"""The rooms that need no emulator: pads, ports, homes, the keeper, what an executable is."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from melee.controller import fix_analog_stick, fix_analog_trigger

from envs.controller import CONTROLLER, PART_SIZES, decode
from envs.dolphin import home as homes
from envs.dolphin import keeper
from envs.dolphin.build import check_iso, find_build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import DolphinSetupError, FaultKind, InstanceFault
from envs.dolphin.pads import NEUTRAL, Pad, changes
from envs.dolphin.ports import lease_boot_slot, lease_port
from envs.dolphin.posix import port_is_free, started_at


def until(condition: Callable[[], bool], limit_s: float = 5.0) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def program(folder: Path, body: str) -> Path:
    """An executable shell script."""
    path = folder / "program"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


# Pads


def test_commands_are_mapped_as_libmelee_maps_them():
    parts = np.stack([np.arange(17 * 5) % size for size in PART_SIZES], axis=-1)
    for controller in decode(parts):
        words = controller.reshape(1).view(np.int32).tolist()
        tokens = dict(line.split(" ", 1) for line in changes(NEUTRAL, words).decode().splitlines() if "SET" in line)
        sent = dict.fromkeys(("MAIN", "C", "L"), "")
        for line in changes(NEUTRAL, words).decode().splitlines():
            if line.startswith("SET"):
                _, name, values = line.split(" ", 2)
                sent[name] = values
        assert tokens or not any(words[1:])
        for name, fields in (("MAIN", ("stick_x", "stick_y")), ("C", ("c_x", "c_y"))):
            if sent[name]:
                wanted = [fix_analog_stick((float(controller[field]) + 1) / 2) for field in fields]
                assert np.allclose([float(v) for v in sent[name].split()], wanted, atol=1e-6)
        if sent["L"]:
            assert float(sent["L"]) == pytest.approx(fix_analog_trigger(float(controller["shoulder"])), abs=1e-6)


def test_only_what_changes_is_written(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pad = Pad(pipe, 0)
    assert not pad.connect()  # nobody reads: opening it the usual way would block
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert pad.connect()
    held = np.zeros(1, CONTROLLER)
    held["buttons"], held["stick_x"] = 0x0300, 1.0
    words = held.view(np.int32).tolist()
    pad.send(words)
    assert os.read(reader, 4096) == b"PRESS A\nPRESS B\nSET MAIN 0.815354 0.500394\nFLUSH\n"
    pad.send(words)
    assert os.read(reader, 4096) == b"FLUSH\n"
    pad.send(NEUTRAL)
    assert b"RELEASE A\nRELEASE B\nSET MAIN 0.500394" in os.read(reader, 4096)
    os.close(reader)
    with pytest.raises(InstanceFault) as caught:
        pad.send(words)
    assert caught.value.kind is FaultKind.PAD


def test_a_pad_that_nobody_drains_is_a_fault_and_never_blocks(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    pad = Pad(pipe, 0)
    pad.connect()
    pad.write(b"FLUSH\n" * 10_000)
    with pytest.raises(InstanceFault, match="full"):
        pad.write(b"FLUSH\n" * 10_000)
    os.close(reader)


# Ports and homes


def test_a_port_has_one_owner_and_a_full_range_says_so(tmp_path: Path):
    first = lease_port(tmp_path, (52100, 52101))
    second = lease_port(tmp_path, (52100, 52101))
    assert {first.number, second.number} == {52100, 52101}
    with pytest.raises(DolphinSetupError, match=r"(?s)no free UDP port from 52100 to 52101.*game\.dolphin\.ports"):
        lease_port(tmp_path, (52100, 52101))
    first.release()
    assert lease_port(tmp_path, (52100, 52101)).number == first.number


def test_a_port_that_another_program_has_is_passed_over(tmp_path: Path):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        with pytest.raises(DolphinSetupError):
            lease_port(tmp_path, (port, port))


def test_only_so_many_boot_at_once(tmp_path: Path):
    slots = [lease_boot_slot(tmp_path, 2) for _ in range(3)]
    assert [slot is not None for slot in slots] == [True, True, False]


OWNER = """
import sys
from pathlib import Path
from envs.dolphin.home import make_home
home = make_home(Path(sys.argv[1]))
(home.user / "Pipes").mkdir()
print(home.folder, flush=True)
import time
time.sleep(60)
"""


def test_what_a_killed_owner_left_is_swept_and_what_lives_is_not(tmp_path: Path):
    folder = homes.run_dir(tmp_path / "run")
    mine = homes.make_home(folder)
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    left = Path(owner.stdout.readline().strip())
    assert homes.sweep(folder) == 0
    owner.kill()
    owner.wait()
    assert left.exists()
    assert homes.sweep(folder) == 1
    assert not left.exists()
    assert mine.user.exists()
    mine.remove()
    assert list(folder.iterdir()) == [folder / "locks"]


# The keeper


def keep(folder: Path, command: list[str], log_bytes: int = 4096) -> subprocess.Popen[bytes]:
    home = folder / "home"
    home.mkdir()
    settings = {
        "command": command,
        "folder": str(home),
        "log": str(home / "log"),
        "log_bytes": log_bytes,
        "pid_file": str(home / "pids.json"),
        "owner": os.getpid(),
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, json.dumps(settings)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def kept(folder: Path) -> int:
    """Process id of what a keeper keeps."""
    file = folder / "home" / "pids.json"
    assert until(file.exists)
    return int(json.loads(file.read_text())["dolphin"][0])


def test_the_keeper_kills_the_whole_group_when_its_owner_lets_go(tmp_path: Path):
    running = keep(tmp_path, ["sh", "-c", "sleep 60 & echo $! > $0; wait", str(tmp_path / "child")])
    dolphin = kept(tmp_path)
    assert until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip() != "")
    child = int((tmp_path / "child").read_text())
    assert running.stdin is not None
    running.stdin.close()
    assert running.wait(5) == 0
    assert started_at(dolphin) is None
    assert until(lambda: started_at(child) is None)
    assert not (tmp_path / "home").exists()


def test_dolphin_dies_with_a_keeper_that_is_killed(tmp_path: Path):
    running = keep(tmp_path, ["sleep", "60"])
    dolphin = kept(tmp_path)
    os.kill(json.loads((tmp_path / "home" / "pids.json").read_text())["keeper"][0], signal.SIGKILL)
    assert running.wait(5) == 128 + signal.SIGKILL
    assert until(lambda: started_at(dolphin) is None, 1.0)


def test_a_killed_owners_child_is_survived_to_clear_up(tmp_path: Path):
    """Ray kills the children of its workers: what was started is one, what keeps is not."""
    running = keep(tmp_path, ["sleep", "60"])
    dolphin = kept(tmp_path)
    running.kill()
    running.wait()
    assert until(lambda: started_at(dolphin) is None and not (tmp_path / "home").exists(), 3.0)


def test_a_stopped_dolphin_is_killed_too(tmp_path: Path):
    running = keep(tmp_path, ["sleep", "60"])
    dolphin = kept(tmp_path)
    os.kill(dolphin, signal.SIGSTOP)
    assert running.stdin is not None
    running.stdin.close()
    running.wait(5)
    assert started_at(dolphin) is None


@pytest.mark.parametrize(("command", "status"), [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -SEGV $$"], 139)])
def test_the_keeper_ends_as_dolphin_does(tmp_path: Path, command: list[str], status: int):
    running = keep(tmp_path, command)
    assert running.wait(5) == status
    assert (tmp_path / "home").exists()  # its log may be wanted


def test_the_log_is_capped_and_keeps_its_end(tmp_path: Path):
    running = keep(tmp_path, ["sh", "-c", "yes noise | head -c 300000; echo the end"], log_bytes=10_000)
    running.wait(5)
    logs = [(tmp_path / "home" / name).read_bytes() for name in ("log.1", "log")]
    assert sum(map(len, logs)) <= 20_000
    assert logs[-1].endswith(b"the end\n")


# Executables and ISOs


def build_of(path: Path | None, tmp_path: Path) -> str:
    return find_build(DolphinConfig(path=path), tmp_path).label


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("echo 'Slippi Dolphin [mainline] 4.0.0'", "mainline Slippi Dolphin [mainline] 4.0.0"),
        ("echo 'mainline ExiAI 4.1'", "mainline-exiai mainline ExiAI 4.1"),
        ("echo 3.4.0; exit 255", "ishiiruka 3.4.0"),
        ("echo 'Faster Melee - Slippi (3.2.1) - ExiAI' >&2; exit 1", "ishiiruka-exiai 3.2.1"),
    ],
)
def test_the_four_builds_are_told_apart(body: str, label: str, tmp_path: Path):
    assert build_of(program(tmp_path, body), tmp_path) == label


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 'Dolphin 5.0-17995'", "is no Slippi Dolphin"),
        ("exit 3", "is no Slippi Dolphin: --version ended with status 3"),
        ("echo 'dlopen(): error loading libfuse.so.2' >&2; exit 127", "needs FUSE"),
        ("echo 'libevent.so: cannot open shared library' >&2; exit 127", "lacks libraries"),
    ],
)
def test_what_is_no_slippi_dolphin_is_refused_with_the_reason(body: str, message: str, tmp_path: Path):
    with pytest.raises(DolphinSetupError, match=message):
        build_of(program(tmp_path, body), tmp_path)


def test_an_executable_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envs.dolphin.build.PROBE_TIMEOUT_S", 0.3)
    with pytest.raises(DolphinSetupError, match="did not answer"):
        build_of(program(tmp_path, "exec sleep 30"), tmp_path)


def test_paths_that_lead_nowhere_are_named(tmp_path: Path):
    for path, message in ((None, "is not set"), (tmp_path, "is a folder"), (tmp_path / "no", "does not exist")):
        with pytest.raises(DolphinSetupError, match=rf"game\.dolphin\.path.*{message}"):
            build_of(path, tmp_path)


@pytest.mark.parametrize(
    ("head", "message"),
    [(b"GALE01\x00\x00", "1.00"), (b"GMSE01\x00\x00", "no ISO of Melee"), (b"", "no ISO of Melee")],
)
def test_a_wrong_iso_is_refused(head: bytes, message: str, tmp_path: Path):
    iso = tmp_path / "game.iso"
    iso.write_bytes(head + bytes(100) if head else b"")
    with pytest.raises(DolphinSetupError, match=message):
        check_iso(iso)
    iso.write_bytes(b"GALE01\x00\x02")
    assert check_iso(iso) == iso
