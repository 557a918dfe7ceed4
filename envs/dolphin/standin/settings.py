"""What the stand-in reads of Dolphin's user folder: names of sections and keys in any case, as Dolphin does."""

from __future__ import annotations

import configparser
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PORTS: Final = 4
STANDARD_CONTROLLER: Final = "6"
_GATE: Final = {True: ("slippi", ""), False: ("core", "slippi")}
"""Section and prefix of Slippi's keys, by whether the build is a mainline one."""


@dataclass(frozen=True)
class User:
    """Who is logged in to Slippi."""

    name: str
    code: str


@dataclass(frozen=True)
class Settings:
    """Of one start."""

    spectator: bool
    port: int
    blocking: bool
    speed: float
    """Times 60 frames a second; 0 is unlimited."""
    delay_frames: int
    pipes: tuple[Path | None, ...]
    """By controller port; None: nothing is plugged in."""
    replays: Path | None
    user: User | None

    @property
    def frame_s(self) -> float:
        """Seconds a frame takes at least."""
        return 1 / (60 * self.speed) if self.speed > 0 else 0.0


def _read(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    parser.read(path, encoding="utf-8")
    return {name.lower(): {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1")


def read_settings(user: Path, mainline: bool, exi_ai: bool) -> Settings:
    """From a user folder as its owner wrote it. Ishiiruka without ExiAI knows no speed but real time."""
    config = _read(user / "Config" / "Dolphin.ini")
    core, audio = config.get("core", {}), config.get("dsp", {}).get("backend", "")
    section, prefix = _GATE[mainline]
    slippi = config.get(section, {})

    def key(name: str, default: str = "") -> str:
        return slippi.get(prefix + name, default)

    speed = float(core.get("emulationspeed", "1")) if mainline else 1.0
    if exi_ai and audio.lower() == "no audio output":
        speed = 0.0
    folder = key("replaydir")
    return Settings(
        spectator=_is_true(key("enablespectator", "true")),
        port=int(key("spectatorlocalport", "51441")),
        blocking=_is_true(config.get(section, {}).get("blockingpipes", "false")),
        speed=speed,
        delay_frames=int(key("onlinedelay", "0")),
        pipes=_pipes(user, core),
        replays=Path(folder) if folder and _is_true(key("savereplays")) else None,
        user=_user(user / "Slippi" / "user.json"),
    )


def _user(path: Path) -> User | None:
    """From Slippi's own file, of which nothing else is read."""
    if not path.exists():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    return User(values["displayName"], values["connectCode"])


def _pipes(user: Path, core: dict[str, str]) -> tuple[Path | None, ...]:
    pads = _read(user / "Config" / "GCPadNew.ini")

    def pipe(port: int) -> Path | None:
        device = pads.get(f"gcpad{port + 1}", {}).get("device", "")
        plugged = core.get(f"sidevice{port}", "0").strip() == STANDARD_CONTROLLER
        return user / "Pipes" / device.rsplit("/", 1)[-1] if plugged and device.lower().startswith("pipe") else None

    return tuple(pipe(port) for port in range(PORTS))
