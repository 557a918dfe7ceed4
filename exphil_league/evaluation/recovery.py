"""Recovery success: of the times a fighter was in trouble off the stage, how often it came back alive.

Trouble begins when a fighter in the air beyond the ledge has lost control (hitstun, tumbling), is far out or deep
below. It ends well on the stage or at the ledge, and badly with the stock, or when it takes too long.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER, SEATS
from envs.game import Action, character_name
from envs.stage_outlines import stage_outlines
from exphil_league.evaluation.score import wilson
from exphil_league.league.model import Job

FAR_UNITS: Final = 25.0
"""Beyond the ledge by more than this a fighter is far out."""
DEEP_UNITS: Final = 15.0
"""Below the ledge by more than this it is deep."""
LONGEST_FRAMES: Final = 600
"""A fighter that is still not back by then did not recover."""
RECORDED_AT_ONCE: Final = 16
"""Games whose frames are kept at the same time: each is some megabytes."""

_LOST_CONTROL: Final = (Action.TUMBLING.value, *range(Action.DAMAGE_HIGH_1.value, Action.DAMAGE_FLY_ROLL.value + 1))
_LAST_OF_DEATH: Final = Action.ON_HALO_WAIT.value
"""Action states up to this one are death and the way back to life."""
_AT_LEDGE: Final = range(Action.EDGE_CATCHING.value, Action.EDGE_JUMP_2_QUICK.value + 1)


def recoveries(seen: NDArray[np.void], stage: int) -> tuple[int, int]:
    """(attempts, successes) of one fighter, frames [T] PLAYER, on a Slippi stage id.

    An attempt that the end of the recording leaves open is not counted.
    """
    outline = stage_outlines()[stage]
    out, below = np.abs(seen["x"]) - outline.edge_x, outline.outline[0][1] - seen["y"]
    helpless = np.isin(seen["action"], _LOST_CONTROL)
    alive = seen["action"] > _LAST_OF_DEATH
    trouble = alive & (seen["airborne"] == 1) & (out > 0) & (helpless | (out > FAR_UNITS) | (below > DEEP_UNITS))
    lost = np.concatenate([[False], seen["stocks"][1:] < seen["stocks"][:-1]])
    safe = (seen["airborne"] == 0) | np.isin(seen["action"], _AT_LEDGE)
    ends = np.flatnonzero(lost | safe)
    attempts = successes = 0
    begin = _next(np.flatnonzero(trouble), 0)
    while begin is not None and (end := _next(ends, begin)) is not None:
        attempts += 1
        successes += bool(safe[end] and not lost[end] and end - begin <= LONGEST_FRAMES)
        begin = _next(np.flatnonzero(trouble), end + 1)
    return attempts, successes


def _next(rows: NDArray[np.int64], after: int) -> int | None:
    at = int(np.searchsorted(rows, after))
    return int(rows[at]) if at < len(rows) else None


class Recoveries:
    """Recovery success by player and character over a series of games."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], NDArray[np.int64]] = defaultdict(lambda: np.zeros(2, np.int64))
        self._recording: set[str] = set()

    def wants(self, job: Job) -> bool:
        """Should the frames of this game be kept? Not more than a few games are at once."""
        if len(self._recording) >= RECORDED_AT_ONCE:
            return False
        self._recording.add(job.job_id)
        return True

    def offer(self, job: Job, frames: NDArray[np.void]) -> None:
        """A finished game; `frames` [T] FRAME, empty when it was not recorded."""
        self._recording.discard(job.job_id)
        if not len(frames):
            return
        for seat in range(SEATS):
            seen = frames["players"][:, seat, LEADER]
            key = (job.players[seat], int(seen["character"][0]))
            self._counts[key] += recoveries(seen, int(frames["stage"][0]))

    def of(self, player: str) -> dict[str, dict[str, Any]]:
        """{character: {"attempts", "recovered", "rate", "low", "high"}} of a player, with 95 % bounds."""
        return {
            character_name(character): _row(int(attempts), int(recovered))
            for (name, character), (attempts, recovered) in sorted(self._counts.items())
            if name == player
        }


def _row(attempts: int, recovered: int) -> dict[str, Any]:
    low, high = wilson(recovered, attempts)
    rate = recovered / attempts if attempts else None
    return {"attempts": attempts, "recovered": recovered, "rate": rate, "low": low, "high": high}
