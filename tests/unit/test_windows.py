"""From a game to windows: alignment of labels, delays, returns and borders."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.controller import encode
from envs.frame import FIRST_FRAME, FIRST_PLAYABLE_FRAME
from envs.game import Character
from envs.observation import observe
from envs.reward import TermWeights
from envs.slippi.game import Game, PlayerKind
from envs.slippi.write import meta_from_frame
from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.rows import SeatRows, read_parts, read_shard, rows_of, write_shard
from exphil_league.imitation.windows import (
    POOL_GAMES,
    Windows,
    WindowSpec,
    batches,
    cut,
    discounted,
    window_count,
    windows_of,
)
from policies.delay import NOTHING
from policies.spec import ActionTiming
from tests.imitation_games import chase

FOX = Character.FOX.value
STOCKS_ONLY = tuple(map(float, TermWeights(stock=1.0).vector()))


def _seat(rows: int) -> SeatRows:
    """Row t is recognisable by its first float."""
    rng = np.random.default_rng(rows)
    floats = np.repeat(np.arange(rows, dtype=np.float32)[:, None], 3, 1)
    return SeatRows(
        floats,
        np.zeros((rows, 2), np.int32),
        rng.integers(0, 17, (rows, 6)).astype(np.uint8),
        rng.normal(size=(rows, len(STOCKS_ONLY))).astype(np.float32),
    )


@settings(max_examples=60, deadline=None)
@given(
    frames=st.integers(1, 200), rows=st.integers(1, 40), delays=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    repeat=st.integers(1, 4),
)  # fmt: skip
def test_every_labelled_frame_counts_once_and_carries_the_next_inputs(
    frames: int, rows: int, delays: tuple[int, int], repeat: int
) -> None:
    delay, greatest = sorted(delays)
    timing = ActionTiming(delay_frames=greatest, min_delay_frames=delay, action_repeat=repeat)
    seat, spec = _seat(frames), WindowSpec(rows, timing, STOCKS_ONLY, 0.9)
    windows = cut(seat, spec, delay)
    labelled = range(max(frames - greatest - repeat, 0))
    expected = [f for phase in range(repeat) if len(labelled[phase::repeat]) >= rows for f in labelled[phase::repeat]]
    if windows is None:
        assert not expected
        assert window_count(frames, spec) == 0
        return
    assert len(windows.labels) == window_count(frames, spec)
    at = windows.floats[..., 0].astype(int)
    assert (np.diff(at, axis=1) == repeat).all()
    assert sorted(at[windows.counted]) == sorted(expected)
    np.testing.assert_array_equal(windows.labels, seat.parts[at + repeat + delay])
    np.testing.assert_array_equal(windows.last, seat.parts[at + delay])
    np.testing.assert_array_equal(windows.last[:, 1:], windows.labels[:, :-1], "a row's last input is the label before")
    assert (windows.queue[:, :, : greatest - delay] == NOTHING).all()
    for ahead in range(delay):
        np.testing.assert_array_equal(windows.queue[:, :, greatest - delay + ahead], seat.parts[at + 1 + ahead])
    np.testing.assert_array_equal(windows.returns, discounted(seat.rewards[:, 0], 0.9)[at])


def test_returns_are_discounted_sums_to_the_end_of_the_game() -> None:
    np.testing.assert_allclose(discounted(np.array([1, 0, 2], np.float32), 0.5), [1.5, 1.0, 2.0])


def test_rows_are_what_each_human_saw_pressed_and_gained(tmp_path: Path) -> None:
    frames = chase(0, 50)
    frames["frame"] -= FIRST_PLAYABLE_FRAME - FIRST_FRAME - 60  # 24 frames of countdown come first
    frames["players"]["percent"][30:, 1, 0] = 12.5
    game = Game(frames, meta_from_frame(frames[0]))
    one, two = rows_of(game)
    playable = frames[24:]
    np.testing.assert_array_equal(two.floats, observe(playable).floats[:, 1])
    np.testing.assert_array_equal(one.parts, encode(playable["players"]["controller"][:, 0, 0]))
    assert one.rewards[30 - 24 - 1, 1] == 12.5  # the step into frame 30
    assert one.rewards[:, 1].sum() == -two.rewards[:, 1].sum() == 12.5
    shard = tmp_path / "ab" / "game.arrow"
    write_shard(shard, [one, two])
    for kept, written in zip(read_shard(shard), (one, two), strict=True):
        for column, expected in zip(kept, written, strict=True):
            np.testing.assert_array_equal(column, expected)
    np.testing.assert_array_equal(read_parts(shard)[1], two.parts)
    assert [path.name for path in shard.parent.iterdir()] == ["game.arrow"]


def test_a_seat_the_computer_plays_gives_no_rows() -> None:
    frames = chase(0, 20)
    meta = meta_from_frame(frames[0])
    computer = replace(meta.seats[0], kind=PlayerKind.CPU)
    rows = rows_of(Game(frames, replace(meta, seats=(computer, meta.seats[1]))))
    assert len(rows) == 1
    np.testing.assert_array_equal(rows[0].parts, encode(frames["players"]["controller"][:, 1, 0]))


def test_joining_and_taking_windows_keeps_their_columns_together() -> None:
    spec = WindowSpec(5, ActionTiming(delay_frames=1), STOCKS_ONLY, 0.9)
    first, second = cut(_seat(30), spec), cut(_seat(40), spec)
    assert first is not None
    assert second is not None
    both = Windows.join([first, second])
    picked = both.take(np.array([len(first.labels)]))
    for column, expected in zip(picked, second, strict=True):
        np.testing.assert_array_equal(column[0], expected[0])


def _library(tmp_path: Path, games: int, rows: int = 400) -> list[CachedGame]:
    """One shard under many names."""
    frames = chase(0, rows)
    shard = tmp_path / "game.arrow"
    write_shard(shard, rows_of(Game(frames, meta_from_frame(frames[0]))))
    return [CachedGame(str(number), (FOX, FOX), shard, tmp_path / "game.slp") for number in range(games)]


def test_an_epoch_holds_every_window_once_and_a_seed_gives_its_order(tmp_path: Path) -> None:
    games, spec = _library(tmp_path, 2 * POOL_GAMES + 3), WindowSpec(64, ActionTiming(), STOCKS_ONLY, 0.9)
    epochs = [list(batches(games, spec, 32, seed=seed)) for seed in (1, 1, 2)]
    counted = [sum(int(batch.counted.sum()) for batch in epoch) for epoch in epochs]
    assert counted == [len(games) * 2 * 399] * 3
    assert {len(batch.labels) for batch in epochs[0][:-1]} == {32}
    first = [np.concatenate([batch.floats[:, 0] for batch in epoch]) for epoch in epochs]
    np.testing.assert_array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


def test_memory_stays_flat_when_games_grow_tenfold(tmp_path: Path) -> None:
    spec = WindowSpec(64, ActionTiming(), STOCKS_ONLY, 0.9)

    def peak_bytes(games: list[CachedGame]) -> int:
        tracemalloc.start()
        for _ in batches(games, spec, 32, seed=1):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few, many = _library(tmp_path, 2 * POOL_GAMES), _library(tmp_path, 20 * POOL_GAMES)
    assert peak_bytes(many) < 1.2 * peak_bytes(few)


def test_only_seats_of_the_wanted_characters_are_cut(tmp_path: Path) -> None:
    [game] = _library(tmp_path, 1)
    mixed = replace(game, characters=(FOX, FOX + 1))
    spec = WindowSpec(64, ActionTiming(), STOCKS_ONLY, 0.9)
    both, one = (windows_of(mixed, spec, wanted) for wanted in ((), (FOX + 1,)))
    assert both is not None
    assert one is not None
    np.testing.assert_array_equal(one.floats, both.floats[len(one.floats) :])
    assert windows_of(mixed, spec, (99,)) is None


@pytest.mark.parametrize("delay", [0, 2])
def test_a_window_of_the_real_length_fits_a_game_just_long_enough(delay: int) -> None:
    spec = WindowSpec(64, ActionTiming(delay_frames=delay), STOCKS_ONLY, 0.9)
    assert cut(_seat(64 + delay), spec) is None
    assert cut(_seat(65 + delay), spec) is not None
