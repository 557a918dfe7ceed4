"""Statistics of a folder of replays, as one object for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from envs.game import Character, stage_name
from envs.slippi.game import PlayerKind
from exphil_league.replays.scan import ScanReport
from exphil_league.replays.summary import GameSummary


def statistics(report: ScanReport) -> dict[str, Any]:
    """Counts over the usable games, and the reasons against the other files.

    `characters` counts players (a ditto counts twice); `input_change_share` is over human players: the share of
    frames on which stick or buttons change.
    """
    games = [file.summary for file in report.usable if file.summary is not None]
    return {
        "directory": str(report.directory),
        "files": len(report.files),
        "games": len(games),
        "minutes": round(sum(game.minutes for game in games), 2),
        "frames": sum(game.frames for game in games),
        "characters": _counts(Character(seat.character).name for game in games for seat in game.meta.seats),
        "matchups": _counts(_matchup(game) for game in games),
        "stages": _counts(stage_name(game.meta.stage) for game in games),
        "versions": _counts(".".join(map(str, game.meta.version)) for game in games),
        "cpu_players": sum(seat.kind != PlayerKind.HUMAN for game in games for seat in game.meta.seats),
        "decided": sum(game.winner >= 0 for game in games),
        "input_change_share": _spread(_human_input_shares(games)),
        "reasons": report.reasons,
    }


def _matchup(game: GameSummary) -> str:
    return " - ".join(sorted(Character(seat.character).name for seat in game.meta.seats))


def _human_input_shares(games: Iterable[GameSummary]) -> list[float]:
    return [game.seats[i].input_share for game in games for i in game.meta.human_seats]


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    low, median, high = np.quantile(values, [0, 0.5, 1])
    return {"min": round(float(low), 4), "median": round(float(median), 4), "max": round(float(high), 4)}
