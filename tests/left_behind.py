"""What emulators and runs leave behind: processes, homes with their pipes and pid files, locks, shared memory."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from envs.dolphin.home import locks_dir
from envs.dolphin.posix import processes_with

MARK: Final = "EXPHIL_SOAK"
"""Environment variable that everything a run starts inherits."""
SHARED_MEMORY: Final = Path("/dev/shm")
TITLE: Final = 200
"""Characters of a process's title that are told."""


def marked(mark: str) -> Iterator[tuple[int, bytes]]:
    """Process id and title of everything alive that inherited the mark."""
    for pid in processes_with(MARK, mark):
        with suppress(OSError):
            yield pid, Path(f"/proc/{pid}/cmdline").read_bytes()


def processes_left(mark: str) -> list[str]:
    """What is alive with the mark, and this process's own zombies."""
    alive = [f"{pid} {title.decode(errors='replace')}".replace("\0", " ") for pid, title in marked(mark)]
    alive = [" ".join(title.split())[:TITLE] for title in alive]
    return alive + [f"zombie {folder.name}" for folder in _processes() if _is_zombie_of_ours(folder)]


def files_left(run_dir: Path) -> list[str]:
    """Homes in a run folder, and locks of it that somebody holds."""
    return [*map(str, run_dir.glob("emulator-*")), *(f"held: {path}" for path in _held(locks_dir(run_dir)))]


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
        time.sleep(0.05)
    return found


def _processes() -> Iterator[Path]:
    return (folder for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _is_zombie_of_ours(folder: Path) -> bool:
    try:
        state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return state == "Z" and int(parent) == os.getpid()


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
