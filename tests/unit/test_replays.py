"""Which games are learnt from: summaries, filters, duplicates, folders, statistics."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.backend import RESULT, EndedBy
from envs.frame import FIRST_FRAME, empty_frames
from envs.slippi.game import EndMethod, Game, GameMeta, PlayerKind, SeatMeta
from envs.slippi.write import ended, write_game
from exphil_league.bench.replays import measure_replays
from exphil_league.cli.replays import run_scan, run_stats
from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.replays.filters import Refusal, refusal
from exphil_league.replays.scan import FileReport, held_out, replay_files, scan, without_duplicates
from exphil_league.replays.summary import GameSummary, SeatSummary, summarise, winner
from tests.slippi_frames import needs_replays, replay_set

FOX, MARTH, POPO = 1, 18, 10
SEATS = (
    SeatMeta(port=0, external_id=2, character=FOX),
    SeatMeta(port=1, external_id=9, character=MARTH),
)
META = GameMeta(version=(3, 16, 0), stage=32, seats=SEATS, random_seed=7, scene=(8, 2))
PLAYS = SeatSummary(input_share=0.2, longest_idle_frames=300, stocks_lost=2, untouched_deaths=0, later_deaths=())
GOOD = GameSummary(META, frames=9000, seats=(PLAYS, PLAYS), winner=0)


def with_meta(**changes: Any) -> GameSummary:
    return dataclasses.replace(GOOD, meta=dataclasses.replace(META, **changes))


def with_player(**changes: Any) -> GameSummary:
    return dataclasses.replace(GOOD, seats=(PLAYS, dataclasses.replace(PLAYS, **changes)))


def seats(**changes: Any) -> tuple[SeatMeta, SeatMeta]:
    return SEATS[0], dataclasses.replace(SEATS[1], **changes)


@pytest.mark.parametrize(
    ("game", "reason", "config"),
    [
        (GOOD, None, {}),
        (with_meta(is_teams=True), Refusal.TEAMS, {}),
        (with_meta(scene=(30, 2)), Refusal.MODE, {}),
        (with_meta(scene=(2, 1)), Refusal.MODE, {}),
        (with_meta(scene=(2, 2)), None, {}),
        (with_meta(scene=(8, 5)), None, {}),
        (with_meta(scene=None), None, {}),
        (with_meta(stage=25), Refusal.STAGE, {}),
        (GOOD, Refusal.STAGE, {"stages": ("battlefield",)}),
        (with_meta(seats=seats(character=POPO)), Refusal.ICE_CLIMBERS, {}),
        (GOOD, Refusal.CHARACTER, {"characters": ("falco",)}),
        (with_meta(seats=seats(character=29)), Refusal.CHARACTER, {}),
        (GOOD, None, {"characters": ("fox",)}),
        (with_meta(seats=seats(stocks=3)), Refusal.RULES, {}),
        (with_meta(timer_s=60), Refusal.RULES, {}),
        (with_meta(has_timer=False), Refusal.RULES, {}),
        (with_meta(item_spawn_frequency=0), Refusal.RULES, {}),
        (with_meta(damage_ratio=1.5), Refusal.RULES, {}),
        (with_meta(is_pal=True), Refusal.RULES, {}),
        (with_meta(is_pal=True, timer_s=60), None, {"tournament_rules": False}),
        (with_meta(seats=seats(kind=PlayerKind.CPU)), None, {}),
        (
            with_meta(seats=tuple(dataclasses.replace(s, kind=PlayerKind.CPU) for s in SEATS)),
            Refusal.NO_HUMAN,
            {},
        ),
        (dataclasses.replace(GOOD, frames=2699), Refusal.TOO_SHORT, {}),
        (dataclasses.replace(GOOD, frames=2700), None, {}),
        (with_player(stocks_lost=0), None, {}),
        (GOOD, Refusal.FEW_STOCKS, {"min_stocks_lost": 5}),
        (with_player(input_share=0.059), Refusal.AWAY, {}),
        (with_player(input_share=0.061), None, {}),
        (with_player(longest_idle_frames=901), Refusal.AWAY, {}),
        (with_player(longest_idle_frames=900), None, {}),
        (with_player(untouched_deaths=2), Refusal.SELF_DESTRUCTS, {}),
        (with_player(untouched_deaths=1), None, {}),
        (with_player(later_deaths=((300, 19.0),)), Refusal.SELF_DESTRUCTS, {}),
        (with_player(later_deaths=((301, 0.0), (100, 20.0))), None, {}),
    ],
)
def test_each_reason_takes_a_game_out(game: GameSummary, reason: Refusal | None, config: dict[str, Any]) -> None:
    objection = refusal(game, ReplaysConfig(**config))
    assert (objection and objection[0]) == reason


def test_a_cpu_player_may_rest() -> None:
    idle = with_player(input_share=0.0, longest_idle_frames=5000)
    cpu = dataclasses.replace(idle, meta=dataclasses.replace(META, seats=seats(kind=PlayerKind.CPU)))
    assert refusal(idle, ReplaysConfig()) is not None
    assert refusal(cpu, ReplaysConfig()) is None


def played(stocks: list[list[int]], percent: list[float], last_hit_by: int = 6) -> Game:
    """A game whose seat 0 loses stocks as listed per frame; inputs change every fourth frame."""
    frames = empty_frames(len(stocks))
    frames["frame"] = -39 + np.arange(len(stocks))
    frames["stage"], frames["ports"], frames["frames_left"] = 32, (0, 1), 480 * 60
    player = frames["players"][:, :, 0]
    player["character"], player["stocks"] = (FOX, MARTH), stocks
    player["percent"][:, 0], player["percent"][:, 1] = percent, 50
    player["last_hit_by"] = last_hit_by
    player["controller"]["buttons"] = (np.arange(len(stocks)) % 4 == 0)[:, None] * 0x100
    player["controller"]["stick_x"], player["controller"]["stick_y"] = 0.0, 0.0
    return Game(frames, META)


def test_a_summary_counts_what_happened() -> None:
    stocks = [[4, 4]] * 10 + [[3, 4]] * 10 + [[2, 4]] * 10
    game = played(stocks, [0.0] * 10 + [0.0] * 9 + [35.0] + [0.0] * 10)
    summary = summarise(game)
    assert summary.frames == 30
    assert summary.seats[0].stocks_lost == 2
    assert summary.seats[0].untouched_deaths == 1
    assert summary.seats[0].later_deaths == ((10, 35.0),)
    assert summary.seats[0].input_share == pytest.approx(15 / 29)
    assert summary.seats[0].longest_idle_frames == 2
    assert summary.seats[1].stocks_lost == 0
    assert summarise(played(stocks, [0.0] * 30, last_hit_by=1)).seats[0].untouched_deaths == 0


def test_inputs_before_the_first_playable_frame_do_not_count() -> None:
    game = played([[4, 4]] * 100, [0.0] * 100)
    game.frames["frame"] += FIRST_FRAME + 39
    assert summarise(game).frames == 100 - 84


def test_activity_of_a_cpu_player_is_read_from_processed_buttons() -> None:
    game = played([[4, 4]] * 40, [0.0] * 40)
    player = game.frames["players"][:, :, 0]
    player["buttons_processed"], player["controller"]["buttons"] = player["controller"]["buttons"], 0
    cpu = Game(game.frames, dataclasses.replace(META, seats=seats(kind=PlayerKind.CPU)))
    assert summarise(cpu).seats[0].input_share == 0
    assert summarise(cpu).seats[1].input_share > 0.4


@pytest.mark.parametrize(
    ("last", "changes", "seat"),
    [
        ([0, 1], {"end_method": EndMethod.GAME}, 1),
        ([2, 0], {}, 0),
        ([2, 1], {}, -1),
        ([2, 1], {"end_method": EndMethod.TIME}, 0),
        ([2, 2], {"end_method": EndMethod.TIME}, 1),  # seat 0 has the higher percent
        ([4, 1], {"end_method": EndMethod.NO_CONTEST, "lras_port": 0}, 1),
        ([1, 1], {"seats": seats(placement=0)}, 1),
    ],
)
def test_the_winner_is_found(last: list[int], changes: dict[str, Any], seat: int) -> None:
    game = played([[4, 4], last], [0.0, 60.0])
    assert winner(Game(game.frames, dataclasses.replace(META, **changes))) == seat


def test_a_result_becomes_the_end_of_a_game() -> None:
    result = np.zeros((), RESULT)
    result["ended_by"], result["winner"] = EndedBy.TIMER, 1
    meta = ended(META, result)
    assert meta.end_method == EndMethod.TIME
    assert [seat.placement for seat in meta.seats] == [1, 0]
    result["winner"] = -1
    assert [seat.placement for seat in ended(META, result).seats] == [-1, -1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), st.booleans()), max_size=20))
def test_one_file_of_each_game_stays_and_it_is_the_longest(games: list[tuple[int, int, bool]]) -> None:
    reports = [
        FileReport(
            Path(f"{index}.slp"),
            dataclasses.replace(with_meta(random_seed=seed), frames=frames),
            "too_short" if refused else "",
        )
        for index, (seed, frames, refused) in enumerate(games)
    ]
    kept = [r for r in without_duplicates(reports) if not r.reason]
    fine = [(seed, frames) for seed, frames, refused in games if not refused]
    assert {r.summary.meta.random_seed: r.summary.frames for r in kept if r.summary} == {
        seed: max(f for s, f in fine if s == seed) for seed, _ in fine
    }
    assert len(kept) == len({seed for seed, _ in fine})


def test_the_game_id_knows_copies_and_only_copies() -> None:
    renamed = dataclasses.replace(META, seats=seats(name="other", code="A#1"), match_id="", started_at="")
    assert renamed.game_id == META.game_id
    for changes in ({"random_seed": 8}, {"stage": 31}, {"seats": seats(port=3)}, {"seats": seats(external_id=1)}):
        assert dataclasses.replace(META, **changes).game_id != META.game_id


def test_held_out_games_are_a_share_and_stay_held_out() -> None:
    ids = [f"{number:016x}" for number in range(4000)]
    tenth = {i for i in ids if held_out(i, 0.1)}
    assert 300 < len(tenth) < 500
    assert tenth < {i for i in ids if held_out(i, 0.2)}
    assert not any(held_out(i, 0.0) for i in ids)


def test_a_missing_or_empty_folder_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no \.slp file"):
        scan(tmp_path)


def test_a_scan_recurses_names_every_file_and_agrees_with_itself(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    game = played([[4, 4]] * 3000 + [[3, 4]] * 500, [40.0] * 3500)
    write_game(tmp_path / "a.slp", game.frames, META)
    write_game(tmp_path / "deep" / "copy.SLP", game.frames[:-50], META)
    (tmp_path / "deep" / "er" / "picture.slp").write_bytes(b"\x89PNG\r\n\x1a\n" * 4)
    (tmp_path / "empty.slp").touch()
    (tmp_path / "notes.txt").write_text("not looked at")
    report = scan(tmp_path)
    assert [file.path.name for file in report.usable] == ["a.slp"]
    assert report.reasons == {"duplicate": 1, "not_slp": 1, "empty": 1}
    assert len(replay_files(tmp_path / "a.slp")) == 1
    result = run_scan(tmp_path)
    assert (result["files"], result["usable"], len(result["refused"])) == (4, 1, 3)
    stats = run_stats(tmp_path)
    assert stats["games"] == 1
    assert stats["characters"] == {"FOX": 1, "MARTH": 1}
    assert stats["stages"] == {"FINAL_DESTINATION": 1}
    assert stats["minutes"] == pytest.approx(3500 / 3600, abs=0.01)
    assert stats["reasons"] == report.reasons


def test_a_folder_without_a_usable_game_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.slp").touch()
    with pytest.raises(UserError, match=r"none of 1 replays can be learnt from \(1 empty\)"):
        scan(tmp_path).require_usable()


def test_the_bench_measures_without_replays() -> None:
    measured = measure_replays(passes=1)
    assert measured["files"] == 8
    assert measured["ratio"] == pytest.approx(measured["files_per_cpu_s"] / measured["peppi_files_per_cpu_s"], rel=0.01)


SCANNED = {
    "clean": {"self_destructs": 1},
    "edge": {
        "too_short": 18,
        "player_count": 8,
        "special_mode": 6,
        "unknown_event": 6,
        "away": 5,
        "rules": 4,
        "version_unreadable": 4,
        "few_stocks": 3,
        "truncated": 3,
        "in_progress": 3,
        "payload_sizes": 3,
        "frame_order": 3,
        "ice_climbers": 3,
        "not_slp": 2,
        "placement": 2,
        "mode": 2,
        "stage": 2,
        "lost_events": 1,
        "teams": 1,
        "empty": 1,
        "self_destructs": 1,
    },
}


@needs_replays
@pytest.mark.parametrize("name", ["clean", "edge"])
def test_the_reasons_of_real_replays_are_known(name: str) -> None:
    report = scan(replay_set(name))
    assert report.reasons == SCANNED[name]
    assert sum(held_out(f.summary.game_id) for f in report.usable if f.summary) == {"clean": 8, "edge": 0}[name]


@needs_replays
@pytest.mark.slow
def test_more_processes_find_the_same() -> None:
    assert scan(replay_set("edge"), workers=2) == scan(replay_set("edge"))
