"""`sim ...`: how closely the simulator follows recorded games."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from exphil_league.cli.command import Command, Outcome

if TYPE_CHECKING:
    from envs.sim.fidelity.predictions import Predictions

_GROUPS_SHOWN = 40
_REFUSED_SHOWN = 10
_FIGURES = ("k1_within_0_01", "k1_within_0_1", "k1_action", "k10_within_0_01", "baseline_k1_within_0_01")


@dataclass(frozen=True)
class SimFidelity(Command):
    """Predict every frame of recorded games and compare: by character and class of action state."""

    paths: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(help=".slp files, or folders of them")] = (
        tyro.MISSING
    )
    k: tuple[int, ...] = (1, 10)
    """frames ahead"""
    rows: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """write every prediction to this Parquet file"""
    residuals: bool = False
    """show the misses, grouped by state before, recorded and predicted, with examples"""
    character: str | None = None
    """only this character's rows"""
    half: Literal["tune", "report"] | None = None
    """only the games of this half of the committed split"""

    def run(self) -> Outcome:
        from exphil_league.cli.bench import check

        check("--k", min(self.k, default=0), 1)
        return Outcome(run_fidelity(self))


def run_fidelity(command: SimFidelity) -> dict[str, Any]:
    """Measure, write and show what the command asks for; the object for `--json`. Raises UserError."""
    from envs.sim.fidelity.report import report

    measured = _measured(command)
    if command.rows is not None:
        from envs.sim.fidelity.rows_file import write_rows

        write_rows(command.rows, measured.rows, measured.games)
    result = report(measured)
    _show(result)
    if command.residuals:
        _show_residuals(measured)
    return result


def _measured(command: SimFidelity) -> Predictions:
    from envs.sim.fidelity.predictions import predict_games
    from envs.sim.fidelity.split import half_of
    from exphil_league.errors import UserError
    from exphil_league.observe.progress import progress
    from exphil_league.replays.scan import replay_files

    files = [file for path in command.paths for file in replay_files(path)]
    if command.half is not None:
        files = [file for file in files if half_of(file.name) == command.half]
    if not files:
        raise UserError("no game to predict: give .slp files, and with --half those that split.json names")
    with progress("predicting games", total=len(files), unit="games") as shown:
        return predict_games(files, command.k, command.character, lambda path: shown.advance(1))


def _show(result: dict[str, Any]) -> None:
    from exphil_league.observe.console import say, table

    say(f"{result['games']} games predicted, {len(result['refused'])} refused, {result['rows']} predictions")
    refused = result["refused"]
    say(*(f"refused {game['game']}: {game['reason']} ({game['detail']})" for game in refused[:_REFUSED_SHOWN]))
    if len(refused) > _REFUSED_SHOWN:
        say(f"... and {len(refused) - _REFUSED_SHOWN} more; --json lists all")
    titles = {"characters": "", "hit_in_window": ", hit in the window", "cpu": ", driven by the game"}
    for part, title in titles.items():
        for character, classes in result[part].items():
            columns = ("class", "n", *(name.replace("_within", "").replace("0_", "0.") for name in _FIGURES))
            table(f"{character}{title}", columns, (_cells(name, figures) for name, figures in classes.items()))
    for part in ("hits", "contact", "combat"):
        _show_combat(part, result[part])


def _show_combat(part: str, figures: dict[str, Any]) -> None:
    from exphil_league.observe.console import table

    of_all = {name: value for name, value in figures.items() if name != "characters"}
    rows = [("all", of_all), *figures["characters"].items()]
    table(part, ("attacker", *of_all), ((name, *(shown.get(key, "") for key in of_all)) for name, shown in rows))


def _cells(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    shares = (f"{100 * figures[key]:.2f}" if key in figures else "" for key in _FIGURES)
    return (name, str(figures["n"]), *shares)


def _show_residuals(measured: Predictions) -> None:
    from envs.game import character_name
    from envs.sim.fidelity.residuals import lines, residuals
    from exphil_league.observe.console import say

    rows = measured.rows[(measured.rows["k"] == 1) & ~measured.rows["hit_in_window"] & ~measured.rows["cpu"]]
    for character in sorted(set(rows["character"].tolist())):
        groups = residuals(rows[rows["character"] == character])
        missed = sum(group.misses for group in groups)
        say(f"\n{character_name(character)}: {missed} misses one step ahead in {len(groups)} groups")
        say("rows, of how many such transitions, median error x and y, kind; game, port, frame predicted from")
        for kind, count, total, error_x, error_y, places in lines(groups[:_GROUPS_SHOWN], measured.games):
            say(f"{count:>6} {total:>6} {error_x:>8} {error_y:>8}  {kind}", f"{'':32}{places}")
