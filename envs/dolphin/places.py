"""Where Slippi Dolphin and the ISO usually are: what the Slippi launcher installed and was told, then common folders.

The launcher keeps its settings as JSON in a file `Settings` of its folder and Dolphin beside it, in `netplay` and
`netplay-beta` (project-slippi/slippi-launcher, src/settings/settings_manager.ts and src/dolphin/install).
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from envs.dolphin.build import check_executable, check_iso
from envs.dolphin.errors import DolphinSetupError

_EXECUTABLES: Final = {
    "Linux": ("Slippi_Online*.AppImage", "Slippi_Netplay*.AppImage", "dolphin-emu"),
    "Windows": ("*Dolphin.exe",),
    "Darwin": ("*Dolphin.app/Contents/MacOS/Slippi*Dolphin",),
}
"""File names by system, as the launcher itself looks for them."""
_IMAGES: Final = ("*.iso", "*.gcm", "*.ciso", "*.gcz", "*.rvz")
_COMMON: Final = ("", "slippi", "Slippi", "Applications", "Downloads", "Games", "roms")
"""Folders of the home folder."""


def find_dolphin(given: Path | None = None) -> Path:
    """Slippi Dolphin's executable: `given`, also as the folder or bundle it lies in, or the first in the usual places.

    Which build it is, `envs.dolphin.build.find_build` says. Raises DolphinSetupError.
    """
    if given is not None:
        inside = _executables([given.expanduser().absolute()])
        return check_executable(next(inside, given))
    folders = [*_launcher_dolphins(), *_common_folders()]
    for found in _executables(folders):
        with suppress(DolphinSetupError):
            return check_executable(found)
    raise DolphinSetupError(
        f"no Slippi Dolphin found; looked in {_named(folders)}",
        "install it with the Slippi launcher, or name its executable with --dolphin PATH",
    )


def find_iso(given: Path | None = None) -> Path:
    """The ISO of Melee (NTSC 1.02): `given`, the launcher's, or the first in the usual places.

    A wrong one is refused where it was named, and passed over where it only lies about. Raises DolphinSetupError.
    """
    named = given or _launcher_iso()
    if named is not None:
        return check_iso(named)
    folders = _common_folders()
    for found in _files(folders, _IMAGES):
        with suppress(DolphinSetupError):
            return check_iso(found)
    raise DolphinSetupError(
        f"no ISO of Melee found; looked in {_named([launcher_folder() / 'Settings', *folders])}",
        "name your own ISO (NTSC 1.02) with --iso PATH",
    )


def launcher_folder() -> Path:
    """Where the Slippi launcher keeps its settings and Dolphin on this system."""
    system, home = platform.system(), Path.home()
    if system == "Windows":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif system == "Darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return base / "Slippi Launcher"


def _launcher_settings() -> dict[str, Any]:
    try:
        settings = json.loads((launcher_folder() / "Settings").read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _launcher_dolphins() -> list[Path]:
    """The launcher's folders of Dolphin, the one that it uses first."""
    folders = [launcher_folder() / name for name in ("netplay", "netplay-beta")]
    return folders[::-1] if _launcher_settings().get("useNetplayBeta") else folders


def _launcher_iso() -> Path | None:
    named = _launcher_settings().get("isoPath")
    return Path(named) if isinstance(named, str) and Path(named).is_file() else None


def _common_folders() -> list[Path]:
    return [Path.home() / name for name in _COMMON]


def _executables(folders: Iterable[Path]) -> Iterator[Path]:
    """Files named as Slippi Dolphin is, in order of the folders; a folder may also be macOS's bundle itself."""
    patterns = _EXECUTABLES.get(platform.system(), ())
    for folder in folders:
        bundled = folder.parent if folder.suffix == ".app" else folder
        yield from _files([bundled], patterns)


def _files(folders: Iterable[Path], patterns: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        for pattern in patterns:
            with suppress(OSError):
                yield from sorted(path for path in folder.glob(pattern) if path.is_file())


def _named(places: Iterable[Path]) -> str:
    return ", ".join(str(place) for place in places)
