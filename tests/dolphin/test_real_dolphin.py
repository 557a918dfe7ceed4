"""Debian's dolphin-emu (without Slippi) in our hands: it boots headless with our home, opens and drains both pads.

EXPHIL_DOLPHIN_NOGUI=/path/to/dolphin-emu-nogui pytest -m dolphin tests/dolphin/test_real_dolphin.py
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from envs.dolphin import keeper
from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.home import make_home, run_dir
from envs.dolphin.libmelee import Console, MenuPad
from envs.dolphin.pads import NEUTRAL
from envs.dolphin.posix import started_at
from tests.dolphin.test_rooms import until

NOGUI = os.environ.get("EXPHIL_DOLPHIN_NOGUI") or shutil.which("dolphin-emu-nogui")
pytestmark = [
    pytest.mark.dolphin,
    pytest.mark.skipif(NOGUI is None, reason="dolphin-emu-nogui is not installed (EXPHIL_DOLPHIN_NOGUI names one)"),
]


def endless_loop(path: Path) -> Path:
    """A program for the console that does nothing for ever."""
    dol = bytearray(0x200)
    for at, value in ((0x00, 0x100), (0x48, 0x80003100), (0x90, 0x100), (0xE0, 0x80003100), (0x100, 0x48000000)):
        struct.pack_into(">I", dol, at, value)
    path.write_bytes(dol)
    return path


def unread(descriptor: int) -> int:
    """Bytes in a pipe that nobody has read."""
    count: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]
    return count


def test_it_boots_headless_opens_and_drains_both_pads_and_ends(tmp_path: Path):
    assert NOGUI is not None
    home = make_home(run_dir(tmp_path / "run"))
    build = Build(Path(NOGUI), "mainline", False, "Debian")
    console = Console(home.user, DolphinConfig(), build, 51500, None)
    pads = [MenuPad(console, port).pad for port in (1, 2)]
    command = [NOGUI, "-p", "headless", "-v", "Null", "-u", str(home.user), "-e", str(endless_loop(tmp_path / "a.dol"))]
    settings = {
        "command": command,
        "folder": str(home.folder),
        "log": str(home.log),
        "log_bytes": 65536,
        "pid_file": str(home.pid_file),
        "owner": os.getpid(),
    }
    running = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, json.dumps(settings)], stdin=subprocess.PIPE
    )
    try:
        assert until(lambda: all(pad is not None and pad.connect() for pad in pads), 30), home.log_tail(20)
        found = home.dolphin()
        assert found is not None
        for pad in pads:
            assert pad is not None
            assert pad._descriptor is not None
            pad.send([0x0100, *NEUTRAL[1:]])
            assert until(lambda pipe=pad._descriptor: unread(pipe) == 0, 10)
        assert running.poll() is None
    finally:
        assert running.stdin is not None
        running.stdin.close()
        running.wait(10)
    assert started_at(found[0]) is None
    assert not home.folder.exists()


def test_it_is_told_apart_from_a_slippi_build(tmp_path: Path):
    from envs.dolphin.build import find_build

    with pytest.raises(DolphinSetupError, match="is no Slippi Dolphin"):
        find_build(DolphinConfig(path=NOGUI), tmp_path)
