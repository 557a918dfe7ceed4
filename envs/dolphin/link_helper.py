"""The network end of an owner's links: a small program that holds the connections to its emulators' spectator servers.

    python -I -S link_helper.py FOLDER_OF_ENET DESCRIPTOR

DESCRIPTOR is one end of a pair of sockets that keep message boundaries. The owner of the other end sends an ORDER for
each server to connect to or to hang up on. It gets RECORDs, each with what one server sent, its payload decoded; those
that came together come in one message, at most one of each server. A process of its own answers the servers' pings
while the owner learns, cannot hang it, and shares none of its threads; it ends when the owner does. That it is one for
all of an owner's emulators saves waking up a process for every frame of each.
It imports nothing of the project: it must start at once.
"""

from __future__ import annotations

import binascii
import json
import select
import socket
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any

ORDER = struct.Struct("<cIHd")
"""CONNECT or HANG_UP, link, port, seconds to try."""
CONNECT, HANG_UP = b"C", b"H"
RECORD = struct.Struct("<cII")
"""One of KINDS or LOST, link, bytes of the payload that follows."""
KINDS = {"connect_reply": b"R", "game_event": b"G", "menu_event": b"M"}
LOST = b"D"
"""The connection broke, or never came to be."""
TRIES_S = (0.3, 0.3, 0.5, 1.0, 2.0)
"""Seconds of each attempt; the last repeats. A server that is not up yet answers none of the earlier ones."""
WAIT_MS = 100
BUSY_WAIT_MS = 2
BACKLOG = 100_000
"""Messages kept for an owner that does not read: half an hour of a game in real time, or three minutes of eight."""
LONGEST = 1 << 15
"""Bytes after which a message to the owner is sent off."""
PEERS = 16
"""Connections of one enet host, which looks at all of them whenever it does anything."""
REQUEST = json.dumps({"type": "connect_request", "cursor": 0}).encode()


class OwnerGone(Exception):
    """Nobody holds the other end any more."""


def translate(data: bytes) -> tuple[bytes, bytes] | None:
    """(kind, payload) of one of the server's messages, None for those that the owner has no use for."""
    at = data.find(b'"payload"') + 9
    first = data.find(b'"', at) + 1
    if at > 8 and first and not data[at : first - 1].strip(b" :"):
        text = data[first : data.find(b'"', first)]
        kind = b"G" if b'"game_event"' in data else b"M" if b'"menu_event"' in data else b""
        if text and kind and b"\\" not in text:
            return kind, binascii.a2b_base64(text)
    return parsed(data) if data else None


def parsed(data: bytes) -> tuple[bytes, bytes] | None:
    """As `translate`, of any JSON."""
    message = json.loads(data)
    kind = KINDS.get(message["type"])
    if kind is None:
        return None
    if kind == b"R":
        return kind, data
    return (kind, binascii.a2b_base64(message["payload"])) if message["payload"] else None


class Line:
    """One server, from the first attempt to connect to the end."""

    def __init__(self, number: int, port: int, deadline: float) -> None:
        self.number, self.port, self.deadline = number, port, deadline
        self.attempt, self.until = 0, 0.0
        self.peer: Any = None
        self.peer_id, self.is_up = -1, False


class Host:
    """Up to PEERS lines on one socket."""

    def __init__(self) -> None:
        import enet

        self.enet, self.host = enet, enet.Host(None, PEERS, 2, 0, 0)
        self.lines: dict[int, Line] = {}
        self.by_peer: dict[int, Line] = {}

    def call(self, line: Line, now: float) -> bool:
        """Begin the next attempt where the last one got no answer; False after the line's deadline."""
        if line.is_up or now < line.until:
            return True
        self._leave(line)
        if now > line.deadline:
            return False
        line.peer = self.host.connect(self.enet.Address(b"127.0.0.1", line.port), 2)
        line.peer_id = line.peer.incomingPeerID
        self.by_peer[line.peer_id] = line
        line.until = now + TRIES_S[min(line.attempt, len(TRIES_S) - 1)]
        line.attempt += 1
        return True

    def hang_up(self, line: Line) -> None:
        """End it; the server hears of it."""
        if line.is_up:
            line.peer.disconnect_now()
        self._leave(line)
        del self.lines[line.number]

    def _leave(self, line: Line) -> None:
        if line.peer is not None:
            self.by_peer.pop(line.peer_id, None)
            line.peer.reset()
            line.peer = None

    def serve(self):
        """(line, kind, payload) of all that has come."""
        enet = self.enet
        event = self.host.service(0)
        while event is not None and event.type != enet.EVENT_TYPE_NONE:
            line = self.by_peer.get(event.peer.incomingPeerID)
            if line is None:
                pass
            elif event.type == enet.EVENT_TYPE_RECEIVE:
                message = translate(event.packet.data)
                if message is not None:
                    yield line, *message
            elif event.type == enet.EVENT_TYPE_CONNECT:
                line.is_up = True
                line.peer.send(0, enet.Packet(REQUEST, enet.PACKET_FLAG_RELIABLE))
                self.host.flush()
            elif line.is_up:  # otherwise the attempt failed: the next one follows
                yield line, LOST, b""
            event = self.host.check_events()


class Post:
    """Messages to the owner, kept while it does not read."""

    def __init__(self, owner: socket.socket) -> None:
        self.owner = owner
        self.backlog: deque[bytes] = deque()
        self._open: list[bytes] = []
        self._has: set[int] = set()
        self._bytes = 0

    def add(self, line: int, kind: bytes, payload: bytes) -> None:
        """One record, with others of the same time where they fit together."""
        if line in self._has or self._bytes > LONGEST:
            self.close()
        self._open += [RECORD.pack(kind, line, len(payload)), payload]
        self._has.add(line)
        self._bytes += len(payload)

    def close(self) -> None:
        """Nothing more belongs to this message."""
        if self._open:
            self.backlog.append(b"".join(self._open))
            self._open, self._bytes = [], 0
            self._has.clear()

    def send(self) -> None:
        """As much as the owner takes. Raises OwnerGone when too much is left."""
        self.close()
        while self.backlog:
            try:
                self.owner.send(self.backlog[0], socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            self.backlog.popleft()
        if len(self.backlog) > BACKLOG:
            raise OwnerGone


class Exchange:
    """All lines, and the owner."""

    def __init__(self, owner: socket.socket) -> None:
        self.owner, self.post = owner, Post(owner)
        self.hosts: list[Host] = []
        self.poll = select.poll()
        self.poll.register(owner, select.POLLIN)

    def run(self) -> None:
        """Until the owner is gone: raises OwnerGone, or an OSError of its socket."""
        look = 0.0
        while True:
            ready = self.poll.poll(BUSY_WAIT_MS if self.post.backlog else WAIT_MS)
            if any(descriptor == self.owner.fileno() for descriptor, _ in ready):
                self.obey()
            if not ready or (now := time.monotonic()) > look:
                now = time.monotonic()
                look = now + WAIT_MS / 1000
                self.call(now)
            for host in self.hosts:
                for line, kind, payload in host.serve():
                    self.post.add(line.number, kind, payload)
                    if kind == LOST:
                        host.hang_up(line)
            self.post.send()

    def obey(self) -> None:
        """Carry out the owner's orders."""
        while True:
            try:
                data = self.owner.recv(ORDER.size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                raise OwnerGone
            order, number, port, timeout_s = ORDER.unpack(data)
            if order == CONNECT:
                line = Line(number, port, time.monotonic() + timeout_s)
                self.free_host().lines[number] = line
                self.call(time.monotonic())
            else:
                for host in self.hosts:
                    if number in host.lines:
                        host.hang_up(host.lines[number])

    def free_host(self) -> Host:
        """One with room for another line."""
        for host in self.hosts:
            if len(host.lines) < PEERS:
                return host
        self.hosts.append(Host())
        self.poll.register(self.hosts[-1].host.socket.fileno(), select.POLLIN)
        return self.hosts[-1]

    def call(self, now: float) -> None:
        """See to lines that are not up yet."""
        for host in self.hosts:
            for line in list(host.lines.values()):
                if not host.call(line, now):
                    self.post.add(line.number, LOST, b"")
                    del host.lines[line.number]


def main() -> None:
    """Connect, pass on, end."""
    folder, descriptor = sys.argv[1:3]
    sys.path.append(folder)
    owner = socket.socket(fileno=int(descriptor))
    with suppress(OwnerGone, BrokenPipeError, ConnectionResetError):
        Exchange(owner).run()


if __name__ == "__main__":
    main()
