"""The simulator's benchmark: its figures, and the inputs it is measured on."""

from __future__ import annotations

import numpy as np

from exphil_league.bench.sim import HOLD_FRAMES, measure, sticky_inputs


def test_the_figures_of_a_short_run() -> None:
    figures = measure(games=16, seconds=0.2)
    assert set(figures) == {"frames_per_cpu_s", "games", "characters", "stages", "ratio_to_calibration"}
    assert figures["games"] == 16
    assert {"FOX", "MEWTWO"} <= set(figures["characters"])
    assert len(figures["stages"]) == 6
    assert figures["frames_per_cpu_s"] > 1000
    assert 0 < figures["ratio_to_calibration"] < 1


def test_inputs_are_held_for_about_the_mean_duration() -> None:
    inputs = sticky_inputs(np.random.default_rng(0), 240, 64)
    assert inputs.shape == (240, 64, 2)
    words = inputs.view(np.int32).reshape(240, 128, -1)
    changes = (words[1:] != words[:-1]).any(axis=-1).mean()
    assert 0.5 / HOLD_FRAMES < changes < 1.5 / HOLD_FRAMES
    assert len(np.unique(inputs["buttons"])) == 9
