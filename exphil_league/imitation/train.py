"""From a folder of replays to the warm start: parse, split, train, save."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from envs.reward import RewardWeights
from exphil_league.config.replays import ReplaysConfig
from exphil_league.config.training import ImitationConfig
from exphil_league.imitation.cache import CachedGame, Parser, RowCache, cache_folder, parse_here
from exphil_league.imitation.fit import Fit, Fitted
from exphil_league.imitation.ignored import ignored_inputs
from exphil_league.imitation.job import CloneJob, held_out_batches, make_job, new_policy, train_batches
from exphil_league.imitation.losses import CloneLoss
from exphil_league.imitation.windows import Windows, WindowSpec
from exphil_league.observe.console import say, table
from exphil_league.run_folder import write_atomic
from policies import checkpoint
from policies.policy import Policy
from policies.spec import PolicySpec

REPORT_FILE: Final = "warm_start.json"
CHECKPOINTS: Final = "checkpoints"


@dataclass(frozen=True)
class WarmStart:
    """A cloned policy on disk, and what warm_start.json says of it."""

    digest: str
    path: Path
    report: dict[str, Any]


@dataclass(frozen=True)
class TrainingPlace:
    """Where the loop runs outside serial mode."""

    torch_threads: int = 1
    workers: int = 1
    """Training processes."""
    gpus_per_worker: float = 0


def run_imitation(
    config: ImitationConfig,
    spec: PolicySpec,
    replays: Path,
    out: Path,
    *,
    serial: bool,
    seed: int,
    filters: ReplaysConfig | None = None,
    reward: RewardWeights | None = None,
    gamma: float = 0.997,
    place: TrainingPlace | None = None,
) -> WarmStart:
    """Clone the players of the replays below a folder into a policy of `spec`.

    Writes out/checkpoints/<digest>/ and out/warm_start.json. `serial` parses and trains in this process, so that
    a seed repeats the run to the bit (unless config.max_minutes ends it); otherwise Ray Data parses and a
    TorchTrainer trains. `reward` and `gamma` (per frame) define the value head's target. Ctrl-C saves the best
    weights so far, then raises KeyboardInterrupt. Raises UserError for replays that cannot be learnt from, a short
    disk or a diverging loss, CheckpointError when the checkpoint cannot be written.
    """
    place = place or TrainingPlace()
    parser, clone = clone_engine(serial, place, out)
    windows = window_spec(config, spec, reward or RewardWeights(), gamma)
    job = make_job(config, spec, windows, games_of(config, replays, filters or ReplaysConfig(), parser), seed)
    ignored = ignored_inputs(job.train)
    say(
        f"imitation: {len(job.train)} games to learn from, {len(job.held_out)} held out; the simulator's present "
        f"rules ignore {ignored['ignored_inputs']:.0%} of their inputs"
    )
    return _save(job, clone(job), ignored, out)


def clone_engine(serial: bool, place: TrainingPlace, out: Path) -> tuple[Parser, Callable[[CloneJob], Fitted]]:
    """What parses replays and what trains a job: both in this process, or both on Ray with scratch space in `out`."""
    if serial:
        return parse_here, partial(_clone_here, torch_threads=place.torch_threads)
    from exphil_league.imitation import distributed

    return distributed.parse_with_ray, partial(distributed.clone_with_ray, out=out, **vars(place))


def window_spec(config: ImitationConfig, spec: PolicySpec, reward: RewardWeights, gamma: float) -> WindowSpec:
    """How windows are cut for a policy of `spec`."""
    weights = tuple(float(weight) for weight in reward.vector())
    return WindowSpec(config.window_frames // spec.action_repeat, spec, weights, gamma)


def games_of(config: ImitationConfig, replays: Path, filters: ReplaysConfig, parser: Parser) -> list[CachedGame]:
    """The usable games below a folder, parsed where the cache lacks them. Raises UserError as `RowCache.games`."""
    cache = RowCache(cache_folder(config.cache))
    try:
        return cache.games(replays, filters, parser)
    finally:
        cache.close()


class _LocalData:
    """Batches read in this process, always in the same order for one seed; a `fit.Data`."""

    def __init__(self, job: CloneJob) -> None:
        self._job = job
        self.train_windows = job.train_windows

    def train(self, epoch: int) -> Iterator[Windows]:
        return train_batches(self._job, epoch)

    def held_out(self) -> Iterator[Windows]:
        return held_out_batches(self._job)


def _clone_here(job: CloneJob, torch_threads: int) -> Fitted:
    torch.set_num_threads(torch_threads)
    module = CloneLoss(new_policy(job), job.config.value_weight)
    return Fit(module, _LocalData(job), job.config, job.counts.baselines()).run()


def _save(job: CloneJob, fitted: Fitted, ignored: dict[str, Any], out: Path) -> WarmStart:
    policy = Policy(job.spec)
    policy.load_state_dict(fitted.weights)
    digest = checkpoint.save(policy, out / CHECKPOINTS, {"kind": "warm_start", "parts": fitted.parts})
    report = {
        "games_train": len(job.train),
        "games_held_out": len(job.held_out),
        "parts": fitted.parts,
        "checkpoint": digest,
        **ignored,
        "value_explained": fitted.value_explained,
        "epochs": fitted.epochs,
        "updates": fitted.updates,
        "stopped_by": fitted.stopped_by,
    }
    write_atomic(out / REPORT_FILE, json.dumps(report, indent=1) + "\n")
    _show(fitted)
    if fitted.stopped_by == "interrupt":
        say(f"interrupted: the best weights so far are in {out / CHECKPOINTS / digest}")
        raise KeyboardInterrupt
    return WarmStart(digest, out / CHECKPOINTS / digest, report)


def _show(fitted: Fitted) -> None:
    """The report, for people."""
    rows = [
        (
            name,
            *(f"{part[column]:.3f}" for column in ("nll", "table_nll", "majority_nll")),
            f"{part['change_accuracy']:.0%}",
        )
        for name, part in fitted.parts.items()
    ]
    table(
        f"warm start, held-out games, epoch {fitted.epochs} (nats per frame)",
        ("part", "policy", "table", "majority", "changes foreseen"),
        rows,
    )
