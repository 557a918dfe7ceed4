"""A game read from a .slp file: its frames and what its header says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs.slippi.events import Version


class PlayerKind(IntEnum):
    """Who holds the controller (Game Start's player type)."""

    HUMAN = 0
    CPU = 1
    DEMO = 2


class EndMethod(IntEnum):
    """How Game End says the game ended. Before 2.0.0 only UNRESOLVED and RESOLVED."""

    UNRESOLVED = 0
    TIME = 1
    GAME = 2
    RESOLVED = 3
    NO_CONTEST = 7


@dataclass(frozen=True)
class SeatMeta:
    """One of the two players, from Game Start and the first frame."""

    port: int  # 0..3
    external_id: int  # character-select numbering
    character: int  # internal id in the first frame
    kind: PlayerKind = PlayerKind.HUMAN
    stocks: int = 4
    cpu_level: int = 0
    costume: int = 0
    name: str = ""  # name tag, else display name
    code: str = ""  # connect code, ASCII '#'
    placement: int = -1  # 0 won; -1 unknown (before 3.13)


@dataclass(frozen=True)
class GameMeta:
    """What a game's header, end event and metadata say. Seats are in ascending port order."""

    version: Version
    stage: int  # Slippi stage id
    seats: tuple[SeatMeta, SeatMeta]
    random_seed: int = 0
    timer_s: int = 480
    has_timer: bool = True  # counts down and ends the game
    is_teams: bool = False
    item_spawn_frequency: int = -1  # -1 off
    damage_ratio: float = 1.0
    scene: tuple[int, int] | None = None  # major, minor: (8, 2) online, (2, 2) VS mode
    is_pal: bool = False
    is_frozen_stadium: bool = False
    match_id: str = ""
    match_game: int = 0
    end_method: EndMethod | None = None  # None: no Game End event
    lras_port: int = -1  # port that quit, -1 nobody
    started_at: str = ""  # ISO 8601, as the metadata has it
    played_on: str = ""

    @property
    def game_id(self) -> str:
        """16 hex digits from random seed, stage, ports and characters: the same for re-saved, renamed or cut copies."""
        key = (self.random_seed, self.stage, [(seat.port, seat.external_id) for seat in self.seats])
        return hashlib.blake2b(repr(key).encode(), digest_size=8).hexdigest()

    @property
    def human_seats(self) -> tuple[int, ...]:
        """Seats (0, 1) that a human played."""
        return tuple(i for i, seat in enumerate(self.seats) if seat.kind == PlayerKind.HUMAN)


@dataclass(frozen=True)
class Game:
    """One two-player game: frames [T] FRAME with contiguous ids, each in its last version, and its header."""

    frames: NDArray[np.void]
    meta: GameMeta

    @property
    def game_id(self) -> str:
        """`meta.game_id`."""
        return self.meta.game_id

    @property
    def minutes(self) -> float:
        """Length at 60 frames a second."""
        return len(self.frames) / 3600
