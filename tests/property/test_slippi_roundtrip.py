"""Whatever frames a backend gives, the .slp it becomes reads back the same; a broken .slp is never a crash."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envs.frame import FIRST_FRAME, empty_frames, words_i32
from envs.slippi.encode import payloads_event, start_event
from envs.slippi.errors import ReplayError
from envs.slippi.frame_bytes import frame_events
from envs.slippi.game import EndMethod, GameMeta, PlayerKind, SeatMeta
from envs.slippi.read import read_game
from envs.slippi.repair import repair
from envs.slippi.write import SlpWriter, meta_from_frame, write_game
from tests.slippi_frames import random_frames

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text("abcXYZ019 #ー漢", max_size=7)
stages = st.sampled_from([2, 3, 8, 28, 31, 32])


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal word for word, NaN included."""
    return a.shape == b.shape and bool((words_i32(a) == words_i32(b)).all())


@few
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 150), stage=stages, first=st.sampled_from([-123, -39]))
def test_written_frames_read_back_word_for_word(tmp_path: Path, seed: int, count: int, stage: int, first: int) -> None:
    frames = random_frames(seed, count, stage, first)
    write_game(tmp_path / "game.slp", frames)
    assert same(read_game(tmp_path / "game.slp").frames, frames)


@few
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 90), max_size=6))
def test_frames_written_piece_by_piece_make_the_same_file(tmp_path: Path, seed: int, cuts: list[int]) -> None:
    frames = random_frames(seed, 200, stage=2)
    write_game(tmp_path / "whole.slp", frames)
    with SlpWriter(tmp_path / "pieces.slp", meta_from_frame(frames[0])) as writer:
        start = 0
        for cut in [*cuts, 200]:
            writer.write(frames[start : start + cut])
            start = min(start + cut, 200)
        for frame in frames[start:]:
            writer.write(frame)
    assert (tmp_path / "pieces.slp").read_bytes() == (tmp_path / "whole.slp").read_bytes()


@few
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.tuples(text, text),
    end=st.sampled_from([None, *EndMethod]),
    kind=st.sampled_from([PlayerKind.HUMAN, PlayerKind.CPU]),
    timer_s=st.integers(1, 2**16),
    quitter=st.integers(-1, 1),
)
def test_the_header_reads_back(
    tmp_path: Path,
    seed: int,
    names: tuple[str, str],
    end: EndMethod | None,
    kind: PlayerKind,
    timer_s: int,
    quitter: int,
) -> None:
    frames = random_frames(seed % 1000, 3, first=FIRST_FRAME)
    players, ports = frames["players"][0, :, 0], frames["ports"][0]
    found = meta_from_frame(frames[0]).seats
    seats = tuple(
        SeatMeta(
            port=int(ports[i]),
            external_id=found[i].external_id,
            character=int(players["character"][i]),
            kind=(PlayerKind.HUMAN, kind)[i],
            stocks=i + 1,
            cpu_level=7 * (i if kind == PlayerKind.CPU else 0),
            costume=seed % 5,
            name=names[i].replace("#", ""),
            code=f"ABC#{i}",
            placement=-1 if end is None else i,
        )
        for i in range(2)
    )
    meta = GameMeta(
        version=(3, 18, 0),
        stage=32,
        seats=(seats[0], seats[1]),
        random_seed=seed,
        timer_s=timer_s,
        scene=(8, 2),
        match_id="mode.ranked-1",
        match_game=3,
        end_method=end,
        lras_port=-1 if end is None or quitter < 0 else seats[quitter].port,
        started_at="2026-01-01T00:00:00Z",
        played_on="simulator",
    )
    write_game(tmp_path / "game.slp", frames, meta)
    assert read_game(tmp_path / "game.slp").meta == meta


@few
@given(cut=st.integers(0, 40_000), seed=st.integers(0, 50))
def test_a_killed_writer_leaves_a_file_that_repair_saves(tmp_path: Path, cut: int, seed: int) -> None:
    frames = random_frames(seed, 30)
    meta = meta_from_frame(frames[0])
    write_game(tmp_path / "game.slp", frames, meta)
    data = (tmp_path / "game.slp").read_bytes()
    part = tmp_path / "killed.slp.part"
    part.write_bytes((data[:11] + bytes(4) + data[15:])[:cut])
    start = 15 + len(payloads_event(meta.version) + start_event(meta))
    ends = [start + len(frame_events(frames[: n + 1], None, meta.version)) for n in range(30)]
    whole = sum(end <= cut for end in ends)
    if not whole:
        with pytest.raises(ReplayError, match=r"no frames|not slp|empty|payload sizes"):
            repair(part)
        assert part.exists()
        return
    saved = repair(part)
    assert saved == tmp_path / "killed.slp"
    assert not part.exists()
    assert same(read_game(saved).frames, frames[:whole])


@few
@given(data=st.data(), seed=st.integers(0, 3))
def test_a_damaged_file_is_a_game_or_a_replay_error(tmp_path: Path, data: st.DataObject, seed: int) -> None:
    write_game(tmp_path / "game.slp", random_frames(seed, 20))
    content = bytearray((tmp_path / "game.slp").read_bytes())
    places = st.integers(0, 900) | st.integers(0, len(content) - 1)  # the header is the richer ground
    for at in data.draw(st.lists(places, min_size=1, max_size=30)):
        content[at] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    (tmp_path / "game.slp").write_bytes(content)
    try:
        ids = read_game(tmp_path / "game.slp").frames["frame"]
    except ReplayError:
        return
    assert (np.diff(ids) == 1).all()


def test_repair_keeps_a_games_end_and_leaves_whole_files_alone(tmp_path: Path) -> None:
    frames = random_frames(1, 10)
    game = tmp_path / "game.slp"
    write_game(game, frames, replace(meta_from_frame(frames[0], ("a", "b")), end_method=EndMethod.TIME))
    data = game.read_bytes()
    assert repair(game) == game
    assert game.read_bytes() == data
    (tmp_path / "unsized.slp").write_bytes(data[:11] + bytes(4) + data[15:])
    assert read_game(repair(tmp_path / "unsized.slp")).meta.end_method == EndMethod.TIME


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    frames = random_frames(1, 200)
    target = tmp_path / "game.slp"
    with SlpWriter(target, meta_from_frame(frames[0])) as writer:
        writer.write(frames[:150])
        assert not target.exists()
        assert (tmp_path / "game.slp.part").read_bytes()[11:15] == bytes(4)
    assert target.exists()
    assert not (tmp_path / "game.slp.part").exists()


def test_an_interrupted_game_is_kept_without_an_end(tmp_path: Path) -> None:
    frames = random_frames(1, 100)

    def play() -> None:
        with SlpWriter(tmp_path / "game.slp", replace(meta_from_frame(frames[0]), end_method=EndMethod.GAME)) as writer:
            writer.write(frames)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play()
    game = read_game(tmp_path / "game.slp")
    assert same(game.frames, frames)
    assert game.meta.end_method is None


def test_a_refusing_disk_leaves_no_half_file(tmp_path: Path) -> None:
    frames = random_frames(1, 300)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, unlimited[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_game(tmp_path / "game.slp", frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert list(tmp_path.iterdir()) == []


def test_frames_must_follow_each_other(tmp_path: Path) -> None:
    frames = random_frames(1, 10)
    with pytest.raises(ValueError, match="frame -34 where frame -35 should follow"):
        write_game(tmp_path / "game.slp", np.delete(frames, 4))
    assert list(tmp_path.iterdir()) == []


def test_what_a_version_lacks_stays_absent(tmp_path: Path) -> None:
    frames = random_frames(1, 10, stage=2, first=FIRST_FRAME)
    meta = meta_from_frame(frames[0])
    write_game(tmp_path / "old.slp", frames, GameMeta((2, 0, 1), 2, meta.seats, random_seed=meta.random_seed))
    old = read_game(tmp_path / "old.slp").frames
    absent = empty_frames(10)
    for name in ("hurtbox", "animation", "raw_y"):
        assert (old["players"][:, :, 0][name] == -1).all()
    assert np.isnan(old["players"][:, :, 0]["hitlag"]).all()
    assert same_items(old, absent)
    assert np.isnan(old["fod_left"]).all()
    assert (old["players"]["x"] == frames["players"]["x"])[:, :, 0].all()


def same_items(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal items, bit for bit."""
    return a["items"].tobytes() == b["items"].tobytes()
