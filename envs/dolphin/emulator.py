"""One running Dolphin, from its home to its end. It is thrown away with whatever went wrong; the next one is new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import melee

from envs.dolphin import keeper
from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.home import Home, locks_dir, make_home
from envs.dolphin.libmelee import Console, MenuPad
from envs.dolphin.link import Exchange, Link
from envs.dolphin.pads import Pad
from envs.dolphin.person import Account, plug_in
from envs.dolphin.ports import Lease, lease_boot_slot, lease_port
from envs.dolphin.posix import resident_bytes
from envs.slippi.errors import ReplayError
from envs.slippi.repair import repair

GRACE_S: Final = 3.0
"""Seconds a keeper has to kill and clear up before it is killed itself."""


@dataclass(frozen=True)
class Plant:
    """What all emulators of a process have in common."""

    config: DolphinConfig
    build: Build
    iso: Path
    run_dir: Path
    account: Account | None = None
    """Who plays, in games on line."""
    exchange: Exchange = field(default_factory=Exchange)
    """Their connections."""


@dataclass(frozen=True)
class Plug:
    """What is in a controller port."""

    port: int  # 0..3
    adapter: bool = False
    """A GameCube adapter instead of a pad of ours."""
    controller: Path | None = None
    """A person's controller configuration (GCPadNew.ini) instead of a pad of ours."""


class Emulator:
    """A home, a port, a process behind its keeper, a link and pads."""

    def __init__(self, plant: Plant, plugs: tuple[Plug, ...], iso: Path | None = None) -> None:
        """Start it; `tick` sees it through its boot. Raises DolphinSetupError when no port is free."""
        self._config = plant.config
        self._port: Lease = lease_port(locks_dir(plant.run_dir), plant.config.ports)
        self.home: Home = make_home(plant.run_dir)
        self.replays = self._replay_folder()
        if plant.account is not None:
            plant.account.copy_to(self.home.user)
        self.console = Console(self.home.user, plant.config, plant.build, self._port.number, self.replays)
        standard, adapter = melee.ControllerType.STANDARD, melee.ControllerType.GCN_ADAPTER
        ours = [plug for plug in plugs if plug.controller is None]
        pads = [MenuPad(self.console, plug.port + 1, adapter if plug.adapter else standard) for plug in ours]
        for plug in plugs:
            if plug.controller is not None:
                plug_in(self.home.user, plug.controller, plug.port)
        self.menu_pads = [pad for pad in pads if pad.pad is not None]
        self.pads: list[Pad] = [pad.pad for pad in pads if pad.pad is not None]
        limit_s = plant.config.boot_timeout_s + GRACE_S  # the boot's own limit comes first
        self.link: Link = plant.exchange.connect(self._port.number, limit_s)
        self._keeper = self._start(plant.build, iso or plant.iso)
        self._dolphin: tuple[int, int] | None = None
        self._retired_at: float | None = None
        self._killed = False
        self.linked = False
        """Whether the spectator server has answered."""

    def _start(self, build: Build, iso: Path) -> subprocess.Popen[bytes]:
        command = [str(build.executable), "-e", str(iso), "-u", str(self.home.user)]
        if self._config.headless and build.family == "mainline":
            command += ["--platform", "headless"]
        settings = {
            "command": command,
            "folder": str(self.home.folder),
            "log": str(self.home.log),
            "log_bytes": self._config.log_kib * 1024,
            "pid_file": str(self.home.pid_file),
            "owner": os.getpid(),
        }
        return subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def _replay_folder(self) -> Path | None:
        if self._config.replay_dir is None:
            return None
        folder = self._config.replay_dir.expanduser().absolute() / self.home.folder.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def port(self) -> int:
        """UDP port of its spectator server."""
        return self._port.number

    @property
    def descriptors(self) -> tuple[int, int]:
        """Readable when a message came (for any emulator of the plant), and when the process ended."""
        assert self._keeper.stdout is not None
        return self.link.fileno(), self._keeper.stdout.fileno()

    def connect_pads(self) -> bool:
        """Whether Dolphin has opened every pipe. Raises InstanceFault."""
        opened = [pad.connect() for pad in self.pads]
        return all(opened)

    def exit_status(self) -> int | None:
        """Dolphin's exit status (128 and the signal's number where one killed it); None while it lives."""
        return self._keeper.poll()

    def pid(self) -> int | None:
        """Dolphin's process id; None before it was started and after its end."""
        if self._dolphin is None:
            self._dolphin = self.home.dolphin()
        return self._dolphin[0] if self._dolphin else None

    def resident_mib(self) -> float:
        """Resident memory of Dolphin, MiB."""
        pid = self.pid()
        return 0.0 if pid is None else resident_bytes(pid) / 2**20

    def processes(self) -> list[int]:
        """Ids of everything that runs for it."""
        pid = self.pid()
        return [self._keeper.pid, self.link.helper_pid, *([pid] if pid else [])]

    def retire(self) -> None:
        """Begin the end; `reaped` says when nothing is left. Neither waits."""
        if self._retired_at is None:
            self._retired_at = time.monotonic()
            self.link.close()
            assert self._keeper.stdin is not None
            with suppress(OSError):
                self._keeper.stdin.close()

    def reaped(self) -> bool:
        """Whether processes, home, pipes and port are gone."""
        assert self._retired_at is not None, "retire first"
        ended = self._keeper.poll() is not None
        if ended and self.link.reaped():
            self._clear()
            return True
        if time.monotonic() - self._retired_at > GRACE_S and not self._killed:
            self._killed = True
            self._keeper.kill()  # the rest of it, and the kernel, kill Dolphin then
            self.link.kill()
        return False

    def _clear(self) -> None:
        assert self._keeper.stdout is not None
        for pad in self.pads:
            pad.close()
        self._keeper.stdout.close()
        self.home.remove()
        self._port.release()
        if self.replays is not None:
            finish_replays(self.replays)


def boot_slot(plant: Plant) -> Lease | None:
    """Leave to start an emulator now; give it back when it has booted."""
    return lease_boot_slot(locks_dir(plant.run_dir), plant.config.boots_at_once)


def finish_replays(folder: Path) -> None:
    """Make whole what a killed Dolphin left half written; remove a folder without replays."""
    for file in (*folder.glob("*.slp"), *folder.glob("*.slp.part")):
        with suppress(ReplayError):
            repair(file)
    with suppress(OSError):
        folder.rmdir()
