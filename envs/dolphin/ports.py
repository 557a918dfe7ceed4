"""Network ports and boot slots, one owner each on this machine: a lock on a file that lasts as long as the owner."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.posix import port_is_free, try_lock

_first_try = os.getpid()
"""Processes begin their search at different ports, so that they seldom meet."""


class Lease:
    """Something locked; released by `release` or by the end of the process, however it comes."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give it back; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lease_port(folder: Path, ports: tuple[int, int]) -> Lease:
    """A UDP port of the range that nobody holds. Raises DolphinSetupError when there is none."""
    first, last = ports
    count = last - first + 1
    order = (first + (_first_try + i) % count for i in range(count))
    lease = _first_free(folder, "port", (port for port in order if port_is_free(port)))
    if lease is None:
        raise DolphinSetupError(
            f"no free UDP port from {first} to {last}: another emulator or program holds them",
            "close it, or widen game.dolphin.ports",
        )
    return lease


def lease_boot_slot(folder: Path, slots: int) -> Lease | None:
    """Leave to boot now, or None while as many emulators as may are booting on this machine."""
    return _first_free(folder, "boot", range(slots))


def _first_free(folder: Path, name: str, numbers: Iterable[int]) -> Lease | None:
    for number in numbers:
        descriptor = try_lock(folder / f"{name}-{number}.lock")
        if descriptor is not None:
            return Lease(number, descriptor)
    return None
