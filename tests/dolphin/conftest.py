"""After each test nothing may be left of what it started."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.left_behind import MARK, all_gone, files_left, processes_left

Left = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Left]:
    """What this test has left until now: processes, and homes and held locks in its folder `run`."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)

    def found() -> list[str]:
        return processes_left(mark) + files_left(tmp_path / "run")

    yield found
    assert not all_gone(found)
