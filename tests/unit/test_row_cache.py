"""The row cache: nothing is parsed twice, nothing stale is served, and what cannot work is said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.imitation import cache as cache_module
from exphil_league.imitation.cache import CachedGame, ParsedFile, RowCache, cache_folder, parse_file, parse_here
from tests.imitation_games import ANY_GAME, write_games


class _Counting:
    """A parser that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, paths: Sequence[str], folder: Path, filters: ReplaysConfig) -> Iterator[ParsedFile]:
        self.asked += [Path(path).name for path in paths]
        return parse_here(paths, folder, filters)


def _games(
    tmp_path: Path, filters: ReplaysConfig = ANY_GAME, replays: str = "replays"
) -> tuple[list[CachedGame], list[str]]:
    parser = _Counting()
    cache = RowCache(tmp_path / "cache")
    games = cache.games(tmp_path / replays, filters, parser)
    cache.close()
    return games, parser.asked


def test_a_second_run_parses_nothing_and_a_new_file_is_added(tmp_path: Path) -> None:
    write_games(tmp_path / "replays", 3, 100)
    first, asked = _games(tmp_path)
    assert len(asked) == 3
    assert _games(tmp_path) == (first, [])
    write_games(tmp_path / "replays", 1, 100, first_seed=9)
    more, asked = _games(tmp_path)
    assert asked == ["game-009.slp"]
    assert more[:3] == first


def test_changed_content_under_an_old_name_is_parsed_again(tmp_path: Path) -> None:
    [path, _] = write_games(tmp_path / "replays", 2, 100)
    before, _ = _games(tmp_path)
    [other] = write_games(tmp_path / "elsewhere", 1, 120, first_seed=7)
    shutil.copy(other, path)
    after, asked = _games(tmp_path)
    assert asked == [path.name]
    assert {game.shard for game in after} != {game.shard for game in before}


def test_copies_are_learnt_from_once_and_bad_files_never(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [path] = write_games(tmp_path / "replays", 1, 100)
    shutil.copy(path, tmp_path / "replays" / "copy.slp")
    (tmp_path / "replays" / "text.slp").write_text("not a replay")
    (tmp_path / "replays" / "cut.slp").write_bytes(path.read_bytes()[:5000])
    games, asked = _games(tmp_path)
    assert len(games) == 1
    assert len(asked) == 4
    assert "0 of 4 files are in the cache, 4 to parse" in capsys.readouterr().err
    assert _games(tmp_path)[1] == []


def test_filters_apply_to_what_the_cache_knows(tmp_path: Path) -> None:
    write_games(tmp_path / "replays", 2, 100)
    write_games(tmp_path / "replays", 1, 300, first_seed=5)
    long_only = ANY_GAME.model_copy(update={"min_length_s": 4.0})
    games, asked = _games(tmp_path, long_only)
    assert (len(games), len(asked)) == (1, 3)
    assert _games(tmp_path, long_only)[1] == []
    games, asked = _games(tmp_path)  # now the short ones are wanted: only they lack rows
    assert (len(games), sorted(asked)) == (3, ["game-000.slp", "game-001.slp"])


def test_a_lost_shard_is_made_again(tmp_path: Path) -> None:
    write_games(tmp_path / "replays", 2, 100)
    games, _ = _games(tmp_path)
    games[0].shard.unlink()
    assert _games(tmp_path) == (games, ["game-000.slp"])


def test_no_usable_game_is_an_error_that_names_the_reasons(tmp_path: Path) -> None:
    write_games(tmp_path / "replays", 2, 100)
    with pytest.raises(UserError, match=r"none of 2 replays can be learnt from \(2 too_short\)"):
        _games(tmp_path, ANY_GAME.model_copy(update={"min_length_s": 45.0}))
    with pytest.raises(UserError, match="no such folder of replays"):
        _games(tmp_path, replays="nowhere")


def test_a_short_disk_is_said_before_anything_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_games(tmp_path / "replays", 2, 100)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    parser = _Counting()
    with pytest.raises(UserError, match=r"needs \d+ MB and 0 MB are free.*set imitation\.cache to another disk"):
        RowCache(tmp_path / "cache").games(tmp_path / "replays", ANY_GAME, parser)
    assert parser.asked == []


def test_a_disk_that_fills_up_keeps_what_was_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_games(tmp_path / "replays", 3, 100)
    write = cache_module.write_shard

    def full_at_the_third(path: Path, seats: list[object]) -> None:
        if len(list((tmp_path / "cache").rglob("*.arrow"))) == 2:
            raise OSError(28, "No space left on device")
        write(path, seats)  # type: ignore[arg-type]

    monkeypatch.setattr(cache_module, "write_shard", full_at_the_third)
    with pytest.raises(UserError, match=r"No space left on device.*What was parsed so far is kept"):
        _games(tmp_path)
    monkeypatch.undo()
    games, asked = _games(tmp_path)
    assert (len(games), asked) == (3, ["game-002.slp"])


def test_rows_of_another_version_of_the_code_are_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_folder(str(tmp_path))
    monkeypatch.setattr(cache_module, "code_digest", lambda: "another")
    assert cache_folder(str(tmp_path)) != before


def test_a_parsed_file_is_plain_values(tmp_path: Path) -> None:
    """It travels between processes and through Arrow."""
    [path] = write_games(tmp_path, 1, 100)
    parsed = parse_file(str(path), tmp_path / "cache", ANY_GAME)
    assert all(isinstance(value, str | int) for value in vars(parsed).values())
    assert parsed.has_rows
