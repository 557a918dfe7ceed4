"""`league compare`: a gain is stated with disjoint intervals only, and not across scales."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envs.backend import Backend
from exphil_league import compare_games
from exphil_league.compare import compare
from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.league import LeagueSetup, LearnerConfig
from exphil_league.errors import UserError
from exphil_league.league.model import Job, Roster
from exphil_league.league.service import LocalLeague
from exphil_league.observe.report_page import write_report
from exphil_league.run_folder import write_json
from policies.scripted import scripted_digest

SETUP = LeagueSetup(evaluation=EvaluationConfig(stocks=1, time_limit_s=3.0))
ROSTER = Roster(
    warm_start=scripted_digest("random"),
    anchors={name: scripted_digest(name) for name in ("attacker", "walker")},
    anchor_digest="anchors",
)


def run_of(folder: Path, main: str, frames: int = 1000, setup: LeagueSetup = SETUP, roster: Roster = ROSTER) -> Path:
    """A run whose main player is a scripted one."""
    only_main = setup.league.model_copy(update={"learners": (LearnerConfig(),)})
    league = LocalLeague(folder, setup.model_copy(update={"league": only_main}), seed=0)
    league.enrol(roster)
    league.freeze("main", scripted_digest(main), frames)
    league.close()
    return folder


def test_a_clear_gain_is_stated_and_an_unclear_one_is_not(tmp_path: Path) -> None:
    strong, weak = run_of(tmp_path / "strong", "fighter"), run_of(tmp_path / "weak", "idle", frames=2000)
    found = compare([strong, weak], games=24)
    (result,) = found["comparisons"]
    direct = result["measures"]["head_to_head"]
    assert (result["better"], direct["better"], found["decided"]) == ("strong", "strong", True)
    assert direct["one"]["games"] == 24
    assert direct["one"]["low"] > direct["other"]["high"]
    assert "not at equal frames" in found["warnings"][0]
    assert result["measures"]["elo"]["one"]["value"] > result["measures"]["elo"]["other"]["value"]
    for run in (strong, weak):
        write_report(run)
        page = (run / "report.html").read_text()
        assert json.loads(page.split('id="data">')[1].split("</script>")[0])["comparisons"] == [found]

    twin = run_of(tmp_path / "twin", "fighter")
    even = compare([strong, twin], games=0)
    assert not even["decided"]
    assert even["warnings"] == []
    again = compare([twin, strong], games=2)
    kept = json.loads((strong / "comparisons.json").read_text())["comparisons"]
    assert kept == [found, again], "the newest of each set of runs"
    assert even["comparisons"][0]["better"] is None


def test_games_are_kept_and_only_what_is_missing_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle, a torn line, more games, another order of the runs: no game is played twice."""
    runs = [run_of(tmp_path / name, name) for name in ("fighter", "idle")]
    played: list[str] = []
    right = compare_games.play_matches

    def counted(backend: Backend, jobs: list[Job], *args: Any, on_game: Any, **kwargs: Any) -> Any:
        def noted(job: Job, *rest: Any) -> None:
            on_game(job, *rest)
            played.append(job.job_id)
            if len(played) == 9:
                raise KeyboardInterrupt

        return right(backend, jobs, *args, on_game=noted, **kwargs)

    monkeypatch.setattr(compare_games, "play_matches", counted)
    with pytest.raises(KeyboardInterrupt):
        compare(runs, games=8)
    lines = [line for run in runs for line in (run / "comparison_games.jsonl").read_bytes().split()]
    assert len(lines) == len(played) == 9
    torn = runs[0] / "comparison_games.jsonl"
    torn.write_bytes(torn.read_bytes()[:-5])
    (first,) = compare(runs, games=8)["comparisons"]
    assert first["measures"]["head_to_head"]["one"]["games"] == 8
    assert len(played) == 8 + 2 * 8 + 1, "one was lost with its line"
    before = len(played)
    again = compare(runs[::-1], games=8)["comparisons"][0]["measures"]["head_to_head"]
    assert len(played) == before
    assert again["other"] == first["measures"]["head_to_head"]["one"]
    compare(runs, games=12)
    assert len(played) == before + 4 + 2 * 4


def test_runs_of_unequal_length_are_compared_as_they_were_at_equal_frames(tmp_path: Path) -> None:
    """The longer run stands for itself with what it had frozen by then, not with what it became."""
    short, long = run_of(tmp_path / "short", "idle", frames=1000), run_of(tmp_path / "long", "idle", frames=1000)
    league = LocalLeague(long, LeagueSetup(), seed=0)
    league.freeze("main", scripted_digest("fighter"), 5000)
    league.close()
    now, then, between = (compare([long, short], games=8, at_frames=at) for at in (None, 1000, 4999))
    assert [about["main"] for found in (now, then, between) for about in found["runs"]] == [
        *("main@2", "main@1"), *("main@1", "main@1"), *("main@1", "main@1"),
    ]  # fmt: skip
    assert [about["env_frames"] for about in (*now["runs"], *between["runs"])] == [5000, 1000, 1000, 1000]
    assert "--at-frames 1000" in now["warnings"][0]
    assert then["warnings"] == []


def test_few_games_decide_nothing_and_say_how_many_would(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, name) for name in ("fighter", "idle")]
    (result,) = compare(runs, games=2)["comparisons"]
    assert result["better"] is None
    assert result["measures"]["elo"]["games_to_decide"] > 2
    assert result["games_to_decide"] > 2


def test_fresh_exploiters_count_when_both_runs_were_probed_alike(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, name) for name in ("fighter", "idle")]

    def probed(run: Path, main: str, rates: dict[str, float], frames: int = 100) -> None:
        about = {"target": scripted_digest(main), "start_digest": "d", "frames": frames, "games": 400, "seed": 1}
        write_json(run / "probe.json", {"probes": [about | {"start": s, "rate": r} for s, r in rates.items()]})

    probed(runs[0], "fighter", {"warm_start": 0.1, "style": 0.3})
    probed(runs[1], "idle", {"warm_start": 0.2, "style": 0.6, "other": 0.99})
    (result,) = compare(runs, games=0)["comparisons"]
    exploiters = result["measures"]["fresh_exploiter"]
    assert [round(exploiters[side]["value"], 1) for side in ("one", "other")] == [0.3, 0.6], "strongest common start"
    assert (exploiters["better"], result["better"]) == ("fighter", "fighter"), "less is better"
    probed(runs[1], "idle", {"warm_start": 0.2, "style": 0.6}, frames=200)
    assert "fresh_exploiter" not in compare(runs, games=0)["comparisons"][0]["measures"]


def test_measures_that_disagree_are_named_and_no_number_of_games_is_asked_for(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, name) for name in ("fighter", "idle")]
    for run, rate in zip(runs, (0.6, 0.3), strict=True):
        about = {"start": "warm_start", "start_digest": "d", "frames": 100, "games": 400, "seed": 1, "rate": rate}
        write_json(run / "probe.json", {"probes": [about | {"target": scripted_digest(run.name)}]})
    (result,) = compare(runs, games=24)["comparisons"]
    assert (result["better"], result["games_to_decide"]) == (None, None)
    verdict = result["verdict"]
    assert verdict.startswith("the measures disagree")
    assert "fighter is better by elo" in verdict
    assert verdict.endswith("idle is better by fresh_exploiter")


def test_different_scales_are_refused(tmp_path: Path) -> None:
    here = run_of(tmp_path / "here", "fighter")
    other = run_of(tmp_path / "other", "fighter", roster=replace(ROSTER, anchor_digest="anchors-2"))
    with pytest.raises(UserError, match=r"anchors of here .* and other .* differ"):
        compare([here, other], games=0)
    game = SETUP.game.model_copy(update={"backend": "dolphin"})
    emulated = run_of(tmp_path / "emulated", "fighter", setup=SETUP.model_copy(update={"game": game}))
    with pytest.raises(UserError, match="rated on sim, emulated on dolphin"):
        compare([here, emulated], games=0)
    with pytest.raises(UserError, match="two or more different"):
        compare([here], games=0)
