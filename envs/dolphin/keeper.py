"""The keeper: a small program between us and Dolphin, so that neither outlives what it should.

    python -I -S keeper.py SETTINGS

SETTINGS is a JSON object: command (list), folder (removed when the owner goes), log, log_bytes, pid_file, owner
(process id). Standard input is a pipe that the owner holds: when it ends, because the owner closed it or died in
whatever way, the keeper kills Dolphin's whole process group and removes the folder. Should the keeper itself be killed,
the kernel kills Dolphin (PR_SET_PDEATHSIG). When Dolphin ends first, the keeper ends with its status.

It is two processes: the one that was started only passes the status on, its child does the work. For Ray kills the
children of its workers, but not their children, and somebody must be left to remove the folder.
It imports nothing of the project: it must start at once and work when everything else is broken.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
GLANCE_S = 0.5
"""Seconds between two looks at what does not announce itself."""


def start(settings: dict) -> subprocess.Popen:
    """Dolphin as the leader of a session of its own that dies with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    me = os.getpid()

    def die_with_keeper() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != me:  # killed between fork and prctl
            os._exit(1)

    return subprocess.Popen(
        settings["command"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_keeper,
    )


def started_at(pid: int) -> int:
    """Clock ticks from boot to the start of a process; 0 if it is gone, though nobody may have waited for it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def write_pids(path: str, dolphin: int) -> None:
    """Who runs here, whole or not at all."""
    record = {
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "keeper": [os.getpid(), started_at(os.getpid())],
        "dolphin": [dolphin, started_at(dolphin)],
    }
    Path(path + ".new").write_text(json.dumps(record))
    os.replace(path + ".new", path)


class Log:
    """Keeps the last `limit` to 2 `limit` bytes of the output, in PATH and PATH.1."""

    def __init__(self, path: str, limit: int) -> None:
        self.path, self.limit = path, limit
        self.file = open(path, "ab", buffering=0)  # noqa: SIM115 (held for the life of the program)

    def write(self, data: bytes) -> None:
        if self.file.tell() + len(data) > self.limit:
            self.file.close()
            os.replace(self.path, self.path + ".1")
            self.file = open(self.path, "ab", buffering=0)  # noqa: SIM115
        self.file.write(data[-self.limit :])

    def drain(self, output: int) -> None:
        """What a process that is gone has left in its pipe."""
        os.set_blocking(output, False)
        with suppress(BlockingIOError):
            while data := os.read(output, 65536):
                self.write(data)


def watch(dolphin: subprocess.Popen, log: Log, owner: int) -> bool:
    """Until Dolphin ends (True) or its owner, or the process between, does (False)."""
    assert dolphin.stdout is not None
    output = dolphin.stdout.fileno()
    born, parent = started_at(owner), os.getppid()
    watched = [0, output]
    while True:
        ready = select.select(watched, [], [], GLANCE_S)[0]
        if output in ready:
            data = os.read(output, 65536)
            if data:
                log.write(data)
            else:
                watched = [0]
        if dolphin.poll() is not None:
            return True
        if (0 in ready and not os.read(0, 4096)) or os.getppid() != parent:
            return False
        if started_at(owner) != born:  # a copy of it may still hold the pipe
            return False


def keep(settings: dict) -> int:
    """The status of the program: Dolphin's, or 0 after the owner's end."""
    log = Log(settings["log"], settings["log_bytes"])
    try:
        dolphin = start(settings)
    except OSError as error:
        log.write(f"cannot start: {error}\n".encode())
        return 127
    write_pids(settings["pid_file"], dolphin.pid)
    ended = watch(dolphin, log, settings["owner"])
    with suppress(ProcessLookupError):
        os.killpg(dolphin.pid, signal.SIGKILL)  # its children too, should it have any
    status = dolphin.wait()
    assert dolphin.stdout is not None
    log.drain(dolphin.stdout.fileno())
    if ended:
        return status if status >= 0 else 128 - status
    shutil.rmtree(settings["folder"], ignore_errors=True)
    return 0


def main() -> int:
    """Keep in a child, end as it does."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status if status >= 0 else 128 - status
    os.setsid()
    return keep(json.loads(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
