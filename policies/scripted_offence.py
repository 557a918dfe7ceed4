"""Getting close and hitting: the ground game, jumps and aerials, shield and what comes out of it.

Distances are in game units and roughly those of a mid-sized fighter; they are the same for every character.
"""

from __future__ import annotations

from typing import Final

from policies.scripted_jit import kernel
from policies.scripted_pad import A, B, Plan, R, X, Z, chance, flick_c, flick_down, hold, pick, press, tap, uniform
from policies.scripted_situation import Situation, situation_of
from policies.scripted_survival import is_outside, l_cancel, recover

_STRIKE_HEIGHT: Final = 14.0
_AERIAL_REACH: Final = 17.0
_EDGE_MARGIN: Final = 8.0
_FINISH_PERCENT: Final = 80.0
_SHOT_UNITS: Final = 60.0  # farther foes are shot at
_SHOT_SHARE: Final = 0.05
_TILT: Final = 0.45  # below the game's thresholds of tap jump, dash and smash
_WALK: Final = 0.6
_DASHING, _RUNNING = 20, 21  # action states


@kernel
def foe_is_open(s):
    """Whether the foe cannot answer for some frames: landing lag, late in an attack, dodging, down."""
    foe = situation_of(s.foe_action)
    if foe in (Situation.LANDING, Situation.STRUCK_DOWN, Situation.LYING, Situation.TUMBLE):
        return True
    if foe in (Situation.GROUND_ATTACK, Situation.DODGING):
        return s.foe_age > 14.0
    return foe == Situation.HELPLESS or s.foe_hitstun > 4.0


@kernel
def foe_threatens(s):
    """Whether the foe is early in an attack that can reach us."""
    foe = situation_of(s.foe_action)
    near = s.distance < 24.0 and abs(s.dy) < 22.0
    if foe == Situation.GROUND_ATTACK:
        return near and s.foe_age < 12.0 and s.foe_facing * s.dx < 4.0
    return foe == Situation.AERIAL and near and s.foe_age < 20.0


@kernel
def _ground_strike(s, m, pad):
    """One grounded attack at a foe in reach."""
    facing = s.me_facing * s.dx > -2.0
    if m.skill.finish > 0 and s.foe_percent > _FINISH_PERCENT and chance(m, 0.8):
        roll = uniform(m)
        if roll < 0.55 or not facing:
            flick_c(pad, s, 0.0, 1.0)
        elif roll < 0.8:
            flick_c(pad, s, s.toward, 0.0)
        else:
            flick_c(pad, s, 0.0, -1.0)
        return
    if s.distance < 10.0 and chance(m, m.skill.grab if situation_of(s.foe_action) == Situation.SHIELD else 0.0):
        tap(pad, s, Z)
        return
    if _special_strike(s, m, pad):
        return
    roll = pick(m, 5)
    if not facing or roll == 0:
        hold(pad, 0.0, _TILT)
    elif roll == 1:
        hold(pad, 0.0, -_TILT)
    elif roll == 2:
        hold(pad, s.toward * _TILT, 0.0)
    elif roll == 3 and m.skill.finish > 0:
        flick_c(pad, s, 0.0, -1.0)
        return
    tap(pad, s, A)


@kernel
def _special_strike(s, m, pad):
    """The special that strikes close by, if there is one and it is chosen. True when it was pressed."""
    if (s.distance > 10.0 and s.side_chains == 0) or s.down_strikes + s.side_chains == 0:
        return False
    if not chance(m, m.skill.special):
        return False
    if s.down_strikes == 1:
        hold(pad, 0.0, -1.0)
    else:
        hold(pad, s.toward, 0.0)
    return tap(pad, s, B)


@kernel
def _running_strike(s, m, pad):
    """An attack out of a dash: up smash through the jump squat, down special, or dash attack."""
    if m.skill.finish > 0 and s.distance < s.reach + 2.0 and chance(m, 0.6):
        _start_jump(s, m, pad, Plan.UP_SMASH)
    elif not _special_strike(s, m, pad):
        tap(pad, s, A)


@kernel
def _strike(s, m, pad):
    """Attack if the foe is in reach and the moment is chosen. True when an attack was pressed."""
    running = s.me_action == _DASHING or s.me_action == _RUNNING
    reach = s.reach + (8.0 if running else 0.0)
    if s.distance > reach or s.dy > _STRIKE_HEIGHT + 6.0 or s.dy < -8.0 or s.foe_untouchable > 0:
        return False
    if not chance(m, m.skill.punish if foe_is_open(s) else m.skill.attack):
        return False
    if running:
        _running_strike(s, m, pad)
    else:
        _ground_strike(s, m, pad)
    return True


@kernel
def _start_jump(s, m, pad, plan):
    m.plan, m.plan_x = plan, s.toward
    tap(pad, s, X)


@kernel
def _answer(s, m, pad):
    """Shield, dodge or back off when the foe asks for it. True when it did."""
    if foe_threatens(s) and chance(m, m.skill.guard):
        m.wait = 8 + pick(m, 14)
        press(pad, R)
        return True
    if s.distance < 20.0 and chance(m, m.skill.dodge):
        press(pad, R)
        m.wait = 1
        return True
    if m.skill.careful > 0 and s.foe_untouchable > 0 and s.distance < 45.0:
        m.plan, m.wait = Plan.BACK_OFF, 10
    return False


@kernel
def _goal_x(s):
    """Where to stand: at the foe, or near the edge when it is off the stage."""
    limit = s.edge_x - _EDGE_MARGIN
    if s.foe_outside > 0:
        limit -= 8.0
    return max(-limit, min(limit, s.foe_x))


@kernel
def _run_to(s, m, pad, goal_x):
    gap = goal_x - s.me_x
    way = 1.0 if gap > 0 else -1.0
    if abs(gap) > 6.0:
        fast = m.skill.dash > 0 and (abs(gap) > 16.0 or s.me_action == _DASHING or s.me_action == _RUNNING)
        hold(pad, way if fast else way * _WALK, 0.0)
    elif s.me_facing != s.toward:
        hold(pad, s.toward * _TILT, 0.0)


@kernel
def _approach(s, m, pad):
    """Close the distance: a shot from afar, platforms first, then hops, wavedashes, or feet."""
    if s.shoots == 1 and s.distance > _SHOT_UNITS and abs(s.dy) < 12.0 and chance(m, _SHOT_SHARE * m.skill.special):
        hold(pad, s.toward * _TILT, 0.0)
        tap(pad, s, B)
        return
    if s.dy > 18.0 and s.distance < 35.0 and s.foe_outside < 0 and chance(m, m.skill.aerial + 0.02):
        _start_jump(s, m, pad, Plan.JUMP)
        return
    if s.dy < -15.0 and s.floor_y > 5.0 and s.foe_outside < 0:
        flick_down(pad, s)
        return
    hop = 20.0 < s.distance < 48.0 and s.foe_outside < -4.0
    if hop and s.foe_untouchable == 0 and chance(m, m.skill.aerial):
        hold(pad, s.toward, 0.0)
        _start_jump(s, m, pad, Plan.HOP)
        return
    if abs(s.outside) > 25.0 and chance(m, m.skill.wavedash):
        m.plan, m.plan_x = Plan.WAVEDASH, s.toward if s.distance > 25.0 else -s.toward
        tap(pad, s, X)
        return
    _run_to(s, m, pad, _goal_x(s))


@kernel
def on_ground(s, m, pad):
    """Free to act on the ground."""
    if m.plan == Plan.BACK_OFF and m.wait > 0:
        m.wait -= 1
        if s.outside < -20.0 or s.inward == -s.toward:
            hold(pad, -s.toward, 0.0)
            return
    m.plan = Plan.NONE
    if _answer(s, m, pad) or _strike(s, m, pad):
        return
    _approach(s, m, pad)


@kernel
def in_shield(s, m, pad):
    """Hold the shield while the attack lasts, then answer out of it."""
    if m.wait > 0 or s.me_action == 181:  # shield stun
        m.wait -= 1
        press(pad, R)
        if m.wait == 0 and chance(m, 0.35):
            hold(pad, s.inward, 0.0)  # roll
        return
    if s.distance < 18.0 and abs(s.dy) < 18.0:
        press(pad, R)
        _start_jump(s, m, pad, Plan.UP_SMASH if chance(m, 0.6) else Plan.HOP)


@kernel
def in_jump_squat(s, m, pad):
    """Hold or let go of the jump button, by plan."""
    hold(pad, m.plan_x, 0.0)
    if m.plan == Plan.UP_SMASH:
        flick_c(pad, s, 0.0, 1.0)
    elif m.plan == Plan.JUMP:
        press(pad, X)


@kernel
def _aerial(s, m, pad):
    """An aerial at where the foe will be in four frames. True when one was pressed."""
    x, y = s.dx + 4.0 * (s.foe_vx - s.me_vx), s.dy + 4.0 * (s.foe_vy - s.me_vy)
    if abs(x) > _AERIAL_REACH or abs(y) > _AERIAL_REACH + 4.0 or s.foe_untouchable > 0:
        return False
    if not chance(m, 0.5 * m.skill.aerial + 0.5 * m.skill.attack):
        return False
    if y > 11.0:
        return flick_c(pad, s, 0.0, 1.0)
    if y < -11.0:
        return flick_c(pad, s, 0.0, -1.0)
    if x * s.me_facing < 0:
        return flick_c(pad, s, -s.me_facing, 0.0)
    hold(pad, 0.0, 0.0)  # a neutral stick makes it a neutral aerial
    return tap(pad, s, A)


@kernel
def _drift(s, m, pad):
    """Drift to the foe, but not off the stage; fall fast past the top of the arc."""
    ahead = s.me_x + 12.0 * s.me_vx
    leaving = abs(ahead) > s.edge_x - _EDGE_MARGIN
    hold(pad, s.inward if leaving else s.toward, 0.0)
    if -1.2 < s.me_vy < 0.0 and s.dy < 10.0 and chance(m, 0.5 * m.skill.fast_fall):
        flick_down(pad, s)


@kernel
def in_air(s, m, pad):
    """Free to act in the air."""
    if is_outside(s):
        recover(s, m, pad)
        return
    if m.plan == Plan.WAVEDASH and s.me_y - s.floor_y < 8.0:
        m.plan = Plan.NONE
        hold(pad, m.plan_x * 0.9, -0.45)
        tap(pad, s, R)
        return
    if _aerial(s, m, pad):
        return
    above = s.dy > 22.0 and s.distance < 25.0 and s.foe_outside < 0
    if above and s.me_jumps > 0 and s.me_vy < 1.0 and chance(m, m.skill.aerial):
        tap(pad, s, X)
    _drift(s, m, pad)


@kernel
def in_aerial(s, m, pad):
    """During an aerial: drift, fall fast, L-cancel."""
    if is_outside(s):
        hold(pad, s.inward, 0.0)
        return
    _drift(s, m, pad)
    l_cancel(s, m, pad)
