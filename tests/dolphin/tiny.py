"""Backends on tiny Dolphins, and what they leave behind."""

from __future__ import annotations

import json
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.controller import neutral
from envs.dolphin import keeper, link_helper
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.build import Build, find_build
from envs.dolphin.config import DolphinConfig
from envs.frame import FIRST_FRAME, LEADER, empty_frames
from envs.game import Character
from envs.slippi.game import EndMethod
from envs.slippi.write import meta_from_frame, write_game
from tests.dolphin import tiny_dolphin

FRAMES = 200
MATCHUP = Matchup(characters=("FOX", "FALCO"), stage="BATTLEFIELD")
PORTS = (52200, 52999)
QUICK: dict[str, Any] = {
    "boot_timeout_s": 8.0,
    "frame_timeout_s": 1.0,
    "patience_s": 0.2,
    "backoff_s": 0.05,
    "restarts": 20,
    "ports": PORTS,
}


def recorded_game(path: Path, frames: int = FRAMES, second: Character = Character.FALCO) -> Path:
    """Fox against another on Battlefield, who loses a stock every third of the game and the last in its last frame."""
    game = empty_frames(frames)
    game["frame"], game["stage"], game["ports"], game["seed"] = FIRST_FRAME + np.arange(frames), 31, (0, 1), 7
    game["frames_left"] = 480 * 60 - np.maximum(game["frame"], 0)
    leaders = game["players"][:, :, LEADER]
    leaders["character"] = Character.FOX.value, second.value
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


class TinyBackend(DolphinBackend):
    """Tiny Dolphins; the faults of the first scenario strike the first instance only."""

    def __init__(
        self,
        folder: Path,
        num_games: int = 1,
        faults: dict[str, Any] | None = None,
        frames: int = FRAMES,
        **config: Any,
    ) -> None:
        self.folder = folder
        game = recorded_game(folder / "game.slp", frames)
        self.fine, self.faulty = folder / "fine.json", folder / "faulty.json"
        self.fine.write_text(json.dumps({"slp": str(game)}))
        self.faulty.write_text(json.dumps({"slp": str(game), "faults": faults or {}}))
        super().__init__(
            num_games, DolphinConfig(**(QUICK | {"path": executable(folder), "run_dir": folder / "run"} | config))
        )

    def _installation(self, config: DolphinConfig, folder: Path) -> tuple[Build, Path]:
        return find_build(config, folder), self.fine

    def start(self, matchup: Matchup = MATCHUP) -> NDArray[np.void]:
        """Begin a game everywhere; the first instance has the faults."""
        self.instances[0]._iso = self.faulty
        return self.again(np.ones(self.num_games, np.bool_), matchup)

    def again(self, mask: NDArray[np.bool_], matchup: Matchup = MATCHUP) -> NDArray[np.void]:
        """Begin games where mask [N]."""
        matchups = np.repeat(matchup.row()[None], self.num_games)
        return self.reset(mask.copy(), matchups, np.zeros(self.num_games, np.uint64))

    def play(self, steps: int = 10_000, limit_s: float = 20.0) -> float:
        """Step with idle hands until a game is over; returns the seconds it took."""
        began = time.monotonic()
        hands = neutral((self.num_games, 2))
        for _ in range(steps):
            self.step(hands)
            if self.done.any():
                break
            assert time.monotonic() - began < limit_s, "no game ended"
        return time.monotonic() - began

    @property
    def faults(self) -> dict[str, int]:
        """Counted so far, by kind."""
        found: dict[str, int] = self.figures()["faults"]
        return found


def as_iso(folder: Path, second: Character = Character.FALCO, frames: int = FRAMES) -> Path:
    """A file that passes for an ISO of Melee, with a scenario in it."""
    game = recorded_game(folder / f"{second.name.lower()}.slp", frames, second)
    path = folder / "melee.iso"
    path.write_bytes(b"GALE01\x00\x02" + json.dumps({"slp": str(game)}).encode())
    return path


def executable(folder: Path) -> Path:
    """The tiny Dolphin as a program."""
    path = folder / "dolphin"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {tiny_dolphin.__file__} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def left_behind(folder: Path) -> list[str]:
    """Processes, zombies too, and homes of the backends in a folder."""
    mine = (str(folder), keeper.__file__, link_helper.__file__, tiny_dolphin.__file__)
    found = [str(home) for home in (folder / "run").glob("emulator-*")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(part.startswith(mine) for part in command) and _is_of(command, folder):
            found.append(f"{process.name}: {' '.join(command)}")
    return found


def _is_of(command: list[str], folder: Path) -> bool:
    if link_helper.__file__ in command:
        return PORTS[0] <= int(command[command.index(link_helper.__file__) + 2]) <= PORTS[1]
    return str(folder) in " ".join(command)


def all_gone(folder: Path, limit_s: float = 5.0) -> bool:
    """Whether nothing is left within a time."""
    end = time.monotonic() + limit_s
    while left_behind(folder):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
