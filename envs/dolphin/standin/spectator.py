"""Dolphin's spectator server: game and menu events for whoever connects, over enet.

Nothing is sent before the client's `connect_request`. Who comes late gets the running game from its beginning; of the
menus there is only the latest frame (project-slippi/slippi-wiki, SPECTATOR_PROTOCOL.md). The emulation sends; a thread
of the server's own keeps connections alive whatever the emulation does.
"""

from __future__ import annotations

import binascii
import json
import threading
import time
from typing import Any, Final

import enet

MAX_CLIENTS: Final = 4
CHANNELS: Final = 2
BIND_TRIES: Final = 20
_TICK_S: Final = 0.01


class Spectator:
    """The server."""

    def __init__(self, port: int, refusals: int = 0) -> None:
        """Starts it. A port that is taken is tried again every second, 20 times; then nobody is served, silently.

        refusals: so many tries fail whether the port is taken or not.
        """
        self._port, self._refusals = port, refusals
        self._host: Any | None = None
        self._clients: list[Any] = []
        self._game: list[bytes] = []
        self._menu: bytes | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._keep_alive, daemon=True, name="spectator").start()

    def start_game(self) -> None:
        """Forget the game before."""
        with self._lock:
            self._game.clear()

    def game_event(self, payload: bytes) -> None:
        """Send events of the game, as one message."""
        with self._lock:
            cursor = len(self._game)
            text = binascii.b2a_base64(payload, newline=False)
            self._game.append(
                b'{"type":"game_event","cursor":%d,"next_cursor":%d,"payload":"%s"}' % (cursor, cursor + 1, text)
            )
            self._tell(self._game[-1])

    def menu_event(self, payload: bytes) -> None:
        """Send a frame of the menus."""
        with self._lock:
            self._menu = b'{"type":"menu_event","payload":"%s"}' % binascii.b2a_base64(payload, newline=False)
            self._tell(self._menu)

    def disconnect(self) -> None:
        """Drop every client and serve nobody any more."""
        with self._lock:
            for client in self._clients:
                client.disconnect_now()
            self._clients, self._host = [], None

    def _tell(self, message: bytes) -> None:
        for client in self._clients:
            _send(client, message)
        self._serve()

    def _keep_alive(self) -> None:
        self._host = self._bound()
        while self._host is not None:
            with self._lock:
                self._serve()
            time.sleep(_TICK_S)

    def _serve(self) -> None:
        """Send what waits and hear what came. The lock is held."""
        if self._host is None:
            return
        while (event := self._host.service(0)).type != enet.EVENT_TYPE_NONE:
            if event.type == enet.EVENT_TYPE_RECEIVE:
                self._greet(event.peer)
            elif event.type == enet.EVENT_TYPE_DISCONNECT:
                gone = event.peer.incomingPeerID
                self._clients = [client for client in self._clients if client.incomingPeerID != gone]
        self._host.flush()

    def _bound(self) -> Any | None:
        for attempt in range(BIND_TRIES):
            if attempt >= self._refusals:
                try:
                    return enet.Host(enet.Address(None, self._port), MAX_CLIENTS, CHANNELS, 0, 0)
                except (MemoryError, OSError):
                    pass
            time.sleep(1.0)
        return None

    def _greet(self, peer: Any) -> None:
        reply = {"type": "connect_reply", "nick": "stand-in", "version": "0.1.0", "cursor": 0}
        _send(peer, json.dumps(reply).encode())
        for message in self._game or filter(None, [self._menu]):
            _send(peer, message)
        self._clients.append(peer)


def _send(peer: Any, message: bytes) -> None:
    peer.send(0, enet.Packet(message, enet.PACKET_FLAG_RELIABLE))
