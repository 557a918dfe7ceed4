"""The network end of a link: a small program that holds the connection to one emulator's spectator server.

    python -I -S link_helper.py FOLDER_OF_ENET PORT TIMEOUT_S DESCRIPTOR

DESCRIPTOR is one end of a pair of sockets that keep message boundaries; the owner of the other end gets one message for
each of the server's, its payload decoded and a byte in front that says what it is (KINDS). A process of its own answers
the server's pings while the owner learns, cannot hang it, and shares none of its threads; it ends when the owner does.
It imports nothing of the project: it must start at once.
"""

from __future__ import annotations

import binascii
import json
import socket
import sys
import time
from collections import deque

KINDS = {"connect_reply": b"R", "game_event": b"G", "menu_event": b"M"}
LOST = b"D"
"""The connection broke, or never came to be."""
TRIES_S = (0.3, 0.3, 0.5, 1.0, 2.0)
"""Seconds of each attempt; the last repeats. A server that is not up yet answers none of the earlier ones."""
WAIT_MS = 200
BUSY_WAIT_MS = 2
BACKLOG = 20_000
"""Messages kept for an owner that does not read: five minutes of a game in real time."""


class OwnerGone(Exception):
    """Nobody holds the other end any more."""


def connect(host, port: int, deadline: float, owner: socket.socket):
    """The connected peer, or None after the deadline."""
    import enet

    request = json.dumps({"type": "connect_request", "cursor": 0}).encode()
    attempt = 0
    while time.monotonic() < deadline:
        peer = host.connect(enet.Address(b"127.0.0.1", port), 2)
        until = time.monotonic() + TRIES_S[min(attempt, len(TRIES_S) - 1)]
        while time.monotonic() < until:
            if host.service(100).type == enet.EVENT_TYPE_CONNECT:
                peer.send(0, enet.Packet(request, enet.PACKET_FLAG_RELIABLE))
                host.flush()
                return peer
            check(owner)
        peer.reset()
        attempt += 1
    return None


def check(owner: socket.socket) -> None:
    """Raises OwnerGone; the owner never sends anything."""
    try:
        if not owner.recv(1, socket.MSG_DONTWAIT):
            raise OwnerGone
    except BlockingIOError:
        pass


def translate(data: bytes) -> bytes | None:
    """The owner's message for one of the server's, None for those it has no use for."""
    if not data:
        return None
    message = json.loads(data)
    kind = KINDS.get(message["type"])
    if kind is None:
        return None
    if kind == b"R":
        return kind + data
    return kind + binascii.a2b_base64(message["payload"]) if message["payload"] else None


def pump(host, owner: socket.socket) -> None:
    """Pass messages on until either end is gone."""
    import enet

    backlog: deque[bytes] = deque()
    look = time.monotonic()
    while True:
        event = host.service(BUSY_WAIT_MS if backlog else WAIT_MS)
        if event.type == enet.EVENT_TYPE_DISCONNECT:
            backlog.append(LOST)
        elif event.type == enet.EVENT_TYPE_RECEIVE:
            message = translate(event.packet.data)
            if message is not None:
                backlog.append(message)
        while backlog:
            try:
                owner.send(backlog[0], socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            backlog.popleft()
        if event.type == enet.EVENT_TYPE_DISCONNECT or len(backlog) > BACKLOG:
            return
        if (now := time.monotonic()) > look:
            check(owner)
            look = now + WAIT_MS / 1000


def main() -> None:
    """Connect, pass on, end."""
    folder, port, timeout_s, descriptor = sys.argv[1:5]
    sys.path.append(folder)
    import enet

    owner = socket.socket(fileno=int(descriptor))
    host = enet.Host(None, 1, 2, 0, 0)
    try:
        if connect(host, int(port), time.monotonic() + float(timeout_s), owner) is None:
            owner.send(LOST)
            return
        pump(host, owner)
    except (OwnerGone, BrokenPipeError, ConnectionResetError):
        pass


if __name__ == "__main__":
    main()
