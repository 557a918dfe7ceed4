"""The live parser against the reader of files and against libmelee, and on bytes that are no stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.libmelee import Console, LibmeleeReader
from envs.frame import FRAME, ITEM, PLAYER, WORDS, word_offset, words_i32
from envs.slippi import stream
from envs.slippi.events import MENU_EVENT, Command
from envs.slippi.game import EndMethod
from envs.slippi.live import LiveParser, OldSlippi, Seen
from envs.slippi.read import read_game
from envs.slippi.stream import BrokenStream
from envs.slippi.ubjson import LENGTH_AT, RAW_START
from envs.slippi.write import write_game
from tests.dolphin.standins import served
from tests.slippi_frames import needs_replays, random_frames, replay_set

LIBMELEE_LACKS = (
    *(f"players.{name}" for name in ("last_attack", "combo_count", "last_hit_by", "state_flags", "ground_id")),
    *(f"players.{name}" for name in ("l_cancel", "animation", "trigger_l", "trigger_r")),
    *(f"items.{name}" for name in ("facing", "damage", "misc")),
    *("seed", "stadium"),
)
LIBMELEE_TRUNCATES = ("state_age", "hitlag", "misc_timer", "timer")
"""It makes whole frames of these."""


def messages(path: Path) -> Iterator[bytes]:
    """What the spectator server would send of a file."""
    data = path.read_bytes()
    return stream.messages(data[RAW_START : RAW_START + int.from_bytes(data[LENGTH_AT:RAW_START], "big")])


def parsed(reader: Any, sent: Iterator[bytes]) -> NDArray[np.int32]:
    """Words [T, WORDS] of all frames."""
    out, rows = np.zeros(WORDS, np.int32), []
    for message in sent:
        if reader.feed(message, out) & Seen.FRAME:
            rows.append(out.copy())
    return np.array(rows)


@pytest.mark.parametrize("stage", [2, 3, 28, 32])
def test_a_written_game_comes_back_word_for_word(stage: int, tmp_path: Path):
    frames = random_frames(stage, 200, stage=stage)
    write_game(tmp_path / "game.slp", frames)
    parser = LiveParser()
    found = parsed(parser, messages(tmp_path / "game.slp"))
    assert np.array_equal(found, words_i32(read_game(tmp_path / "game.slp").frames))
    assert parser.meta is not None
    assert [seat.port for seat in parser.meta.seats] == sorted(frames["ports"][0].tolist())


def test_seats_follow_the_ports_that_are_asked_for(tmp_path: Path):
    frames = random_frames(5, 20)
    write_game(tmp_path / "game.slp", frames)
    first, second = (int(port) for port in frames["ports"][0])
    swapped = parsed(LiveParser((second, first)), messages(tmp_path / "game.slp")).view(FRAME)[:, 0]
    assert (swapped["ports"] == (second, first)).all()
    assert swapped["players"][:, ::-1].tobytes() == frames["players"].tobytes()


def test_frames_sent_again_are_dropped_and_said_so(tmp_path: Path):
    write_game(tmp_path / "game.slp", random_frames(1, 10))
    sent = list(messages(tmp_path / "game.slp"))
    parser, out = LiveParser(), np.zeros(WORDS, np.int32)
    kinds = [parser.feed(message, out) for message in [*sent[:5], *sent[2:5], *sent[5:]]]
    assert kinds == [Seen.START, *[Seen.FRAME] * 4, *[Seen.REPEAT] * 3, *[Seen.FRAME] * 6]
    assert out[word_offset(FRAME, "frame")] == random_frames(1, 10)["frame"][-1]


def test_an_end_is_told_and_a_menu_event_inside_a_frame_costs_nothing(tmp_path: Path):
    write_game(tmp_path / "game.slp", random_frames(1, 3))
    sent = list(messages(tmp_path / "game.slp"))
    parser, out = LiveParser(), np.zeros(WORDS, np.int32)
    parser.feed(sent[0], out)
    assert parser.feed(bytes([MENU_EVENT, *[0] * 73]) + sent[1], out) == Seen.FRAME | Seen.MENU
    assert parser.feed(bytes([Command.GAME_END, 2, 0xFF, *[0xFF] * 4]), out) == Seen.END
    assert parser.end_method is EndMethod.GAME


@pytest.mark.parametrize("spoil", [lambda m: m[:-5], lambda m: b"\xee" + m, lambda m: m + b"\x37\x00"])
def test_cut_and_unknown_events_are_refused(spoil: Any, tmp_path: Path):
    write_game(tmp_path / "game.slp", random_frames(1, 3))
    sent = list(messages(tmp_path / "game.slp"))
    parser, out = LiveParser(), np.zeros(WORDS, np.int32)
    parser.feed(sent[0], out)
    with pytest.raises(BrokenStream, match="0x"):
        parser.feed(spoil(sent[1]), out)


def test_an_event_of_a_newer_version_is_skipped(tmp_path: Path):
    write_game(tmp_path / "game.slp", random_frames(1, 3))
    sent = list(messages(tmp_path / "game.slp"))
    sizes = bytearray(sent[0])
    sizes[1] += 3
    sizes[sizes[1] - 2 : sizes[1] - 2] = b"\xee\x00\x04"
    parser, out = LiveParser(), np.zeros(WORDS, np.int32)
    assert parser.feed(bytes(sizes), out) == Seen.START
    assert parser.feed(b"\xee\x01\x02\x03\x04" + sent[1], out) == Seen.FRAME


def test_an_old_slippi_is_named(tmp_path: Path):
    write_game(tmp_path / "game.slp", random_frames(1, 3))
    header = bytearray(next(messages(tmp_path / "game.slp")))
    at = 1 + header[1]
    header[at + 1 : at + 4] = bytes((2, 0, 1))
    with pytest.raises(OldSlippi, match=r"2\.0\.1"):
        LiveParser().feed(bytes(header), np.zeros(WORDS, np.int32))


def real_games(count: int) -> list[Path]:
    """Clean replays of versions that can be sent live, those with rollbacks among them."""
    paths = [path for path in sorted(replay_set("clean").glob("*.slp")) if read_game(path).meta.version >= (3, 0, 0)]
    return paths[:: max(1, len(paths) // count)][:count]


@pytest.mark.slow
@needs_replays
@pytest.mark.parametrize("path", real_games(30), ids=lambda path: path.stem)
def test_real_games_come_out_as_from_the_file(path: Path):
    """All frames that were never rolled back; the live parser keeps the first version of the others."""
    sent, game = list(messages(path)), read_game(path)
    repeated = _repeated_frames(sent)
    found = parsed(LiveParser(), iter(sent))
    assert np.array_equal(found[:, 0], game.frames["frame"])
    kept = ~np.isin(game.frames["frame"], list(repeated))
    want = words_i32(game.frames)
    stage = slice(word_offset(FRAME, "fod_left"), word_offset(FRAME, "stadium") + 1)
    found[:, stage] = want[:, stage] if repeated else found[:, stage]
    assert kept.mean() > 0.25  # some online games are rolled back on most of their frames
    assert np.array_equal(found[kept], want[kept])


def _repeated_frames(sent: list[bytes]) -> set[int]:
    seen: set[int] = set()
    repeated: set[int] = set()
    for message in sent:
        if message[0] == Command.FRAME_START:
            frame = int.from_bytes(message[1:5], "big", signed=True)
            (repeated if frame in seen else seen).add(frame)
    return repeated


@needs_replays
@pytest.mark.parametrize("path", real_games(3), ids=lambda path: path.stem)
def test_libmelee_reads_the_same_frames(path: Path, tmp_path: Path):
    check_against_libmelee(path, tmp_path, 1500)


@pytest.mark.slow
@needs_replays
@pytest.mark.parametrize("path", real_games(15), ids=lambda path: path.stem)
def test_libmelee_reads_the_same_whole_games(path: Path, tmp_path: Path):
    check_against_libmelee(path, tmp_path, None)


def check_against_libmelee(path: Path, tmp_path: Path, count: int | None) -> None:
    """The first messages of a game, served by the stand-in, become the same frames."""
    sent = served(path, count)
    assert sent == list(messages(path))[:count]
    parser = LiveParser()
    ours = parsed(parser, iter(sent)).view(FRAME)[:, 0]
    assert parser.meta is not None
    build = Build(path, "mainline", False, "test")
    console = Console(tmp_path, DolphinConfig(), build, 51441, None)
    ports = (parser.meta.seats[0].port, parser.meta.seats[1].port)
    theirs = parsed(LibmeleeReader(console, ports), iter(sent)).view(FRAME)[:, 0]
    assert np.array_equal(ours["frame"], theirs["frame"])
    for name in ("stage", "frames_left", "ports", "fod_left", "fod_right", "whispy"):
        assert np.array_equal(ours[name], theirs[name], equal_nan=ours[name].dtype.kind == "f"), name
    check_records(ours["players"], theirs["players"], PLAYER, "players", parser.meta.version)
    check_records(ours["items"], theirs["items"], ITEM, "items", parser.meta.version)


def check_records(
    ours: NDArray[Any], theirs: NDArray[Any], dtype: np.dtype[np.void], where: str, version: tuple[int, int, int]
) -> None:
    """Every field that libmelee gives is ours, within what it rounds."""
    for name in dtype.names or ():
        a, b = ours[name], theirs[name]
        if f"{where}.{name}" in LIBMELEE_LACKS or (name.startswith(("speed", "hitlag")) and version < (3, 8, 0)):
            continue
        if name == "hurtbox":
            a = np.where(a > 0, 1, a)
        if name == "buttons_processed":
            a = np.where(a == -1, a, a & 0x1F7F)
        if name == "misc_timer":
            b = np.where(np.isnan(a), a, b)
        if name == "raw_y" and version < (3, 15, 0):
            continue
        if name in LIBMELEE_TRUNCATES:
            assert np.array_equal(np.trunc(a), b, equal_nan=True), name
        elif name == "controller":
            for part in a.dtype.names:
                assert np.allclose(a[part], b[part], atol=1e-6, equal_nan=True), part
        else:
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name
