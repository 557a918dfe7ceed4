"""`bench train`: our training path against a hand-written PPO loop and against stock RLlib.

All three run in this process with one torch thread, take turns, and train the same GRU network and head on
the same simulator with the same T, batch, minibatch and epochs. What counts is CPU time, so other load on the
machine weighs on all alike; with a GPU, where networks learn and play then, it is wall time. Stock RLlib is taken
at the best of several numbers of environments.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from exphil_league.bench.contender import Contender, Task, Timing, one_thread
from exphil_league.config.game import GameConfig
from exphil_league.config.ppo import PPOConfig
from exphil_league.errors import UserError
from exphil_league.observe.progress import progress
from policies.spec import CoreSpec, PolicySpec

OURS_OVER_HANDWRITTEN, OURS_OVER_RLLIB, OURS_OVER_RLLIB_SAMPLING = 0.87, 2.7, 8.0
"""The least ratios that `bench train` is content with."""


def default_task(games: int = 128, unroll_frames: int = 64, width: int | None = None, device: str = "cpu") -> Task:
    """The default network, or one whose GRU is `width` units wide, in self-play of short games."""
    return Task(
        spec=PolicySpec() if width is None else PolicySpec(core=CoreSpec(width=width)),
        ppo=PPOConfig(
            games=games,
            unroll_frames=unroll_frames,
            epochs=2,
            minibatches=4,
            teacher_weight=0.0,
            value_warmup_updates=0,
        ),
        game=GameConfig(stocks=1, time_limit_s=60.0),
        device=device,
    )


def choose_device(wanted: str) -> str:
    """cpu or cuda for auto, cpu or cuda. Raises UserError for a GPU that is not there."""
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise UserError(
            "--device cuda: torch finds no GPU on this machine (`exphil-league doctor` says more); leave --device out"
        )
    return ("cuda" if found else "cpu") if wanted == "auto" else wanted


def measure_train(
    task: Task | None = None, iterations: int = 5, environments: Sequence[int] = (16, 64, 256)
) -> dict[str, Any]:
    """Frames per CPU-second (with a GPU, per second) of the three contenders, medians of interleaved iterations.

    {"device", "width", "ours_fps", "handwritten_fps", "rllib_fps", "ratio_to_handwritten", "ratio_to_rllib",
    "sampling_ratio_to_rllib", "ours_sample_fps", "rllib_sample_fps", "ours_shares", "rllib_environments",
    "env_frames_per_iteration", "iterations", "meets_thresholds"}. `environments` are tried for RLlib; the best
    goes into the comparison. `ours_shares` says where our time goes: simulator, inference, learning.
    """
    task = task or default_task()
    with one_thread(), _local_ray(), tempfile.TemporaryDirectory() as run:
        timings, shares = _interleaved(task, Path(run), iterations, environments)
    best = next(name for name in timings if name.startswith("rllib-"))
    ours, hand, rllib = (_fps(task, timings[name]) for name in ("ours", "handwritten", best))
    sampling = [_fps(task, [t._replace(total_s=t.sample_s) for t in timings[name]]) for name in ("ours", best)]
    found = {
        "device": task.device,
        "width": task.spec.core.width,
        "ours_fps": round(ours),
        "handwritten_fps": round(hand),
        "rllib_fps": round(rllib),
        "ratio_to_handwritten": round(ours / hand, 3),
        "ratio_to_rllib": round(ours / rllib, 2),
        "sampling_ratio_to_rllib": round(sampling[0] / sampling[1], 2),
        "ours_sample_fps": round(sampling[0]),
        "rllib_sample_fps": round(sampling[1]),
        "ours_shares": shares,
        "rllib_environments": int(best.removeprefix("rllib-")),
        "env_frames_per_iteration": task.env_frames,
        "iterations": iterations,
    }
    return found | {"meets_thresholds": meets_thresholds(found)}


def meets_thresholds(result: dict[str, Any]) -> bool:
    """Whether a result is as good as it should be."""
    return (
        result["ratio_to_handwritten"] >= OURS_OVER_HANDWRITTEN
        and result["ratio_to_rllib"] >= OURS_OVER_RLLIB
        and result["sampling_ratio_to_rllib"] >= OURS_OVER_RLLIB_SAMPLING
    )


def _interleaved(
    task: Task, run: Path, iterations: int, environments: Sequence[int]
) -> tuple[dict[str, list[Timing]], dict[str, float]]:
    """Timings by contender, and where ours spent its time."""
    from exphil_league.bench.handwritten import Handwritten
    from exphil_league.bench.ours import Ours

    with progress("bench train", total=2 + len(environments) + 3 * iterations, unit="iterations") as shown:
        ours = Ours(task, run)
        contenders: list[Contender] = [ours, Handwritten(task)]
        for contender in contenders:
            contender.iterate()  # compiles and allocates
            shown.advance()
        contenders.append(_best_rllib(task, environments, shown))
        timings: dict[str, list[Timing]] = {contender.name: [] for contender in contenders}
        for _ in range(iterations):
            for contender in contenders:
                timings[contender.name].append(contender.iterate())
                shown.advance()
        shares = ours.shares()
        for contender in contenders:
            contender.close()
    return timings, shares


def _best_rllib(task: Task, environments: Sequence[int], shown: Any) -> Contender:
    """RLlib with the number of environments whose first iteration was fastest."""
    from exphil_league.bench.stock_rllib import StockRllib

    best: tuple[float, StockRllib] | None = None
    for count in environments:
        contender = StockRllib(task, count)
        spent_s = contender.iterate().total_s
        shown.advance()
        if best is not None and best[0] <= spent_s:
            contender.close()
            continue
        if best is not None:
            best[1].close()
        best = spent_s, contender
    assert best is not None, "no number of environments to try"
    return best[1]


def _fps(task: Task, timings: Sequence[Timing]) -> float:
    return task.env_frames / statistics.median(timing.total_s for timing in timings)


@contextmanager
def _local_ray() -> Iterator[None]:
    """RLlib wants a Ray even when everything runs in this process."""
    import logging

    import ray

    if ray.is_initialized():
        yield
        return
    ray.init(num_cpus=1, include_dashboard=False, address="local", log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()
