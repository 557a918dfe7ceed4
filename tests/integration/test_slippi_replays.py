"""Real replays: every file is read or refused by name, and both ways of reading it agree."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from envs.frame import FIRST_FRAME, words_i32
from envs.slippi import peppi
from envs.slippi.errors import Reason, ReplayError
from envs.slippi.events import Command, payload_size
from envs.slippi.game import Game
from envs.slippi.read import read_game
from envs.slippi.repair import repair
from envs.slippi.write import write_game
from tests.libmelee_state import check_items, check_player, open_console
from tests.slippi_frames import needs_replays, random_frames, replay_set

pytestmark = needs_replays

EDGE_REASONS = {
    Reason.PLAYER_COUNT: 8,
    Reason.SPECIAL_MODE: 6,  # end methods 9 (3), Multi-Man modes (3)
    Reason.UNKNOWN_EVENT: 6,
    Reason.VERSION_UNREADABLE: 4,  # 0.1.0 without pre-frames (2), 3.6.0, 3.6.1
    Reason.TRUNCATED: 3,
    Reason.IN_PROGRESS: 3,
    Reason.PAYLOAD_SIZES: 3,
    Reason.FRAME_ORDER: 3,
    Reason.NOT_SLP: 2,  # a PNG and a gzip archive
    Reason.PLACEMENT: 2,
    Reason.LOST_EVENTS: 1,
    Reason.EMPTY: 1,
}
"""What is wrong with the 43 edge files that are no two-player game, established by hand."""


def manifest(name: str) -> dict[str, dict[str, str]]:
    """Rows of a set's manifest by file name; measured with other tools than ours."""
    with (replay_set(name) / "manifest.csv").open() as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def read(path: Path) -> Game | Reason:
    """The game or the reason why there is none."""
    try:
        return read_game(path)
    except ReplayError as error:
        return error.reason


def check_against_manifest(game: Game, row: dict[str, str]) -> None:
    meta, last = game.meta, game.frames["players"][-1, :, 0]
    assert len(game.frames) == int(row["frames"])
    assert (np.diff(game.frames["frame"]) == 1).all()
    assert game.frames["frame"][0] == FIRST_FRAME
    assert ".".join(map(str, meta.version)) == row["slippi_version"]
    assert meta.stage == int(row["stage_id"])
    assert meta.random_seed == int(row["random_seed"])
    assert "|".join(f"P{seat.port + 1}" for seat in meta.seats) == row["ports"]
    kinds = [f"cpu{seat.cpu_level}" if seat.kind else "human" for seat in meta.seats]
    assert "|".join(kinds) == row["player_types"]
    assert (meta.end_method.name if meta.end_method is not None else "none") == row["end_method"]
    assert meta.match_id == row["match_id"]
    assert "|".join(str(stocks) for stocks in last["stocks"]) == row["final_stocks"]


@pytest.mark.parametrize("name", ["clean", "edge"])
def test_games_agree_with_the_manifest(name: str) -> None:
    rows = manifest(name)
    assert len(rows) == {"clean": 61, "edge": 85}[name]
    reasons: Counter[Reason] = Counter()
    for file, row in rows.items():
        game = read(replay_set(name) / file)
        if isinstance(game, Reason):
            reasons[game] += 1
        elif not file.startswith("synthetic"):
            check_against_manifest(game, row)
    assert reasons == ({} if name == "clean" else EDGE_REASONS)


def test_a_panic_is_silent_and_other_noise_is_not(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    panics = replay_set("edge") / "synthetic-bitflips_2000__591887e6.slp"
    import peppi_py._peppi

    real = peppi_py._peppi.read_slippi

    def noisy(*arguments: object) -> object:
        os.write(2, b"somebody else's line\n")
        try:
            return real(*arguments)
        finally:
            os.write(2, b"and another\n")

    monkeypatch.setattr(peppi_py._peppi, "read_slippi", noisy)
    with pytest.raises(ReplayError, match="frame order"):
        peppi.parse(panics)
    with pytest.raises(ReplayError, match="frame order"):
        peppi.parse(panics)
    assert capfd.readouterr().err == "somebody else's line\nand another\n" * 2


@pytest.mark.parametrize("backtrace", ["0", "full"])
def test_panics_are_silent_however_much_rust_would_print(backtrace: str) -> None:
    script = f"""
from envs.slippi.read import ReplayError, read_game
for name in ("synthetic-bitflips_2000__591887e6", "v0-1__3dcea791__v0.1") + ("synthetic-bitflips_2000__591887e6",) * 2:
    try:
        read_game("{replay_set("edge")}/" + name + ".slp")
    except ReplayError as error:
        print(error.reason)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "RUST_BACKTRACE": backtrace},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.split() == ["frame_order"] * 3
    assert run.stderr == ""


def test_an_interrupt_is_not_a_bad_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    import peppi_py._peppi

    def interrupted(*arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(peppi_py._peppi, "read_slippi", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_game("any.slp")


def test_rollbacks_are_resolved_to_what_happened() -> None:
    """The most rolled-back file: 9,605 rows for 3,971 frames; each frame is the last row of its id."""
    path = replay_set("clean") / "20231018_battlefield_mewtwo-vs-captain_falcon_333019e9.slp"
    table = peppi.parse(path).frames
    ids = table.field("id").to_numpy()
    leader = table.field("ports").field("P2").field("leader")
    x = leader.field("post").field("position").field("x").to_numpy()
    stick = leader.field("pre").field("joystick").field("y").to_numpy()
    last = {int(frame): row for row, frame in enumerate(ids)}
    game = read_game(path)
    assert len(ids) == 9605
    assert len(game.frames) == 3971
    rows = [last[int(frame)] for frame in game.frames["frame"]]
    player = game.frames["players"][:, 1, 0]
    assert (player["x"] == x[rows]).all()
    assert (player["controller"]["stick_y"] == stick[rows]).all()


ROUND_TRIPS = (
    "clean/20190421_yoshis_story_jigglypuff-vs-fox_d1497377.slp",  # 2.0.1
    "clean/20201202_battlefield_luigi-vs-falco_f2839a4e.slp",  # 3.7.0, rollbacks
    "clean/20231016_fountain_of_dreams_samus-vs-falco_e2141be2.slp",  # 3.16.0, items
    "clean/20260710_pokemon_stadium_fox-vs-mewtwo_d6548cef.slp",  # 3.19.1, stadium, CPU
    "edge/ice-climbers__dd44a350__Game_20221227T212019.slp",  # Nana, items
    "edge/short__a5757eb3__v3.18.slp",  # moving platforms
    "edge/v0-1__3dcea791__v0.1.slp",
    "edge/v1-x__b4cdef01__Game_20190324T113942.slp",
)


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_a_real_game_survives_writing(tmp_path: Path, name: str) -> None:
    game = read_game(replay_set(name))
    write_game(tmp_path / "again.slp", game.frames, game.meta)
    again = read_game(tmp_path / "again.slp")
    assert (words_i32(again.frames) == words_i32(game.frames)).all()
    assert again.meta == game.meta


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_event_sizes_are_those_of_real_files(name: str) -> None:
    game = read_game(replay_set(name))
    raw = replay_set(name).read_bytes()[15:]
    sizes = {raw[at]: int.from_bytes(raw[at + 1 : at + 3], "big") for at in range(2, 1 + raw[1], 3)}
    ours = {c: payload_size(c, game.meta.version) for c in Command if c in sizes and c not in (0x10, 0x35)}
    assert ours == {command: sizes[command] for command in ours}
    assert Command.POST_FRAME in ours


GOLDEN = (
    ("20190421_yoshis_story_jigglypuff-vs-fox_d1497377.slp", 2500),
    ("20231016_fountain_of_dreams_samus-vs-falco_e2141be2.slp", 2500),
    ("20260710_pokemon_stadium_fox-vs-mewtwo_d6548cef.slp", 1500),
)


@pytest.mark.parametrize(("name", "count"), GOLDEN)
def test_frames_equal_libmelees_game_state(name: str, count: int) -> None:
    path = replay_set("clean") / name
    game = read_game(path)
    once = _ids_with_one_row(path)
    console = open_console(path)
    compared = 0
    for frame in game.frames[:count]:
        state = console.step()
        assert state.frame == frame["frame"]
        if int(frame["frame"]) not in once:
            continue  # libmelee gives a rolled-back frame's first version
        for seat, port in enumerate(frame["ports"]):
            check_player(state.players[port + 1], frame["players"][seat, 0], console, game.meta.version)
        if game.meta.version >= (3, 6, 0):
            check_items(state.projectiles, frame["items"])
        compared += 1
    assert compared > 0.95 * count


def _ids_with_one_row(path: Path) -> set[int]:
    ids, rows = np.unique(peppi.parse(path).frames.field("id").to_numpy(), return_counts=True)
    return set(ids[rows == 1].tolist())


def test_a_written_game_reads_back_in_libmelee(tmp_path: Path) -> None:
    """A game as a backend makes it: from the first playable frame, current version, no metadata of a console."""
    source = read_game(replay_set("clean") / "20231016_fountain_of_dreams_samus-vs-falco_e2141be2.slp")
    frames = source.frames[84:1500]
    write_game(tmp_path / "game.slp", frames)
    console = open_console(tmp_path / "game.slp")
    for frame in frames:
        state = console.step()
        assert state.frame == frame["frame"]
        for seat, port in enumerate(frame["ports"]):
            check_player(state.players[port + 1], frame["players"][seat, 0], console, (3, 18, 0))
        check_items(state.projectiles, frame["items"])
    assert console.step() is None


def test_a_truncated_real_game_is_saved_up_to_the_cut(tmp_path: Path) -> None:
    whole = read_game(replay_set("clean") / "20200601_pokemon_stadium_falco-vs-kirby_591887e6.slp")
    for name in ("synthetic-truncated_60pct", "synthetic-inprogress_rawlen0_nometa"):
        broken = replay_set("edge") / f"{name}__591887e6.slp"
        saved = read_game(repair(broken, tmp_path / "saved.slp"))
        assert len(saved.frames) > 2000
        assert (words_i32(saved.frames) == words_i32(whole.frames[: len(saved.frames)])).all()
        assert saved.game_id == whole.game_id


def test_frames_of_a_timed_out_game_end_at_zero() -> None:
    game = read_game(replay_set("edge") / "end-time__976f2930__test.slp")
    assert game.frames["frames_left"][-1] == 0
    assert game.frames["frames_left"][FIRST_FRAME * -1] == 3600
    assert random_frames(0, 2)["frames_left"][0] == 28_800
