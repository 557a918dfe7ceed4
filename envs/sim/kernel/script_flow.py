"""From one state of a special to the next: what such a step keeps and what lets a state end."""

from __future__ import annotations

from typing import Any, Final

from envs.sim.jit import kernel
from envs.sim.kernel.transition import enter

REPEAT_PRESSED: Final = 1
LET_GO_SEEN: Final = 4
_KEPT: Final = REPEAT_PRESSED | LET_GO_SEEN
"""Bits of `script_flags`: B was pressed again, B was let go; both outlast the state."""


@kernel
def go_on(me: Any, states: Any, action: int, keep_age: bool) -> None:
    """Enter another state of the same special: its counters, and on wish the age, stay."""
    timer, flags, aim_x, aim_y = me.script_timer, me.script_flags, me.script_x, me.script_y
    wait = me.sink_wait
    age, ticks, mask, staled, charge = me.age, me.ticks, me.hit_mask, me.staled, me.charge
    enter(me, states, action)
    me.script_timer, me.script_x, me.script_y, me.charge = timer, aim_x, aim_y, charge
    me.sink_wait, me.script_flags = wait, flags & _KEPT
    if keep_age:
        me.age, me.ticks, me.hit_mask, me.staled, me.script_flags = age, ticks, mask, staled, flags


@kernel
def may_end(me: Any, op: Any) -> bool:
    return me.script_timer >= op.a and me.script_flags & LET_GO_SEEN != 0
