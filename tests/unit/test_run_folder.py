"""Run folders: never overwritten, refused by reason, locked while in use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from exphil_league.config.loader import load_recipe
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.run_folder import create, reopen
from exphil_league.train import TrainRequest, open_run, planned_recipe, settled


def test_a_created_run_reopens_with_its_recipe(tmp_path: Path) -> None:
    recipe = Recipe(name="mine", seed=7)
    create(tmp_path / "run", recipe, replays=tmp_path)
    run = reopen(tmp_path / "run")
    assert run.load_recipe() == recipe
    assert run.load_about()["replays"] == str(tmp_path)


def test_an_existing_run_is_not_overwritten(tmp_path: Path) -> None:
    create(tmp_path / "run", Recipe(), None)
    with pytest.raises(UserError, match="--resume"):
        create(tmp_path / "run", Recipe(), None)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="not a run"):
        create(tmp_path, Recipe(), None)
    with pytest.raises(UserError, match="not a run folder"):
        reopen(tmp_path)


def test_a_run_of_another_format_is_refused_by_name(tmp_path: Path) -> None:
    run = create(tmp_path / "run", Recipe(), None)
    run.about.write_text(json.dumps({"format": "exphil-league-run-0"}))
    with pytest.raises(UserError, match=r"exphil-league-run-0.*--out"):
        reopen(run.root)


def test_a_recipe_of_another_version_names_file_and_key(tmp_path: Path) -> None:
    run = create(tmp_path / "run", Recipe(), None)
    run.recipe.write_text(run.recipe.read_text() + "warp: 9\n")
    with pytest.raises(UserError, match=r"recipe\.yaml: unknown key warp"):
        run.load_recipe()


def test_a_moved_run_is_told_where_it_belongs(tmp_path: Path) -> None:
    create(tmp_path / "run", Recipe(), None).require_unmoved()
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(UserError, match=rf"{moved} was made as {tmp_path}/run .* move it back"):
        reopen(moved).require_unmoved()


def test_only_one_process_works_on_a_run(tmp_path: Path) -> None:
    run = create(tmp_path / "run", Recipe(), None)
    with run.locked(), pytest.raises(UserError, match="another process"), run.locked():
        pass
    with run.locked():
        pass


def test_what_becomes_of_a_run_that_is_there_is_said_by_name(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = TrainRequest(recipe="smoke", sets=("run.max_updates=3",), out=out, if_exists="resume")
    assert settled(asked) == asked, "nothing is there yet"
    create(out, load_recipe("smoke"), None)
    resumed = settled(asked)
    assert (resumed.resume, resumed.recipe) == (out, None)
    assert planned_recipe(resumed).run.max_updates == 3
    with pytest.raises(UserError, match=r"seed is 1, not 2\. A resumed run may change only"):
        settled(replace(asked, sets=("seed=2",)))
    with pytest.raises(UserError, match="--resume"):
        open_run(replace(asked, if_exists="fail"), load_recipe("smoke"))
    begun = reopen(out).load_about()["id"]
    assert open_run(replace(asked, if_exists="restart"), load_recipe("smoke")).load_about()["id"] != begun
    (aside,) = tmp_path.glob("run-before-*")
    assert reopen(aside).load_about()["id"] == begun
