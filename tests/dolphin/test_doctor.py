"""`doctor`: all of it on the stand-in, and each thing that users get wrong told with its remedy and nothing left."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envs.dolphin import disc
from envs.dolphin.build import _probed
from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Emulator
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.home import locks_dir, run_dir
from envs.dolphin.ports import lease_port
from envs.dolphin.standin.program import write_executable
from envs.dolphin.standin.scenario import FaultSwitch
from exphil_league.config.loader import load_recipe
from exphil_league.errors import UserError, user_message
from exphil_league.observe.doctor.check import Answer, Check, examine, fine
from exphil_league.observe.doctor.course import Course
from exphil_league.observe.doctor.diagnosis import SCENARIO, diagnose, diagnose_emulator
from exphil_league.observe.doctor.installation import Installation
from exphil_league.train import check_games_to_learn_from, check_parts_fit
from tests.dolphin.conftest import Left
from tests.dolphin.standins import PORTS, StandIns
from tests.dolphin.test_rooms import program
from tests.left_behind import all_gone

MELEE = b"GALE01\x00\x02"
CISO = b"CISO".ljust(0x8000, b"\0") + MELEE
INSTALLED = ("process control", "run folder", "dolphin", "iso", "iso hash", "display", "fuse", "ports", "pipes")
PLAYED = ("boot", "menus", "inputs", "game", "memory", "next game", "speed", "kill and restart")


@pytest.fixture(autouse=True)
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the launcher nor a display."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def configured(folder: Path, **config: Any) -> DolphinConfig:
    return DolphinConfig(**({"run_dir": folder / "run", "ports": PORTS} | config))


def by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in result["checks"]}


def failed(result: dict[str, Any]) -> list[str]:
    """What was asked and is to be mended."""
    return [one["name"] for one in result["checks"] if not one["ok"] and not one["found"].startswith("not run")]


# The stand-in


def test_everything_is_fine_on_the_stand_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = diagnose_emulator(configured(tmp_path), SCENARIO)
    assert failed(result) == []
    assert [check["name"] for check in result["checks"]] == [*INSTALLED, *PLAYED, "nothing left"]
    found = {name: check["found"] for name, check in by_name(result).items()}
    assert "mainline" in found["dolphin"]
    assert "triggers 100%, lag 1" in found["inputs"]
    assert found["game"].startswith("a stock was lost")
    assert "left with L+R+A+START" in found["next game"]
    assert "in a game again" in found["kill and restart"]
    assert result["ok"]
    assert result["frames"] > 600
    assert result["processes_left"] == 0
    shown = capsys.readouterr().err
    assert all(f"ok      {name}" in shown for name in PLAYED)


FAULTS = [
    pytest.param(
        FaultSwitch("exit_at_boot"), "boot", "cannot read the disc", "by hand with this ISO", id="exit_at_boot"
    ),
    pytest.param(FaultSwitch("deaf_pad"), "inputs", "plays other inputs", "another build", id="deaf_pad"),
    *(
        pytest.param(fault, check, words, remedy, id=fault.kind, marks=pytest.mark.slow)
        for fault, check, words, remedy in (
            (FaultSwitch("no_spectator"), "boot", "spectator server did not answer", "update Slippi"),
            (FaultSwitch("stuck_menu"), "menus", "menu_stuck", "unmodified ISO"),
            (FaultSwitch("wrong_character"), "menus", "wrong_game", "unmodified ISO"),
            (FaultSwitch("lag", 1, 2), "inputs", "lag 3; expected lag 1", "another build"),
            (FaultSwitch("crash", 300), "game", "exited", "by hand"),
            (FaultSwitch("hang", 300), "game", "frame_timeout", "by hand"),
            (FaultSwitch("leak", 1, 1.0), "memory", "MiB resident", "soft_memory_mib"),
        )
    ),
]


@pytest.mark.parametrize(("fault", "check", "words", "remedy"), FAULTS)
def test_what_is_wrong_with_an_emulator_is_told_where_it_shows(
    fault: FaultSwitch, check: str, words: str, remedy: str, tmp_path: Path
):
    limits: dict[str, Any] = {"boot_timeout_s": 20.0, "frame_timeout_s": 2.0, "menu_budget_frames": 300}
    if fault.kind == "no_spectator":
        limits["boot_timeout_s"] = 5.0
    if fault.kind == "leak":
        limits |= {"soft_memory_mib": 300}
    result = diagnose_emulator(configured(tmp_path, **limits), replace(SCENARIO, faults=(fault,)))
    told = by_name(result)
    assert failed(result) == [check]
    assert words in told[check]["found"]
    assert remedy in told[check]["remedy"]
    assert told["nothing left"]["ok"]
    assert result["processes_left"] == 0
    assert not result["ok"]


@pytest.mark.slow
def test_a_build_for_training_is_asked_for_what_only_it_has(tmp_path: Path):
    """The stand-in by its path, as anybody's Dolphin: everything is run, and a disc that nobody knows is told."""
    dolphin, iso = write_executable(tmp_path, "mainline-exiai"), SCENARIO.write(tmp_path / "melee.iso")
    result = diagnose_emulator(configured(tmp_path, path=dolphin, iso=iso))
    checks = by_name(result)
    assert [name for name in failed(result) if name != "speed"] == ["iso hash"]  # speed: this machine may be busy
    assert "with EXI inputs and fast-forward" in checks["dolphin"]["found"]
    assert "no known dump of NTSC 1.02" in checks["iso hash"]["found"]
    assert "frames a second" in checks["speed"]["found"]
    assert result["processes_left"] == 0


def test_an_old_slippi_is_named_and_the_remedy_is_to_update(tmp_path: Path):
    result = diagnose_emulator(configured(tmp_path), replace(SCENARIO, slippi=(2, 0, 1)))
    assert failed(result) == ["menus"]
    menus = by_name(result)["menus"]
    assert "Slippi 2.0.1" in menus["found"]
    assert menus["remedy"] == "update Slippi"


def test_what_is_left_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    installation = Installation(configured(tmp_path), SCENARIO)
    course = Course(installation)
    assert all(finding.ok for finding in examine([*installation.checks(), *course.checks()[:1]], lambda _: None))
    with monkeypatch.context() as patched:
        patched.setattr("exphil_league.observe.doctor.course.GONE_S", 0.2)
        patched.setattr(Emulator, "retire", lambda self: None)
        patched.setattr(Emulator, "reaped", lambda self: False)
        patched.setattr("envs.dolphin.instance.Instance.close", lambda self: None)
        answer = course.nothing_left()
    assert not answer.ok
    assert "emulator-" in answer.found
    assert course.processes_left >= 3  # keeper, stand-in, link
    course.close()
    assert course.nothing_left().ok


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path, left: Left, monkeypatch: pytest.MonkeyPatch):
    def interrupted(course: Course) -> Answer:
        assert len(left()) >= 4  # keeper, stand-in, link; its home
        raise KeyboardInterrupt

    monkeypatch.setattr(Course, "menus", interrupted)
    with pytest.raises(KeyboardInterrupt):
        diagnose_emulator(configured(tmp_path), SCENARIO)
    assert left() == []


KILLED = """
import sys
from pathlib import Path
from envs.dolphin.config import DolphinConfig
from exphil_league.observe.doctor.diagnosis import SCENARIO, diagnose_emulator
diagnose_emulator(DolphinConfig(run_dir=Path(sys.argv[1]), ports=(int(sys.argv[2]), int(sys.argv[3]))), SCENARIO)
"""


@pytest.mark.slow
def test_a_killed_doctor_leaves_nothing(tmp_path: Path, left: Left):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "run"), *map(str, PORTS)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert any(line.startswith("ok      boot") for line in running.stderr)
    running.kill()
    running.communicate(timeout=20)
    assert not all_gone(left)


# What users get wrong before anything is started


def a_file(folder: Path, name: str, data: bytes, mode: int = 0o755) -> Path:
    path = folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def told_of(folder: Path, **config: Any) -> tuple[str, dict[str, Any]]:
    """The only check that failed of a Dolphin that is refused before it is started, and what it says."""
    result = diagnose_emulator(configured(folder, **config))
    wrong = failed(result)
    assert len(wrong) == 1, wrong
    checks = by_name(result)
    assert checks["boot"]["found"].startswith("not run: it needs ")
    assert checks["nothing left"]["ok"]
    return wrong[0], checks[wrong[0]]


@pytest.fixture
def iso(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that passes for a good dump."""
    path = a_file(tmp_path, "melee.iso", MELEE)
    monkeypatch.setitem(disc.GOOD, disc.sha1(path), "NTSC-U 1.02")
    return path


FUSE = "echo 'dlopen(): error loading libfuse.so.2' >&2; exit 127"
WRONG_PROGRAMS = [
    ("true", None, "no Slippi Dolphin", "netplay"),
    ("notes.txt", b"hello\n", "cannot be run", "netplay"),
    ("Slippi-Launcher-2.11.AppImage", b"\x7fELF", "is the Slippi launcher", "netplay"),
    ("Slippi Dolphin.exe", b"MZ", "a program for Windows", "AppImage for Linux"),
    ("mounted.AppImage", f"#!/bin/sh\n{FUSE}".encode(), "needs FUSE", "--appimage-extract"),
    ("cut.AppImage", b"\x7fELF\x02\x01\x01\x00AI\x02 and no more", "cannot be unpacked", "download it again"),
    ("ishiiruka", b"#!/bin/sh\necho 3.4.0; exit 255", "there is no display", "xvfb-run"),
]


@pytest.mark.parametrize(("name", "data", "words", "remedy"), WRONG_PROGRAMS, ids=[case[0] for case in WRONG_PROGRAMS])
def test_a_wrong_program_is_refused_with_the_remedy(
    name: str, data: bytes | None, words: str, remedy: str, tmp_path: Path, iso: Path
):
    path = Path("/bin/true") if data is None else a_file(tmp_path, name, data)
    check, told = told_of(tmp_path, path=path, iso=iso)
    assert check == ("display" if name == "ishiiruka" else "dolphin")
    assert words in told["found"]
    assert remedy in told["remedy"]


def test_the_launcher_is_known_by_what_lies_beside_it(tmp_path: Path, iso: Path):
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "app.asar").touch()
    check, told = told_of(tmp_path, path=a_file(tmp_path, "slippi", b"#!/bin/sh\nsleep 60"), iso=iso)
    assert (check, "is the Slippi launcher" in told["found"]) == ("dolphin", True)


def test_an_appimage_is_unpacked_once_and_needs_no_fuse(tmp_path: Path, iso: Path, monkeypatch: pytest.MonkeyPatch):
    """A script stands in for the AppImage: what it unpacks is a Dolphin that opens a window, so nothing is started."""
    monkeypatch.setattr("envs.dolphin.build.is_appimage", lambda path: path.suffix == ".AppImage")
    monkeypatch.setattr("exphil_league.observe.doctor.installation.is_appimage", lambda path: True)
    unpacks = "mkdir squashfs-root; printf '#!/bin/sh\\necho 3.4.0; exit 255\\n' > squashfs-root/AppRun"
    image = a_file(
        tmp_path, "a.AppImage", f"#!/bin/sh\necho . >> {tmp_path}/times; {unpacks}; chmod +x */AppRun".encode()
    )
    for _ in range(2):
        installation = Installation(configured(tmp_path, path=image, iso=iso))
        assert "ishiiruka 3.4.0" in installation.dolphin().found
        assert "is unpacked in" in installation.fuse().found
        _probed.cache_clear()  # as another process would
    assert (tmp_path / "times").read_text() == ".\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GALE01\x00\x00", "Melee 1.00; Slippi needs NTSC 1.02"),
        (b"GALE01\x00\x01", "Melee 1.01; Slippi needs NTSC 1.02"),
        (b"GMSE01\x00\x00", "no ISO of Melee"),
        (b"", "no ISO of Melee"),
        (None, "no such file"),
    ],
)
def test_a_wrong_iso_is_refused_with_the_remedy(data: bytes | None, words: str, tmp_path: Path):
    iso = tmp_path / "game.iso" if data is None else a_file(tmp_path, "game.iso", data)
    check, told = told_of(tmp_path, path=write_executable(tmp_path), iso=iso)
    assert check == "iso"
    assert words in told["found"]
    assert "--iso" in told["found"]
    assert told["remedy"] == "name your own ISO of Melee, NTSC 1.02"


def test_a_dump_is_judged_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def hashed(data: bytes) -> Answer:
        installation = Installation(configured(tmp_path, iso=a_file(tmp_path, "game.iso", data)))
        assert installation.iso().ok
        return installation.iso_hash()

    assert "no known dump" in hashed(MELEE).found
    assert not hashed(MELEE).ok
    assert hashed(CISO).ok  # cannot be compared
    number = disc.sha1(tmp_path / "game.iso")
    assert (
        number == subprocess.run(["sha1sum", tmp_path / "game.iso"], capture_output=True, text=True).stdout.split()[0]
    )
    for table, ok in ((disc.GOOD, True), (disc.WRONG, False)):
        with monkeypatch.context() as patched:
            patched.setitem(table, number, "this one")
            answer = hashed(CISO)
            assert (answer.ok, "this one" in answer.found) == (ok, True)


def test_a_range_of_ports_that_others_hold_is_told(tmp_path: Path):
    port = PORTS[1]
    held = lease_port(locks_dir(run_dir(tmp_path / "run")), (port, port))  # a second instance on one port
    try:
        result = diagnose_emulator(configured(tmp_path, ports=(port, port), path=program(tmp_path, "exit 1")))
    finally:
        held.release()
    told = by_name(result)["ports"]
    assert f"no free UDP port from {port} to {port}" in told["found"]
    assert "widen game.dolphin.ports" in told["remedy"]
    assert "ports" in by_name(result)["boot"]["found"]


def test_training_on_a_port_that_another_run_holds_ends_with_the_remedy(tmp_path: Path):
    port = PORTS[1]
    backend = StandIns(tmp_path, ports=(port, port))
    held = lease_port(locks_dir(run_dir(tmp_path / "run")), (port, port))
    try:
        with pytest.raises(
            DolphinSetupError, match=rf"no free UDP port from {port} to {port}.*widen game\.dolphin\.ports"
        ):
            backend.start()
    finally:
        backend.close()
        held.release()


def test_without_dolphin_or_iso_it_says_where_it_looked(tmp_path: Path):
    checks = by_name(diagnose_emulator(configured(tmp_path)))
    for name, flag in (("dolphin", "--dolphin PATH"), ("iso", "--iso PATH")):
        assert str(tmp_path / "home") in checks[name]["found"]
        assert flag in checks[name]["remedy"]


def test_a_dolphin_of_the_launcher_is_examined_without_being_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    machine = [Check("machine", lambda: fine("as it should be"))]
    monkeypatch.setattr("exphil_league.observe.doctor.diagnosis.machine_checks", lambda: machine)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert [check["name"] for check in diagnose(None)["checks"]] == ["machine", "dolphin"]
    netplay = tmp_path / "home" / ".config" / "Slippi Launcher" / "netplay"
    netplay.mkdir(parents=True)
    dolphin = write_executable(netplay).rename(netplay / "Slippi_Online-x86_64.AppImage")
    checks = by_name(diagnose(None))
    assert str(dolphin) in checks["dolphin"]["found"]
    assert not checks["iso"]["ok"]
    assert [check["name"] for check in diagnose("sim")["checks"]] == ["machine"]
    with pytest.raises(UserError, match="mean nothing to --backend sim"):
        diagnose("sim", dolphin)


def test_elsewhere_than_on_linux_it_says_what_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    result = diagnose_emulator(configured(tmp_path))
    assert failed(result) == ["process control"]
    assert "WSL 2" in by_name(result)["process control"]["remedy"]


REFUSED = [
    (["game.dolphin.path=/bin/true"], r"/bin/true is no Slippi Dolphin.*netplay"),
    (["game.dolphin.path={folder}/true"], r"game\.dolphin\.path.*does not exist"),
    (["game.dolphin.path={folder}/ishiiruka"], "there is no display.*xvfb-run"),
    (["game.dolphin.iso={folder}/old.iso"], r"game\.dolphin\.iso.*Melee 1\.00; Slippi needs NTSC 1\.02"),
    (["game.dolphin.iso={folder}/no.iso"], r"game\.dolphin\.iso.*no such file"),
    (["game.dolphin.exi_inputs=true"], "needs an ExiAI build.*leave exi_inputs"),
    (["game.stocks=5"], "4 stocks"),
    (["game.backend=standin", "game.characters=[YOSHI]"], "stand-ins cannot play YOSHI.*FOX"),
]


@pytest.mark.parametrize(("sets", "words"), REFUSED, ids=[" ".join(case[0]) for case in REFUSED])
def test_training_refuses_it_before_anything_is_started(sets: list[str], words: str, tmp_path: Path):
    iso, dolphin = a_file(tmp_path, "melee.iso", MELEE), write_executable(tmp_path)
    a_file(tmp_path, "old.iso", b"GALE01\x00\x00")
    a_file(tmp_path, "ishiiruka", b"#!/bin/sh\necho 3.4.0; exit 255")
    given = [f"game.dolphin.path={dolphin}", f"game.dolphin.iso={iso}", f"game.dolphin.run_dir={tmp_path / 'run'}"]
    recipe = load_recipe("dolphin", (*given, *(text.format(folder=tmp_path) for text in sets)))
    with pytest.raises(ValueError, match=f"(?s){words}") as caught:
        check_parts_fit(recipe)
    assert user_message(caught.value) == str(caught.value)


def test_a_warm_start_in_the_simulator_is_refused_where_it_cannot_play(tmp_path: Path):
    with pytest.raises(UserError, match=r"without replays.*cannot play YOSHI.*give --replays"):
        check_games_to_learn_from(load_recipe("dolphin", ("game.characters=[YOSHI]",)))
