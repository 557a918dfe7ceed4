"""Does an attack that touches in the recording touch in the simulator, on the same frame, and only then?

Taken from the predictions one frame ahead. Bodies only: projectiles, grabs, pummels and throws are no contact of
hitboxes with a body or shield.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.fidelity.bodies import is_complete
from envs.sim.fidelity.events import melee_hits, struck_by_body
from envs.sim.fidelity.recording import Recording
from envs.sim.fidelity.seed.attack import active_groups


class Contacts(NamedTuple):
    """Counts of one attacking seat."""

    character: int  # internal id of the attacker
    hits: int  # recorded
    found: int  # of those, predicted on their frame
    misses: int  # frames at which an attack could touch and did not
    false: int  # of those, predicted as a hit


def contacts(recording: Recording, games: NDArray[np.void], predicted: NDArray[np.void]) -> list[Contacts]:
    """Counts for each seat of a recording between two fighters that the simulator plays with all they have.

    `games` [T] are the seeded ones, `predicted` [T - 1, P] the leaders one frame ahead. Empty where a fighter is
    not one or driven by the game itself.
    """
    if not all(is_complete(int(row)) for row in games["fighters"]["row"][0]) or any(recording.cpu):
        return []
    seen = recording.frames["players"][:, :, LEADER]
    return [_contacts_of(seen, games, predicted, seat) for seat in range(seen.shape[1])]


def _contacts_of(seen: NDArray[np.void], games: NDArray[np.void], predicted: NDArray[np.void], seat: int) -> Contacts:
    me, foe = seen[:, seat], seen[:, 1 - seat]
    hit = melee_hits(me, foe)[1:]
    told = struck_by_body(foe[:-1], predicted[:, 1 - seat], me[:-1], predicted[:, seat])
    fighter = games["fighters"][1:, seat]
    left = active_groups(me, int(fighter["row"][0]))[1:] & ~fighter["hit_mask"]
    could = (left != 0) & (me["hitlag"][1:] <= 0) & (foe["hurtbox"][1:] == 0) & ~hit
    return Contacts(
        int(me["character"][0]), int(hit.sum()), int((hit & told).sum()), int(could.sum()), int((told & ~hit).sum())
    )


def score_contacts(found: Iterable[Contacts]) -> dict[str, Any]:
    """Counts, recall (recorded hits found on their frame) and false hits (share of active misses)."""
    total = np.array([counts[1:] for counts in found] or [(0, 0, 0, 0)]).sum(axis=0)
    hits, right, misses, false = (int(count) for count in total)
    result: dict[str, Any] = {"n": hits, "active_misses": misses}
    if hits and misses:
        result |= {"recall": round(right / hits, 4), "false_hits": round(false / misses, 4)}
    return result
