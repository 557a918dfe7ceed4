"""Staying alive: hits taken, falls, the way back to the stage, the ledge, lying on the floor."""

from __future__ import annotations

import math
from typing import Final

from policies.scripted_jit import kernel
from policies.scripted_pad import A, B, R, X, chance, hold, pick, press, tap
from policies.scripted_repertoire import UpSpecial
from policies.scripted_senses import NO_FLOOR

_DI_COS: Final = math.cos(math.radians(18.0))  # the most a launch can be turned: 18 degrees (PlCo.dat)
_DI_SIN: Final = math.sin(math.radians(18.0))
_TECH_FRAMES: Final = 8.0  # press so long before the floor; the game accepts 20
_TECH_LOCK_FRAMES: Final = 40  # a second press within so many frames is ignored
_TECH_HOLD_FRAMES: Final = 12  # the stick is held so long for a tech roll
_CANCEL_FRAMES: Final = 5.0  # press so long before landing; the game accepts 7
_CANCEL_LOCK_FRAMES: Final = 6
_LOW_UNITS: Final = 12.0
_CLEAR_UNITS: Final = 3.0  # so far beyond the ledge a fighter rises past it
_UNDER_UNITS: Final = 12.0  # so far below it, it may be under the stage
_DRIFT_UNITS: Final = 0.7  # sideways units per frame a falling fighter surely makes


@kernel
def _frames_to_blast(s, vx, vy):
    """Frames a straight flight from here needs to the nearest blast line."""
    across = 1e9
    if vx > 0.01:
        across = (s.blast_right - s.me_x) / vx
    elif vx < -0.01:
        across = (s.blast_left - s.me_x) / vx
    along = 1e9
    if vy > 0.01:
        along = (s.blast_top - s.me_y) / vy
    elif vy < -0.01:
        along = (s.blast_bottom - s.me_y) / vy
    return min(across, along)


@kernel
def hold_survival(s, pad):
    """Stick at right angles to the launch, to the side on which the way to the blast zone is longer (DI).

    Near the floor never down: that would shift the fighter into the floor and into a knockdown.
    """
    vx, vy = s.me_kb_x, s.me_kb_y
    speed = math.sqrt(vx * vx + vy * vy)
    if speed < 0.1:
        hold(pad, s.inward, 0.7)
        return
    left = _frames_to_blast(s, vx * _DI_COS - vy * _DI_SIN, vx * _DI_SIN + vy * _DI_COS)
    right = _frames_to_blast(s, vx * _DI_COS + vy * _DI_SIN, vy * _DI_COS - vx * _DI_SIN)
    side = 1.0 if left >= right else -1.0
    if vx * side < -0.3 * speed and s.me_y - s.floor_y < _LOW_UNITS:
        side = -side
    hold(pad, -vy / speed * side, vx / speed * side)


@kernel
def take_hit(s, m, pad):
    """In hitlag hold the direction that lives longest, later prepare the landing."""
    if s.me_hitlag > 0:
        if m.in_hitlag == 0:
            m.choice = 1.0 if chance(m, m.skill.survive) else 0.0
        if m.choice == 1.0:
            hold_survival(s, pad)
        return
    if s.me_airborne == 1:
        tech(s, m, pad)


@kernel
def tech(s, m, pad):
    """Press a trigger just before the floor, rolling inward, outward or not at all. True while it does."""
    if m.trigger_lock > _TECH_LOCK_FRAMES - _TECH_HOLD_FRAMES:
        hold(pad, m.plan_x, 0.0)
        return True
    if s.landing_frames > _TECH_FRAMES or m.trigger_lock > 0:
        return False
    m.trigger_lock = _TECH_LOCK_FRAMES
    m.plan_x = 0.0
    if not chance(m, m.skill.tech):
        return False
    m.plan_x = float(pick(m, 3) - 1)
    hold(pad, m.plan_x, 0.0)
    return tap(pad, s, R)


@kernel
def l_cancel(s, m, pad):
    """Press a trigger just before an aerial lands; once more when a hit has frozen the fall."""
    if s.landing_frames + s.me_hitlag <= _CANCEL_FRAMES and m.trigger_lock == 0:
        m.trigger_lock = _CANCEL_LOCK_FRAMES
        if chance(m, m.skill.l_cancel):
            tap(pad, s, R)


@kernel
def tumble(s, m, pad):
    """Out of hitstun but tumbling: go home if off the stage, tech near the floor, else shake free."""
    if is_outside(s):
        recover(s, m, pad)
    elif not tech(s, m, pad):
        hold(pad, s.inward if abs(s.stick_x) < 0.5 else 0.0, 0.0)


@kernel
def is_outside(s):
    """Whether there is nothing to land on below."""
    return s.floor_y <= NO_FLOOR


@kernel
def _drifts_home(s):
    """Whether falling with the stick held inward already lands on the stage."""
    frames = s.me_y / max(-s.me_vy, 1.5)
    return s.me_y > 0 and s.outside < _DRIFT_UNITS * frames


@kernel
def recover(s, m, pad):
    """Free in the air beyond the ledge: drift, double jump, then a special. `choice` varies how deep it waits."""
    hold(pad, _homeward(s), 0.0)
    if _drifts_home(s) or s.me_vy > 0:
        return
    far = s.outside > 30.0
    deep = s.me_y < 10.0 - 30.0 * m.choice
    if s.me_jumps > 0 and m.skill.double_jump > 0:
        if deep or far:
            tap(pad, s, X)
        return
    level = -5.0 < s.me_y < 25.0 and s.outside < 70.0
    if s.side_travels == 1 and level and m.choice < m.skill.side_special:
        tap(pad, s, B)
    elif m.skill.up_special > 0 and _rises_now(s, m, far):
        hold(pad, 0.0 if s.up_special == UpSpecial.AIMED else 0.5 * _homeward(s), 1.0)
        tap(pad, s, B)


@kernel
def _homeward(s):
    """Direction of the ledge: inward from beyond it, outward from under the stage."""
    return -s.inward if s.outside < _CLEAR_UNITS and s.me_y < -_UNDER_UNITS else s.inward


@kernel
def _rises_now(s, m, far):
    """Whether it is time for the up special: `choice` varies how deep it waits; a straight one waits for the ledge."""
    if s.up_special == UpSpecial.AIMED:
        return far or s.me_y < 5.0 - 20.0 * m.choice
    near = s.outside < s.rise_across and s.me_y < -0.3 * s.rise * (0.5 + m.choice)
    return near or s.me_y < -0.8 * s.rise


@kernel
def aim_special(s, pad):
    """Point a special at the ledge from outside, around the corner from below the stage."""
    side = -s.inward
    if s.outside < 0 and s.me_y < -3.0:
        to_x, to_y = side * (s.edge_x + 8.0), 2.0
    elif s.me_y > 12.0:
        to_x, to_y = side * (s.edge_x - 15.0), 2.0
    else:
        to_x, to_y = side * (s.edge_x - 1.0), 6.0
    dx, dy = to_x - s.me_x, to_y - s.me_y
    length = max(math.sqrt(dx * dx + dy * dy), 1.0)
    hold(pad, dx / length, dy / length)


@kernel
def leave_ledge(s, m, pad):
    """Hang for a while, then climb, jump, roll, attack, or let go and double jump."""
    if s.me_age < 2.0:
        m.wait = 4 + pick(m, 26)
    if m.wait > 0:
        m.wait -= 1
        return
    if m.choice < 0.4 or m.skill.careful < 1:
        hold(pad, s.inward, 0.0)
    elif m.choice < 0.6:
        tap(pad, s, X)
    elif m.choice < 0.75:
        tap(pad, s, R)
    elif m.choice < 0.85:
        tap(pad, s, A)
    else:
        hold(pad, 0.0, -1.0)


@kernel
def get_up(s, m, pad):
    """Lying on the floor: stand, roll either way or attack after a while."""
    if s.me_age < 2.0:
        m.wait = pick(m, 30)
    if m.wait > 0:
        m.wait -= 1
        return
    if m.choice < 0.4:
        hold(pad, 0.0, 1.0)
    elif m.choice < 0.8:
        hold(pad, 1.0 if m.choice < 0.6 else -1.0, 0.0)
    else:
        press(pad, A if s.held == 0 else 0)
