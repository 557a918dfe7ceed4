"""What a run reports: names, JSON lines across a resume, the console line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exphil_league.config.run import RunConfig
from exphil_league.observe import metric_names as names
from exphil_league.observe.sinks import Console, JsonLines, progress_line, time_left_s


def metrics(update: int, **more: float) -> dict[str, float]:
    return {names.UPDATES: update, names.ENV_FRAMES: update * 1000, names.SECONDS: update * 2.0} | more


def updates(path: Path) -> list[int]:
    return [json.loads(line)[names.UPDATES] for line in path.read_text().splitlines()]


def test_a_resumed_run_writes_each_update_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first = JsonLines(path)
    for update in range(1, 8):
        first.write(metrics(update))
    with path.open("a") as killed:
        killed.write('{"training_iteration": 8, "timest')
    second = JsonLines(path)
    for update in (*range(5, 10), *range(8, 10)):  # and in one process, when the trial restarts
        second.write(metrics(update))
    assert updates(path) == list(range(1, 10))


def test_the_console_speaks_at_its_interval(capsys: pytest.CaptureFixture[str]) -> None:
    now_s, ladders = [0.0], []
    console = Console(RunConfig(console_every_s=10), lambda: ladders.append(now_s[0]), lambda: now_s[0])
    for second in range(25):
        now_s[0] = float(second)
        console.write(metrics(second + 1, **{names.RATING_GAMES: second}))
    assert capsys.readouterr().err.count("league: update") == 3
    assert ladders == [10.0, 20.0]


def test_the_progress_line_shows_rating_and_time_left() -> None:
    found = metrics(10, **{names.ELO: 1042.0, names.ELO_LOW: 1000.0, names.ELO_HIGH: 1084.0, names.FPS: 5123.0})
    line = progress_line(found, RunConfig(max_minutes=1))
    assert line == "league: update 10, 10k frames, 5123 frames/s, 0 games/s, main 1042 ± 42 Elo, 40 s left"


@pytest.mark.parametrize(
    ("limits", "left_s"),
    [
        (RunConfig(), None),
        (RunConfig(max_updates=20), 20.0),
        (RunConfig(max_env_frames=15_000), 10.0),
        (RunConfig(max_env_frames=15_000, max_minutes=1), 10.0),
        (RunConfig(max_updates=5), 0.0),
    ],
)
def test_time_left_is_that_of_the_first_limit(limits: RunConfig, left_s: float | None) -> None:
    assert time_left_s(metrics(10), limits) == (left_s if left_s is None else pytest.approx(left_s))


def test_time_left_follows_the_present_speed_after_a_resume_on_a_faster_machine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 0.0
    console = Console(RunConfig(console_every_s=10, max_updates=1000), lambda: None, lambda: now_s)
    for update, spent_s in ((500, 5000.0), (510, 5010.0), (520, 5020.0)):  # 10 s an update before, then 1 s
        console.write(metrics(update, **{names.SECONDS: spent_s}))
        now_s += 10
    left = [line.rsplit(", ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert left == ["1 h 23 min left", "8 min 10 s left", "8 min 00 s left"]


def row(player: str, kind: str, elo: float, games: int) -> dict[str, Any]:
    pool = {"nash_mass": 0.25, "min_win_rate": 0.4, "role": "anchors" if kind == "anchor" else player.partition("@")[0]}
    return {"player": player, "kind": kind, "elo": elo, "low": elo - 50, "high": elo + 50, "games": games, **pool}


def pair(player: str, opponent: str, win_rate: float, games: int = 10) -> dict[str, Any]:
    around = {"low": win_rate - 0.1, "high": win_rate + 0.2}
    return {"player": player, "opponent": opponent, "win_rate": win_rate, "games": games, **around}


def test_league_metrics_are_those_of_the_main_players_newest_snapshot() -> None:
    ladder = {
        "main": "main@2",
        "cyclicity": 0.3,
        "players": [
            *(row(f"main@{n}", "main", 900 + 100 * n, 20) for n in (2, 1)),
            *(row(f"old@{n}", "historical", 800 - 10 * n, 20) for n in range(5)),
            *(row("walker", "anchor", 900, 20), row("idle", "anchor", 500, 0)),
        ],
    }
    met = [pair("walker", "main@2", 0.2), pair("main@1", "walker", 1), pair("warm_start", "main@2", 0.4)]
    flat = names.flatten({"league": names.league_metrics(ladder, [*met, pair("main@2", "idle", 0.5, 0)])})
    assert flat[names.ELO] == 1100
    assert (flat[names.ELO_LOW], flat[names.ELO_HIGH]) == (1050, 1150)
    assert flat[names.RATING_GAMES] == 80
    assert flat[names.CYCLICITY] == 0.3
    assert flat[names.MIN_WIN_RATE] == 0.4
    assert [flat[f"{names.TOP_ELO}{place}"] for place in (1, 2, 3)] == [1100, 1000, 800]
    assert f"{names.TOP_ELO}4" not in flat
    masses = {name.removeprefix(names.NASH_MASS): mass for name, mass in flat.items() if names.NASH_MASS in name}
    assert masses == {"main": 0.5, "old": 1.25, "anchors": 0.25}
    rates = {name: value for name, value in flat.items() if name.startswith(names.WIN_RATE)}
    assert rates == {names.WIN_RATE + "walker": pytest.approx(0.8)}
    bounds = [flat[name] for name in (names.VS_WARM_START_LOW, names.VS_WARM_START, names.VS_WARM_START_HIGH)]
    assert bounds == pytest.approx([0.4, 0.6, 0.7])


def test_an_unrated_main_has_no_elo_yet() -> None:
    ladder = {"main": "warm_start", "cyclicity": None, "players": [row("warm_start", "historical", 1000, 0)]}
    assert names.ELO not in names.flatten({"league": names.league_metrics(ladder, [])})
