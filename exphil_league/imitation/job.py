"""What the training loop needs, decided before it starts: split, counts, windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from envs.game import character_id
from exphil_league.config.training import ImitationConfig
from exphil_league.errors import UserError
from exphil_league.imitation.cache import CachedGame
from exphil_league.imitation.metrics import TransitionCounts
from exphil_league.imitation.rows import read_parts
from exphil_league.imitation.windows import Windows, WindowSpec, batches, window_count
from exphil_league.replays.scan import held_out
from policies import checkpoint
from policies.policy import Policy
from policies.spec import PolicySpec


@dataclass(frozen=True)
class CloneJob:
    """Everything about a run of imitation but the weights; travels to the training processes."""

    config: ImitationConfig
    spec: PolicySpec
    windows: WindowSpec
    train: tuple[CachedGame, ...]
    held_out: tuple[CachedGame, ...]
    characters: tuple[int, ...]
    """Seats to learn from by internal id; empty for all."""
    counts: TransitionCounts
    """Of the training games."""
    train_windows: int
    seed: int
    start: Path | None = None
    """Checkpoint folder to begin at; None: fresh weights."""


def make_job(
    config: ImitationConfig, spec: PolicySpec, windows: WindowSpec, games: Sequence[CachedGame], seed: int
) -> CloneJob:
    """Split the games, count what follows what, and drop games shorter than a window.

    Raises UserError when nothing is left to learn from or to judge by.
    """
    characters = tuple(character_id(name) for name in config.characters)
    kept_out = _held_out_ids(games, config.held_out_share)
    counts = TransitionCounts()
    train, held, total = [], [], 0
    for game in games:
        seats = game.seats_of(read_parts(game.shard), characters)
        size = sum(window_count(len(parts), windows) for parts in seats)
        if not size:
            continue
        if game.game_id in kept_out:
            held.append(game)
            continue
        train.append(game)
        total += size
        for parts in seats:
            counts.add(parts, spec)
    if not train or not held:
        raise UserError(_nothing_left(config, len(games), len(train), len(held)))
    return CloneJob(config, spec, windows, tuple(train), tuple(held), characters, counts, total, seed)


def new_policy(job: CloneJob) -> Policy:
    """The job's start; else fresh weights from its seed, transition tables from the counts of the training games."""
    if job.start is not None:
        return checkpoint.load(job.start)
    torch.manual_seed(job.seed)
    policy = Policy(job.spec)
    policy.head.start_from_counts(job.counts.head_tables())
    return policy


def train_batches(job: CloneJob, epoch: int) -> Iterator[Windows]:
    """The training windows once, shuffled by seed and epoch, read in this process."""
    seed = job.seed * 1000 + epoch
    return batches(job.train, job.windows, job.config.batch_windows, job.characters, seed)


def held_out_batches(job: CloneJob) -> Iterator[Windows]:
    """The held-out windows once, in the order of the games."""
    return batches(job.held_out, job.windows, job.config.batch_windows, job.characters)


def _held_out_ids(games: Sequence[CachedGame], share: float) -> set[str]:
    """Games whose hash says so; of a handful of games at least one."""
    chosen = {game.game_id for game in games if held_out(game.game_id, share)}
    return chosen or {min(game.game_id for game in games)}


def _nothing_left(config: ImitationConfig, games: int, train: int, held: int) -> str:
    only = f", only {', '.join(config.characters)}" if config.characters else ""
    return (
        f"imitation: {games} usable games leave {train} to learn from and {held} to judge by (windows of "
        f"{config.window_frames} frames{only}); give more replays or change the recipe's `imitation` section"
    )
