"""Imitation on Ray: Ray Data parses replays and streams windows, a TorchTrainer runs the loop of `fit`.

On several nodes the replays, the row cache and the run folder must lie on storage that all of them see.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import ray
import ray.data
import ray.train
import ray.train.torch
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save

from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.imitation.cache import CachedGame, ParsedFile, parse_file
from exphil_league.imitation.fit import STOP_REASONS, Fit, Fitted
from exphil_league.imitation.job import CloneJob, held_out_batches, new_policy
from exphil_league.imitation.losses import CloneLoss
from exphil_league.imitation.relay import Relay
from exphil_league.imitation.windows import Windows, windows_of
from exphil_league.observe.console import say
from exphil_league.run_folder import write_atomic

_FILES_PER_TASK: Final = 8
_SHUFFLED_WINDOWS: Final = 2048
"""Windows that are mixed with each other in a training process (60 MB at 64 frames)."""
_WEIGHTS: Final = "weights.safetensors"
_FACTS: Final = "fitted.json"
_STOP: Final = "stop"
_PROGRESS: Final = "progress.jsonl"


def parse_with_ray(paths: Sequence[str], folder: Path, filters: ReplaysConfig) -> Iterator[ParsedFile]:
    """A `cache.Parser` on every core of the cluster; results come as they are ready."""
    _connect()

    def parse(row: dict[str, Any]) -> dict[str, Any]:
        return asdict(parse_file(row["path"], folder, filters))

    tasks = -(-len(paths) // _FILES_PER_TASK)
    files = ray.data.from_items([{"path": path} for path in paths], override_num_blocks=tasks).map(parse)
    for row in files.iter_rows():
        yield ParsedFile(**row)


def clone_with_ray(job: CloneJob, out: Path, torch_threads: int, workers: int, gpus_per_worker: float) -> Fitted:
    """Train in `workers` processes. Raises UserError when the loss diverges, KeyboardInterrupt at a second Ctrl-C;
    the first one gives what there is."""
    _connect()
    scratch = (out / ".imitation").absolute()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    cores = _core_share(workers)
    resources = {"CPU": cores, "GPU": gpus_per_worker} if gpus_per_worker else {"CPU": cores}
    trainer = ray.train.torch.TorchTrainer(
        _train_worker,
        train_loop_config={"job": ray.put(job), "scratch": str(scratch), "torch_threads": torch_threads},
        datasets={"train": _window_stream(job, cores)},
        scaling_config=ray.train.ScalingConfig(
            num_workers=workers, use_gpu=gpus_per_worker > 0, resources_per_worker=resources
        ),
        run_config=ray.train.RunConfig(name="trainer", storage_path=str(scratch)),
    )
    with Relay(scratch / _PROGRESS).shown():
        _fit(trainer, scratch / _STOP)
    fitted = _read(scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    return fitted


def _fit(trainer: ray.train.torch.TorchTrainer, stop: Path) -> None:
    """Train on another thread: on the main one Ray would take Ctrl-C for itself and never give it back.

    The first Ctrl-C asks the training processes to end with what they have, by a file; the second gives up.
    """
    done: Future[None] = Future()

    def work() -> None:
        try:
            trainer.fit()
        except ray.train.WorkerGroupError as error:  # what ended a training process says more than that one ended
            done.set_exception(next(iter(error.worker_failures.values()), error))
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=work, daemon=True).start()
    try:
        done.result()
    except KeyboardInterrupt:
        say("stopping: the best weights so far are being kept; Ctrl-C again gives up")
        stop.touch()
        done.result()


def _connect() -> None:
    """Join the Ray that runs already; a script that uses imitation alone gets its own."""
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False


def _core_share(workers: int) -> float:
    """Cores of each process. Training and reading share a machine that has no core left for reading."""
    return 1.0 if ray.cluster_resources().get("CPU", 1) > workers else 0.5


def _window_stream(job: CloneJob, cores: float) -> ray.data.Dataset:
    """Windows of the training games as rows of tensors, cut while they stream."""
    games = [
        {
            "game_id": g.game_id,
            "seats": json.dumps([g.characters, g.only]),
            "shard": str(g.shard),
            "replay": str(g.replay),
        }
        for g in job.train
    ]
    spec, characters = job.windows, job.characters

    def windows(batch: dict[str, NDArray[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        columns = (batch[name] for name in ("game_id", "seats", "shard", "replay"))
        for game_id, seats, shard, replay in zip(*columns, strict=True):
            humans, only = json.loads(seats)
            game = CachedGame(game_id, tuple(humans), Path(shard), Path(replay), only=only and tuple(only))
            found = windows_of(game, spec, characters)
            if found is not None:
                yield found._asdict()

    listed = ray.data.from_items(games, override_num_blocks=min(len(games), 1000))
    return listed.randomize_block_order(seed=job.seed).map_batches(windows, batch_size=1, num_cpus=cores)


class _StreamedData:
    """This process's share of the training windows; every process judges all held-out games. A `fit.Data`."""

    def __init__(self, job: CloneJob, shard: ray.data.DataIterator, processes: int) -> None:
        self._job, self._shard = job, shard
        self.train_windows = job.train_windows // processes

    def train(self, epoch: int) -> Iterator[Windows]:
        stream = self._shard.iter_batches(
            batch_size=self._job.config.batch_windows,
            local_shuffle_buffer_size=_SHUFFLED_WINDOWS,
            local_shuffle_seed=self._job.seed * 1000 + epoch,
        )
        return (Windows(**batch) for batch in stream)

    def held_out(self) -> Iterator[Windows]:
        return held_out_batches(self._job)


def _share_of(job: CloneJob, processes: int) -> CloneJob:
    """The job of one of so many processes: all of them together make a batch of the recipe's size."""
    batch = max(round(job.config.batch_windows / processes), 1)
    return replace(job, config=job.config.model_copy(update={"batch_windows": batch}))


def _train_worker(config: dict[str, Any]) -> None:
    """The loop in one training process."""
    scratch = Path(config["scratch"])
    torch.set_num_threads(config["torch_threads"])
    context = ray.train.get_context()
    job = _share_of(ray.get(config["job"]), context.get_world_size())
    module = ray.train.torch.prepare_model(CloneLoss(new_policy(job), job.config.value_weight))
    data = _StreamedData(job, ray.train.get_dataset_shard("train"), context.get_world_size())
    leads = context.get_world_rank() == 0
    try:
        fit = Fit(
            module,
            data,
            job.config,
            job.counts.baselines(),
            agree=_agree,
            asked=(scratch / _STOP).exists,
            keep=(lambda best: _write(scratch, best)) if leads else None,
            show=Relay(scratch / (_PROGRESS if leads else f"{_PROGRESS}.{context.get_world_rank()}")).progress,
        )
        fitted = fit.run()
    except UserError as error:
        (scratch / _FACTS).write_text(json.dumps({"error": str(error)}))
        return
    if leads:
        _write(scratch, fitted)


def _agree(stopped_by: str) -> str:
    """The first process's reason to stop, told to all."""
    if not torch.distributed.is_initialized() or torch.distributed.get_world_size() == 1:
        return stopped_by
    reason = torch.tensor([STOP_REASONS.index(stopped_by)], device=ray.train.torch.get_device())
    torch.distributed.broadcast(reason, src=0)
    return STOP_REASONS[int(reason.item())]


def _write(scratch: Path, fitted: Fitted) -> None:
    """Weights first: facts without weights are never seen."""
    weights = {name: tensor.cpu().contiguous() for name, tensor in fitted.weights.items()}
    write_atomic(scratch / _WEIGHTS, save(weights))
    facts = {name: value for name, value in vars(fitted).items() if name != "weights"}
    write_atomic(scratch / _FACTS, json.dumps(facts))


def _read(scratch: Path) -> Fitted:
    facts = json.loads((scratch / _FACTS).read_text())
    if "error" in facts:
        raise UserError(facts["error"])
    return Fitted(load_file(scratch / _WEIGHTS), **facts)
