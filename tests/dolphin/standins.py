"""Backends on stand-ins that play a short scripted game, the first of them with faults."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import enet
import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.controller import neutral
from envs.dolphin.config import DolphinConfig
from envs.dolphin.standin.backend import StandInBackend
from envs.dolphin.standin.content import Recorded
from envs.dolphin.standin.menus import Choice
from envs.dolphin.standin.pads import Pads
from envs.dolphin.standin.scenario import SCRIPTED, FaultSwitch, Scenario
from envs.dolphin.standin.spectator import Spectator
from envs.frame import FIRST_FRAME, LEADER, empty_frames
from envs.slippi.game import EndMethod
from envs.slippi.write import meta_from_frame, write_game

FRAMES = 200
MATCHUP = Matchup(characters=("FOX", "FALCO"), stage="BATTLEFIELD")
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = (52200 + 400 * _WORKER, 52599 + 400 * _WORKER)
"""Each of pytest's processes has its own."""
QUICK: dict[str, Any] = {
    "boot_timeout_s": 40.0,
    "frame_timeout_s": 2.0,
    "patience_s": 0.2,
    "backoff_s": 0.05,
    "restarts": 20,
    "ports": PORTS,
}


def recorded_game(path: Path, frames: int = FRAMES) -> Path:
    """Fox against Falco on Battlefield, who loses a stock every third of the game and the last in its last frame."""
    game = empty_frames(frames)
    game["frame"], game["stage"], game["ports"], game["seed"] = FIRST_FRAME + np.arange(frames), 31, (0, 1), 7
    game["frames_left"] = 480 * 60 - np.maximum(game["frame"], 0)
    leaders = game["players"][:, :, LEADER]
    leaders["character"] = [Matchup(characters=MATCHUP.characters).row()["character"]]
    leaders["action"], leaders["facing"], leaders["airborne"], leaders["stocks"] = 14, (1.0, -1.0), 0, 4
    leaders["stocks"][:, 1] = 4 - np.arange(frames) * 3 // frames
    leaders["stocks"][-1, 1] = 0
    for name in ("y", "percent", "state_age", "misc_timer", "hitlag", "trigger_l", "trigger_r"):
        leaders[name] = 0.0
    leaders["shield"], leaders["jumps_left"], leaders["hurtbox"] = 60.0, 2, 0
    leaders["x"] = np.arange(frames)[:, None] / 10
    leaders["controller"] = neutral((frames, 2))
    write_game(path, game, replace(meta_from_frame(game[0]), end_method=EndMethod.GAME))
    return path


def served(path: Path, messages: int | None = None) -> list[bytes]:
    """Messages of a recording, the first so many, as a client of the stand-in's server gets them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    server, pads = Spectator(port), Pads((None,) * 4, blocking=True, gives_up=True)
    sent = list(islice(Recorded(path).game(Choice((), 0), pads), messages))
    for message in sent:
        server.game_event(message)
    host, received = enet.Host(None, 1, 2, 0, 0), []
    peer, end = host.connect(enet.Address(b"127.0.0.1", port), 2), time.monotonic() + 60.0
    while len(received) < len(sent) and time.monotonic() < end:
        event = host.service(1)  # it holds the interpreter, which the server's thread needs too
        if event.type == enet.EVENT_TYPE_CONNECT:
            peer.send(0, enet.Packet(b'{"type":"connect_request","cursor":0}', enet.PACKET_FLAG_RELIABLE))
        elif event.type == enet.EVENT_TYPE_RECEIVE:
            told = json.loads(event.packet.data)
            received += [base64.b64decode(told["payload"])] if told["type"] == "game_event" else []
    server.disconnect()
    return received


class StandIns(StandInBackend):
    """Scripted games. `faults` strike the first instance only, from `start` until it is given the `fine` scenario."""

    def __init__(
        self,
        folder: Path,
        num_games: int = 1,
        faults: Sequence[FaultSwitch] = (),
        frames: int = FRAMES,
        content: str = SCRIPTED,
        **config: Any,
    ) -> None:
        fine = Scenario(content=content, scripted_frames=frames)
        self.fine = fine.write(folder / "fine.iso")
        self.faulty = replace(fine, faults=tuple(faults)).write(folder / "faulty.iso")
        super().__init__(num_games, DolphinConfig(**(QUICK | {"run_dir": folder / "run"} | config)), fine)

    def start(self, matchup: Matchup = MATCHUP) -> NDArray[np.void]:
        """Begin a game everywhere; the first instance has the faults."""
        self.instances[0]._iso = self.faulty
        return self.again(np.ones(self.num_games, np.bool_), matchup)

    def again(self, mask: NDArray[np.bool_], matchup: Matchup = MATCHUP) -> NDArray[np.void]:
        """Begin games where mask [N]."""
        matchups = np.repeat(matchup.row()[None], self.num_games)
        return self.reset(mask.copy(), matchups, np.zeros(self.num_games, np.uint64))

    def play(self, limit_s: float = 60.0) -> None:
        """Step with idle hands until a game is over."""
        end, hands = time.monotonic() + limit_s, neutral((self.num_games, 2))
        while not self.done.any():
            self.step(hands)
            assert time.monotonic() < end, "no game ended"

    @property
    def faults(self) -> dict[str, int]:
        """Counted so far, by kind."""
        found: dict[str, int] = self.figures()["faults"]
        return found
