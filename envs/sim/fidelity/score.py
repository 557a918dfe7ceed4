"""Rows of predictions -> shares by character and class, each beside a constant-velocity baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.game import character_name
from envs.sim.fidelity.classes import ALL, CLASSES

EXACT_UNITS: Final = 0.01
NEAR_UNITS: Final = 0.1
FEWEST_ROWS: Final = 300
"""A class with fewer rows is reported with an interval and has no floor."""
_Z: Final = 1.96
"""Of a 95 % interval."""
_DIGITS: Final = 4

Scores = dict[str, dict[str, dict[str, Any]]]
"""character -> class -> figures."""


def error_units(rows: NDArray[np.void], x: str = "x", y: str = "y") -> NDArray[np.float32]:
    """[R] distance of a prediction from the recorded place."""
    return np.hypot(rows[x] - rows["true_x"], rows[y] - rows["true_y"])


def score(rows: NDArray[np.void]) -> Scores:
    """Figures of ROWs by character and class, `all` included; empty classes are left out."""
    scores: Scores = {}
    for name, of_character in _by_character(rows):
        scores[name] = {}
        for index, class_name in enumerate((*CLASSES, ALL)):
            chosen = of_character if class_name == ALL else of_character[of_character["class"] == index]
            if len(chosen):
                scores[name][class_name] = _figures(chosen)
    return scores


def _by_character(rows: NDArray[np.void]) -> Iterator[tuple[str, NDArray[np.void]]]:
    for character in np.unique(rows["character"]):
        yield character_name(int(character)), rows[rows["character"] == character]


def _figures(rows: NDArray[np.void]) -> dict[str, Any]:
    """n and shares: one step, ten steps, the baseline."""
    one, ten = rows[rows["k"] == 1], rows[rows["k"] == 10]
    figures: dict[str, Any] = {"n": len(one)}
    if len(one):
        exact = error_units(one) < EXACT_UNITS
        figures["k1_within_0_01"] = _share(exact)
        figures["k1_within_0_1"] = _share(error_units(one) < NEAR_UNITS)
        figures["k1_action"] = _share(one["action"] == one["true_action"])
        figures["baseline_k1_within_0_01"] = _share(error_units(one, "baseline_x", "baseline_y") < EXACT_UNITS)
        if len(one) < FEWEST_ROWS:
            figures["k1_within_0_01_interval"] = interval(int(exact.sum()), len(exact))
    if len(ten):
        figures["k10_n"] = len(ten)
        figures["k10_within_0_01"] = _share(error_units(ten) < EXACT_UNITS)
        figures["k10_action"] = _share(ten["action"] == ten["true_action"])
    return figures


def _share(right: NDArray[np.bool_]) -> float:
    return round(float(right.mean()), _DIGITS)


def interval(right: int, count: int) -> list[float]:
    """95 % interval of a share (Wilson's)."""
    share = right / count
    middle = share + _Z**2 / (2 * count)
    spread = _Z * float(np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)))
    scale = 1 + _Z**2 / count
    return [round((middle - spread) / scale, _DIGITS), round((middle + spread) / scale, _DIGITS)]
