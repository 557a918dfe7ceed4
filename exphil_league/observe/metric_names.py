"""Names under which a run reports: stable, since dashboards and papers refer to them.

The result of each learner update holds `rl/...` (see `exphil_league.rl.metrics`), `league/...` and `warnings/...` from
here; in TensorBoard all stand under `ray/tune/`, over env frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exphil_league.league.model import WARM_START

ELO: Final = "league/elo/main"
ELO_LOW: Final = "league/elo_low/main"
ELO_HIGH: Final = "league/elo_high/main"
"""Bounds of the 95 % interval."""
RATING_GAMES: Final = "league/rating_games"
FROZEN_PLAYERS: Final = "league/frozen_players"
WIN_RATE: Final = "league/win_rate/"
"""Followed by an anchor's name: rate of the main player's newest snapshot in rating games, draws as half."""
VS_WARM_START: Final = "league/vs_warm_start/rate"
VS_WARM_START_LOW: Final = "league/vs_warm_start/low"
VS_WARM_START_HIGH: Final = "league/vs_warm_start/high"
VS_WARM_START_GAMES: Final = "league/vs_warm_start/games"
"""The same against the warm start, with the bounds of its 95 % interval and the games they rest on."""
_VS_WARM_START: Final = (VS_WARM_START, VS_WARM_START_LOW, VS_WARM_START_HIGH, VS_WARM_START_GAMES)
TOP_ELO: Final = "league/top_elo/"
"""Followed by a place, 1 to TOP_PLAYERS: ratings of the best policies, whoever they are."""
TOP_PLAYERS: Final = 3
NASH_MASS: Final = "league/nash_mass/"
"""Followed by a learner's name, `roots` or `anchors`: mass of its snapshots in the pool's equilibrium."""
MIN_WIN_RATE: Final = "league/min_win_rate/main"
"""Win rate of the main player's newest snapshot against the opponent that it beats least."""
CYCLICITY: Final = "league/cyclicity"
"""Share of the pool's log odds that no rating explains: 0 transitive, 1 pure cycles."""
WARNINGS_NOW: Final = "warnings/now"
"""Warnings that hold at this update."""
WARNINGS_SAID: Final = "warnings/said"
"""Warnings said since the run began: lines of RUN/warnings.jsonl."""
WARNINGS_OF_KIND: Final = "warnings/kind/"
"""Followed by a kind (`alarms.KINDS`, `league.alarms.KINDS`): how many of it hold now, 0 while all is well."""
ENV_FRAMES: Final = "timesteps_total"
UPDATES: Final = "training_iteration"
SECONDS: Final = "time_total_s"
POPULATION: Final = "population"
"""Of a member of a population, followed by player and name: the numbers that it trains with."""
REPORTED: Final = (UPDATES, ENV_FRAMES, SECONDS, "time_this_iter_s", "rl", "league", "warnings", POPULATION)
"""What of a result is ours."""
FPS: Final = "rl/fps"
GAMES_PER_S: Final = "rl/games_per_s"


def league_metrics(ladder: Mapping[str, Any], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """What stands under `league` in a result: the names above, nested by their slashes.

    `ladder` is the league's view, `pairs` the rating games of its main player. What has not been measured yet is left
    out.
    """
    rows = {row["player"]: row for row in ladder["players"]}
    metrics: dict[str, float] = {
        FROZEN_PLAYERS: len(rows),
        RATING_GAMES: sum(row["games"] for row in rows.values()) // 2,
    }
    main = rows.get(ladder["main"])
    if main is not None and main["games"]:
        metrics |= {ELO: main["elo"], ELO_LOW: main["low"], ELO_HIGH: main["high"]}
        metrics[MIN_WIN_RATE] = main["min_win_rate"]
    metrics |= _of_the_pool(ladder)
    anchors = [player for player, row in rows.items() if row["kind"] == "anchor"]
    rates = win_rates(ladder["main"], pairs, anchors)
    metrics |= {WIN_RATE + anchor: rate for anchor, rate in rates.items()}
    if (against := pair_of(ladder["main"], WARM_START, pairs)) is not None:
        metrics |= dict(zip(_VS_WARM_START, against, strict=True))
    return nested(metrics)["league"]


def _of_the_pool(ladder: Mapping[str, Any]) -> dict[str, float]:
    """As many numbers for a pool of a thousand as for one of four."""
    rated = [row for row in ladder["players"] if row["games"]]
    best = [row["elo"] for row in rated if row["kind"] != "anchor"][:TOP_PLAYERS]
    metrics = {f"{TOP_ELO}{place}": elo for place, elo in enumerate(best, 1)}
    for row in rated:
        name = NASH_MASS + row["role"]
        metrics[name] = metrics.get(name, 0.0) + row["nash_mass"]
    if ladder["cyclicity"] is not None:
        metrics[CYCLICITY] = ladder["cyclicity"]
    return metrics


def win_rates(player: str, pairs: Sequence[Mapping[str, Any]], opponents: list[str]) -> dict[str, float]:
    """Win rate of `player` against each of `opponents` it has met."""
    found = {opponent: pair_of(player, opponent, pairs) for opponent in opponents}
    return {opponent: against[0] for opponent, against in found.items() if against is not None}


def pair_of(player: str, opponent: str, pairs: Sequence[Mapping[str, Any]]) -> tuple[float, float, float, int] | None:
    """Win rate of `player` against `opponent`, its interval, and games (rate, low, high, games); None without any."""
    for pair in (pair for pair in pairs if pair["games"]):
        if (pair["player"], pair["opponent"]) == (player, opponent):
            return pair["win_rate"], pair["low"], pair["high"], pair["games"]
        if (pair["player"], pair["opponent"]) == (opponent, player):
            return 1.0 - pair["win_rate"], 1.0 - pair["high"], 1.0 - pair["low"], pair["games"]
    return None


def nested(metrics: Mapping[str, float]) -> dict[str, Any]:
    """Numbers by slashed name as a nested result: what `flatten` undoes."""
    result: dict[str, Any] = {}
    for name, value in metrics.items():
        *groups, last = name.split("/")
        inner = result
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return result


def flatten(result: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a nested result by slashed name."""
    flat: dict[str, float] = {}
    for key, value in result.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[f"{prefix}{key}"] = value
    return flat
