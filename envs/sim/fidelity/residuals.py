"""Where predictions miss: groups by (state before, recorded state, predicted state), biggest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.game import Action
from envs.sim.fidelity.score import EXACT_UNITS, error_units


class Group(NamedTuple):
    """Misses of one kind."""

    before: int
    after: int  # recorded
    predicted: int
    misses: int
    rows: int  # all rows with this (before, after), missed or not
    error_x: float  # median over the group, predicted - recorded, units
    error_y: float
    examples: tuple[tuple[int, int, int], ...]  # (game index, port, frame predicted from)


def residuals(rows: NDArray[np.void], *, examples: int = 3) -> list[Group]:
    """Groups of the ROWs whose place or action state was missed, most rows first."""
    missed = rows[(error_units(rows) >= EXACT_UNITS) | (rows["action"] != rows["true_action"])]
    keys = np.stack([missed["before"], missed["true_action"], missed["action"]], axis=1)
    kinds, member, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(member.ravel(), kind="stable")
    ends = np.cumsum(counts)
    totals = _totals(rows)
    groups = []
    for kind, count, end in zip(kinds, counts, ends, strict=True):
        before, after, predicted = (int(part) for part in kind)
        chosen = missed[order[end - count : end]]
        total = totals[(before, after)]
        groups.append(
            Group(before, after, predicted, int(count), total, *_median_error(chosen), _spread(chosen, examples))
        )
    return sorted(groups, key=lambda group: -group.misses)


def _totals(rows: NDArray[np.void]) -> dict[tuple[int, int], int]:
    pairs, counts = np.unique(np.stack([rows["before"], rows["true_action"]], axis=1), axis=0, return_counts=True)
    return {(int(a), int(b)): int(n) for (a, b), n in zip(pairs, counts, strict=True)}


def _median_error(rows: NDArray[np.void]) -> tuple[float, float]:
    return float(np.median(rows["x"] - rows["true_x"])), float(np.median(rows["y"] - rows["true_y"]))


def _spread(rows: NDArray[np.void], count: int) -> tuple[tuple[int, int, int], ...]:
    """A few rows from all over the group."""
    chosen = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return tuple((int(rows["game"][i]), int(rows["port"][i]), int(rows["frame"][i])) for i in chosen)


def state_name(action: int) -> str:
    """An action state's number and name."""
    try:
        return f"{action} {Action(action).name}"
    except ValueError:
        return str(action)


def lines(groups: Sequence[Group], games: Sequence[str]) -> list[tuple[str, ...]]:
    """Cells of a table: kind of miss, count, rows, median error, examples."""
    shown: list[tuple[str, ...]] = []
    for group in groups:
        kind = f"{state_name(group.before)} -> {state_name(group.after)}"
        if group.predicted != group.after:
            kind += f" (predicted {state_name(group.predicted)})"
        places = "; ".join(f"{games[game]} P{port + 1} {frame}" for game, port, frame in group.examples)
        cells = (f"{group.misses}", f"{group.rows}", f"{group.error_x:+.3f}", f"{group.error_y:+.3f}")
        shown.append((kind, *cells, places))
    return shown
