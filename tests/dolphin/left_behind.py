"""What emulators leave behind: processes, homes with their pipes and pid files, locks, shared memory."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from envs.dolphin import link_helper
from envs.dolphin.home import locks_dir

SHARED_MEMORY: Final = Path("/dev/shm")


def files_left(run_dir: Path) -> list[str]:
    """Homes in a run folder, and locks of it that somebody holds."""
    return [*map(str, run_dir.glob("emulator-*")), *(f"held: {path}" for path in _held(locks_dir(run_dir)))]


def processes_of(run_dir: Path, ports: tuple[int, int]) -> list[str]:
    """Processes, zombies too, that run emulators of a run folder or hold a connection to one of its ports."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if _is_link(command, ports) or any(str(run_dir) in part for part in command[1:]):
                found.append(f"{process.name}: {' '.join(command)}")
    return found


def shared_memory(pids: Iterable[int]) -> set[Path]:
    """Segments of shared memory with a name that processes use."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
            found |= {Path(line.split()[-1]) for line in lines if f" {SHARED_MEMORY}/" in line}
    return {segment for segment in found if segment.exists()}  # others were unlinked: they go with their processes


def all_gone(left: Callable[[], list[str]], limit_s: float = 5.0) -> list[str]:
    """What is still left after a time; returns as soon as nothing is."""
    end = time.monotonic() + limit_s
    while (found := left()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _is_link(command: list[str], ports: tuple[int, int]) -> bool:
    if link_helper.__file__ not in command:
        return False
    port = command[command.index(link_helper.__file__) + 2]
    return port.isdigit() and ports[0] <= int(port) <= ports[1]


def _held(folder: Path) -> list[Path]:
    held = []
    for path in folder.glob("*.lock"):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.append(path)
        finally:
            os.close(descriptor)
    return held
