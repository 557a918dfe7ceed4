"""The numbers of each update as Ray metrics: Ray's own agent on every node shows them to Prometheus beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from exphil_league.observe import metric_names as names

PREFIX: Final = "exphil"
"""Prometheus sees `ray_exphil_...`: Ray puts its own name before all."""
_BY_PLAYER: Final = (names.ELO, names.ELO_LOW, names.ELO_HIGH, names.MIN_WIN_RATE)
_BY_TAG: Final = {
    names.WIN_RATE: "opponent",
    names.NASH_MASS: "role",
    names.TOP_ELO: "place",
    names.WARNINGS_OF_KIND: "kind",
}
"""What follows these beginnings of names is the tag's value."""


class Series(NamedTuple):
    """Where a number goes: a metric, and the tags that tell its series apart."""

    metric: str
    tags: Mapping[str, str]


def series_of(name: str) -> Series:
    """The series of a slashed metric name: `rl/main/entropy` is exphil_rl_player_entropy of player main."""
    group, *parts = name.split("/")
    if group == "rl" and len(parts) == 2:
        return Series(f"{PREFIX}_rl_player_{parts[1]}", {"player": parts[0]})
    if name in _BY_PLAYER:
        return Series(f"{PREFIX}_league_{parts[0]}", {"player": parts[1]})
    for beginning, tag in _BY_TAG.items():
        if name.startswith(beginning):
            metric = beginning.strip("/").replace("/", "_")
            return Series(f"{PREFIX}_{metric}", {tag: name.removeprefix(beginning)})
    return Series("_".join((PREFIX, group, *parts)), {})


class RayMetrics:
    """A sink. Every number is a gauge with the run's name as tag."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._gauges: dict[str, Any] = {}

    def write(self, metrics: Mapping[str, float]) -> None:
        from ray.util.metrics import Gauge

        for name, value in metrics.items():
            series = series_of(name)
            tags = {"run": self._run, **series.tags}
            if series.metric not in self._gauges:
                self._gauges[series.metric] = Gauge(series.metric, description=name, tag_keys=tuple(tags))
            self._gauges[series.metric].set(value, tags=tags)

    def close(self) -> None: ...
