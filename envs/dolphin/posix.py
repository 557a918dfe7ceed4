"""Everything that needs Linux: locks, pipes with names, process identities, memory. Behind one clear refusal."""

from __future__ import annotations

import errno
import os
import platform
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from envs.dolphin.errors import DolphinSetupError

PIPE_BYTES: Final = 4096
"""What one write puts into a pipe whole (POSIX PIPE_BUF on Linux)."""


def require_linux() -> None:
    """Raises DolphinSetupError elsewhere."""
    if platform.system() != "Linux":
        raise DolphinSetupError(
            f"emulators are run and guarded with Linux process control, this is {platform.system()}",
            "use a Linux machine (WSL 2 does), or backend: sim",
        )


def try_lock(path: Path) -> int | None:
    """Descriptor of the file, locked for as long as it is open; None if another holds it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def lock(path: Path) -> int:
    """As `try_lock`, but waits its turn."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def port_is_free(port: int) -> bool:
    """Whether a UDP port can be bound now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def open_pipe(path: Path) -> int | None:
    """Writing end of a named pipe, or None while nobody reads it: opening it the usual way would block for ever."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise


def boot_id() -> str:
    """Differs after every boot of the machine, when process ids begin anew."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def started_at(pid: int) -> int | None:
    """Clock ticks from the machine's boot to the process's start; None if there is no such process (or a zombie).

    Together with the boot's id it tells a process from a later one with the same number.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 if it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, seconds, in steps of a hundredth; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes_with(name: str, value: str) -> list[int]:
    """Processes, of ours as far as the system shows, that were started with this environment variable."""
    wanted, found = f"{name}={value}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def usb_device_present(vendor: str, product: str) -> bool:
    """Whether a USB device with these ids (four hex digits each) is plugged in."""
    for device in Path("/sys/bus/usb/devices").glob("*/idVendor"):
        with suppress(OSError):
            found = (device.read_text().strip(), device.with_name("idProduct").read_text().strip())
            if found == (vendor, product):
                return True
    return False


def kill_group(pid: int, start: int | None) -> None:
    """SIGKILL to the process group that `pid` leads, if it is still the process that started then."""
    if start is not None and started_at(pid) == start:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
