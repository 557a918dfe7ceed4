"""Names under which a run reports: stable, since dashboards and papers refer to them.

The result of each learner update holds `rl/...` (see `exphil_league.rl.metrics`) and `league/...` from here; in
TensorBoard both stand under `ray/tune/`, over env frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ELO: Final = "league/elo/main"
ELO_LOW: Final = "league/elo_low/main"
ELO_HIGH: Final = "league/elo_high/main"
"""Bounds of the 95 % interval."""
RATING_GAMES: Final = "league/rating_games"
FROZEN_PLAYERS: Final = "league/frozen_players"
WIN_RATE: Final = "league/win_rate/"
"""Followed by an anchor's name: rate of the main player's newest snapshot in rating games, draws as half."""
ENV_FRAMES: Final = "timesteps_total"
UPDATES: Final = "training_iteration"
SECONDS: Final = "time_total_s"
REPORTED: Final = (UPDATES, ENV_FRAMES, SECONDS, "time_this_iter_s", "rl", "league")
"""What of a result is ours."""
FPS: Final = "rl/fps"
GAMES_PER_S: Final = "rl/games_per_s"


def league_metrics(ladder: Mapping[str, Any], payoff: Mapping[str, Any]) -> dict[str, Any]:
    """The league's part of a result, nested by the slashes of the names above.

    `ladder` and `payoff` are the league's views. What has not been measured yet is left out.
    """
    rows = {row["player"]: row for row in ladder["players"]}
    metrics: dict[str, Any] = {
        "frozen_players": len(rows),
        "rating_games": sum(row["games"] for row in rows.values()) // 2,
    }
    main = rows.get(ladder["main"])
    if main is not None and main["games"]:
        for name, key in (("elo", "elo"), ("elo_low", "low"), ("elo_high", "high")):
            metrics[name] = {"main": main[key]}
    rates = win_rates(ladder["main"], payoff["evaluate"], [p for p, row in rows.items() if row["kind"] == "anchor"])
    if rates:
        metrics["win_rate"] = rates
    return metrics


def win_rates(player: str, pairs: list[Mapping[str, Any]], opponents: list[str]) -> dict[str, float]:
    """Win rate of `player` against each of `opponents` it has met."""
    rates = {}
    for pair in (pair for pair in pairs if pair["games"]):
        if pair["player"] == player and pair["opponent"] in opponents:
            rates[pair["opponent"]] = pair["win_rate"]
        elif pair["opponent"] == player and pair["player"] in opponents:
            rates[pair["player"]] = 1.0 - pair["win_rate"]
    return rates


def flatten(result: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a nested result by slashed name."""
    flat: dict[str, float] = {}
    for key, value in result.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[f"{prefix}{key}"] = value
    return flat
