"""Dolphin's spectator server: game and menu events for whoever connects, over enet, on a thread of its own.

Nothing is sent before the client's `connect_request`. Who comes late gets the running game from its beginning; of the
menus there is only the latest frame (project-slippi/slippi-wiki, SPECTATOR_PROTOCOL.md).
"""

from __future__ import annotations

import base64
import json
import os
import select
import threading
import time
from collections import deque
from typing import Any, Final

import enet

MAX_CLIENTS: Final = 4
CHANNELS: Final = 2
BIND_TRIES: Final = 20
_TICK_MS: Final = 20


class Spectator:
    """The server's thread and its queue."""

    def __init__(self, port: int, bind: bool = True) -> None:
        """Starts it. A port that is taken is tried again every second, 20 times; then nobody is served, silently."""
        self._port, self._bind = port, bind
        self._queue: deque[bytes] = deque()
        self._game: list[bytes] = []
        self._menu: bytes | None = None
        self._cursor = 0
        self._lock = threading.Lock()
        self._awake, self._wake = os.pipe()
        self._cut = False
        threading.Thread(target=self._serve, daemon=True, name="spectator").start()

    def start_game(self) -> None:
        """Forget the game before."""
        with self._lock:
            self._game.clear()

    def game_event(self, payload: bytes) -> None:
        """Send events of the game, as one message."""
        with self._lock:
            self._cursor += 1
            message = _message("game_event", payload, cursor=self._cursor - 1, next_cursor=self._cursor)
            self._game.append(message)
            self._queue.append(message)
        os.write(self._wake, b"!")

    def menu_event(self, payload: bytes) -> None:
        """Send a frame of the menus."""
        with self._lock:
            self._menu = _message("menu_event", payload)
            self._queue.append(self._menu)
        os.write(self._wake, b"!")

    def disconnect(self) -> None:
        """Drop every client."""
        self._cut = True

    def _serve(self) -> None:
        host = self._bound()
        if host is None:
            return
        clients: list[Any] = []
        poll = select.poll()
        for descriptor in (self._awake, host.socket.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll(_TICK_MS):
                if descriptor == self._awake:
                    os.read(self._awake, 4096)
            while (event := host.service(0)).type != enet.EVENT_TYPE_NONE:
                if event.type == enet.EVENT_TYPE_RECEIVE:
                    self._greet(event.peer, clients)
                elif event.type == enet.EVENT_TYPE_DISCONNECT:
                    clients = [client for client in clients if client.incomingPeerID != event.peer.incomingPeerID]
            while self._queue:
                message = self._queue.popleft()
                for client in clients:
                    _send(client, message)
            if self._cut:
                for client in clients:
                    client.disconnect_now()
                return
            host.flush()

    def _bound(self) -> Any | None:
        for _ in range(BIND_TRIES):
            if self._bind:
                try:
                    return enet.Host(enet.Address(None, self._port), MAX_CLIENTS, CHANNELS, 0, 0)
                except (MemoryError, OSError):
                    pass
            time.sleep(1.0)
        return None

    def _greet(self, peer: Any, clients: list[Any]) -> None:
        reply = {"type": "connect_reply", "nick": "stand-in", "version": "0.1.0", "cursor": 0}
        _send(peer, json.dumps(reply).encode())
        with self._lock:
            self._queue_is_sent(clients)
            for message in self._game or filter(None, [self._menu]):
                _send(peer, message)
            clients.append(peer)

    def _queue_is_sent(self, clients: list[Any]) -> None:
        """What waits goes to those who were there; the newcomer gets it with the rest."""
        while self._queue:
            message = self._queue.popleft()
            for client in clients:
                _send(client, message)


def _send(peer: Any, message: bytes) -> None:
    peer.send(0, enet.Packet(message, enet.PACKET_FLAG_RELIABLE))


def _message(kind: str, payload: bytes, **more: int) -> bytes:
    return json.dumps({"type": kind, "payload": base64.b64encode(payload).decode(), **more}).encode()
