"""Baselines and held-out scores against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from envs.controller import NEUTRAL_PARTS, PART_SIZES
from exphil_league.imitation.metrics import JOINT_PARTS, HeldOutScores, TransitionCounts, joint, joint_size, total_nll
from policies.spec import ActionTiming
from policies.transitions import TRANSITION_ROWS


def _controllers(main_x: list[int]) -> np.ndarray:
    parts = np.tile(NEUTRAL_PARTS, (len(main_x), 1))
    parts[:, 1] = main_x
    return parts


def test_joint_values_tell_all_stick_positions_apart() -> None:
    x, y = np.meshgrid(np.arange(17), np.arange(17))
    parts = np.zeros((289, 6), np.uint8)
    parts[:, 3], parts[:, 4] = x.ravel(), y.ravel()
    assert sorted(joint(parts, "c_stick")) == list(range(289)) == list(range(joint_size("c_stick")))


def test_the_table_learns_what_follows_and_the_majority_does_not() -> None:
    """A stick that goes round three places: no doubt for the table, ln 3 for the majority."""
    counts = TransitionCounts()
    round_and_round = _controllers([0, 8, 16] * 4000)
    counts.add(round_and_round, ActionTiming())
    scores = HeldOutScores(counts.baselines())
    last, label = round_and_round[:-1], round_and_round[1:]
    scores.add(last, label, np.zeros((len(label), 6), np.float32), label)
    report = scores.report()
    assert report["main_stick"]["majority_nll"] == pytest.approx(np.log(3), abs=0.03)
    assert report["main_stick"]["table_nll"] < 0.01
    assert report["buttons"]["table_nll"] < 0.02
    assert report["main_stick"]["nll"] == 0.0


def test_baselines_are_probabilities_and_finite_for_the_unseen() -> None:
    counts = TransitionCounts()
    counts.add(_controllers([8, 8, 9, 8]), ActionTiming())
    baselines = counts.baselines()
    for name in JOINT_PARTS:
        assert np.exp(baselines.majority[name]).sum() == pytest.approx(1)
        np.testing.assert_allclose(np.exp(baselines.table[name]).sum(1), 1)
        assert np.isfinite(baselines.table[name]).all()


def test_the_heads_tables_are_counted_by_the_heads_own_rows() -> None:
    """From the same place the stick goes to (3, 5) or to (4, 9): which y comes is told by the x just taken."""
    counts = TransitionCounts()
    parts = _controllers([2, 3, 2, 4] * 200)
    parts[1::4, 2], parts[3::4, 2] = 5, 9
    counts.add(parts, ActionTiming())
    tables = counts.head_tables()
    assert [table.shape for table in tables] == list(zip(TRANSITION_ROWS, PART_SIZES, strict=True))
    y_rows = (tables[2] / tables[2].sum(1, keepdims=True)).reshape(2, 17, 17, 17)  # changed, x taken, last y, next y
    assert y_rows[1, 3, 8, 5] > 0.95
    assert y_rows[1, 4, 8, 9] > 0.95
    assert y_rows[1, 2, 5, 8] > 0.95


def test_a_delay_moves_the_first_counted_label() -> None:
    parts = _controllers([1, 2, 3, 4, 5])
    counts = TransitionCounts()
    counts.add(parts, ActionTiming(delay_frames=2))
    x = joint(parts, "main_stick")
    assert counts.joint["main_stick"].sum() == 2
    assert counts.joint["main_stick"][x[2], x[3]] == counts.joint["main_stick"][x[3], x[4]] == 1


def test_changes_count_only_where_the_whole_part_is_right() -> None:
    scores = HeldOutScores(TransitionCounts().baselines())
    last = _controllers([8, 8, 8, 8])
    label = _controllers([9, 9, 9, 8])
    label[:, 2] = [8, 9, 8, 8]
    likeliest = label.copy()
    likeliest[1, 2] = 8  # y wrong
    likeliest[2, 1] = 8  # x wrong
    log_prob = np.full((4, 6), -0.25, np.float32)
    scores.add(last, label, log_prob, likeliest)
    report = scores.report()
    assert report["main_stick"]["change_accuracy"] == pytest.approx(1 / 3)
    assert report["main_stick"]["nll"] == pytest.approx(0.5)
    assert total_nll(report) == pytest.approx(1.5)
