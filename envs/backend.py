"""The contract of anything that plays games: N games stepped at once on frame arrays.

`envs.backends` makes one by name. Whatever is above (runner, multi-agent face, evaluation, play) sees only
this. Faults are data, not exceptions: a game that died ends with `ended_by` FAULT, until the backend's restart
budget is spent and it raises `BackendLost`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_FRAME, FIRST_PLAYABLE_FRAME
from envs.game import character_id, stage_id

MATCHUP: Final = np.dtype(
    [
        ("character", "<i4", (2,)),  # internal id by seat
        ("stage", "<i4"),  # Slippi stage id
        ("stocks", "<i4"),
        ("time_limit_frames", "<i4"),  # game frames after "go"; 0 for none
        ("start_frame", "<i4"),  # -123 with the countdown, -39 to start at the first playable frame
        ("swap_start", "<i4"),  # 1: seat 0 starts on the right
        ("cpu_level", "<i4", (2,)),  # by seat: 1..9 where the game's own player sits, 0 elsewhere
    ]
)


class EndedBy(IntEnum):
    """Why a game is over."""

    RUNNING = 0
    STOCKS = 1
    TIMER = 2
    FAULT = 3


class Fault(IntEnum):
    """Codes of the frame's `fault` field."""

    NONE = 0
    LOST = 1  # the instance died, hung or answered nonsense; the game is aborted


RESULT: Final = np.dtype(
    [
        ("ended_by", "<i4"),  # EndedBy
        ("winner", "<i4"),  # seat 0 or 1; -1 draw or aborted
        ("stocks", "<i4", (2,)),
        ("percent", "<f4", (2,)),
        ("frames", "<i4"),  # frames played
    ]
)


@dataclass(frozen=True)
class Matchup:
    """Characters (by seat, libmelee names) and stage of one game, and its rules."""

    characters: tuple[str, str] = ("FOX", "FOX")
    stage: str = "FINAL_DESTINATION"
    stocks: int = 4
    time_limit_s: float = 480.0
    countdown: bool = False
    swap_start: bool = False

    def row(self) -> NDArray[np.void]:
        """This matchup as one MATCHUP record; raises envs.game.UnknownName for a name that is none."""
        row = np.zeros((), MATCHUP)
        row["character"] = [character_id(c) for c in self.characters]
        row["stage"] = stage_id(self.stage)
        row["stocks"] = self.stocks
        row["time_limit_frames"] = round(self.time_limit_s * 60)
        row["start_frame"] = FIRST_FRAME if self.countdown else FIRST_PLAYABLE_FRAME
        row["swap_start"] = int(self.swap_start)
        return row


class BackendLost(RuntimeError):
    """The backend's restart budget is spent; the message says what died and where its log is."""


class UnsupportedMatchup(ValueError):
    """The backend cannot play this character or stage; the message names what it can."""


@runtime_checkable
class Backend(Protocol):
    """N two-player games. Arrays returned are owned by the backend and overwritten by the next call."""

    num_games: int
    name: str
    """`sim`, `dolphin` or `standin`: ratings are labelled by it."""
    version: str
    """What a rating depends on besides the players: facts digest, build."""

    def refuse(self, matchups: NDArray[np.void]) -> None:
        """Raises UnsupportedMatchup for the first of matchups [n] MATCHUP that it cannot play; starts nothing."""
        ...

    def reset(self, mask: NDArray[np.bool_], matchups: NDArray[np.void], seeds: NDArray[np.uint64]) -> NDArray[np.void]:
        """Start new games where mask [N]; matchups [N] MATCHUP and seeds [N] are read there only.

        Returns frames [N] FRAME (unmasked rows unchanged). Raises UnsupportedMatchup.
        """
        ...

    def step(self, controllers: NDArray[np.void]) -> NDArray[np.void]:
        """Advance every game one frame under controllers [N, P] CONTROLLER; returns frames [N] FRAME.

        A finished game is not advanced: its frame stays as it ended until it is reset.
        """
        ...

    @property
    def done(self) -> NDArray[np.bool_]:
        """[N], True from the frame that ended the game until its reset."""
        ...

    @property
    def result(self) -> NDArray[np.void]:
        """[N] RESULT; valid where `done`."""
        ...

    def take_faults(self) -> dict[str, int]:
        """What broke since the last call, by kind; a backend that cannot break has none."""
        ...

    def save(self) -> bytes:
        """Whole state as bytes. Raises NotImplementedError where the backend cannot."""
        ...

    def restore(self, state: bytes) -> NDArray[np.void]:
        """Back to a saved state; returns frames [N]."""
        ...

    def close(self) -> None: ...
