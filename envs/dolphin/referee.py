"""Whether it is the wanted game, when it is over and who won, by the rules of its matchup.

Slippi's games have four stocks and eight minutes. A matchup with less is the beginning of such a game: the record says
how many stocks are left of the matchup's, and the game is left when one player has none.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, EndedBy
from envs.dolphin.errors import FaultKind, InstanceFault
from envs.dolphin.menu import GameOrder
from envs.frame import FIRST_FRAME, FRAME, LEADER, SEATS, word_offset
from envs.slippi.game import EndMethod, GameMeta

_FRAME: Final = word_offset(FRAME, "frame")
_LEFT: Final = word_offset(FRAME, "frames_left")
_STOCKS: Final = tuple(word_offset(FRAME, "players", seat, LEADER, "stocks") for seat in range(SEATS))
_CHARACTER: Final = tuple(word_offset(FRAME, "players", seat, LEADER, "character") for seat in range(SEATS))
_PERCENT: Final = tuple(word_offset(FRAME, "players", seat, LEADER, "percent") for seat in range(SEATS))


class Referee:
    """Rules of one game."""

    def __init__(self, stocks: int, time_limit_frames: int) -> None:
        """time_limit_frames: game frames after "go"; 0 for none."""
        self._stocks, self._limit = stocks, time_limit_frames
        self._surplus = 0

    def begin(self, meta: GameMeta) -> None:
        """The game has begun with this header."""
        self._surplus = max(meta.seats[0].stocks - self._stocks, 0)

    def look(self, words: NDArray[np.int32]) -> EndedBy:
        """Bring a frame's words [WORDS] to the matchup's rules; whether they end the game."""
        first, second = int(words[_STOCKS[0]]), int(words[_STOCKS[1]])
        if self._surplus:
            first, second = max(first - self._surplus, 0), max(second - self._surplus, 0)
            words[_STOCKS[0]], words[_STOCKS[1]] = first, second
        if self._limit:
            left = self._limit - max(int(words[_FRAME]), 0)
            words[_LEFT] = max(left, 0)
        else:
            left = 1
        if first <= 0 or second <= 0:
            return EndedBy.STOCKS
        return EndedBy.TIMER if left <= 0 else EndedBy.RUNNING

    def goes_on(self, words: NDArray[np.int32]) -> bool:
        """Whether the emulator's own game goes on after a frame that ended the matchup's."""
        empty = any(int(words[at]) <= 0 for at in _STOCKS)
        return not (empty and self._surplus == 0)


def check_header(meta: GameMeta, order: GameOrder) -> None:
    """Raises InstanceFault unless a game's header is of the wanted game; what a person picks is never wrong."""
    if order.connect_code:
        return
    if meta.stage != order.stage and order.person is None:
        raise InstanceFault(FaultKind.WRONG_GAME, f"stage {meta.stage}, not {order.stage}")
    by_port = {seat.port: seat for seat in meta.seats}
    if sorted(by_port) != sorted(order.ports):
        raise InstanceFault(FaultKind.WRONG_GAME, f"players in ports {sorted(by_port)}, not {sorted(order.ports)}")
    for seat, port in enumerate(order.ports):
        if seat == order.person:
            continue
        found = by_port[port]
        if found.cpu_level != order.cpu_levels[seat]:
            raise InstanceFault(FaultKind.WRONG_GAME, f"CPU level {found.cpu_level}, not {order.cpu_levels[seat]}")
        if order.costumes is not None and order.person is None and found.costume != order.costumes[seat]:
            raise InstanceFault(FaultKind.WRONG_GAME, f"costume {found.costume}, not {order.costumes[seat]}")


def check_fighters(words: NDArray[np.int32], order: GameOrder) -> None:
    """Raises InstanceFault unless a game's first frame [WORDS] has the wanted characters."""
    found = tuple(int(words[at]) for at in _CHARACTER)
    wrong = [seat for seat in range(SEATS) if seat != order.person and found[seat] != order.characters[seat]]
    if wrong:
        raise InstanceFault(FaultKind.WRONG_GAME, f"characters {found}, not {order.characters} (internal ids)")


def ended_by(method: EndMethod | None) -> EndedBy:
    """How a game ended that the emulator says is over; a game that was quit is lost."""
    if method in (EndMethod.GAME, EndMethod.RESOLVED):
        return EndedBy.STOCKS
    return EndedBy.TIMER if method is EndMethod.TIME else EndedBy.FAULT


def result_of(words: NDArray[np.int32], how: EndedBy) -> NDArray[np.void]:
    """RESULT (no shape) of a game that ended with these words [WORDS]: more stocks win, then less percent."""
    percent = [float(words[at : at + 1].view(np.float32)[0]) for at in _PERCENT]
    stocks = [int(words[at]) for at in _STOCKS]
    score = [(stocks[seat], -percent[seat]) for seat in range(SEATS)]
    result = np.zeros((), RESULT)
    result["ended_by"], result["stocks"], result["percent"] = how, stocks, percent
    result["frames"] = max(int(words[_FRAME]) - FIRST_FRAME + 1, 0)
    fair = how in (EndedBy.STOCKS, EndedBy.TIMER) and score[0] != score[1]
    result["winner"] = (0 if score[0] > score[1] else 1) if fair else -1
    return result
