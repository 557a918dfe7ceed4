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
_TENTH: Final = 0.1
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


class Lengths(NamedTuple):
    """Frames of animation, by state."""

    ended: Facts
    """Of states seen to end by themselves: what most such stays say."""
    longest: Facts
    """Of every state: the longest stay, which its length is at least."""


def lengths(track: Track, found: Stays) -> Lengths:
    """Lengths: the last age a state shows, plus one.

    A landing plays its animation faster, so that its end is one such step after the last age, less the tail.
    """
    seen = track.seen
    action = seen["action"][found.first]
    length = np.array([_length(seen, *stay) for stay in zip(found.first, found.last, strict=True)])
    frozen = np.cumsum(seen["hitlag"] > 0)
    whole = (frozen[found.last] == frozen[found.first]) & (seen["hitlag"][found.first] == 0)
    follows = seen["action"][found.last + 1]
    ended, longest = {}, {}
    for state in np.unique(action[whole]):
        if COMMON_STATES.get(int(state), _PLAIN).kind in (*ENDLESS, Kind.WALK):  # walks hand their age on
            continue
        here = whole & (action == state)
        longest[name_of(int(state))] = _most(length[here], float(length[here].max()))
        natural = here & np.isin(follows, _natural(int(state), bool(seen["airborne"][found.last[here][0]])))
        if natural.any():
            ended[name_of(int(state))] = _latest(length[natural])
    return Lengths(ended, longest)


def _length(seen: NDArray[np.void], first: int, last: int) -> float:
    age = float(seen["state_age"][last])
    if age < 0:  # such a state records no age; it is timed by its frames
        return float(last - first) + 1
    step = age - float(seen["state_age"][last - 1]) if last > first else 1.0
    if seen["action"][first] in _LANDINGS and abs(step - 1.0) > SAME:
        return float(np.round(age + step - ANIMATION_TAIL))
    return float(np.floor(age + SAME)) + 1


def _natural(action: int, airborne: bool) -> tuple[int, ...]:
    """States into which one goes when its animation is over; none where speed sets the animation's pace."""
    row = COMMON_STATES.get(action, _PLAIN)
    if row.kind is Kind.RUN:
        return ()
    if row.kind is Kind.JUMP_SQUAT:
        return (Action.JUMPING_FORWARD.value, Action.JUMPING_BACKWARD.value)
    if row.next >= 0 and action in COMMON_STATES:
        return (row.next,)
    return (Action.FALLING.value,) if airborne else (Action.STANDING.value,)


def _latest(values: NDArray[np.float64]) -> Fact:
    """The greatest value that a tenth of the stays share: a state can be cut short, never drawn out."""
    cells, counts = np.unique(values, return_counts=True)
    return _most(values, float(cells[counts >= _TENTH * len(values)].max()))


def usual(values: NDArray[np.float64]) -> Fact:
    """The most frequent of some values, at least one."""
    cells, counts = np.unique(values, return_counts=True)
    return _most(values, float(cells[counts.argmax()]))


def _most(values: NDArray[np.float64], value: float) -> Fact:
    return Fact(value, int((values == value).sum()), float((values == value).mean()))


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
        facts[name_of(action)] = usual(turned)
    return facts


_TURN_STATES: Final = (Action.TURNING.value, Action.TURNING_RUN.value, Action.THROW_BACK.value)
"""States whose turn follows from another rule: the way the stick went, or a throw's release."""


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
    flip = usual(np.array(ages))
    return flip._replace(value=flip.value - 1)


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
            lag = usual(frames)
            facts[name_of(action)] = lag if MISSED in by_cancel else lag._replace(value=2 * lag.value)
    return facts


def walk_thresholds(track: Track) -> Facts:
    """Speeds over which the middle and the fast walk animation are chosen: `walk_mid` and `walk_fast`.

    The animation follows from the speed of the frame before: the threshold lies between the fastest speed that
    chose the slower one and the slowest that chose the faster one.
    """
    follows = track.follows
    chosen, speed = track.seen["action"][1:][follows], np.abs(track.seen["speed_ground_x"][:-1][follows])
    names = {"walk_mid": Action.WALK_MIDDLE.value, "walk_fast": Action.WALK_FAST.value}
    facts: Facts = {}
    for name, action in names.items():
        slower, faster = speed[chosen == action - 1], speed[chosen == action]
        if slower.size and faster.size:
            tried = np.unique(np.concatenate([slower, faster]))
            right = [(slower < edge).sum() + (faster >= edge).sum() for edge in tried]
            best = int(np.argmax(right))
            below = slower[slower < tried[best]].max(initial=0.0)
            count = slower.size + faster.size
            facts[name] = Fact(round(float(below + tried[best]) / 2, 2), count, float(right[best] / count))
    return facts


def jumps(track: Track) -> Fact:
    """Jumps in the air: the most that Slippi counts on the ground, less the one from the ground."""
    left = track.seen["jumps_left"]
    return Fact(float(left.max()) - 1, int((left == left.max()).sum()))


def landing_frames(track: Track, found: Stays) -> Fact | None:
    """Age from which a plain landing can be interrupted: the usual one at which players do."""
    landed = track.seen["action"][found.first] == Action.LANDING.value
    ages = track.seen["state_age"][found.last[landed]] + 1
    after = track.seen[found.last[landed] + 1]
    ages = ages[after["airborne"] == 0]
    return usual(ages) if ages.size else None
