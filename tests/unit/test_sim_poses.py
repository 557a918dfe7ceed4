"""Bodies by animation frame: what a character's table of poses becomes, and how such a table is fitted."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from envs.game import Action
from envs.sim import facts
from envs.sim.combat_layout import CHARACTER_COMBAT, HURT_PARTS
from envs.sim.fidelity.measure_shape import Fit, distances, fit_animation, read_silhouettes
from envs.sim.hurt import compile_hurt

PIXELS_PER_UNIT = 4.5
FRAMES = 12


def compiled(character: str) -> np.void:
    combat = np.zeros(1, CHARACTER_COMBAT)[0]
    compile_hurt(character, combat)
    return combat


@pytest.mark.parametrize("character", ["fox", "falco", "marth"])
def test_bodies_follow_their_tables_on_lines_between_the_keys(character: str) -> None:
    combat = compiled(character)
    table = np.array(facts.rows(f"characters/{character}_poses"))
    margin = facts.load(f"characters/{character}_hurt")["poses"]["margin"]
    keys = table[table[:, 0] == Action.BAIR.value]
    pose = combat["poses"][Action.BAIR.value]
    assert pose["frames"] == keys[-1, 1] + 1
    first, second = next(pair for pair in itertools.pairwise(keys) if pair[1][1] - pair[0][1] > 1)
    share = 1 / (second[1] - first[1])
    wanted = (first[2:] * (1 - share) + second[2:] * share).reshape(HURT_PARTS, -1)
    found = combat["hurt_frames"][int(pose["row"] + first[1] + 1)]
    np.testing.assert_allclose(found["x0"], wanted[:, 0], atol=1e-4)
    np.testing.assert_allclose(found["radius"], wanted[:, 4] + margin, atol=1e-4)


def test_states_share_animations_loop_or_stay_in_their_stance() -> None:
    combat = compiled("fox")
    poses = combat["poses"]
    assert poses[Action.WALK_FAST.value] == poses[Action.WALK_SLOW.value] != poses[Action.DASHING.value]
    assert poses["loops"][Action.RUNNING.value]
    assert not poses["loops"][Action.NAIR.value]
    assert poses["frames"][Action.DAMAGE_FLY_TOP.value] == 1 < poses["frames"][Action.NAIR.value]
    used = combat["hurt_frames"][: int((poses["row"] + poses["frames"]).max())]
    assert (used["radius"] > 0).all()


def test_a_table_without_a_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare.csv").write_text("# numbers\na,b\n1,2\n")
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(facts.MissingSource, match="bare"):
        facts.rows("bare")
    assert facts.rows("absent") == []


def box_drawing(left: float) -> str:
    """A silhouette of a box, 3 units wide and 12 high, from `left` units and the floor; screen heights grow down."""
    corners = [(left, 0), (left + 3, 0), (left + 3, -12), (left, -12), (left, 0)]
    path = [corners[0]]
    for begin, end in itertools.pairwise(corners):
        path += [begin, end, end]
    return "new Int16Array([" + ",".join(f"{round(v * PIXELS_PER_UNIT)}" for point in path for v in point) + "])"


def test_a_moving_silhouette_is_fitted_and_needs_few_frames(tmp_path: Path) -> None:
    drawing = tmp_path / "WALK.js"
    drawing.write_text("module.exports=[" + ",".join(f"[{box_drawing(2 * k / 9)}]" for k in range(FRAMES)) + "]")
    frames = read_silhouettes(drawing, scale=1.0)
    assert len(frames) == FRAMES
    np.testing.assert_allclose(frames[0][0].max(axis=0), (3, 12), atol=0.2)
    keys = fit_animation(frames)
    assert {0, FRAMES - 1} <= set(keys)
    assert len(keys) < FRAMES / 2
    for frame, capsules in keys.items():
        assert Fit(distances(frames[frame])).error(capsules) < 0.4
