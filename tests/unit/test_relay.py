"""Progress written by one process and drawn by another."""

from __future__ import annotations

from pathlib import Path

import pytest

from exphil_league.imitation.relay import Relay


def test_the_reader_draws_every_phase_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relay = Relay(tmp_path / "progress.jsonl")
    with relay.shown():
        for epoch in (1, 2):
            with relay.progress(f"epoch {epoch}", total=30, unit="frames") as there:
                for step in range(3):
                    there.advance(10, nll=1.5 - step)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch 1: 30/30 frames", "epoch 2: 30/30 frames"]
    assert all("nll -0.5" in line for line in lines)
