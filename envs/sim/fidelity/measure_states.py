"""Lengths, turns, intangible frames and landing lags of action states, from every recorded stay in one."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.compile import ENDLESS
from envs.sim.fidelity.measure_track import SAME, Fact, Track
from envs.sim.kernel.ledge import LEDGE_INTANGIBLE_FRAMES
from envs.sim.kernel.publish import INTANGIBLE
from envs.sim.kernel.transition import ANIMATION_TAIL
from envs.sim.states import COMMON_STATES, Kind

Facts = dict[str, Fact]

L_CANCELLED: Final = 1
MISSED: Final = 2
AERIAL_LANDINGS: Final = range(Action.NAIR_LANDING.value, Action.DAIR_LANDING.value + 1)
_LANDINGS: Final = (Action.LANDING_SPECIAL.value, *AERIAL_LANDINGS)
_FIRST_SPECIAL: Final = 341
_SLOW_TURN_AGES: Final = 12
_MOST: Final = 0.5
"""Share of stays that must agree on an age."""


class Stays(NamedTuple):
    """Stays in action states that began and ended on record: [K] rows of the track."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


def stays(track: Track) -> Stays:
    """Every stay of a track; the last of each recording, which nothing ends, is left out."""
    first = np.flatnonzero(track.starts)
    last = np.append(first[1:] - 1, len(track.seen) - 1)
    ended = np.append(~track.begins[first[1:]], False)
    return Stays(first[ended], last[ended])


def name_of(action: int) -> str:
    """libmelee's name of a state; specials go by number."""
    return Action(action).name if action < _FIRST_SPECIAL else str(action)


def lengths(track: Track, found: Stays) -> Facts:
    """Last recorded age plus one frame of animation, by state, with how many stays ran that far.

    A landing plays its animation faster, so that its end is one such step after the last age, less the tail.
    """
    ages: dict[int, list[tuple[float, float]]] = {}
    seen = track.seen
    for first, last in zip(found.first, found.last, strict=True):
        if (seen["hitlag"][first : last + 1] > 0).any():
            continue
        action, age = int(seen["action"][first]), float(seen["state_age"][last])
        step = age - float(seen["state_age"][last - 1]) if last > first else 1.0
        if age < 0:  # such a state records no age; it is timed by its frames
            age, step = float(last - first), 1.0
        ages.setdefault(action, []).append((age, step))
    return {name_of(action): _length(action, np.array(ends)) for action, ends in sorted(ages.items()) if _ends(action)}


def _ends(action: int) -> bool:
    row = COMMON_STATES.get(action)
    return row is None or row.kind not in ENDLESS


def _length(action: int, ends: NDArray[np.float64]) -> Fact:
    age, step = ends.T
    landing = (action in _LANDINGS) & (np.abs(step - 1.0) > SAME)
    length = np.where(landing, np.round(age + step - ANIMATION_TAIL), np.floor(age + SAME) + 1)
    longest = float(length.max())
    return Fact(longest, int((length == longest).sum()), float((length == longest).mean()))


def turns(track: Track, found: Stays) -> Facts:
    """Age at which the body faces the other way, of states in which most stays long enough to tell do so."""
    flips: dict[int, list[float]] = {}
    facing, age = track.seen["facing"], track.seen["state_age"]
    for first, last in zip(found.first, found.last, strict=True):
        action = int(track.seen["action"][first])
        turned = np.flatnonzero(facing[first : last + 1] != facing[first])
        flips.setdefault(action, []).append(float(age[first + turned[0]]) if turned.size else np.inf)
    facts: Facts = {}
    for action, ages in sorted(flips.items()):
        seen = np.array(ages)
        turned = seen[np.isfinite(seen)]
        if not turned.size or turned.size < _MOST * len(seen) or action in _TURN_STATES:
            continue
        usual, counts = np.unique(turned, return_counts=True)
        facts[name_of(action)] = Fact(float(usual[counts.argmax()]), int(counts.max()), float(counts.max() / len(seen)))
    return facts


_TURN_STATES: Final = (Action.TURNING.value, Action.TURNING_RUN.value)


def turn_frames(track: Track, found: Stays) -> Fact | None:
    """Frames a slow turn keeps facing the old way: the usual age of the flip, smash turns (age 2) apart."""
    ages = []
    for first, last in zip(found.first, found.last, strict=True):
        if track.seen["action"][first] != Action.TURNING.value:
            continue
        facing = track.seen["facing"][first : last + 1]
        turned = np.flatnonzero(facing != facing[0])
        if turned.size and 2 < (age := float(track.seen["state_age"][first + turned[0]])) <= _SLOW_TURN_AGES:
            ages.append(age)
    if not ages:
        return None
    usual, counts = np.unique(ages, return_counts=True)
    return Fact(float(usual[counts.argmax()]) - 1, int(counts.max()), float(counts.max() / len(ages)))


def intangible(track: Track) -> dict[str, tuple[Fact, Fact]]:
    """First and last age at which most recorded bodies were intangible, by state.

    The frames that a caught ledge protects whatever state they are in say nothing of that state.
    """
    safe = track.seen["hurtbox"] == INTANGIBLE
    action, age = track.seen["action"], np.floor(track.seen["state_age"])
    own = ~_protected(track) | np.isin(action, _AT_LEDGE)
    facts: dict[str, tuple[Fact, Fact]] = {}
    for state in np.unique(action[safe & own]):
        here = own & (action == state)
        ages = np.unique(age[here])
        shares = np.array([safe[here & (age == a)].mean() for a in ages])
        covered = ages[shares > _MOST]
        if covered.size and COMMON_STATES.get(int(state), _PLAIN).kind is not Kind.DEAD:
            counts = [int((here & (age == edge)).sum()) for edge in (covered[0], covered[-1])]
            facts[name_of(int(state))] = (
                Fact(float(covered[0]), counts[0], float(shares[ages == covered[0]][0])),
                Fact(float(covered[-1]), counts[1], float(shares[ages == covered[-1]][0])),
            )
    return facts


def _protected(track: Track) -> NDArray[np.bool_]:
    """[R]: a ledge was caught so recently that its protection may still hold."""
    rows = np.arange(len(track.seen))
    caught = (track.seen["action"] == Action.EDGE_CATCHING.value) & track.starts
    return rows - np.maximum.accumulate(np.where(caught, rows, -LEDGE_INTANGIBLE_FRAMES - 1)) <= LEDGE_INTANGIBLE_FRAMES


_AT_LEDGE: Final = tuple(
    action
    for action, row in COMMON_STATES.items()
    if row.kind in (Kind.LEDGE_CATCH, Kind.LEDGE_OPTION, Kind.LEDGE_JUMP)
)
_PLAIN: Final = COMMON_STATES[Action.STANDING.value]


def landing_lags(track: Track, found: Stays) -> Facts:
    """Frames of each aerial's landing without L-cancel; cancelled ones count where none was missed."""
    counts: dict[int, dict[int, list[int]]] = {}
    for first, last in zip(found.first, found.last, strict=True):
        action = int(track.seen["action"][first])
        if action in AERIAL_LANDINGS and not (track.seen["hitlag"][first : last + 1] > 0).any():
            cancel = int(track.seen["l_cancel"][first])
            counts.setdefault(action, {}).setdefault(cancel, []).append(int(last - first + 1))
    facts: Facts = {}
    for action, by_cancel in sorted(counts.items()):
        frames = np.array(by_cancel.get(MISSED, by_cancel.get(L_CANCELLED, [])))
        if frames.size:
            usual, times = np.unique(frames, return_counts=True)
            doubled = 1 if MISSED in by_cancel else 2
            value = float(usual[times.argmax()]) * doubled
            facts[name_of(action)] = Fact(value, int(times.max()), float(times.max() / frames.size))
    return facts


def landing_frames(track: Track, found: Stays) -> Fact | None:
    """Age from which a plain landing can be interrupted: the usual one at which players do."""
    landed = track.seen["action"][found.first] == Action.LANDING.value
    ages = track.seen["state_age"][found.last[landed]] + 1
    after = track.seen[found.last[landed] + 1]
    ages = ages[after["airborne"] == 0]
    if not ages.size:
        return None
    usual, counts = np.unique(ages, return_counts=True)
    return Fact(float(usual[counts.argmax()]), int(counts.max()), float(counts.max() / ages.size))
