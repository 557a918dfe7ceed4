"""Attributes that are speeds and accelerations, from one-frame differences of recorded speed.

Each number comes from frames in which it alone acts: gravity from falls, drift from held sticks, the jump's
share of ground speed from the first frame in the air. The formulas are those of envs.sim.kernel.physics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.fidelity.measure_track import SAME, Fact, Track, fit, mode
from envs.sim.kernel.publish import FAST_FALLING

Facts = dict[str, Fact]

FREE_FALL: Final = tuple(range(Action.JUMPING_FORWARD.value, Action.FALLING_AERIAL_BACKWARD.value + 1))
AERIALS: Final = tuple(range(Action.NAIR.value, Action.DAIR.value + 1))
WALKS: Final = tuple(range(Action.WALK_SLOW.value, Action.WALK_FAST.value + 1))
JUMPS: Final = (Action.JUMPING_FORWARD.value, Action.JUMPING_BACKWARD.value)
AIR_JUMPS: Final = (Action.JUMPING_ARIAL_FORWARD.value, Action.JUMPING_ARIAL_BACKWARD.value)
SLIDES: Final = (
    Action.STANDING.value,
    *range(Action.CROUCH_START.value, Action.LANDING_SPECIAL.value + 1),
    *range(Action.NAIR_LANDING.value, Action.DAIR_LANDING.value + 1),
    *range(Action.SHIELD_START.value, Action.SHIELD_RELEASE.value + 1),
)
FULL: Final = 0.9999
"""A stick at least this far out is at its end."""


class Steps:
    """Pairs of consecutive frames of a track: `a` before, `b` after, both [S] PLAYER."""

    def __init__(self, track: Track, chosen: NDArray[np.bool_] | None = None) -> None:
        keep = track.follows if chosen is None else track.follows & chosen
        self.a, self.b = track.seen[:-1][keep], track.seen[1:][keep]

    def within(self, *actions: int) -> NDArray[np.bool_]:
        """[S]: both frames in the same one of the action states, the same stay of it."""
        same = (self.a["action"] == self.b["action"]) & (self.a["state_age"] < self.b["state_age"])
        return same & np.isin(self.a["action"], actions)

    def into(self, before: int | None, *after: int) -> NDArray[np.bool_]:
        """[S]: the second frame begins one of the states `after`, coming from `before` (None: anywhere)."""
        begun = np.isin(self.b["action"], after) & (self.a["action"] != self.b["action"])
        return begun if before is None else begun & (self.a["action"] == before)


def speeds(track: Track) -> Facts:
    """Every attribute of the file's [attributes] that is a speed; those without evidence are left out."""
    steps = Steps(track)
    found: Facts = {}
    for measure in (_falling, _steering, _walking, _dashing, _braking, _jumping, _air_jumping):
        found |= measure(steps, found)
    return found


def _named(**found: Fact | None) -> Facts:
    return {name: fact for name, fact in found.items() if fact is not None}


def _falling(steps: Steps, _: Facts) -> Facts:
    falls = steps.within(*FREE_FALL, *AERIALS)
    a, b = steps.a[falls], steps.b[falls]
    fast = (b["state_flags"][:, 1] & FAST_FALLING) != 0
    slower = a["speed_y"] - b["speed_y"]
    steady = np.abs(slower) < SAME / 10
    return _named(
        gravity=mode(slower[~fast & ~steady]),
        terminal=mode(-b["speed_y"][~fast & steady]),
        fast_fall=mode(-b["speed_y"][fast]),
    )


def _steering(steps: Steps, _: Facts) -> Facts:
    falls = steps.within(*FREE_FALL, *AERIALS)
    a, b = steps.a[falls], steps.b[falls]
    stick, before, after = b["controller"]["stick_x"], a["speed_air_x"], b["speed_air_x"]
    free = (stick == 0) & (np.abs(after) > SAME)
    friction = mode(np.abs(before[free]) - np.abs(after[free]))
    steady = (np.abs(stick) >= FULL) & (before == after) & (before * stick > 0)
    fastest = mode(np.abs(after[steady]))
    found = _named(air_friction=friction, air_max=fastest)
    if fastest is None:
        return found
    limit = np.abs(stick) * fastest.value
    way = np.sign(stick)
    speeding = (stick != 0) & (after * way > before * way + SAME) & (after * way < limit - SAME)
    return found | _pair("drift", way[speeding], stick[speeding], (after - before)[speeding])


def _pair(name: str, way: NDArray[np.floating], stick: NDArray[np.floating], gain: NDArray[np.floating]) -> Facts:
    """`NAME_base` and `NAME_stick` of the gain `base * sign(stick) + stick_factor * stick`."""
    fitted = fit([way, stick], gain)
    if fitted is None:
        return {}
    (base, share), fact = fitted
    return {f"{name}_base": fact._replace(value=base), f"{name}_stick": fact._replace(value=share)}


def _walking(steps: Steps, _: Facts) -> Facts:
    walks = steps.within(*WALKS)
    a, b = steps.a[walks], steps.b[walks]
    stick, before, after = b["controller"]["stick_x"], a["speed_ground_x"], b["speed_ground_x"]
    way = np.sign(stick)
    steady = (stick != 0) & (np.abs(after - before) < SAME / 20) & (after * way > SAME)
    fastest = mode(after[steady] / stick[steady])
    if fastest is None:
        return {}
    target = np.abs(stick) * fastest.value
    speed = before * way
    share = np.where(speed > 0, _common("walk_acceleration") * (1 - speed / np.maximum(target, SAME)), 1.0)
    speeding = (stick != 0) & (after * way > speed + SAME) & (after * way < target - SAME) & (share > 0.05)
    gains = (after - before)[speeding] / share[speeding]
    return {"walk_max": fastest} | _pair("walk", way[speeding], stick[speeding], gains)


def _dashing(steps: Steps, _: Facts) -> Facts:
    begun = steps.into(None, Action.DASHING.value) & (steps.a["speed_ground_x"] == 0)
    dash_speed = mode(np.abs(steps.b["speed_ground_x"][begun]))
    held = steps.within(Action.RUNNING.value, Action.DASHING.value)
    held &= np.abs(steps.b["controller"]["stick_x"]) >= FULL
    still = np.abs(steps.b["speed_ground_x"] - steps.a["speed_ground_x"]) < SAME / 10
    run_max = mode(np.abs(steps.b["speed_ground_x"][held & still]))
    ran = steps.into(Action.DASHING.value, Action.RUNNING.value)
    run_after = mode(steps.a["state_age"][ran] + 1)
    found = _named(dash_speed=dash_speed, run_max=run_max, run_after=run_after)
    if run_max is None:
        return found
    dashes = steps.within(Action.DASHING.value)
    a, b = steps.a[dashes], steps.b[dashes]
    stick, before, after = b["controller"]["stick_x"], a["speed_ground_x"], b["speed_ground_x"]
    way = np.sign(stick)
    target = np.abs(stick) * run_max.value
    speeding = (stick != 0) & (after * way > before * way + SAME / 10) & (after * way < target - SAME)
    return found | _pair("dash", way[speeding], stick[speeding], (after - before)[speeding])


def _braking(steps: Steps, known: Facts) -> Facts:
    """Traction is the same at any speed in a run brake, and at walking speed in every standing state."""
    slow = np.abs(steps.a["speed_ground_x"]) <= (known["walk_max"].value if "walk_max" in known else 0.0)
    braking = steps.within(Action.RUN_BRAKE.value) | (steps.within(*SLIDES) & slow)
    braking &= np.abs(steps.b["speed_ground_x"]) > SAME
    a, b = steps.a[braking], steps.b[braking]
    return _named(traction=mode(np.abs(a["speed_ground_x"]) - np.abs(b["speed_ground_x"])))


def _jumping(steps: Steps, _: Facts) -> Facts:
    jumped = steps.into(Action.KNEE_BEND.value, *JUMPS)
    a, b = steps.a[jumped], steps.b[jumped]
    highest = mode(b["speed_y"])
    if highest is None:
        return {}
    other = mode(b["speed_y"][np.abs(b["speed_y"] - highest.value) > 10 * SAME])
    hop, full = sorted((highest, other or highest), key=lambda fact: fact.value)
    found = _named(jump_v=full, hop_v=hop if other else None)
    fastest = mode(np.abs(b["speed_air_x"]))
    free = np.abs(b["speed_air_x"]) < np.abs(b["speed_air_x"]).max() - SAME
    fitted = fit([a["speed_ground_x"][free], a["controller"]["stick_x"][free]], b["speed_air_x"][free])
    if fitted is not None:
        (kept, pushed), fact = fitted
        found |= {"ground_to_air": fact._replace(value=kept), "jump_h": fact._replace(value=pushed)}
        free_speed = np.abs(a["speed_ground_x"] * kept + a["controller"]["stick_x"] * pushed)
        clamped = np.abs(b["speed_air_x"]) < free_speed - SAME
        found |= _named(jump_h_max=mode(np.abs(b["speed_air_x"][clamped])) or fastest)
    return found


def _air_jumping(steps: Steps, known: Facts) -> Facts:
    """The first frame of a jump in the air already falls and drifts, which is undone here."""
    jumped = steps.into(None, *AIR_JUMPS)
    b = steps.b[jumped]
    first = mode(b["speed_y"])
    if first is None or not {"gravity", "air_max", "drift_base", "air_friction"} <= known.keys():
        return {}
    found = {"double_v": first._replace(value=round(first.value + known["gravity"].value, 4))}
    stick = b["controller"]["stick_x"].astype(np.float64)
    pushed = stick != 0
    if pushed.any():
        found["double_h"] = _best(lambda h: _drifted(h * stick[pushed], stick[pushed], known), b["speed_air_x"][pushed])
    return found


def _drifted(speed: NDArray[np.float64], stick: NDArray[np.float64], known: Facts) -> NDArray[np.float64]:
    """Air speed after one frame of steering with the stick, which points the way of the speed."""
    way, limit = np.sign(stick), np.abs(stick) * known["air_max"].value
    forward = speed * way
    gain = known["drift_base"].value + known["drift_stick"].value * np.abs(stick)
    slowed = np.maximum(forward - known["air_friction"].value, limit)
    return way * np.where(forward > limit, slowed, np.minimum(forward + gain, limit))


def _best(model: Callable[[float], NDArray[np.float64]], seen: NDArray[np.floating]) -> Fact:
    """The hundredth in 0..3 whose model explains the most samples."""
    tried = np.arange(0.0, 3.0, 0.01)
    hits = [int((np.abs(model(float(value)) - seen) < SAME).sum()) for value in tried]
    best = int(np.argmax(hits))
    return Fact(round(float(tried[best]), 2), hits[best], hits[best] / len(seen))


def _common(name: str) -> float:
    sections = facts.load("common")
    return float(next(section[name] for section in sections.values() if name in section))
