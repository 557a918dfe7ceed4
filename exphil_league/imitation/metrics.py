"""What a cloned policy is measured by: nats per frame of four joint parts, beside two baselines.

The baselines are fitted on the training games. `majority` predicts a part's distribution over all frames;
`table` the next joint value given the present one, which is strong, since inputs mostly stay as they are.
Both are smoothed, so that a value never seen costs a finite number of nats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import PART_SIZES
from policies.spec import ActionTiming
from policies.transitions import TRANSITION_ROWS, partner_size, transition_row

JOINT_PARTS: Final[dict[str, tuple[int, ...]]] = {
    "buttons": (0,),
    "main_stick": (1, 2),
    "c_stick": (3, 4),
    "shoulder": (5,),
}
"""Reported part -> action parts it joins. A stick is one value of 17 x 17."""
_UNSEEN: Final = 0.5
"""Added to every count of the marginal (Jeffreys prior)."""
_BACKOFF: Final = 16.0
"""Weight, in frames, of the marginal in each row of the table: of 0.5 to 64 the value that makes the table
strongest on held-out real games (main stick 0.875 nats at 0.5, 0.862 at 16)."""

Counts = NDArray[np.float64]
Parts = NDArray[np.integer]


def joint_size(name: str) -> int:
    """How many values a reported part has."""
    return int(np.prod([PART_SIZES[part] for part in JOINT_PARTS[name]]))


def joint(parts: Parts, name: str) -> NDArray[np.int64]:
    """Joint value [..] of a reported part from action parts [.., 6]."""
    value = np.zeros(parts.shape[:-1], np.int64)
    for part in JOINT_PARTS[name]:
        value = value * PART_SIZES[part] + parts[..., part]
    return value


@dataclass(frozen=True)
class Baselines:
    """Log-probabilities of the two baselines for each reported part."""

    majority: dict[str, Counts]
    """[size]"""
    table: dict[str, Counts]
    """[size, size]: row the present value, column the next."""


@dataclass
class TransitionCounts:
    """How often a value followed a value on the training games."""

    joint: dict[str, Counts] = field(
        default_factory=lambda: {name: np.zeros((joint_size(name),) * 2) for name in JOINT_PARTS}
    )
    """[present, next] of each reported part."""
    single: list[Counts] = field(
        default_factory=lambda: [np.zeros(shape) for shape in zip(TRANSITION_ROWS, PART_SIZES, strict=True)]
    )
    """[row of `policies.transitions`, next] of each action part."""

    def add(self, parts: Parts, timing: ActionTiming) -> None:
        """Count a seat's controllers [n, 6]: each label with what was pressed an action repeat before it."""
        parts = parts.astype(np.int64)
        last = parts[timing.delay_frames : -timing.action_repeat]
        following = parts[timing.delay_frames + timing.action_repeat :]
        for name, counts in self.joint.items():
            _count(counts, joint(last, name), joint(following, name))
        for part, counts in enumerate(self.single):
            taken = following[:, part - 1] if part else None
            changed = taken != last[:, part - 1] if part else None
            _count(counts, transition_row(part, last, taken, changed), following[:, part])

    def baselines(self) -> Baselines:
        """Both baselines, smoothed."""
        majority = {name: _marginal(counts) for name, counts in self.joint.items()}
        table = {name: np.log(_table(counts)) for name, counts in self.joint.items()}
        return Baselines({name: np.log(p) for name, p in majority.items()}, table)

    def head_tables(self) -> list[Counts]:
        """Smoothed probabilities [TRANSITION_ROWS, size] that the head's transition tables start from.

        A row seen too rarely leans on those that differ only in the partner, and these on the marginal.
        """
        tables = []
        for part, counts in enumerate(self.single):
            by_partner = counts.reshape(2, partner_size(part), PART_SIZES[part], PART_SIZES[part])
            coarse = _table(by_partner.sum(1).reshape(-1, PART_SIZES[part])).reshape(by_partner[:, :1].shape)
            tables.append((by_partner + _BACKOFF * coarse).reshape(counts.shape))
        return tables


def _count(counts: Counts, row: NDArray[np.integer], column: NDArray[np.integer]) -> None:
    cells = np.bincount(row * counts.shape[1] + column, minlength=counts.size)
    counts += cells.reshape(counts.shape)


def _marginal(counts: Counts) -> Counts:
    following = counts.sum(0) + _UNSEEN
    return following / following.sum()


def _table(counts: Counts) -> Counts:
    smoothed = counts + _BACKOFF * _marginal(counts)
    return smoothed / smoothed.sum(1, keepdims=True)


@dataclass
class _PartSums:
    nll: float = 0.0
    majority: float = 0.0
    table: float = 0.0
    changes: int = 0
    right_changes: int = 0


class HeldOutScores:
    """Sums over held-out rows; `report` divides."""

    def __init__(self, baselines: Baselines) -> None:
        self._baselines = baselines
        self._sums = {name: _PartSums() for name in JOINT_PARTS}
        self.rows = 0

    def add(
        self, last: Parts, labels: Parts, part_log_prob: NDArray[np.float32], likeliest: NDArray[np.integer]
    ) -> None:
        """Rows [n]: the controller before, the label, the policy's log-probability [n, 6] of the label's parts,
        and the likeliest value [n, 6] of each part given the label's earlier parts."""
        self.rows += len(labels)
        hits = likeliest == labels
        for name, sums in self._sums.items():
            parts = list(JOINT_PARTS[name])
            before, after = joint(last, name), joint(labels, name)
            sums.nll -= float(part_log_prob[:, parts].sum(dtype=np.float64))
            sums.majority -= float(self._baselines.majority[name][after].sum())
            sums.table -= float(self._baselines.table[name][before, after].sum())
            changed = before != after
            sums.changes += int(changed.sum())
            sums.right_changes += int(hits[changed][:, parts].all(1).sum())

    def report(self) -> dict[str, dict[str, float]]:
        """For each part: nats per frame of policy and baselines, and the share of changes that were the
        policy's likeliest value. Zeros stand for no rows."""
        rows = max(self.rows, 1)
        return {
            name: {
                "nll": sums.nll / rows,
                "majority_nll": sums.majority / rows,
                "table_nll": sums.table / rows,
                "change_accuracy": sums.right_changes / max(sums.changes, 1),
            }
            for name, sums in self._sums.items()
        }


def total_nll(report: dict[str, dict[str, float]]) -> float:
    """Nats per frame of the whole controller."""
    return sum(part["nll"] for part in report.values())
