"""One frame of all scripted columns: sense, choose by situation, press. No Python per column."""

from __future__ import annotations

from envs.controller import PART_SIZES
from policies.scripted_jit import entry, kernel
from policies.scripted_offence import in_aerial, in_air, in_jump_squat, in_shield, on_ground
from policies.scripted_pad import A, B, R, X, hold, pick, release_all, tap, uniform
from policies.scripted_senses import sense
from policies.scripted_situation import Situation, situation_of
from policies.scripted_survival import aim_special, get_up, is_outside, leave_ledge, take_hit, tumble

_SIZES = PART_SIZES
_SHOT_UNITS = 45.0  # a charged shot is let go at a foe nearer than this
_HOLD_SHARE = 0.9  # of frames on which a random player keeps an input


@kernel
def _leave_platform(s, m, pad):
    if s.me_age > 10.0 + 30.0 * m.choice:
        hold(pad, 0.0, -1.0)


@kernel
def _in_special(s, pad):
    """Off the stage a special is the way home; on it, it goes on while it strikes, else a jump ends it soonest."""
    if is_outside(s):
        aim_special(s, pad)
    elif s.side_chains == 1 and s.distance < s.reach:
        tap(pad, s, B)
    elif s.shoots == 1 and s.down_strikes == 0:
        _charge(s, pad)
    else:
        tap(pad, s, X)


@kernel
def _charge(s, pad):
    """A shot is charged while the foe is far, fired when it comes near, and kept when it has come from behind."""
    if s.distance < _SHOT_UNITS:
        tap(pad, s, B if s.me_facing == s.toward else R)


@kernel
def _hold_foe(s, m, pad):
    """Holding the foe: one blow now and then, then a throw in a drawn direction."""
    if s.me_age < 4.0 + 10.0 * m.choice:
        return
    if m.choice < 0.3 and s.me_age < 16.0:
        tap(pad, s, A)
    elif m.choice < 0.55:
        hold(pad, 0.0, 1.0)
    elif m.choice < 0.75:
        hold(pad, s.me_facing, 0.0)
    elif m.choice < 0.9:
        hold(pad, 0.0, -1.0)
    else:
        hold(pad, -s.me_facing, 0.0)


@kernel
def _struggle(s, m, pad):
    """Held: new buttons and directions on every frame."""
    hold(pad, float(pick(m, 3) - 1), float(pick(m, 3) - 1))
    tap(pad, s, A)
    tap(pad, s, B)
    tap(pad, s, X)


@kernel
def _choose(situation, s, m, pad):
    if situation == Situation.GROUND:
        on_ground(s, m, pad)
    elif situation == Situation.AIR:
        in_air(s, m, pad)
    elif situation == Situation.AERIAL:
        in_aerial(s, m, pad)
    elif situation == Situation.JUMP_SQUAT:
        in_jump_squat(s, m, pad)
    elif situation == Situation.DAMAGE:
        take_hit(s, m, pad)
    elif situation == Situation.SHIELD:
        in_shield(s, m, pad)
    elif situation == Situation.TUMBLE:
        tumble(s, m, pad)
    elif situation == Situation.HELPLESS:
        hold(pad, s.inward if is_outside(s) else 0.0, 0.0)
    elif situation == Situation.SPECIAL:
        _in_special(s, pad)
    elif situation == Situation.LEDGE:
        leave_ledge(s, m, pad)
    elif situation == Situation.LYING:
        get_up(s, m, pad)
    elif situation == Situation.HOLDING:
        _hold_foe(s, m, pad)
    elif situation == Situation.HELD:
        _struggle(s, m, pad)
    elif situation == Situation.HALO:
        _leave_platform(s, m, pad)


@entry
def think(words_f32, words_i32, seats, columns, outlines, repertoires, memory, senses, parts):
    """Action parts [n, 6] of n columns: frames' words [n, W], seats [n], rows of `memory` by columns [n]."""
    s = senses[0]
    for k in range(columns.shape[0]):
        m, pad = memory[columns[k]], parts[k]
        sense(words_f32[k], words_i32[k], seats[k], outlines, repertoires, s)
        release_all(pad)
        situation = situation_of(s.me_action)
        if situation != m.situation:
            m.situation = situation
            m.choice = uniform(m)
        if m.trigger_lock > 0:
            m.trigger_lock -= 1
        _choose(situation, s, m, pad)
        m.in_hitlag = 1 if s.me_hitlag > 0 else 0


@entry
def mash(columns, memory, held, parts):
    """Random players: each part of `held` [capacity, 6] is drawn anew on a tenth of the frames."""
    for k in range(columns.shape[0]):
        m, mine = memory[columns[k]], held[columns[k]]
        for part in range(len(_SIZES)):
            if uniform(m) > _HOLD_SHARE:
                mine[part] = pick(m, _SIZES[part])
            parts[k, part] = mine[part]
