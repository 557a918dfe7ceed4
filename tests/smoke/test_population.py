"""`train` of a population from end to end: rounds, kill -9 and resume, the best member's main player as the run's."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.smoke.test_train import PATIENCE_S, QUICK, Driver, accepted, finished, lines_in, wait_until

pytestmark = pytest.mark.slow

POPULATION = (
    *("population.members=2", "population.every_updates=2", "population.games=2", "population.quantile=0.5"),
    *("population.confidence_z=0", "population.ranges={learning_rate: [1e-4, 1e-3], reward.damage: [0.005, 0.05]}"),
    *("run.max_updates=7", "run.checkpoint_every_updates=1", "evaluation.every_updates=100"),
)
LONG_S = 3 * PATIENCE_S
"""Two leagues with their processes, begun anew after every round."""
MEMBERS = ("member_0", "member_1")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A small population, killed between its first and its second round and resumed: its folder, what it printed."""
    cwd = tmp_path_factory.mktemp("population")
    run = cwd / "run"
    with Driver("train", "smoke", "--out", "run", "--set", *QUICK, *POPULATION, cwd=cwd) as process:
        lines = [run / "population" / name / "metrics.jsonl" for name in MEMBERS]
        wait_until(lambda: any(lines_in(path) >= 3 for path in lines), process, LONG_S)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)
    before = {name: accepted(run / "population" / name) for name in MEMBERS}
    printed = finished("train", "--resume", "run", cwd=cwd, patience_s=LONG_S)
    for name in MEMBERS:
        assert before[name].items() <= accepted(run / "population" / name).items()
    return run, printed


def rounds(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run / "population.json").read_text())["rounds"]
    return found


def test_members_train_the_same_updates_and_meet_in_every_round(killed: tuple[Path, dict[str, Any]]) -> None:
    run, _ = killed
    assert [found["update"] for found in rounds(run)] == [0, 2, 4, 6, None]
    assert sum(len(found["exploits"]) for found in rounds(run)) > 0
    for name in MEMBERS:
        lines = [json.loads(line) for line in (run / "population" / name / "metrics.jsonl").read_text().splitlines()]
        assert [line["training_iteration"] for line in lines] == list(range(1, 8))


def test_every_update_is_trained_with_the_numbers_of_its_round(killed: tuple[Path, dict[str, Any]]) -> None:
    run, _ = killed
    for name in MEMBERS:
        for text in (run / "population" / name / "metrics.jsonl").read_text().splitlines():
            line = json.loads(text)
            numbers = rounds(run)[(int(line["training_iteration"]) - 1) // 2]["values"][name]
            for player, own in numbers.items():
                assert line[f"population/{player}/learning_rate"] == pytest.approx(own["learning_rate"])
                assert line[f"rl/{player}/learning_rate"] == pytest.approx(own["learning_rate"])
                assert line[f"population/{player}/reward_damage"] == pytest.approx(own["reward.damage"])


def test_who_goes_on_from_whom_is_in_the_receivers_lineage(killed: tuple[Path, dict[str, Any]]) -> None:
    run, _ = killed
    for found in rounds(run):
        for exploit in found["exploits"]:
            home = run / "population" / exploit["receiver"]
            lineage = finished("league", "lineage", "--run", str(home), cwd=run)
            root = f"{exploit['player']}@{exploit['donor']}.{found['round']}"
            (donor,) = (row for row in lineage["players"] if row["player"] == root)
            assert (donor["digest"], donor["reason"], donor["parent"]) == (exploit["digest"], "pbt", None)
            assert {"parent": root, "child": exploit["player"], "reason": "pbt"}.items() <= next(
                edge for edge in lineage["edges"] if edge["parent"] == root and edge["child"] == exploit["player"]
            ).items()


def test_the_best_main_player_is_the_runs(killed: tuple[Path, dict[str, Any]]) -> None:
    run, printed = killed
    best = json.loads((run / "population.json").read_text())["best"]
    rows = {row["player"]: row for row in printed["ladder"]["players"]}
    lineage = {row["player"]: row for row in finished("league", "lineage", "--run", str(run), cwd=run)["players"]}
    assert lineage[printed["ladder"]["main"]]["digest"] == best["mains"][best["member"]]["digest"]
    other = next(name for name in MEMBERS if name != best["member"])
    assert lineage[f"main@{other}"]["digest"] == best["mains"][other]["digest"]
    assert {"main@1", f"main@{other}", f"main@{best['member']}.{best['round']}"} <= rows.keys()
    assert Path(printed["agent"]).is_file()
    assert "Population: learning_rate of main" in Path(printed["report"]).read_text()
