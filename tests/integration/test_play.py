"""`play` and `watch` as functions: pace, files, what the page holds."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from envs.backend import Matchup
from envs.frame import LEADER, empty_frames
from envs.game import Stage, character_id
from envs.sim.batch import SimBackend
from envs.slippi.game import Game
from envs.slippi.read import read_game
from envs.slippi.write import meta_from_frame
from exphil_league.errors import UserError
from exphil_league.evaluation.scripted_games import make_scripted_games
from exphil_league.observe.watch_data import UNITS_STEP, page_data, unpack
from exphil_league.observe.watch_page import render_watch_page, write_watch_page
from exphil_league.play.game import play_game
from exphil_league.play.pace import Pacer
from exphil_league.play.seats import CAPACITY
from exphil_league.play.session import PlaySettings, play
from exphil_league.play.terminal import picture
from policies.onnx.agent_file import write_agent_file
from policies.policy import Policy
from policies.scripted import make_scripted
from policies.spec import CoreSpec, PolicySpec

MATCHUP = Matchup(stage="BATTLEFIELD", stocks=1, time_limit_s=20.0)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    path = tmp_path_factory.mktemp("play") / "game.slp"
    agents = (make_scripted("fighter", CAPACITY, 1), make_scripted("walker", CAPACITY, 2))
    return path, play_game(SimBackend(1), agents, MATCHUP, seed=9, speed=0, out=path)


def test_a_played_game_is_saved_whole(played) -> None:
    path, result = played
    game = read_game(path)
    assert len(game.frames) == result.frames + 1
    assert [seat.name for seat in game.meta.seats] == ["fighter", "walker"]
    assert game.frames["players"]["stocks"][-1, :, LEADER].tolist() == list(result.stocks)
    assert (result.winner, result.late_frames) == (0, 0)
    assert game.meta.seats[0].placement == 0


def test_a_seed_is_a_game_on_disk(played, tmp_path: Path) -> None:
    path, _ = played
    again = tmp_path / "again.slp"
    agents = (make_scripted("fighter", CAPACITY, 1), make_scripted("walker", CAPACITY, 2))
    play_game(SimBackend(1), agents, MATCHUP, seed=9, speed=0, out=again)
    assert again.read_bytes() == path.read_bytes()


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_the_pacer_keeps_sixty_frames_a_second_and_counts_late_ones() -> None:
    clock = Clock()
    pacer = Pacer(1.0, clock, clock.sleep)
    for _ in range(60):
        clock.now_s += 0.005
        pacer.wait()
    assert clock.now_s == pytest.approx(101.0)
    assert pacer.late_frames == 0
    clock.now_s += 0.5
    pacer.wait()
    assert pacer.late_frames == 1
    began_s = clock.now_s
    for _ in range(6):
        pacer.wait()
    assert clock.now_s - began_s == pytest.approx(0.1), "lost time is not caught up"


def test_flat_out_never_waits() -> None:
    clock = Clock()
    pacer = Pacer(0.0, clock, clock.sleep)
    for _ in range(100):
        pacer.wait()
    assert (clock.now_s, pacer.frames, pacer.late_frames) == (100.0, 100, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (PlaySettings(), "AGENT or a run folder"),
        (PlaySettings(agent="figther"), "did you mean fighter"),
        (PlaySettings(agent="fighter", speed=-1), "--speed"),
        (PlaySettings(agent="fighter", stocks=0), "--stocks"),
        (PlaySettings(run=Path("nowhere")), "not a run folder"),
        (PlaySettings(agent="fighter", out=Path("/proc/none/game.slp")), "--out"),
    ],
)
def test_play_refuses_bad_input(settings: PlaySettings, words: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        play(settings)
    assert list(tmp_path.iterdir()) == []


def test_play_makes_room_for_the_consoles_delay_and_says_where_it_cannot(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for delay in (0, 3):
        policy = Policy(PolicySpec(core=CoreSpec(name="mlp", width=8), delay_frames=delay))
        write_agent_file(tmp_path / f"{delay}.agent", policy, name=f"waits{delay}", digest="d")
    settings = PlaySettings(
        agent=str(tmp_path / "3.agent"), opponent=str(tmp_path / "0.agent"), seed=1, speed=0, stocks=1, time_limit_s=1,
        out=tmp_path / "game.slp",
    )  # fmt: skip
    games = {}
    for console in (0, 2):
        result = play(replace(settings, console_delay=console))
        games[console] = read_game(tmp_path / "game.slp").frames["players"]["controller"][:, :, LEADER]
        assert result["console_delay_frames"] == console
        texts = result["warnings"]
        assert len(texts) == (console > 0)
        assert all("waits0 was trained with a delay of 0 frames and plays with 2" in text for text in texts)
    neutral = [(games[console]["stick_x"] == 0).all(0) for console in games]
    assert not any(map(np.any, neutral)), "both seats press something"
    first = [(games[console]["buttons"] != 0).argmax(0).tolist() for console in games]
    assert first[0][0] == first[1][0], "the agent that waits three frames presses two earlier"
    assert first[0][1] + 2 == first[1][1], "the one that does not wait is two frames late"
    slower = play(replace(settings, delay_frames=5))
    assert slower["delay_frames"] == 5
    assert "waits3 was trained with a delay of 3 frames and plays with 5" in slower["warnings"][0]
    pressed = read_game(tmp_path / "game.slp").frames["players"]["controller"]["buttons"][:, 0, LEADER] != 0
    assert pressed.argmax() == first[0][0] + 2


def test_scripted_games_are_repeatable_files(tmp_path: Path) -> None:
    matchups = [Matchup(stage=stage, stocks=1, time_limit_s=10.0) for stage in ("FINAL_DESTINATION", "BATTLEFIELD")]
    paths = make_scripted_games(tmp_path / "a", 6, 4, matchups)
    again = make_scripted_games(tmp_path / "b", 6, 4, matchups)
    assert [p.name for p in paths] == sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len({read_game(p).game_id for p in paths}) == 6
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]


def check_page(page: str, frames: np.ndarray) -> None:
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:|//)""", page), "the page must load nothing"
    data = json.loads(re.search(r'<script type="application/json" id="game">(.*?)</script>', page, re.S)[1])
    columns = unpack(data)
    for seat in range(2):
        player = frames["players"][:, seat, LEADER]
        for axis in ("x", "y"):
            error = np.abs(columns[f"p{seat}.{axis}"] / UNITS_STEP - np.clip(np.nan_to_num(player[axis]), -655, 655))
            assert error.max() <= 0.5 / UNITS_STEP + 1e-3
        assert np.array_equal(columns[f"p{seat}.action"], player["action"])
        assert np.array_equal(columns[f"p{seat}.stocks"], player["stocks"])
    lost = int((np.diff(frames["players"]["stocks"][:, :, LEADER], axis=0) < 0).sum())
    assert len(data["losses"]) == lost


def test_the_page_holds_the_game_and_loads_nothing(played) -> None:
    game = read_game(played[0])
    page = render_watch_page(game)
    check_page(page, game.frames)
    assert len(page) < 40 * len(game.frames) + 60_000, "a few bytes a frame, and the page itself"


def test_specials_and_shots_have_names_poses_and_shapes() -> None:
    frames = empty_frames(3)
    frames["stage"] = Stage.BATTLEFIELD
    leaders = frames["players"][:, :, LEADER]
    leaders["character"], leaders["stocks"] = (character_id("MARTH"), character_id("MEWTWO")), 4
    leaders["action"] = [[14, 341], [368, 352], [369, 355]]
    for field in ("x", "y", "percent", "shield", "state_age", "misc_timer"):
        leaders[field] = 0.0
    frames["players"][:, :, LEADER] = leaders
    frames["items"]["kind"][1:, 0] = 112
    for field in ("x", "y", "speed_x", "speed_y"):
        frames["items"][field][1:, 0] = 1.5
    data = page_data(Game(frames, meta_from_frame(frames[0], ("one", "two"))))
    assert data["actions"]["18:368"] == "Dolphin Slash"
    assert data["poses"] == {
        "18:368": "usmash",
        "18:369": "shield",
        "16:341": "special",
        "16:352": "jab",
        "16:355": "vanish",
    }
    assert data["figures"]["18"]["sword"]
    assert data["figures"]["16"]["height"] > data["figures"]["18"]["height"]
    assert data["items"] == {"112": ("ball", 3.5)}
    assert unpack(data)["i0.tilt"].tolist() == [0, 45, 45]


def test_a_players_name_cannot_break_out_of_the_page(played) -> None:
    game = read_game(played[0])
    page = render_watch_page(game, title="</script><script>alert(1)</script><!--DATA-->")
    assert page.count("<script") == 2
    assert "alert(1)" in json.loads(re.search(r'id="game">(.*?)</script>', page, re.S)[1])["title"]


@pytest.mark.skipif("EXPHIL_REPLAYS" not in os.environ, reason="EXPHIL_REPLAYS names no folder of real games")
@pytest.mark.parametrize(
    "stage", ["battlefield", "final_destination", "dream_land", "yoshis_story", "fountain_of_dreams", "pokemon_stadium"]
)
def test_pages_of_real_games_on_every_stage(stage: str, tmp_path: Path) -> None:
    replay = next(iter(sorted(Path(os.environ["EXPHIL_REPLAYS"]).glob(f"clean/*_{stage}_*.slp"))))
    result = write_watch_page(replay, tmp_path / "page.html")
    game = read_game(replay)
    assert result["frames"] == len(game.frames)
    check_page((tmp_path / "page.html").read_text(), game.frames)
    assert page_data(game)["stage"]["name"]


def test_the_terminal_shows_stage_and_fighters(played) -> None:
    frame = read_game(played[0]).frames[200]
    shown = picture(frame, color=False)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("●") + shown.count("○") >= 2
    assert "━━━━" in shown
    assert "P1 Fox" in shown
