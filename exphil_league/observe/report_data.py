"""What the report page shows of a run, gathered from its folder as JSON-ready values.

The run may be going on, be old or lack parts: what is missing is None or empty, and `missing` says why.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exphil_league.config.loader import difference
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.league import views
from exphil_league.league.alarms import alarms
from exphil_league.league.model import PlayerKind
from exphil_league.league.state import LeagueState
from exphil_league.observe import metric_names as names
from exphil_league.observe.league_tables import read_history
from exphil_league.observe.report_curves import curves, read_lines
from exphil_league.observe.report_population import population_curves
from exphil_league.run_folder import RunFolder, read_json

MATRIX_PLAYERS: Final = 64
"""Players shown in the payoff's heat map at most: those with most games."""


def report_data(run: RunFolder) -> dict[str, Any]:
    """Everything the page needs but the games it links to. Raises UserError for a folder that holds no run at all."""
    missing: list[str] = []
    metrics = list(read_lines(run.metrics))
    if not metrics:
        missing.append("no learner update has been reported yet (metrics.jsonl)")
    league = _league(run, missing)
    if league is None and not run.recipe.is_file():
        raise UserError(f"{run.root} holds neither a recipe nor a league: give the folder of a training run")
    recovery = _optional(run.recovery, missing)
    if recovery is None:
        missing.append("recovery is measured in the rating phase at the end (recovery.json)")
    population = _optional(run.population, missing) or {"rounds": []}
    return {
        "name": run.root.name,
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "stage": _stage(run, metrics),
        "totals": _totals(run, metrics),
        "league": league,
        "warnings": list(read_lines(run.warnings)),
        "curves": [*curves(metrics), *population_curves(population["rounds"], _mains(league))],
        "recovery": recovery,
        "probes": _probes(run, league, missing),
        "comparisons": (_optional(run.comparisons, missing) or {"comparisons": []})["comparisons"],
        "promotion": _optional(run.promotion, missing),
        "settings": _settings(run, missing),
        "missing": missing,
    }


def _league(run: RunFolder, missing: list[str]) -> dict[str, Any] | None:
    try:
        state, history = read_history(run.root)
    except UserError as error:
        missing.append(str(error))
        return None
    ladder, payoff = views.ladder(state), views.payoff(state)
    return {
        "ladder": ladder,
        "lines": _lines(state, ladder),
        "payoff": {stream: _matrix(payoff[stream], ladder) for stream in ("evaluate", "train")},
        "lineage": views.lineage(state),
        "status": views.status(state),
        "alarms": [alarm._asdict() for alarm in alarms(state, history, ladder)],
    }


def _mains(league: Mapping[str, Any] | None) -> list[str]:
    learners = [] if league is None else league["status"]["learners"]
    return [learner["player"] for learner in learners if learner["kind"] == PlayerKind.MAIN]


def _lines(state: LeagueState, ladder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rated members of every learner's line by its env frames, and anchors as constants."""
    rows = {row["player"]: row for row in ladder["players"] if row["games"]}
    lines = []
    for name in state.learners:
        members = [player for player in state.line(name) if player in rows]
        points = [
            {"player": m, "frames": state.players[m].created_frames, **{k: rows[m][k] for k in ("elo", "low", "high")}}
            for m in members
        ]
        lines.append({"label": name, "kind": state.players[name].kind.value, "points": points})
    for name, row in rows.items():
        if state.players[name].kind is PlayerKind.ANCHOR:
            lines.append({"label": name, "kind": "anchor", "points": [{"player": name, "frames": 0, **_elo(row)}]})
    return lines


def _elo(row: Mapping[str, Any]) -> dict[str, float]:
    return {key: row[key] for key in ("elo", "low", "high")}


def _matrix(met: list[dict[str, Any]], ladder: Mapping[str, Any]) -> dict[str, Any]:
    """Pairs that `met` as a matrix of the players with most games, best first; cells only where games were played."""
    pairs = [pair for pair in met if pair["games"] or pair["aborted"]]
    games: dict[str, int] = {}
    for pair in pairs:
        for player in (pair["player"], pair["opponent"]):
            games[player] = games.get(player, 0) + pair["games"]
    rank = {row["player"]: i for i, row in enumerate(ladder["players"])}
    most = sorted(games, key=lambda player: -games[player])[:MATRIX_PLAYERS]
    players = sorted(most, key=lambda player: (rank.get(player, -1), player))
    index = {player: i for i, player in enumerate(players)}
    cells = [
        [
            index[pair["player"]],
            index[pair["opponent"]],
            *(round(pair[key], 4) for key in ("win_rate", "low", "high")),
            *(pair[key] for key in ("games", "draws", "aborted")),
        ]
        for pair in pairs
        if pair["player"] in index and pair["opponent"] in index
    ]
    return {"players": players, "cells": cells, "of": len(games)}


def _stage(run: RunFolder, metrics: list[dict[str, float]]) -> str:
    """Where the run is, in words."""
    if run.ladder.is_file():
        return "finished"
    if run.trained.is_file():
        return "rating"
    if run.population.is_file():
        return "population"
    if not metrics:
        return "warm start" if not run.league.is_file() else "league, before its first update"
    return f"league; last update {_ago(time.time() - run.metrics.stat().st_mtime)} ago"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _totals(run: RunFolder, metrics: list[dict[str, float]]) -> dict[str, float | None]:
    last = metrics[-1] if metrics else {}
    return {
        "updates": last.get(names.UPDATES),
        "frames": last.get(names.ENV_FRAMES),
        "seconds": last.get(names.SECONDS),
    }


def _settings(run: RunFolder, missing: list[str]) -> dict[str, Any] | None:
    """The recipe's text, and which keys differ from their defaults."""
    if not run.recipe.is_file():
        missing.append("the recipe is gone (recipe.yaml)")
        return None
    text = run.recipe.read_text(encoding="utf-8", errors="replace")
    try:
        changed = difference(Recipe(), run.load_recipe())
    except UserError as error:
        missing.append(f"the recipe is of another version: {str(error).splitlines()[0]}")
        return {"text": text, "changed": []}
    return {"text": text, "changed": [[key, new, old] for key, (old, new) in changed.items() if key != "name"]}


def _probes(run: RunFolder, league: Mapping[str, Any] | None, missing: list[str]) -> list[dict[str, Any]]:
    """What fresh exploiters reached, with the name of the player each was trained against."""
    rows = (_optional(run.probes, missing) or {"probes": []})["probes"]
    players = [] if league is None else league["lineage"]["players"]
    names_by_digest = {player["digest"]: player["player"] for player in players if player["status"] == "frozen"}
    return [row | {"name": names_by_digest.get(row["target"], row["target"][:12])} for row in rows]


def _optional(path: Path, missing: list[str]) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return read_json(path)
    except UserError as error:
        missing.append(str(error))
        return None
