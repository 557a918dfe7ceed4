"""Imitation from .slp files to a checkpoint, in this process and on Ray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from exphil_league.errors import UserError
from exphil_league.imitation import fit
from exphil_league.imitation.train import TrainingPlace, WarmStart, run_imitation
from policies import checkpoint
from policies.spec import PolicySpec
from tests.imitation_games import ANY_GAME, quick_config, write_games
from tests.slippi_frames import needs_replays, replay_set
from tests.unit.policy_fixtures import small_spec


def _clone(
    tmp_path: Path, out: str, spec: PolicySpec | None = None, serial: bool = True, **changes: object
) -> WarmStart:
    replays = tmp_path / "replays"
    if not replays.exists():
        write_games(replays, 12)
    (tmp_path / out).mkdir()
    config = quick_config(tmp_path / "cache", **changes)
    return run_imitation(
        config, spec or small_spec(0, layers=1), replays, tmp_path / out, serial=serial, seed=3, filters=ANY_GAME
    )


def _assert_beats_baselines(report: dict[str, dict[str, float]], parts: tuple[str, ...]) -> None:
    for part in parts:
        assert report[part]["nll"] < report[part]["table_nll"] - 0.02
        assert report[part]["nll"] < report[part]["majority_nll"]


def test_a_habit_is_learnt_and_reported(tmp_path: Path) -> None:
    cloned = _clone(tmp_path, "run")
    report = json.loads((tmp_path / "run" / "warm_start.json").read_text())
    assert report == json.loads(json.dumps(cloned.report))
    assert report["games_train"] + report["games_held_out"] == 12
    assert 0 <= report["ignored_inputs"] <= 1
    assert set(report["parts"]) == {"buttons", "main_stick", "c_stick", "shoulder"}
    _assert_beats_baselines(report["parts"], ("buttons", "main_stick"))
    assert report["parts"]["main_stick"]["change_accuracy"] > 0.5
    policy = checkpoint.load(tmp_path / "run" / "checkpoints" / report["checkpoint"])
    assert checkpoint.digest_of(policy) == cloned.digest


def test_a_seed_repeats_the_run_to_the_bit(tmp_path: Path) -> None:
    runs = [_clone(tmp_path, out, epochs=1) for out in ("one", "two")]
    assert runs[0].digest == runs[1].digest
    assert runs[0].report == runs[1].report


def test_the_habit_is_learnt_under_a_delay_too(tmp_path: Path) -> None:
    """Two frames of delay: what is pressed follows from what was seen three frames before, less surely."""
    cloned = _clone(tmp_path, "run", small_spec(2, layers=1))
    _assert_beats_baselines(cloned.report["parts"], ("main_stick",))


def test_an_interrupt_keeps_the_best_weights_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = fit.Fit._update

    def impatient(self: fit.Fit, *args: object) -> None:
        if self._updates == 20:
            raise KeyboardInterrupt
        update(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(fit.Fit, "_update", impatient)
    with pytest.raises(KeyboardInterrupt):
        _clone(tmp_path, "run")
    report = json.loads((tmp_path / "run" / "warm_start.json").read_text())
    assert report["stopped_by"] == "interrupt"
    checkpoint.load(tmp_path / "run" / "checkpoints" / report["checkpoint"])


def test_patience_and_minutes_end_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = _clone(tmp_path, "stale", epochs=50, patience_epochs=1, learning_rate=0.5)
    assert stale.report["stopped_by"] == "patience"
    late = _clone(tmp_path, "late", epochs=50, max_minutes=1e-4)
    assert late.report["stopped_by"] == "minutes"
    assert late.report["updates"] < 20


def test_a_loss_that_is_not_finite_ends_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *args: torch.tensor(float("nan")))
    with pytest.raises(UserError, match=r"not finite for 10 updates in a row .* lower imitation\.learning_rate"):
        _clone(tmp_path, "run")
    assert not (tmp_path / "run" / "warm_start.json").exists()


def test_a_character_nobody_plays_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"12 usable games leave 0 to learn from and 0 to judge by .*only MARTH"):
        _clone(tmp_path, "run", characters=("MARTH",))


@pytest.mark.slow
def test_ray_parses_streams_and_trains_the_same_thing(tmp_path: Path) -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, address="local")
    try:
        cloned = _clone(tmp_path, "run", serial=False)
    finally:
        ray.shutdown()
    assert cloned.report["stopped_by"] == "epochs"
    _assert_beats_baselines(cloned.report["parts"], ("buttons", "main_stick"))
    checkpoint.load(cloned.path)


@pytest.mark.slow
def test_two_training_processes_agree(tmp_path: Path) -> None:
    import ray

    write_games(tmp_path / "replays", 12)
    (tmp_path / "run").mkdir()
    config = quick_config(tmp_path / "cache", max_minutes=1.0)
    ray.init(num_cpus=3, include_dashboard=False, address="local")
    try:
        cloned = run_imitation(
            config,
            small_spec(0, layers=1),
            tmp_path / "replays",
            tmp_path / "run",
            serial=False,
            seed=3,
            filters=ANY_GAME,
            place=TrainingPlace(workers=2),
        )
    finally:
        ray.shutdown()
    _assert_beats_baselines(cloned.report["parts"], ("buttons", "main_stick"))


@pytest.mark.slow
@needs_replays
def test_every_part_of_real_games_beats_both_baselines(tmp_path: Path) -> None:
    from exphil_league.config.training import ImitationConfig

    config = ImitationConfig(cache=str(tmp_path / "cache"))
    cloned = run_imitation(config, PolicySpec(), replay_set("clean"), tmp_path, serial=True, seed=1)
    for part in cloned.report["parts"].values():
        assert part["nll"] < min(part["table_nll"], part["majority_nll"])
