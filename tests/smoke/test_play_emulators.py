"""`play` on emulators as a person runs it: a game against the game's own player, Ctrl-C, a kill, what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envs.dolphin.standin.program import write_executable
from envs.dolphin.standin.scenario import SCRIPTED, Scenario
from envs.slippi.read import read_game
from exphil_league.cli.main import main
from tests.left_behind import MARK, all_gone, files_left, processes_left
from tests.smoke.test_play import LIGHT

NAME = "exphil-dolphin-"
"""Begins the name of the folder of homes."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a temporary folder of its own, in which nothing may be left."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)

    def left() -> list[str]:
        return processes_left(mark) + [found for homes in tmp_path.glob(f"{NAME}*") for found in files_left(homes)]

    yield tmp_path
    assert not all_gone(left)


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, which must not import Ray or torch."""
    command = [sys.executable, "-c", LIGHT, "play", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_game_against_the_games_own_player_in_real_time(place: Path) -> None:
    options = ("--opponent", "cpu:5", "--stocks", "1", "--time-limit-s", "2", "--costume", "1")
    playing = started("fighter", "--backend", "standin", *options, "--out", "games/one.slp", "--json")
    out, err = playing.communicate(timeout=240)
    assert playing.returncode == 0, err
    result = json.loads(out.splitlines()[-1])
    (game,) = result["games"]
    assert (result["opponent"], result["loop"], result["repeated_actions"]) == ("cpu:5", "sync", 0)
    assert game["frames"] > 120
    assert game["seconds"] >= 0.95 * (game["frames"] - 1) / 60, "the emulator keeps the time"
    assert result["fps"] == pytest.approx((game["frames"] - 1) / game["seconds"], rel=0.02)
    assert result["late_frames"] == game["late_frames"] < game["frames"]
    assert 0 < result["inference_ms"]["p50"] <= result["inference_ms"]["p95"] <= result["inference_ms"]["p99"]
    assert "warming up: in the menus" in err
    assert "frames a second" in err
    replay = read_game(place / "games" / "one.slp")
    assert game["frames"] - 60 < len(replay.frames) <= game["frames"], "what Dolphin had not written yet may lack"
    assert [(seat.cpu_level, seat.costume) for seat in replay.meta.seats] == [(0, 1), (5, 0)]
    assert [path.name for path in (place / "games").iterdir()] == ["one.slp"]


def scripted_dolphin(folder: Path) -> tuple[str, ...]:
    """Arguments that name a stand-in with long scripted games as Dolphin."""
    iso = Scenario(content=SCRIPTED, scripted_frames=20_000).write(folder / "melee.iso")
    return ("--backend", "dolphin", "--dolphin", str(write_executable(folder)), "--iso", str(iso), "--headless")


def until(condition: Callable[[], object], playing: subprocess.Popen[str], limit_s: float = 120.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert playing.poll() is None, playing.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.1)


def test_ctrl_c_ends_cleanly_and_a_killed_sessions_game_is_rescued(place: Path) -> None:
    arguments = ("idle", *scripted_dolphin(place), "--opponent", "cpu:1", "--out", "games/mine.slp")

    def parts() -> list[Path]:
        return [path for path in (place / "games").glob("emulator-*/*.slp*") if path.stat().st_size > 100_000]

    killed = started(*arguments, "--speed", "8")
    until(parts, killed)
    killed.kill()
    killed.communicate()
    (left,) = parts()
    os.utime(left, (1, 1))
    playing = started(*arguments, "--loop", "async", "--on-game-end", "restart")
    until(lambda: [path for path in parts() if path != left], playing)
    playing.send_signal(signal.SIGINT)
    out, err = playing.communicate(timeout=60)
    assert playing.returncode == 130, err
    assert out == ""
    assert "kept from a session that was killed" in err
    assert "game 1 was broken off after" in err
    assert "stopped" in err
    assert "Traceback" not in err
    names = sorted(path.name for path in (place / "games").iterdir())
    assert len(names) == 2
    assert "mine.slp" in names
    assert all(len(read_game(place / "games" / name).frames) > 100 for name in names)


def test_what_is_wrong_is_said_with_its_remedy(place: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.setattr("envs.dolphin.person.usb_device_present", lambda *ids: False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    _, _, _, dolphin, _, iso, _ = scripted_dolphin(place)
    (place / "other.iso").write_bytes(b"GMSE01\x00\x00" + bytes(100))
    (place / "text").write_text("hello")
    real, standin = ("--backend", "dolphin"), ("--backend", "standin")
    cases: list[tuple[tuple[str, ...], str]] = [
        (("--backend", "dolphni"), "did you mean dolphin"),
        ((*real, "--iso", iso), "--dolphin PATH"),
        ((*real, "--dolphin", "nowhere", "--iso", iso), "does not exist"),
        ((*real, "--dolphin", "text", "--iso", iso), "is no program"),
        ((*real, "--dolphin", sys.executable, "--iso", iso), "is no Slippi Dolphin"),
        ((*real, "--dolphin", dolphin), "--iso PATH"),
        ((*real, "--dolphin", dolphin, "--iso", "other.iso"), "is no ISO of Melee"),
        ((*real, "--dolphin", dolphin, "--iso", iso), "there is no display"),
        ((*real, "--dolphin", dolphin, "--iso", iso, "--opponent", "human"), "--controller FILE.ini"),
        ((*real, "--dolphin", dolphin, "--iso", iso, "--connect-code", "ABCD#123"), "--user-json FILE"),
        ((*standin, "--character", "YOSHI"), "plays our simulator's characters only"),
        ((*standin, "--character", "FOXX"), "did you mean FOX"),
        ((*standin, "--stage", "hyrule"), "hyrule"),
        ((*standin, "--costume", "4"), "FOX has costumes 0 to 3"),
        ((*standin, "--opponent", "cpu:10"), "levels 1 to 9"),
        ((*standin, "--deterministic"), "is no network"),
    ]
    for arguments, words in cases:
        assert main(["play", "idle", *arguments, "--out", "games/x.slp"]) == 2, arguments
        err = capsys.readouterr().err
        assert words in err, (arguments, err)
        assert "Traceback" not in err
    assert not list(place.glob("games/*"))
