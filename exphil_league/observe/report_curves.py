"""Learning curves of a report: groups of series out of RUN/metrics.jsonl, thinned to what a screen can show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exphil_league.observe import metric_names as names

POINTS: Final = 200
"""Points of a series at most; more updates are averaged."""

Metrics = Mapping[str, float]
Pick = Callable[[Metrics], Mapping[str, float]]
"""The series' values in one update, by label."""


class Group(NamedTuple):
    """One chart."""

    title: str
    unit: str
    help: str
    pick: Pick


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file; lines that a kill cut off are left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


def curves(metrics: Sequence[Metrics]) -> list[dict[str, Any]]:
    """Charts with anything in them: {"title", "unit", "help", "series": [{"label", "points"}]}.

    Points are [env frames, value].
    """
    charts = []
    for group in GROUPS:
        series = [{"label": label, "points": points} for label, points in _series(metrics, group.pick).items()]
        if series:
            charts.append({"title": group.title, "unit": group.unit, "help": group.help, "series": series})
    return charts


def _series(metrics: Sequence[Metrics], pick: Pick) -> dict[str, list[list[float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for update in metrics:
        for label, value in pick(update).items():
            if np.isfinite(value):
                found.setdefault(label, []).append((update.get(names.ENV_FRAMES, 0.0), value))
    return {label: _thinned(np.array(points)) for label, points in found.items()}


def _thinned(points: NDArray[np.float64]) -> list[list[float]]:
    """Points [n, 2] averaged in at most POINTS runs of equal length."""
    parts = np.array_split(points, min(len(points), POINTS))
    return [[float(frames), float(f"{value:.5g}")] for frames, value in (part.mean(axis=0) for part in parts)]


def _of_players(metric: str) -> Pick:
    """`rl/PLAYER/metric` by player."""
    ending = f"/{metric}"

    def pick(update: Metrics) -> Mapping[str, float]:
        return {
            name.split("/")[1]: value
            for name, value in update.items()
            if name.startswith("rl/") and name.endswith(ending) and name.count("/") == 2
        }

    return pick


def _of_run(metric: str, label: str, scale: float = 1.0) -> Pick:
    return lambda update: {label: update[metric] * scale} if metric in update else {}


def _rewards(update: Metrics) -> Mapping[str, float]:
    """What all reward terms together brought each learner."""
    totals: dict[str, float] = {}
    for name, value in update.items():
        if name.startswith("rl/") and "/reward_" in name and name.endswith("_per_minute"):
            player = name.split("/")[1]
            totals[player] = totals.get(player, 0.0) + value
    return totals


def _win_rates(update: Metrics) -> Mapping[str, float]:
    found = {n.removeprefix(names.WIN_RATE): rate for n, rate in update.items() if n.startswith(names.WIN_RATE)}
    return found | ({"warm_start": update[names.VS_WARM_START]} if names.VS_WARM_START in update else {})


GROUPS: Final = (
    Group("Main's Elo as it was told", "Elo", "the ladder at each update", _of_run(names.ELO, "main")),
    Group("Main's win rates", "share", "newest snapshot in rating games, draws as half", _win_rates),
    Group("Entropy", "nats", "of the whole action; a fall to a tenth is a collapse", _of_players("entropy")),
    Group("Divergence from the warm start", "nats", "KL to the teacher, a frame", _of_players("kl_teacher")),
    Group(
        "Distance of play from the warm start",
        "0 to 1",
        "Jensen-Shannon, of the action states a player is in",
        _of_players("action_distance"),
    ),
    Group("Reward", "per minute", "all terms together, weighted", _rewards),
    Group(
        "Explained variance",
        "share",
        "of the returns, by the value head",
        _of_players("explained_variance"),
    ),
    Group("Game length", "s", "mean of finished training games", _of_run("rl/game_frames", "all", 1 / 60)),
    Group("Games ended by the timer", "share", "of finished training games", _of_run("rl/timer_share", "all")),
    Group("Speed", "env frames/s", "sampling and learning together", _of_run(names.FPS, "all")),
)
