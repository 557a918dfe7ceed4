"""Where Slippi Dolphin and the ISO are looked for, on three systems, and what is said when they are not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.places import find_dolphin, find_iso
from exphil_league.errors import user_message

MELEE = b"GALE01\x00\x02"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def put(path: Path, data: bytes = b"\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def settings(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Settings").write_text(json.dumps({"settings": values}))


SYSTEMS = [
    ("Linux", ".config", "netplay/Slippi_Online-x86_64.AppImage"),
    ("Linux", ".config", "netplay-beta/Slippi_Netplay_Mainline-x86_64.AppImage"),
    ("Windows", "AppData/Roaming", "netplay/Slippi Dolphin.exe"),
    ("Darwin", "Library/Application Support", "netplay/Slippi Dolphin.app/Contents/MacOS/Slippi Dolphin"),
    ("Darwin", "Library/Application Support", "netplay-beta/Slippi_Dolphin.app/Contents/MacOS/Slippi_Dolphin"),
]


@pytest.mark.parametrize(("system", "base", "executable"), SYSTEMS)
def test_what_the_launcher_has_is_found(
    system: str, base: str, executable: str, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("platform.system", lambda: system)
    launcher = home / base / "Slippi Launcher"
    dolphin, iso = put(launcher / executable), put(home / "games" / "ssbm.iso", MELEE)
    settings(launcher, isoPath=str(iso))
    assert find_dolphin() == dolphin
    assert find_iso() == iso
    for given in (dolphin, launcher / executable.split("/")[0], *[p for p in dolphin.parents if p.suffix == ".app"]):
        assert find_dolphin(given) == dolphin


def test_the_build_that_the_launcher_uses_comes_first(home: Path):
    launcher = home / ".config" / "Slippi Launcher"
    stable = put(launcher / "netplay" / "Slippi_Online-x86_64.AppImage")
    beta = put(launcher / "netplay-beta" / "Slippi_Netplay_Mainline-x86_64.AppImage")
    assert find_dolphin() == stable
    settings(launcher, useNetplayBeta=True)
    assert find_dolphin() == beta
    (launcher / "Settings").write_text("{}[")  # half written
    assert find_dolphin() == stable


def test_common_folders_are_looked_through_and_other_games_passed_over(home: Path):
    put(home / "Downloads" / "a.iso", b"GMSE01\x00\x00")
    put(home / "Downloads" / "b.iso", b"GALE01\x00\x00")
    iso = put(home / "Downloads" / "c.gcm", MELEE)
    dolphin = put(home / "Applications" / "Slippi_Online-x86_64-ExiAI.AppImage")
    assert (find_dolphin(), find_iso()) == (dolphin, iso)


def test_nothing_found_says_where_it_was_looked_for_and_which_flag_to_give(home: Path):
    for find, flag in ((find_dolphin, "--dolphin PATH"), (find_iso, "--iso PATH")):
        with pytest.raises(DolphinSetupError, match=flag) as caught:
            find()
        assert str(home / ".config" / "Slippi Launcher") in str(caught.value)
        assert user_message(caught.value) == str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "mode", "words"),
    [
        ("Slippi-Launcher-2.11.10-x86_64.AppImage", b"\x7fELF", 0o755, "is the Slippi launcher, not Dolphin"),
        ("Slippi Dolphin.exe", b"MZ", 0o755, "is a program for Windows"),
        ("dolphin", b"\x7fELF", 0o644, "may not be executed.*chmod \\+x"),
        ("notes.txt", b"hello", 0o644, "is no program"),
        ("empty/", None, 0o755, "is a folder"),
        ("nowhere", None, 0, "does not exist"),
    ],
)
def test_what_cannot_be_dolphin_is_refused_where_it_is_named(
    name: str, data: bytes | None, mode: int, words: str, home: Path
):
    path = home / "given" / name
    if name.endswith("/"):
        path.mkdir(parents=True)
    elif data is not None:
        put(path, data).chmod(mode)
    with pytest.raises(DolphinSetupError, match=rf"--dolphin.*{words}"):
        find_dolphin(path)


def test_an_iso_of_the_launcher_that_is_wrong_is_told(home: Path):
    iso = put(home / "melee.iso", b"GALE01\x00\x01")
    settings(home / ".config" / "Slippi Launcher", isoPath=str(iso))
    with pytest.raises(DolphinSetupError, match=r"Melee 1\.01.*NTSC 1\.02"):
        find_iso()
    with pytest.raises(DolphinSetupError, match="no such file"):
        find_iso(home / "nowhere.iso")
