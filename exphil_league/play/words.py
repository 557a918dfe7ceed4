"""An action in words: what is pressed on a controller."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import decode
from envs.game import Button

_BUTTON_WORDS: Final = {button: button.name.replace("_", "-").lower().capitalize() for button in Button}


def action_words(parts: NDArray[np.integer]) -> str:
    """Action parts [6] for a person: `A, stick left, C-stick up right`; `nothing`."""
    controller = decode(parts[None])[0]
    words = [word for button, word in _BUTTON_WORDS.items() if int(controller["buttons"]) & button]
    for name, x, y in (("stick", "stick_x", "stick_y"), ("C-stick", "c_x", "c_y")):
        way = _way(float(controller[x]), float(controller[y]))
        words += [f"{name} {way}"] if way else []
    if controller["shoulder"] > 0:
        words.append(f"shoulder {100 * float(controller['shoulder']):.0f} %")
    return ", ".join(words) or "nothing"


def _way(x: float, y: float) -> str:
    across = "" if x == 0 else "right" if x > 0 else "left"
    upright = "" if y == 0 else "up" if y > 0 else "down"
    return " ".join(filter(None, (upright, across)))
