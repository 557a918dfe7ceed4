"""The league recipe, its baselines and the probe: equal frames by construction, and each trains from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exphil_league.config.loader import difference, load_recipe
from exphil_league.errors import UserError
from exphil_league.league.core import League
from exphil_league.league.model import Roster
from exphil_league.probe import PROBE, TARGET, probe_recipe
from tests.league_play import Clock

BASELINES = ("baseline_selfplay", "baseline_fsp", "baseline_pfsp")
TINY = (
    *("run.max_env_frames=3072", "run.checkpoint_every_updates=2", "imitation.scripted_games=8", "imitation.epochs=1"),
    *("policy.core.width=32", "policy.head_width=32", "styles.count=2", "styles.min_games=2", "styles.epochs=1"),
    *("game.stocks=1", "game.time_limit_s=20", "ppo.games=12", "ppo.minibatches=2"),
    *("league.snapshot={min_frames: 512, timeout_frames: 512}", "evaluation.games=8", "evaluation.time_limit_s=10"),
    *("evaluation.every_updates=3", "evaluation.games_per_round=8", "evaluation.final_games=12"),
    *("evaluation.final_vs_warm_start=4", "promotion.games=4", "promotion.games_vs_warm_start=4"),
)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_differs_from_the_league_in_whom_it_meets_only(name: str) -> None:
    changed = set(difference(load_recipe("league"), load_recipe(name)))
    allowed = {"name", "league.learners", "league.weighting"}
    assert {key for key in changed if not key.startswith(("league.shares.", "league.starts."))} <= allowed
    assert load_recipe(name).run.max_env_frames == load_recipe("league").run.max_env_frames > 0


def test_a_recipe_is_laid_over_its_base_section_by_section(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_text("base: demo\nppo: {games: 24}\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text("base: below.yaml\nname: mine\nppo: {epochs: 3}\n")
    pairs = {"name": ("demo", "mine"), "ppo.games": (96, 24), "ppo.epochs": (2, 3)}
    assert difference(load_recipe("demo"), load_recipe(str(mine))) == pairs
    mine.write_text("base: mine.yaml\n")
    with pytest.raises(UserError, match="leads back to itself"):
        load_recipe(str(mine))


def test_a_probe_learns_in_one_seat_against_the_target_alone() -> None:
    recipe = probe_recipe(load_recipe("league"), frames=5000, seed=2)
    assert recipe.run.max_env_frames == 5000
    assert recipe.ppo == load_recipe("league").ppo.model_copy(update={"players": {}})
    league = League(recipe.league_setup(), np.random.default_rng(0), Clock(), ())
    league.enrol(Roster("start", {recipe.rating.anchor: "scripted", TARGET: "target"}, "anchors"))
    for job in league.request_jobs(PROBE, 1, 50):
        assert set(job.players) == {PROBE, TARGET}
        assert [player for player, learns in zip(job.players, job.learner_sides, strict=True) if learns] == [PROBE]
    assert league.maybe_snapshot(PROBE, "later", 10**9) is None


def finished(*arguments: str, cwd: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "exphil_league", *arguments, "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.slow
def test_league_baselines_and_probe_from_end_to_end(tmp_path: Path) -> None:
    """One warm start and one set of styles for all; the probe goes on from what it has measured."""
    finished("train", "league", "--out", "league", "--serial", "--set", *TINY, cwd=tmp_path)
    grown = json.loads((tmp_path / "league" / "warm_start.json").read_text())["checkpoint"]
    styles = json.loads((tmp_path / "league" / "styles.json").read_text())["styles"]
    lineage = finished("league", "lineage", "--run", "league", cwd=tmp_path)
    assert {row["player"] for row in lineage["players"] if row["kind"] == "style"} == {row["style"] for row in styles}
    for name in ("baseline_selfplay", "baseline_pfsp"):  # the third differs from this one in its weighting only
        sets = (*TINY, "imitation.from_run=league")
        finished("train", name, "--out", name, "--serial", "--set", *sets, cwd=tmp_path)
        assert json.loads((tmp_path / name / "warm_start.json").read_text())["checkpoint"] == grown
        assert json.loads((tmp_path / name / "trained.json").read_text())["timesteps_total"] == 3072

    options = ("--run", "baseline_selfplay", "--starts-from", "league", "--frames", "1536", "--games", "6", "--serial")
    one = finished("league", "probe", *options, "--styles", "warm_start", cwd=tmp_path)
    assert [(row["start"], row["games"]) for row in one["probes"]] == [("warm_start", 6)]
    every = finished("league", "probe", *options, cwd=tmp_path)
    assert every["probes"][0] == one["probes"][0]
    assert {row["start"] for row in every["probes"]} == {"warm_start", *(row["style"] for row in styles)}
    assert all(row["low"] <= row["rate"] <= row["high"] for row in every["probes"])
