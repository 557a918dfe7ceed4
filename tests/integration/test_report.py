"""The report page: whole from whatever a run folder holds, self-contained, and drawn without errors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exphil_league.cli.main import main
from exphil_league.config.loader import load_recipe
from exphil_league.errors import UserError
from exphil_league.league.service import LocalLeague
from exphil_league.observe.report_page import write_report
from exphil_league.run_folder import RunFolder, create, write_json
from tests.integration.league_writer import step
from tests.league_play import ROSTER, SETUP, Clock

SECTIONS = ("rating", "ladder", "payoff", "lineage", "curves", "settings")


def found(page: Path) -> dict[str, Any]:
    """The data in a page."""
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert data is not None
    read: dict[str, Any] = json.loads(data[1], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return read


def updates(run: RunFolder, count: int) -> None:
    with run.metrics.open("w") as lines:
        for update in range(count):
            numbers = {"training_iteration": update, "timesteps_total": update * 100, "time_total_s": float(update)}
            numbers |= {"rl/main/entropy": 3.0 - update / count, "rl/games": 2.0, "rl/game_frames": float("nan")}
            lines.write(json.dumps(numbers) + "\n")
        lines.write('{"training_iteration": 9, "rl/ma')


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = create(tmp_path / "run", load_recipe("smoke", ["seed=7"]), None)
    league = LocalLeague(made.root, SETUP, 0, Clock())
    league.enrol(ROSTER)
    for _ in range(120):
        step(league, league._league.state)
    league.close()
    updates(made, 500)
    made.warnings.write_text(json.dumps({"training_iteration": 3, "warning": "timer", "text": "</script><b>"}) + "\n")
    return made


def test_a_running_league_is_shown_whole(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--run", str(run.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    data = found(run.report)
    league = data["league"]
    assert told["report"] == str(run.report)
    assert league["ladder"]["players"]
    assert {point["player"] for line in league["lines"] for point in line["points"]} >= {"warm_start", "main@1"}
    assert league["payoff"]["evaluate"]["cells"]
    assert league["payoff"]["train"]["cells"]
    assert league["lineage"]["edges"]
    (entropy,) = data["curves"]
    points = entropy["series"][0]["points"]
    assert entropy["title"] == "Entropy"
    assert len(points) == 200
    assert points[0][1] > points[-1][1]
    assert ["seed", 7, 1] in data["settings"]["changed"]
    assert data["warnings"][0]["text"] == "</script><b>"


def test_what_fresh_exploiters_reached_is_in_the_page(run: RunFolder) -> None:
    league = LocalLeague(run.root, SETUP, 0, Clock())
    digest = league.player("main@1").digest
    league.close()
    probe = {"target": digest, "start": "style_1", "frames": 10, "games": 9, "rate": 0.4, "low": 0.2, "high": 0.6}
    write_json(run.probes, {"probes": [probe, probe | {"target": "0123456789abcdef"}]})
    write_report(run.root)
    assert found(run.report)["probes"] == [probe | {"name": "main@1"}, found(run.report)["probes"][1]]
    assert found(run.report)["probes"][1]["name"] == "0123456789ab"


def test_the_page_loads_nothing(run: RunFolder) -> None:
    write_report(run.root)
    text = run.report.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(|<link[^>]+stylesheet|<script[^>]+src|fetch\(|XMLHttp", text)
    assert text.count("</script>") == 2, "nothing in the data ends the script early"


@pytest.mark.parametrize("part", ["league.sqlite", "metrics.jsonl", "recipe.yaml"])
def test_a_run_that_lacks_a_part_says_so(run: RunFolder, part: str) -> None:
    (run.root / part).unlink()
    told = write_report(run.root)
    assert any(part in reason for reason in told["missing"]), told["missing"]
    assert (found(run.report)["league"] is None) == (part == "league.sqlite")


def test_a_run_of_another_version_is_shown_as_far_as_it_goes(run: RunFolder) -> None:
    run.recipe.write_text("warp: 9\n")
    run.recovery.write_text("not json")
    told = write_report(run.root)
    assert any("another version" in reason for reason in told["missing"])
    assert any("recovery.json" in reason for reason in told["missing"])
    assert found(run.report)["settings"] == {"text": "warp: 9\n", "changed": []}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a recipe nor a league"):
        write_report(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="draws the page in Chromium")
@pytest.mark.parametrize("parts", [(), ("league.sqlite", "metrics.jsonl", "recovery.json")])
def test_every_section_is_drawn_or_says_what_is_missing(run: RunFolder, tmp_path: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        (run.root / part).unlink(missing_ok=True)
    write_report(run.root)
    browser = ("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}")
    drawn = subprocess.run(
        [*browser, "--virtual-time-budget=3000", "--dump-dom", run.report.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    body = drawn[: drawn.index('<script type="application/json"')]
    for name in SECTIONS:
        (section,) = re.findall(rf'<section id="{name}".*?</section>', body, re.DOTALL)
        assert "<svg" in section or "<table" in section or 'class="note"' in section, name
    assert body.count("<svg") >= (5 if not parts else 0)
