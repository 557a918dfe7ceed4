"""Progress lines: rate and time left, by an injected clock; quiet between two intervals."""

from __future__ import annotations

import io

import pytest

from exphil_league.observe.progress import LOG_EVERY_S, Progress, duration, progress, quantity


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_log_gets_a_line_each_interval_with_rate_and_time_left() -> None:
    clock, stream = Clock(), io.StringIO()
    shown = Progress("parsing", 100, "files", stream, clock)
    clock.now_s = LOG_EVERY_S / 2
    shown.advance(25)
    assert stream.getvalue() == ""
    clock.now_s = LOG_EVERY_S
    shown.advance(25, faults=3, loss=0.123456)
    assert stream.getvalue() == "parsing: 50/100 files, 5 files/s, faults 3, loss 0.1235, 10 s left\n"


def test_what_comes_before_the_first_unit_does_not_count_for_the_time_left() -> None:
    """Compilation, for one, which would make hours of what takes a minute."""
    clock, stream = Clock(), io.StringIO()
    shown = Progress("playing", 100, "games", stream, clock)
    clock.now_s = 60
    shown.advance(1)
    clock.now_s = 70
    shown.advance(9)
    first, second = stream.getvalue().splitlines()
    assert "left" not in first
    assert second.endswith("1 min 40 s left")


def test_the_summary_is_printed_also_when_the_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with progress("reading", unit="rows") as shown:
            shown.advance(7)
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert capsys.readouterr().err.startswith("reading: 7 rows")


def test_units_for_people() -> None:
    assert [quantity(x) for x in (0, 0.1234, 999.5, 4234, 12345, 1_350_000, 3.2e9)] == [
        *("0", "0.123", "1000", "4234", "12.3k", "1.35M", "3.2G")
    ]
    assert [duration(x) for x in (3, 65, 7800)] == ["3 s", "1 min 05 s", "2 h 10 min"]
