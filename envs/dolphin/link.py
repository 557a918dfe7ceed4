"""The owner's side of a link to an emulator's spectator server; see `link_helper` for the other."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import enet

from envs.dolphin import link_helper
from envs.dolphin.errors import FaultKind, InstanceFault

REPLY: Final = "R"
GAME: Final = "G"
MENU: Final = "M"
_LOST: Final = link_helper.LOST.decode()
_LONGEST: Final = 1 << 17


class Message(NamedTuple):
    """One message of the server."""

    kind: str
    """REPLY, GAME or MENU."""
    payload: bytes
    """Slippi events, or the reply's JSON."""


class Link:
    """Messages of one emulator, read without ever waiting."""

    def __init__(self, port: int, timeout_s: float) -> None:
        """Start connecting to the server on `port` of this machine, for at most `timeout_s` seconds."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.setblocking(False)
        self._socket = mine
        folder = str(Path(enet.__file__).parent)
        program = [sys.executable, "-I", "-S", link_helper.__file__, folder, str(port), str(timeout_s)]
        with theirs:
            self._helper = subprocess.Popen(
                [*program, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def helper_pid(self) -> int:
        """Process id of the other side."""
        return self._helper.pid

    def fileno(self) -> int:
        """Readable when a message waits."""
        return self._socket.fileno()

    def receive(self) -> Message | None:
        """The next message, None if there is none yet. Raises InstanceFault when the connection is gone."""
        try:
            data = self._socket.recv(_LONGEST)
        except BlockingIOError:
            return None
        except OSError as error:
            raise InstanceFault(FaultKind.DISCONNECTED, str(error)) from None
        kind = chr(data[0]) if data else _LOST
        if kind == _LOST:
            raise InstanceFault(FaultKind.DISCONNECTED, "the connection to the spectator server is gone")
        return Message(kind, data[1:])

    def close(self) -> None:
        """Hang up. The helper notices within a fifth of a second; `reaped` says when it has."""
        self._socket.close()

    def reaped(self) -> bool:
        """Whether the helper has ended, which leaves no zombie."""
        return self._helper.poll() is not None

    def kill(self) -> None:
        """End the helper now."""
        self._helper.kill()
        self._helper.wait()
