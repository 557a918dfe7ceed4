"""Shape of the legal stages as data (`stage_outlines.toml`), for scripted players and the replay viewer."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from envs.game import LEGAL_STAGES, stage_name


class StageOutline(NamedTuple):
    """A stage in game units, y upwards."""

    name: str
    edge_x: float
    """x of the right ledge's corner; the left one is its mirror image."""
    blast: tuple[float, float, float, float]
    """left, right, top, bottom"""
    platforms: tuple[tuple[float, float, float], ...]
    """(left x, right x, y) of each platform"""
    outline: tuple[tuple[float, float], ...]
    """corners of the solid body"""


@cache
def stage_outlines() -> dict[int, StageOutline]:
    """Outline of each legal stage by Slippi's stage id."""
    table = tomllib.loads(files("envs").joinpath("stage_outlines.toml").read_text(encoding="utf-8"))
    return {stage: _outline(stage_name(stage), table[stage_name(stage)]) for stage in LEGAL_STAGES}


def _outline(name: str, row: dict) -> StageOutline:
    left, right, top, bottom = row["blast"]
    return StageOutline(
        name,
        row["edge_x"],
        (left, right, top, bottom),
        tuple((a, b, y) for a, b, y in row["platforms"]),
        tuple((x, y) for x, y in row["outline"]),
    )
