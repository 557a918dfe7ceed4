"""What `sim fidelity` prints for people: figures by character and class, by half, and the misses in groups."""

from __future__ import annotations

from typing import Any, Final

from envs.game import character_name
from envs.sim.fidelity.predictions import Predictions
from envs.sim.fidelity.residuals import lines, residuals
from exphil_league.observe.console import say, table

GROUPS_SHOWN: Final = 40
REFUSED_SHOWN: Final = 10
_FIGURES: Final = ("k1_within_0_01", "k1_within_0_1", "k1_action", "k10_within_0_01", "baseline_k1_within_0_01")
_SUMMARY: Final = {
    "move .01": ("movement", "k1_within_0_01"),
    "action": ("movement", "k1_action"),
    "10 steps": ("movement", "k10_within_0_01"),
    "all .01": ("all", "k1_within_0_01"),
    "all .1": ("all", "k1_within_0_1"),
    "roll .1": ("roll_tech_ledge", "k1_within_0_1"),
    "special .1": ("specials_throws", "k1_within_0_1"),
}
"""The figures that sum a character up."""


def show_report(result: dict[str, Any]) -> None:
    """Print a report (see `envs.sim.fidelity.report`) to standard error."""
    say(f"{result['games']} games predicted, {len(result['refused'])} refused, {result['rows']} predictions")
    refused = result["refused"]
    say(*(f"refused {game['game']}: {game['reason']} ({game['detail']})" for game in refused[:REFUSED_SHOWN]))
    if len(refused) > REFUSED_SHOWN:
        say(f"... and {len(refused) - REFUSED_SHOWN} more; --json lists all")
    titles = {"characters": "", "hit_in_window": ", hit in the window", "cpu": ", driven by the game"}
    for part, title in titles.items():
        for character, classes in result[part].items():
            columns = ("class", "n", *(_short(figure) for figure in _FIGURES))
            table(f"{character}{title}", columns, (_cells(name, figures) for name, figures in classes.items()))
    for part in ("hits", "contact", "combat"):
        _show_combat(part, result[part])
    _show_halves(result["halves"])


def _short(figure: str) -> str:
    return figure.replace("_within", "").replace("0_", "0.")


def _percent(figures: dict[str, Any], key: str) -> str:
    return f"{100 * figures[key]:.2f}" if key in figures else ""


def _cells(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    return (name, str(figures["n"]), *(_percent(figures, key) for key in _FIGURES))


def _show_combat(part: str, figures: dict[str, Any]) -> None:
    of_all = {name: value for name, value in figures.items() if name != "characters"}
    rows = [("all", of_all), *figures["characters"].items()]
    table(part, ("attacker", *of_all), ((name, *(shown.get(key, "") for key in of_all)) for name, shown in rows))


def _show_halves(halves: dict[str, dict[str, Any]]) -> None:
    rows = [
        (f"{character}, {half}", *(_percent(classes.get(name, {}), key) for name, key in _SUMMARY.values()))
        for character in sorted({character for of_half in halves.values() for character in of_half["characters"]})
        for half, of_half in halves.items()
        if (classes := of_half["characters"].get(character)) is not None
    ]
    table("Both halves of the split", ("character", *_SUMMARY), rows)


def show_residuals(made: Predictions) -> None:
    """Print the biggest groups of misses one frame ahead, by character, to standard error."""
    rows = made.rows[(made.rows["k"] == 1) & ~made.rows["hit_in_window"] & ~made.rows["cpu"]]
    for character in sorted(set(rows["character"].tolist())):
        groups = residuals(rows[rows["character"] == character])
        missed = sum(group.misses for group in groups)
        say(f"\n{character_name(character)}: {missed} misses one step ahead in {len(groups)} groups")
        say("rows, of how many such transitions, median error x and y, kind; game, port, frame predicted from")
        for kind, count, total, error_x, error_y, places in lines(groups[:GROUPS_SHOWN], made.games):
            say(f"{count:>6} {total:>6} {error_x:>8} {error_y:>8}  {kind}", f"{'':32}{places}")
