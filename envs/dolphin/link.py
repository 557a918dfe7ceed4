"""The owner's side of the links to its emulators' spectator servers; see `link_helper` for the other."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import enet

from envs.dolphin import link_helper
from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.link_helper import CONNECT, HANG_UP, KINDS, LOST, ORDER, RECORD

REPLY: Final = KINDS["connect_reply"]
GAME: Final = KINDS["game_event"]
MENU: Final = KINDS["menu_event"]
_LONGEST: Final = 1 << 17


class Message(NamedTuple):
    """One message of a server."""

    kind: bytes
    """REPLY, GAME or MENU."""
    payload: bytes
    """Slippi events, or the reply's JSON."""


class Link:
    """Messages of one emulator, read without ever waiting. Made by `Exchange.connect`."""

    def __init__(self, exchange: Exchange, number: int, helper: subprocess.Popen[bytes]) -> None:
        self.number = number
        self.inbox: deque[Message] = deque()
        self._exchange, self._helper = exchange, helper
        self._was_last = False

    @property
    def helper_pid(self) -> int:
        """Process id of the other side, which other links share."""
        return self._helper.pid

    def fileno(self) -> int:
        """Readable when a message waits: then, `receive` gives one."""
        return self._exchange.fileno()

    def receive(self) -> Message | None:
        """The next message, None if there is none yet. Raises InstanceFault when the connection is gone."""
        if not self.inbox:
            self._exchange.take()
        if not self.inbox:
            return None
        message = self.inbox.popleft()
        if message.kind == LOST:
            raise InstanceFault(FaultKind.DISCONNECTED, "the connection to the spectator server is gone")
        return message

    def close(self) -> None:
        """Hang up; the last one ends the helper. `reaped` says when that has happened. May be called again."""
        self.inbox.clear()
        self._was_last |= self._exchange.hang_up(self)

    def reaped(self) -> bool:
        """Whether nothing is left of it: no helper that nobody needs, no zombie."""
        return not self._was_last or self._helper.poll() is not None

    def kill(self) -> None:
        """End the helper now, if nobody needs it."""
        if self._was_last:
            self._helper.kill()
            self._helper.wait()


class Exchange:
    """All links of one owner. Their helper starts with the first and ends with the last."""

    def __init__(self) -> None:
        self._links: dict[int, Link] = {}
        self._mail: dict[int, Link] = {}
        self._socket: socket.socket | None = None
        self._helper: subprocess.Popen[bytes] | None = None
        self._last_number = 0

    def connect(self, port: int, timeout_s: float) -> Link:
        """Start connecting to the server on `port` of this machine, for at most `timeout_s` seconds."""
        if self._socket is None or self._helper is None:
            self._socket, self._helper = _start()
        self._last_number += 1
        link = Link(self, self._last_number, self._helper)
        self._links[link.number] = link
        with suppress(OSError):  # the helper is gone: `take` will find that out
            self._socket.send(ORDER.pack(CONNECT, link.number, port, timeout_s))
        return link

    def hang_up(self, link: Link) -> bool:
        """Whether it was the last one: the helper ends."""
        self._mail.pop(link.number, None)
        if self._links.pop(link.number, None) is None or self._socket is None:
            return False
        with suppress(OSError):
            self._socket.send(ORDER.pack(HANG_UP, link.number, 0, 0.0))
        if self._links:
            return False
        self._socket.close()
        self._socket = self._helper = None
        return True

    def fileno(self) -> int:
        """Readable when a link has a message; -1 while there are none."""
        return -1 if self._socket is None else self._socket.fileno()

    def take(self) -> None:
        """Put the messages that came together, at most one for each link, into the links' inboxes."""
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose_all()
        at = 0
        while at < len(data):
            kind, number, size = RECORD.unpack_from(data, at)
            at += RECORD.size + size
            link = self._links.get(number)
            if link is not None:
                link.inbox.append(Message(kind, data[at - size : at]))
                self._mail[number] = link

    def mail(self) -> list[Link]:
        """The links that were given messages since the last call and may still have them."""
        found = list(self._mail.values())
        self._mail.clear()
        return found

    def _lose_all(self) -> None:
        """The helper has died; the next link gets a new one."""
        assert self._socket is not None
        assert self._helper is not None
        self._socket.close()
        self._helper.kill()
        self._helper.wait()
        for link in self._links.values():
            link.inbox.append(Message(LOST, b""))
        self._mail |= self._links
        self._links, self._socket, self._helper = {}, None, None


def _start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setblocking(False)
    folder = str(Path(enet.__file__).parent)
    with theirs:
        helper = subprocess.Popen(
            [sys.executable, "-I", "-S", link_helper.__file__, folder, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return mine, helper
