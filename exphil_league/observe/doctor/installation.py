"""Checks of Slippi Dolphin, the ISO, and what the two need of this machine, before anything is started."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from envs.dolphin import disc
from envs.dolphin.build import Build, check_display, display, find_build, is_appimage, needs_display
from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Plant
from envs.dolphin.home import locks_dir, make_home, run_dir, sweep
from envs.dolphin.pads import Pad
from envs.dolphin.places import find_dolphin, find_iso
from envs.dolphin.ports import lease_port
from envs.dolphin.posix import port_is_free, require_linux
from envs.dolphin.standin.backend import standin_config
from envs.dolphin.standin.scenario import Scenario
from exphil_league.observe.doctor.check import Answer, Check, bad, fine
from exphil_league.observe.progress import progress

UNPACK_LIMIT_S: Final = 150.0
HASH_LIMIT_S: Final = 900.0
SHOWN_BYTES: Final = 1 << 26
"""Images above this size show the progress of their hash."""
MIB: Final = 1 << 20


@dataclass
class Installation:
    """Dolphin, ISO and run folder, as far as the checks have found them."""

    config: DolphinConfig
    scenario: Scenario | None = None
    """What a stand-in plays, where one takes Dolphin's place."""
    _build: Build | None = field(default=None, init=False)
    _iso: Path | None = field(default=None, init=False)

    def checks(self) -> list[Check]:
        """In the order in which they are to be asked."""
        return [
            Check("process control", self.process_control),
            Check("run folder", self.run_folder, ("process control",)),
            Check("dolphin", self.dolphin, ("run folder",), UNPACK_LIMIT_S),
            Check("iso", self.iso, ("run folder",)),
            Check("iso hash", self.iso_hash, ("iso",), HASH_LIMIT_S),
            Check("display", self.display, ("dolphin",)),
            Check("fuse", self.fuse, ("dolphin",)),
            Check("ports", self.ports, ("run folder",)),
            Check("pipes", self.pipes, ("run folder",)),
        ]

    @property
    def folder(self) -> Path:
        """Where emulators live."""
        return run_dir(self.config.run_dir)

    def plant(self) -> Plant:
        """What an emulator is started with, once the checks have succeeded."""
        assert self._build is not None, "asked for before the checks"
        assert self._iso is not None
        return Plant(self.config, self._build, self._iso, self.folder)

    def process_control(self) -> Answer:
        """Emulators are guarded with what only Linux has."""
        require_linux()
        return fine("Linux")

    def run_folder(self) -> Answer:
        """Where homes and locks go; what killed runs left there is swept."""
        swept = sweep(self.folder)
        left = f"; removed {swept} emulators that killed runs had left" if swept else ""
        if self.scenario is not None:
            self.config = standin_config(self.config, self.folder, self.scenario)
        return fine(f"{self.folder}{left}")

    def dolphin(self) -> Answer:
        """Which build it is; AppImages are unpacked on the way. An ExiAI build is asked for what only it has."""
        path = find_dolphin(self.config.path)
        self.config = self.config.model_copy(update={"path": path})
        self._build = find_build(self.config, self.folder)
        if not self._build.exi_ai:
            return fine(f"{self._build.label}, {path}")
        self.config = self.config.model_copy(update={"exi_inputs": True, "fast_forward": True})
        return fine(f"{self._build.label}, {path}, with EXI inputs and fast-forward")

    def iso(self) -> Answer:
        """Is it Melee, and 1.02, as far as its header tells?"""
        self._iso = find_iso(self.config.iso)
        return fine(f"{self._iso}: GALE01, 1.02{', packed' if disc.is_packed(self._iso) else ''}")

    def iso_hash(self) -> Answer:
        """Is it a dump that is known to be whole and unmodified?"""
        assert self._iso is not None
        size = self._iso.stat().st_size
        found = _sha1(self._iso, size)
        if self.scenario is not None:
            whole = found == hashlib.sha1(self.scenario.to_bytes(), usedforsecurity=False).hexdigest()
            return fine("the stand-in's scenario") if whole else bad(f"{self._iso} was changed", "remove it")
        if found in disc.GOOD:
            return fine(f"{disc.GOOD[found]}, SHA-1 {found}")
        if found in disc.WRONG:
            return bad(f"it is {disc.WRONG[found]}, SHA-1 {found}", "name an unmodified ISO of NTSC 1.02")
        if disc.is_packed(self._iso):
            return fine("packed, so that its hash says nothing", "to be sure, convert it to ISO in Dolphin")
        told = f"no known dump of NTSC 1.02: SHA-1 {found}, {size:,} bytes (a whole disc has {disc.DISC_BYTES:,})"
        return bad(told, "dump the disc again; Dolphin converts packed images to ISO; a modified game may misbehave")

    def display(self) -> Answer:
        """Does this build open a window, and is there a place for it?"""
        assert self._build is not None
        check_display(self.config, self._build)
        return fine(f"display {display()}" if needs_display(self.config, self._build) else "none is needed: headless")

    def fuse(self) -> Answer:
        """AppImages are unpacked, once, rather than mounted."""
        assert self._build is not None
        assert self.config.path is not None
        if not is_appimage(self.config.path):
            return fine("not needed: no AppImage")
        return fine(f"not needed: the AppImage is unpacked in {self._build.executable.parent}")

    def ports(self) -> Answer:
        """Is there a UDP port for the spectator server?"""
        first, last = self.config.ports
        lease_port(locks_dir(self.folder), self.config.ports).release()
        free = sum(port_is_free(port) for port in range(first, last + 1))
        return fine(f"{free:,} of {last - first + 1:,} UDP ports from {first} to {last} are free")

    def pipes(self) -> Answer:
        """Does the run folder take named pipes, and do they behave? Pads are such pipes."""
        home = make_home(self.folder)
        path = home.folder / "pipe"
        pad = Pad(path, 0)
        try:
            os.mkfifo(path)
            waits = not pad.connect()
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                opens = pad.connect()
                pad.again()
                arrived = os.read(reader, 64) == b"FLUSH\n"
            finally:
                os.close(reader)
        except OSError as error:
            return bad(f"{self.folder}: {error.strerror}", _OTHER_FOLDER)
        finally:
            pad.close()
            home.remove()
        return fine("made, opened and read") if waits and opens and arrived else bad("they misbehave", _OTHER_FOLDER)


_OTHER_FOLDER: Final = "set TMPDIR, or game.dolphin.run_dir, to a folder of a Linux disk (not one of Windows or NFS)"


def _sha1(image: Path, size: int) -> str:
    if size < SHOWN_BYTES:
        return disc.sha1(image)
    with progress(f"hashing {image.name}", size / MIB, "MiB") as shown:
        return disc.sha1(image, lambda count: shown.advance(count / MIB))
