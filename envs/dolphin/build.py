"""Which Dolphin an executable is. It is asked once, with a time limit; AppImages are unpacked once."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from envs.dolphin import disc
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import DolphinSetupError

PROBE_TIMEOUT_S: Final = 10.0
UNPACK_TIMEOUT_S: Final = 120.0
GAME_ID: Final = b"GALE01"
REVISION: Final = 2
"""Melee NTSC 1.02: the disc's revision byte."""
_APPIMAGE_MAGIC: Final = b"AI"
_ELECTRON_APP: Final = "resources/app.asar"
"""What lies beside the launcher's program, which is an Electron app."""
_PATH_KEY, _ISO_KEY = "game.dolphin.path (--dolphin)", "game.dolphin.iso (--iso)"
_WHERE = (
    "name Dolphin's own executable or AppImage: the Slippi launcher keeps it in the folder `netplay` or `netplay-beta` "
    "of its settings (on Linux in ~/.config/Slippi Launcher)"
)
_ISO_WANTED = "name your own ISO of Melee, NTSC 1.02"


@dataclass(frozen=True)
class Build:
    """A Slippi Dolphin and what it can do."""

    executable: Path
    """What is run: the file given, or the program inside the AppImage."""
    family: Literal["mainline", "ishiiruka"]
    exi_ai: bool
    """A build for training: EXI inputs, fast-forward."""
    version: str

    @property
    def label(self) -> str:
        """Family and version, as ratings are labelled."""
        return f"{self.family}{'-exiai' if self.exi_ai else ''} {self.version}"


def find_build(config: DolphinConfig, unpack_dir: Path) -> Build:
    """The build that the configuration names, checked against what it asks for. Raises DolphinSetupError."""
    if config.path is None:
        raise DolphinSetupError(f"{_PATH_KEY} is not set", _WHERE)
    path = check_executable(config.path)
    stat = path.stat()
    build = _probed(path, stat.st_size, stat.st_mtime_ns, unpack_dir)
    _check_wishes(config, build)
    return build


def check_executable(given: Path) -> Path:
    """Absolute path of a file that can be run, as far as its first bytes tell. Raises DolphinSetupError."""
    path = given.expanduser().absolute()
    if not path.is_file():
        what = "is a folder, not the executable" if path.is_dir() else "does not exist"
        raise DolphinSetupError(f"{_PATH_KEY}: {path} {what}", _WHERE)
    if "launcher" in path.name.lower():
        raise DolphinSetupError(f"{_PATH_KEY}: {path} is the Slippi launcher, not Dolphin", _WHERE)
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] == b"MZ" and platform.system() != "Windows":
        raise DolphinSetupError(f"{_PATH_KEY}: {path} is a program for Windows", "name the AppImage for Linux")
    if not os.access(path, os.X_OK):
        if head.startswith((b"\x7fELF", b"#!")):
            raise DolphinSetupError(f"{_PATH_KEY}: {path} may not be executed", f"chmod +x {shlex.quote(str(path))}")
        raise DolphinSetupError(f"{_PATH_KEY}: {path} is no program", _WHERE)
    return path


def check_iso(iso: Path | None) -> Path:
    """The ISO, if it is Melee 1.02 as far as the disc's first bytes tell. Raises DolphinSetupError."""
    if iso is None:
        raise DolphinSetupError(f"{_ISO_KEY} is not set", _ISO_WANTED)
    path = iso.expanduser().absolute()
    try:
        head = disc.head(path)
    except OSError as error:
        raise DolphinSetupError(f"{_ISO_KEY}: {path}: {(error.strerror or '').lower()}", _ISO_WANTED) from None
    if head[:6] != GAME_ID or len(head) < disc.HEAD_BYTES:
        raise DolphinSetupError(f"{_ISO_KEY}: {path} is no ISO of Melee (its game id is not GALE01)", _ISO_WANTED)
    if head[7] != REVISION:
        raise DolphinSetupError(f"{_ISO_KEY}: {path} is Melee 1.0{head[7]}; Slippi needs NTSC 1.02", _ISO_WANTED)
    return path


def needs_display(config: DolphinConfig, build: Build) -> bool:
    """Whether a build opens a window."""
    return not config.headless or (build.family == "ishiiruka" and not build.exi_ai)


def display() -> str | None:
    """The display of this session, None without one."""
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or None


def check_display(config: DolphinConfig, build: Build) -> None:
    """Raises DolphinSetupError for a build that needs a display where there is none."""
    if needs_display(config, build) and display() is None:
        raise DolphinSetupError(
            f"{build.label} opens a window and there is no display",
            "use a mainline or ExiAI build with game.dolphin.headless (--headless), or start it under xvfb-run",
        )


def _check_wishes(config: DolphinConfig, build: Build) -> None:
    if config.exi_inputs and not build.exi_ai:
        raise DolphinSetupError(
            f"game.dolphin.exi_inputs needs an ExiAI build; {build.executable} is {build.label}",
            "name an ExiAI build, or leave exi_inputs and fast_forward out",
        )


@lru_cache(maxsize=16)
def _probed(path: Path, size: int, mtime_ns: int, unpack_dir: Path) -> Build:
    executable = _unpacked(path, unpack_dir, f"{size}-{mtime_ns}") if is_appimage(path) else path
    if (executable.parent / _ELECTRON_APP).exists():
        raise DolphinSetupError(f"{_PATH_KEY}: {path} is the Slippi launcher, not Dolphin", _WHERE)
    try:
        answer = subprocess.run(
            [executable, "--version"], capture_output=True, timeout=PROBE_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise DolphinSetupError(
            f"{path} --version did not answer within {PROBE_TIMEOUT_S:.0f} s, as a program with a window would not",
            _WHERE,
        ) from None
    except OSError as error:
        raise DolphinSetupError(f"{path} cannot be run: {error.strerror or error}", _WHERE) from None
    out, err = (text.decode(errors="replace").strip() for text in (answer.stdout, answer.stderr))
    return _recognised(path, executable, answer.returncode, out, err)


def _recognised(path: Path, executable: Path, status: int, out: str, err: str) -> Build:
    """What a build's answer to --version says, by exit status (libmelee's table for Linux)."""
    if status == 0 and "mainline" in out:
        return Build(executable, "mainline", "ExiAI" in out, out.splitlines()[0])
    if status == 0:
        answer = next(iter(out.splitlines()), "")[:80]
        raise DolphinSetupError(f"{path} is no Slippi Dolphin: it answers {answer!r}", _WHERE)
    if status == 255 and out:
        return Build(executable, "ishiiruka", False, out.splitlines()[0])
    parts = err.split(" - ")
    if status == 1 and len(parts) > 2 and parts[0] == "Faster Melee" and parts[2].startswith("ExiAI"):
        return Build(executable, "ishiiruka", True, parts[1].removeprefix("Slippi (").removesuffix(")"))
    if "fuse" in err.lower():
        raise DolphinSetupError(
            f"{path} needs FUSE, which this machine lacks",
            f"unpack it with {shlex.quote(str(path))} --appimage-extract, and name squashfs-root/AppRun",
        )
    if status == 127 or "shared librar" in err:
        raise DolphinSetupError(
            f"{path} lacks libraries: {err.splitlines()[-1] if err else 'exit status 127'}",
            f"install what `ldd {shlex.quote(str(executable))}` does not find",
        )
    raise DolphinSetupError(f"{path} is no Slippi Dolphin: --version ended with status {status}", _WHERE)


def is_appimage(path: Path) -> bool:
    """Whether a file is an AppImage, which is unpacked before it is run."""
    with path.open("rb") as file:
        head = file.read(11)
    return head[:4] == b"\x7fELF" and head[8:10] == _APPIMAGE_MAGIC


def _unpacked(path: Path, unpack_dir: Path, stamp: str) -> Path:
    """The program inside an AppImage, unpacked once: a mounted one needs FUSE and is a process of its own."""
    name = hashlib.sha256(f"{path}{stamp}".encode()).hexdigest()[:12]
    target = unpack_dir / f"appimage-{name}"
    if not (target / "AppRun").exists():
        part = unpack_dir / f"appimage-{name}.part-{os.getpid()}"
        part.mkdir(parents=True)
        try:
            subprocess.run([path, "--appimage-extract"], cwd=part, capture_output=True, timeout=UNPACK_TIMEOUT_S)
            if not target.exists():
                (part / "squashfs-root").rename(target)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DolphinSetupError(f"{path} cannot be unpacked: {error}", "download it again, whole") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target / "AppRun"
