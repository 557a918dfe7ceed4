"""The exchange: many servers on one helper, and what happens to the others when one of them, or the helper, goes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.link import GAME, REPLY, Exchange, Link, Message
from envs.dolphin.link_helper import PEERS, parsed, translate
from envs.dolphin.standin.spectator import Spectator
from tests.dolphin.standins import PORTS


@contextmanager
def connected(exchange: Exchange, count: int) -> Iterator[list[tuple[Spectator, Link]]]:
    """Servers, and links to them that have had their reply."""
    pairs = []
    for n in range(count):
        port = PORTS[1] - 60 + n
        pairs.append((Spectator(port), exchange.connect(port, 10.0)))
    try:
        for _, link in pairs:
            assert received(link).kind == REPLY
        yield pairs
    finally:
        for server, link in pairs:
            link.close()
            server.disconnect()
        assert all(gone(link) for _, link in pairs)


def received(link: Link, limit_s: float = 10.0) -> Message:
    """The next message."""
    end = time.monotonic() + limit_s
    while (message := link.receive()) is None:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.005)
    return message


def gone(link: Link, limit_s: float = 5.0) -> bool:
    end = time.monotonic() + limit_s
    while not link.reaped() and time.monotonic() < end:
        time.sleep(0.01)
    return link.reaped()


def test_each_link_gets_its_own_messages_in_order_whatever_came_together():
    """More servers than one of the network library's hosts holds."""
    with connected(Exchange(), PEERS + 2) as pairs:
        for round_ in range(3):
            for n, (server, _) in enumerate(pairs):
                server.game_event(bytes([0x36, n, round_]))
        for n, (_, link) in enumerate(pairs):
            assert [received(link) for _ in range(3)] == [Message(GAME, bytes([0x36, n, r])) for r in range(3)]
            assert link.receive() is None
        assert len({link.helper_pid for _, link in pairs}) == 1


def test_a_server_that_goes_takes_no_other_link_along():
    with connected(Exchange(), 2) as ((leaver, lost), (server, link)):
        leaver.disconnect()
        with pytest.raises(InstanceFault) as caught:
            received(lost)
        assert caught.value.kind is FaultKind.DISCONNECTED
        server.game_event(b"\x36still there")
        assert received(link).payload == b"\x36still there"


def test_a_server_that_never_answers_is_given_up_in_time():
    exchange = Exchange()
    link = exchange.connect(PORTS[1], 0.7)
    began = time.monotonic()
    with pytest.raises(InstanceFault):
        received(link)
    assert 0.5 < time.monotonic() - began < 3.0
    link.close()
    assert gone(link)


def test_a_helper_that_is_killed_is_noticed_and_the_next_link_gets_another():
    exchange = Exchange()
    with connected(exchange, 2) as ((_, first), (_, second)):
        os.kill(first.helper_pid, signal.SIGKILL)
        for link in (first, second):
            with pytest.raises(InstanceFault):
                received(link)
        assert exchange.fileno() == -1
    with connected(exchange, 1) as ((server, link),):
        server.game_event(b"\x36again")
        assert received(link).payload == b"\x36again"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "game_event", "payload": "Nnt9", "cursor": 1, "next_cursor": 2},
        {"cursor": 1, "next_cursor": 2, "payload": "PgAB", "type": "menu_event"},
        {"type": "game_event", "payload": None, "note": "payload"},
        {"type": "game_event", "payload": ""},
        {"type": "start_game", "payload": "Nnt9"},
        {"type": "connect_reply", "nick": "game_event", "version": "1"},
    ],
    ids=lambda message: f"{message['type']} {message.get('payload')}",
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_payloads_are_cut_out_as_json_would_read_them(message: dict[str, object], separators: tuple[str, str]):
    data = json.dumps(message, separators=separators).encode()
    assert translate(data) == parsed(data)


def test_an_escaped_payload_is_read_by_json():
    assert translate(b'{"type": "game_event", "payload": "Nn\\/9"}') == parsed(
        b'{"type":"game_event","payload":"Nn/9"}'
    )
