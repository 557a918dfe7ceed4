"""The spare of Tune's state: whole states are kept, damaged ones mended from it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from exphil_league.errors import user_message
from exphil_league.tune_state import keep_spare, mend

STATE, SEARCH = "experiment_state-2026.json", "basic-variant-state-2026.json"


def write_state(experiment: Path, update: int) -> None:
    experiment.mkdir(exist_ok=True)
    (experiment / STATE).write_text(json.dumps({"trial_data": [update] * 100}))
    (experiment / SEARCH).write_bytes(pickle.dumps({"tried": update}))


def content(experiment: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in experiment.iterdir()}


def cut(name: str) -> Callable[[Path], None]:
    def damage(experiment: Path) -> None:
        file = experiment / name
        file.write_bytes(file.read_bytes()[:-3])

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        cut(STATE),
        cut(SEARCH),
        lambda experiment: (experiment / STATE).unlink(),
        lambda experiment: (experiment / SEARCH).write_bytes(b""),
    ],
)
def test_a_damaged_state_is_mended_and_never_kept(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    experiment = tmp_path / "league"
    write_state(experiment, 1)
    keep_spare(experiment)
    write_state(experiment, 2)
    keep_spare(experiment)
    whole = content(experiment)
    damage(experiment)
    if (experiment / STATE).exists():
        keep_spare(experiment)
    mend(experiment)
    assert content(experiment) == whole


def test_a_whole_state_is_left_as_it_is(tmp_path: Path) -> None:
    experiment = tmp_path / "league"
    write_state(experiment, 1)
    keep_spare(experiment)
    write_state(experiment, 2)
    newer = content(experiment)
    mend(experiment)
    assert content(experiment) == newer


def test_a_disk_without_room_for_the_error_itself_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exphil_league import tuning
    from exphil_league.config.run import RunConfig
    from exphil_league.rl.algorithm import LeaguePPOConfig

    class EmptyErrorFile:
        def fit(self) -> None:
            pickle.loads(b"")

    monkeypatch.setattr(tuning, "_tuner", lambda *_: EmptyErrorFile())
    with pytest.raises(OSError, match="No space left") as caught:
        tuning.run_with_tune(LeaguePPOConfig(), tmp_path, RunConfig(), RunConfig, list)
    assert f"the disk is full at {tmp_path}" in str(user_message(caught.value))
