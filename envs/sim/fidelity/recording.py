"""Which recorded games can be predicted from: read, or refused with a named reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.game import character_name, stage_name
from envs.sim.fidelity.bodies import character_row, is_stranger, stage_row
from envs.sim.fidelity.cardinals import FIRST_VERSION as SNAPPED_VERSION
from envs.sim.fidelity.cardinals import snap_cardinals
from envs.slippi.errors import ReplayError
from envs.slippi.game import Game, PlayerKind
from envs.slippi.read import read_game

FIRST_VERSION: Final = (3, 8)
"""Older recordings hold no hitlag (3.8), some no ground speed (3.5): a frame of them cannot be seeded."""


class RefusedGame(ValueError):
    """A game that no prediction can be made from. `reason` is for counting, the message says more."""

    def __init__(self, path: Path, reason: str, detail: str) -> None:
        super().__init__(f"{path}: {reason} ({detail})")
        self.path, self.reason, self.detail = path, reason, detail


@dataclass(frozen=True)
class Recording:
    """A recorded game with at least one fighter that the simulator plays."""

    name: str  # file name
    frames: NDArray[np.void]  # [T] FRAME
    seats: tuple[int, ...]  # those whose fighter the simulator plays
    cpu: tuple[bool, bool]  # by seat: driven by the game itself

    def character(self, seat: int) -> str:
        """Name of the fighter in a seat."""
        return character_name(int(self.frames["players"]["character"][0, seat, LEADER]))


def read_recording(path: Path) -> Recording:
    """Read a game to predict from. Raises RefusedGame."""
    try:
        game = read_game(path)
    except ReplayError as error:
        raise RefusedGame(path, error.reason.value, error.detail) from error
    return recording(path.name, game, path)


def recording(name: str, game: Game, path: Path) -> Recording:
    """The recording of a game that has been read. Raises RefusedGame."""
    meta = game.meta
    if meta.version[:2] < FIRST_VERSION:
        version = ".".join(str(part) for part in meta.version)
        raise RefusedGame(path, "version", f"Slippi {version}; 3.8 is the first that records hitlag")
    if stage_row(meta.stage) < 0:
        raise RefusedGame(path, "stage", f"the simulator has no {stage_name(meta.stage)}")
    characters = [int(c) for c in game.frames["players"]["character"][0, :, LEADER]]
    seats = tuple(seat for seat, character in enumerate(characters) if not is_stranger(character_row(character)))
    if not seats:
        names = " or ".join(sorted({character_name(character) for character in characters}))
        raise RefusedGame(path, "character", f"the simulator plays no {names}")
    cpu = [seat.kind != PlayerKind.HUMAN for seat in meta.seats]
    frames = snap_cardinals(game.frames) if meta.version[:2] >= SNAPPED_VERSION else game.frames
    return Recording(name, frames, seats, (cpu[0], cpu[1]))
