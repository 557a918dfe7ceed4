"""Which row of its transition table an action part looks up: what of the last controller decides it.

Each part has a table (row -> logits of its next value). A row is made of the part's own last value, whether the
part before it changed on this frame, and for a stick axis a partner: the x axis sees the stick's last y, the
y axis the x just taken. So the two axes together can say what follows each stick position, which is most of
what a stick does. The head looks rows up in tensors, imitation counts them in arrays: plain arithmetic serves both.
"""

from __future__ import annotations

from typing import Any, Final

from envs.controller import PART_SIZES, PARTS

_X_AXES: Final = (PARTS.index("main_x"), PARTS.index("c_x"))
_Y_AXES: Final = (PARTS.index("main_y"), PARTS.index("c_y"))


def partner_size(part: int) -> int:
    """Values the partner of a part can have; 1 for a part without one."""
    return PART_SIZES[part] if part in (*_X_AXES, *_Y_AXES) else 1


TRANSITION_ROWS: Final = tuple(2 * partner_size(part) * size for part, size in enumerate(PART_SIZES))
"""Rows of each part's table: [changed, partner, own last value]."""


def transition_row(part: int, last: Any, taken: Any, changed: Any) -> Any:
    """Row [..] of a part from the last parts [.., 6], and the value [..] and change [..] of the part before it
    (both None for the first part). Arrays or tensors of integers."""
    row = last[..., part]
    if part in _X_AXES:
        row = row + PART_SIZES[part] * last[..., part + 1]
    elif part in _Y_AXES:
        row = row + PART_SIZES[part] * taken
    return row if changed is None else row + changed * (PART_SIZES[part] * partner_size(part))
