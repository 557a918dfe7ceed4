"""What a run's league knows, read from its folder and shown as tables.

Each function reads RUN/league.sqlite, shows it on standard error and returns it as a dictionary. The run may be
going on meanwhile: nothing is locked or changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from exphil_league.league import views
from exphil_league.league.alarms import alarms
from exphil_league.league.events import Event, Published
from exphil_league.league.history import History
from exphil_league.league.model import WARM_START, PlayerKind
from exphil_league.league.state import LeagueState, fold
from exphil_league.league.store import LeagueStore
from exphil_league.observe.console import say, table

_LADDER = ("player", "kind", "Elo", "95 %", "games", "above warm start", "Nash mass", "least win rate")
_MATCHUPS = ("player", "as", "against", "stage", "Elo", "95 %", "above own Elo", "games")
_PLAYED = ("player", "opponent", "character", "opponent_character", "stage", "win_rate", "low", "high", "games")
_PAYOFF = ("player", "opponent", "win_rate", "low", "high", "games", "draws", "aborted")
_LINEAGE = ("child", "parent", "reason", "env_frames")
TOP_PLAYERS: Final = 16
"""Players a running league shows at most, beside anchors and warm start: pools grow to hundreds."""

_LEARNERS = ("player", "kind", "env_frames", "frames_since_snapshot", "snapshots", "generation", "parent")


def ladder(run: Path) -> dict[str, Any]:
    """Elo of frozen players with 95 % intervals. Raises UserError when RUN holds no readable league."""
    found = views.ladder(read_league(run))
    show_ladder(found)
    show_matchups(found)
    return found


def payoff(run: Path) -> dict[str, Any]:
    """Win rates of every pair that met, in training and in rating matches. Raises UserError."""
    found = views.payoff(read_league(run))
    for stream in ("train", "evaluate"):
        table(f"payoff ({stream})", _PAYOFF, _cells(found[stream], _PAYOFF))
        table(f"by matchup ({stream})", _PLAYED, _cells(found["matchups"][stream], _PLAYED))
        seat = found["seat_0"][stream]
        say(f"seat 0 won {seat['win_rate']:.3f} ({seat['low']:.3f} to {seat['high']:.3f}) of {seat['games']} games")
    return found


def lineage(run: Path) -> dict[str, Any]:
    """Who grew from whom. Raises UserError."""
    found = views.lineage(read_league(run))
    table("lineage", _LINEAGE, _cells(found["edges"], _LINEAGE))
    return found


def status(run: Path) -> dict[str, Any]:
    """Learners, work in flight, counters, alarms. Raises UserError."""
    state, history = read_history(run)
    raised = alarms(state, history, views.ladder(state))
    found = views.status(state) | {"alarms": [alarm._asdict() for alarm in raised]}
    table("learners", _LEARNERS, _cells(found["learners"], _LEARNERS))
    table(f"counts ({found['jobs_open']} jobs open)", ("what", "count"), found["counts"].items())
    say(*(f"alarm {alarm.name}: {alarm.text}" for alarm in raised))
    return found


def show_ladder(found: dict[str, Any], top: int | None = None) -> None:
    """Print a ladder to standard error; with `top` its first so many players, the anchors and the warm start."""
    players = [
        row
        for place, row in enumerate(found["players"])
        if top is None or place < top or row["kind"] == PlayerKind.ANCHOR or row["player"] == WARM_START
    ]
    rows = [
        (
            row["player"],
            row["kind"],
            f"{row['elo']:.0f}",
            f"{row['low']:.0f} to {row['high']:.0f}",
            row["games"],
            _difference(row["vs_warm_start"]),
            _share(row["nash_mass"]),
            "" if row["min_against"] is None else f"{row['min_win_rate']:.2f} ({row['min_against']})",
        )
        for row in players
    ]
    table(f"ladder on {found['backend']} ({found['anchor']} is the anchor)", _LADDER, rows)
    if len(players) < len(found["players"]):
        say(f"and {len(found['players']) - len(players)} more players: exphil-league league ladder shows all")
    if found["cyclicity"] is not None:
        say(f"cyclicity {found['cyclicity']:.2f}: share of the pool's log odds that no rating explains")


def show_matchups(found: dict[str, Any]) -> None:
    """Print a ladder's ratings by matchup to standard error, when there is more than one matchup."""
    rows = [
        (
            *(row[name] for name in ("player", "character", "opponent_character", "stage")),
            f"{row['elo']:.0f}",
            f"{row['low']:.0f} to {row['high']:.0f}",
            f"{row['above_overall']:+.0f} ({row['above_overall_low']:+.0f} to {row['above_overall_high']:+.0f})",
            row["games"],
        )
        for row in found["matchups"]
    ]
    if rows:
        table("ratings by matchup", _MATCHUPS, rows)


def _share(mass: float | None) -> str:
    return "" if mass is None else f"{mass:.2f}"


def _difference(interval: dict[str, float] | None) -> str:
    return "" if interval is None else f"{interval['diff']:+.0f} ({interval['low']:+.0f} to {interval['high']:+.0f})"


def _cells(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(_cell(row[column]) for column in columns) for row in rows]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)


def read_league(run: Path, at_frames: int | None = None) -> LeagueState:
    """The league of a run folder. Raises UserError when it holds none that can be read.

    With `at_frames` as it was after so many game frames of all its learners together; as it is, if it has fewer.
    """
    with closing(LeagueStore(run, read_only=True)) as store:
        return fold(store.events() if at_frames is None else _until(store.events(), at_frames))


def read_history(run: Path) -> tuple[LeagueState, History]:
    """The league of a run folder and what its alarms need of its past. Raises UserError as `read_league`."""
    history = History()
    with closing(LeagueStore(run, read_only=True)) as store:
        return fold(history.hearing(store.events())), history


def _until(events: Iterable[Event], frames: int) -> Iterator[Event]:
    """The events before the learners together had trained more than so many frames."""
    trained: dict[str, int] = {}
    for event in events:
        if isinstance(event, Published):
            trained[event.player_id] = event.env_frames
            if sum(trained.values()) > frames:
                return
        yield event
