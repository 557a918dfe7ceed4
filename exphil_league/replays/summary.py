"""What the filters and statistics need to know of a game, a few numbers per player."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME, LEADER, SEATS
from envs.slippi.game import EndMethod, Game, GameMeta, PlayerKind

STICK_CHANGE = 0.05
"""A stick that moved less than this between two frames rests."""
_NOBODY = 6


@dataclass(frozen=True)
class SeatSummary:
    """How one player played."""

    input_share: float
    """Share of frames on which stick or buttons changed."""
    longest_idle_frames: int
    stocks_lost: int
    untouched_deaths: int
    """Stocks lost at 0 percent without having been hit."""
    later_deaths: tuple[tuple[int, float], ...]
    """(frames since the previous stock loss, percent) of every stock lost after the first."""


@dataclass(frozen=True)
class GameSummary:
    """One game in numbers."""

    meta: GameMeta
    frames: int
    """Playable frames (after the countdown)."""
    seats: tuple[SeatSummary, SeatSummary]
    winner: int
    """Seat 0 or 1; -1 unknown."""

    @property
    def game_id(self) -> str:
        """The game's id, equal for copies of the same game."""
        return self.meta.game_id

    @property
    def minutes(self) -> float:
        """Playable length."""
        return self.frames / 3600


def summarise(game: Game) -> GameSummary:
    """The summary of a game; about half a millisecond."""
    frames = game.frames[game.frames["frame"] >= FIRST_PLAYABLE_FRAME]
    seats = [_seat(frames["players"][:, i, LEADER], game.meta.seats[i].kind) for i in range(SEATS)]
    return GameSummary(game.meta, len(frames), (seats[0], seats[1]), winner(game))


def winner(game: Game) -> int:
    """Seat that won, -1 where the file does not tell.

    By the placements in Game End (3.13 and later); a player who quit lost; else by stocks, then percent, of the
    last frame, if the game came to an end.
    """
    meta = game.meta
    for seat, player in enumerate(meta.seats):
        if player.placement == 0:
            return seat
        if player.port == meta.lras_port:
            return 1 - seat
    if not len(game.frames):
        return -1
    last = game.frames["players"][-1, :, LEADER]
    stocks = last["stocks"]
    if stocks[0] != stocks[1] and (stocks.min() == 0 or meta.end_method == EndMethod.TIME):
        return int(stocks[1] > stocks[0])
    if meta.end_method == EndMethod.TIME and last["percent"][0] != last["percent"][1]:
        return int(last["percent"][1] < last["percent"][0])
    return -1


def _seat(player: NDArray[np.void], kind: PlayerKind) -> SeatSummary:
    share, idle = _activity(player, kind)
    stocks = player["stocks"]
    lost = np.flatnonzero(stocks[1:] < stocks[:-1])  # index of the frame before the loss
    percent = player["percent"][lost]
    untouched = (percent == 0) & (player["last_hit_by"][lost] == _NOBODY)
    gaps = tuple((int(gap), float(at)) for gap, at in zip(np.diff(lost), percent[1:], strict=True))
    return SeatSummary(share, idle, len(lost), int(untouched.sum()), gaps)


def _activity(player: NDArray[np.void], kind: PlayerKind) -> tuple[float, int]:
    """(share of frames with a new input, longest stretch without one in frames)."""
    if len(player) < 2:
        return 0.0, len(player)
    controller = player["controller"]
    # A CPU player's physical controller is always at rest; what it does is in the processed values.
    buttons = controller["buttons"] if kind == PlayerKind.HUMAN else player["buttons_processed"]
    changed = buttons[1:] != buttons[:-1]
    for axis in ("stick_x", "stick_y"):
        changed |= np.abs(np.diff(controller[axis])) > STICK_CHANGE
    at = np.flatnonzero(changed)
    edges = np.concatenate([[-1], at, [len(changed)]])
    return float(changed.mean()), int(np.diff(edges).max() - 1)
