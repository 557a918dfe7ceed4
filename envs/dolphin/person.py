"""A person at the emulator: the controller in their hands, and who they are on Slippi's servers.

Their own Dolphin's files are read and never changed. `user.json` is a secret: it is copied for its owner alone, into a
home that goes with the emulator, and what it says is never shown.
"""

from __future__ import annotations

import configparser
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.posix import usb_device_present

ADAPTER: Final = "adapter"
"""Names the GameCube adapter where a configuration could be named."""
_ADAPTER_USB: Final = ("057e", "0337")
_STANDARD_CONTROLLER: Final = "6"
_USER_FOLDERS: Final = (
    *("SlippiOnline", "slippi-dolphin/netplay-beta", "slippi-dolphin/netplay"),
    *("Slippi Launcher/netplay-beta/User", "Slippi Launcher/netplay/User"),
)
"""Dolphin's user folders under ~/.config, as Slippi's builds for Linux make them."""
_CODE: Final = re.compile(r"[A-Z]+#[0-9]+")
_LONGEST_CODE: Final = 8
_FORBIDDEN: Final = {"ranked", "unranked", "teams"}


def _own_files(name: str) -> Iterator[Path]:
    """A file of the user's own Dolphins, wherever there is one."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for folder in _USER_FOLDERS:
        if (config / folder / name).is_file():
            yield config / folder / name


# Controllers


def find_controller(given: str | None) -> Path | None:
    """The configuration of a person's controller; None: a GameCube adapter.

    given: `adapter`, or a file like Dolphin's GCPadNew.ini; without it an adapter that is plugged in, then the user's
    own configuration. Raises DolphinSetupError where there is neither.
    """
    if given == ADAPTER or (given is None and usb_device_present(*_ADAPTER_USB)):
        return None
    if given is not None:
        path = Path(given).expanduser().absolute()
        controller_section(path)
        return path
    for path in _own_files("Config/GCPadNew.ini"):
        if any("pipe/" not in device.lower() for device in _devices(_read(path)).values()):
            return path
    raise DolphinSetupError(
        "no controller for a person was found",
        "plug a GameCube adapter in, set a controller up in Slippi Dolphin, or name its configuration with "
        "--controller FILE.ini (a GCPadNew.ini)",
    )


def controller_section(path: Path) -> dict[str, str]:
    """The settings of the first controller in a file like GCPadNew.ini. Raises DolphinSetupError if there is none."""
    parser = _read(path)
    devices = _devices(parser)
    if not devices:
        raise DolphinSetupError(
            f"{path} configures no controller: it has no section GCPad1 to GCPad4 with a Device",
            "name the one that Dolphin writes, Config/GCPadNew.ini in its user folder",
        )
    people = [section for section, device in devices.items() if "pipe/" not in device.lower()]
    return dict(parser.items((people or list(devices))[0]))


def plug_in(user: Path, configuration: Path, port: int) -> None:
    """Put a person's controller into a port (0..3) of a Dolphin whose user folder has its configuration already."""
    pads, core = user / "Config" / "GCPadNew.ini", user / "Config" / "Dolphin.ini"
    section = f"GCPad{port + 1}"
    _change(pads, section, controller_section(configuration))
    _change(core, "Core", {f"SIDevice{port}": _STANDARD_CONTROLLER})


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)


def _read(path: Path) -> configparser.ConfigParser:
    parser = _parser()
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError as error:
        raise DolphinSetupError(f"{path}: {(error.strerror or '').lower()}", "name a GCPadNew.ini") from None
    except configparser.Error:
        raise DolphinSetupError(f"{path} is no configuration of Dolphin's", "name a GCPadNew.ini") from None
    return parser


def _devices(parser: configparser.ConfigParser) -> dict[str, str]:
    """Device by section, of the controllers that have one."""
    sections = [f"GCPad{number}" for number in range(1, 5)]
    found = {section: parser.get(section, "device", fallback="") or "" for section in sections}
    return {section: device for section, device in found.items() if device.strip()}


def _change(path: Path, section: str, values: dict[str, str]) -> None:
    parser = _parser()
    parser.read(path, encoding="utf-8")
    if not parser.has_section(section):
        parser.add_section(section)
    for key, value in values.items():
        parser.set(section, key, value)
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)


# Games on line


@dataclass(frozen=True)
class Account:
    """Somebody's account at Slippi."""

    file: Path
    """Their user.json."""
    code: str
    """Their own connect code."""

    def copy_to(self, user: Path) -> None:
        """Into an emulator's user folder, for nobody else to read."""
        folder = user / "Slippi"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "user.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as copy:
            copy.write(self.file.read_bytes())


def find_account(given: Path | None) -> Account:
    """The account in a user.json; without one named, in that of the user's own Dolphin. Raises DolphinSetupError."""
    path = given or next(_own_files("Slippi/user.json"), None)
    if path is None:
        raise DolphinSetupError(
            "games on line need an account at Slippi, and none was found",
            "log in with the Slippi launcher, or name the file with --user-json FILE (user.json of Dolphin's folder)",
        )
    path = path.expanduser().absolute()
    try:
        content = json.loads(path.read_bytes())
        code, complete = str(content["connectCode"]), bool(content["uid"]) and bool(content["playKey"])
    except OSError as error:
        raise DolphinSetupError(f"{path}: {(error.strerror or '').lower()}", "name a user.json") from None
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise DolphinSetupError(
            f"{path} is no user.json of Slippi", "log in with the Slippi launcher, which writes one"
        )
    return Account(path, code)


def check_connect_code(text: str) -> str:
    """A direct connect code such as ABCD#123. Raises DolphinSetupError for anything else, with the reason."""
    if text.lower() in _FORBIDDEN:
        raise DolphinSetupError(
            f"{text.lower()} play is closed to programs: strangers there have not agreed to meet one",
            "play by direct code, with somebody who knows: --connect-code ABCD#123",
        )
    if not _CODE.fullmatch(text) or len(text) > _LONGEST_CODE:
        raise DolphinSetupError(
            f"{text!r} is no connect code", "one is capital letters, #, and a number, such as ABCD#123"
        )
    return text
