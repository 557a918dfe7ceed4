"""A program that looks like Slippi Dolphin to its owner: menus, then the same recorded game over and over.

    python tiny_dolphin.py -e SCENARIO.json -u USER_FOLDER [--platform headless] | --version

It knows nothing of Melee: it replays a .slp with the inputs of the pads put into the pre-frame events, in lock-step.
SCENARIO: {"slp": path, "faults": {name: value}}; where it matters when, the value is the frame of the process at which
the fault strikes. It imports nothing of the project, so that it starts at once.
"""

from __future__ import annotations

import base64
import configparser
import json
import os
import select
import signal
import struct
import sys
import time

MASKS = {"A": 0x100, "B": 0x200, "X": 0x400, "Y": 0x800, "Z": 0x10, "L": 0x40, "R": 0x20, "D_UP": 0x8}
MAIN, VS, SELECT, STAGES, RESULTS = 0x0001, 2, 0x0002, 0x0102, 0x0402
CURSOR_SPEED = 1.3


class Pads:
    """Two named pipes, drained until each has said FLUSH."""

    def __init__(self, folder: str, serve) -> None:
        self.serve = serve
        paths = [os.path.join(folder, f"slippibot{port}") for port in (1, 2)]
        self.pipes = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in paths]
        self.unread = [b"", b""]
        self.held = [set(), set()]
        self.new = [set(), set()]
        self.axes = [{"MAIN": (0.5, 0.5), "C": (0.5, 0.5), "L": (0.0,)} for _ in paths]
        self.lag: list[list] = []

    def wait(self) -> None:
        """The inputs of one frame."""
        for pad in (0, 1):
            before = set(self.held[pad])
            while not self.flushed(pad):
                if select.select([self.pipes[pad]], [], [], 0.02)[0]:
                    data = os.read(self.pipes[pad], 65536)
                    self.unread[pad] += data
                    if not data:  # the writer is gone: real builds spin here
                        time.sleep(0.01)
                self.serve()
            self.new[pad] = self.held[pad] - before

    def flushed(self, pad: int) -> bool:
        while b"\n" in self.unread[pad]:
            line, self.unread[pad] = self.unread[pad].split(b"\n", 1)
            words = line.decode().split()
            if words[0] == "FLUSH":
                return True
            if words[0] == "SET":
                self.axes[pad][words[1]] = tuple(map(float, words[2:]))
            elif words[0] == "PRESS":
                self.held[pad].add(words[1])
            else:
                self.held[pad].discard(words[1])
        return False

    def stick(self, pad: int) -> tuple[float, float]:
        x, y = self.axes[pad]["MAIN"]
        return 2 * x - 1, 2 * y - 1

    def pressed_into(self, event: bytes, faults: dict) -> bytes:
        """A pre-frame event with a pad's inputs as the game would read them."""
        pad = event[5] % 2
        axes = [max(-80, min(80, (v - 0.5) * 254 // 1)) / 80 for v in (*self.axes[pad]["MAIN"], *self.axes[pad]["C"])]
        axes = [0.0 if abs(v) < 0.28 else v for v in axes]
        trigger = min(1.0, self.axes[pad]["L"][0] * 255 // 1 / 140)
        buttons = sum(MASKS.get(name, 0) for name in self.held[pad])
        if "deaf_pad" in faults:
            axes, buttons = [0.0] * 4, 0
        if "no_trigger" in faults:
            trigger = 0.0
        out = bytearray(event)
        struct.pack_into(">5f", out, 0x19, *axes, trigger)
        struct.pack_into(">H", out, 0x31, buttons)
        if "lag" in faults:
            self.lag.append([pad, bytes(out)])
            mine = [late for late in self.lag if late[0] == pad]
            if len(mine) > faults["lag"]:
                old = bytearray(mine[0][1])
                self.lag.remove(mine[0])
                out[0x19:0x33] = old[0x19:0x33]
        return bytes(out)


class Server:
    """The spectator server."""

    def __init__(self, port: int) -> None:
        import enet

        self.enet, self.peer = enet, None
        self.host = enet.Host(enet.Address(None, port), 4, 2, 0, 0)

    def serve(self, wait_ms: int = 0) -> None:
        while (event := self.host.service(wait_ms)).type != self.enet.EVENT_TYPE_NONE:
            wait_ms = 0
            if event.type == self.enet.EVENT_TYPE_RECEIVE:
                self.peer = event.peer
                self.post({"type": "connect_reply", "nick": "tiny", "version": "1", "cursor": 0})

    def post(self, message: dict) -> None:
        if self.peer is not None:
            self.peer.send(0, self.enet.Packet(json.dumps(message).encode(), self.enet.PACKET_FLAG_RELIABLE))
            self.serve()

    def send(self, kind: str, payload: bytes) -> None:
        self.post({"type": kind, "cursor": 0, "next_cursor": 1, "payload": base64.b64encode(payload).decode()})


class Tiny:
    """The emulator."""

    def __init__(self, scenario: dict, user: str) -> None:
        self.faults = scenario.get("faults", {})
        self.chances = self.faults.get("random")
        config = configparser.ConfigParser()
        config.read(os.path.join(user, "Config", "Dolphin.ini"))
        self.server = Server(config.getint("Slippi", "spectatorlocalport"))
        self.pads = Pads(os.path.join(user, "Pipes"), self.server.serve)
        with open(scenario["slp"], "rb") as file:
            data = file.read()
        self.raw = data[15 : 15 + int.from_bytes(data[11:15], "big")]
        self.sizes = {0x35: self.raw[1]}
        for at in range(2, 1 + self.raw[1], 3):
            self.sizes[self.raw[at]] = int.from_bytes(self.raw[at + 1 : at + 3], "big")
        self.cursors = [[-20.0, -10.0], [10.0, -10.0]]
        self.coins, self.icons = [0, 0], [33, 33]
        self.leaked: list[bytearray] = []
        self.frames = 0

    def run(self) -> None:
        self.title()
        self.main_menu()
        while True:
            self.select()
            self.stages()
            self.game()
            for frame in range(10):
                self.menu(RESULTS, frame)

    def menu(self, scene: int, frame: int, submenu: int = 0, selection: int = 0, cursor=(0.0, 0.0)) -> None:
        event = bytearray(74)
        event[0] = 0x3E
        struct.pack_into(">H", event, 1, scene)
        for pad, place in enumerate(self.cursors):
            struct.pack_into(">ff", event, 3 + 8 * pad, *place)
        event[0x23] = 0 if all(self.coins) else 1
        event[0x25:0x29] = bytes((0, 0, 3, 3))
        event[0x29:0x2B], event[0x2D:0x2F] = bytes(self.icons), bytes(self.coins)
        struct.pack_into(">ff", event, 0x31, *cursor)
        struct.pack_into(">i", event, 0x39, frame)
        event[0x3D], event[0x3E] = submenu, selection
        self.server.send("menu_event", bytes(event))
        self.pads.wait()

    def title(self) -> None:
        frame = 0
        while "START" not in self.pads.new[0]:
            self.menu(0x0000, frame)
            frame += 1

    def main_menu(self) -> None:
        submenu = selection = frame = 0
        while True:
            self.menu(MAIN, frame, submenu, selection)
            frame += 1
            if self.pads.stick(0)[1] < -0.5:
                selection = (selection + 1) % 5
            if "A" in self.pads.new[0]:
                if submenu == VS and selection == 0:
                    return
                if submenu == 0 and selection == 1:
                    submenu, selection = VS, 0

    def select(self) -> None:
        frame = 0
        while True:
            self.menu(SELECT, frame)
            frame += 1
            for pad in (0, 1):
                self.pick(pad)
            if "START" in self.pads.new[0] and all(self.coins) and "stuck_menu" not in self.faults:
                return

    def pick(self, pad: int) -> None:
        cursor, stick = self.cursors[pad], self.pads.stick(pad)
        for axis in (0, 1):
            cursor[axis] += stick[axis] * CURSOR_SPEED
        column, row = int((cursor[0] + 32.5) // 7), 2 - int((cursor[1] - 1) // 7)
        if "A" in self.pads.new[pad] and not self.coins[pad] and 0 <= row <= 2:
            self.icons[pad], self.coins[pad] = row * 9 + column - (row == 2), 2
        if "B" in self.pads.new[pad]:
            self.coins[pad] = 0

    def stages(self) -> None:
        cursor, frame = [0.0, 0.0], 0
        while True:
            self.menu(STAGES, frame, cursor=cursor)
            frame += 1
            stick = self.pads.stick(0)
            for axis in (0, 1):
                cursor[axis] += stick[axis] * CURSOR_SPEED
            if "A" in self.pads.new[0]:
                return

    def game(self) -> None:
        message, at = b"", 0
        while at < len(self.raw):
            event = self.raw[at : at + 1 + self.sizes[self.raw[at]]]
            at += len(event)
            if event[0] == 0x37:
                event = self.pads.pressed_into(event, self.faults)
            if event[0] == 0x39 and "no_end" in self.faults:
                return
            if event[0] == 0x3A and all({"L", "R", "A", "START"} <= held for held in self.pads.held[:1]):
                self.server.send("game_event", bytes([0x39, 7, 0, *[0xFF] * (self.sizes[0x39] - 2)]))
                return
            message += event
            if event[0] in (0x36, 0x3C, 0x39):
                if event[0] == 0x3C:
                    message = self.strike(message)
                self.server.send("game_event", message)
                if event[0] == 0x39 and "two_ends" in self.faults:
                    self.server.send("game_event", message)
                if event[0] != 0x39:
                    self.pads.wait()
                message = b""

    def strike(self, message: bytes) -> bytes:
        """What goes wrong at this frame."""
        self.frames += 1
        faults, now = self.faults, self.frames
        if self.chances and int.from_bytes(os.urandom(4), "big") % self.chances == 0:
            kind = ("crash", "exit", "hang", "freeze", "truncated", "unknown_event")[os.urandom(1)[0] % 6]
            faults = {kind: now}
        if faults.get("crash") == now:
            os.kill(os.getpid(), signal.SIGSEGV)
        if faults.get("exit") == now:
            print("tiny: out of luck", flush=True)
            os._exit(3)
        if faults.get("freeze") == now:
            os.kill(os.getpid(), signal.SIGSTOP)
        if faults.get("silent") == now:
            self.server.peer.disconnect_now()
        while faults.get("hang") == now:
            self.server.serve(100)
        if faults.get("late") == now:
            time.sleep(1.2)
        if faults.get("leak"):
            self.leaked.append(bytearray(os.urandom(1) * (faults["leak"] << 20)))
        if faults.get("rollback") == now:
            for _ in range(3):
                self.server.send("game_event", message)
                self.pads.wait()
        if faults.get("menu_in_frame") == now:
            return bytes([0x3E, *[0] * 73]) + message
        if faults.get("unknown_event") == now:
            return b"\xee\x01" + message
        return message[:-20] if faults.get("truncated") == now else message


def main() -> None:
    if "--version" in sys.argv:
        print("tiny Dolphin [mainline]")
        return
    with open(sys.argv[sys.argv.index("-e") + 1], "rb") as file:
        scenario = json.loads(file.read().removeprefix(b"GALE01\x00\x02"))
    faults = scenario.get("faults", {})
    if "exit_at_boot" in faults:
        print("tiny: cannot read the disc", flush=True)
        sys.exit(1)
    time.sleep(faults.get("slow_boot", 0))
    while "no_server" in faults:
        time.sleep(1)
    Tiny(scenario, sys.argv[sys.argv.index("-u") + 1]).run()


if __name__ == "__main__":
    main()
