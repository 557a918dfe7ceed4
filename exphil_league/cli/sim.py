"""`sim ...`: how closely the simulator follows recorded games."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from exphil_league.cli.command import MET, SHORT_OF_THRESHOLD, Command, Outcome

if TYPE_CHECKING:
    from envs.sim.fidelity.predictions import Predictions


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
    check_floors: bool = False
    """exit with status 1 where a class is below its committed floor"""
    raise_floors: bool = False
    """raise the committed floors to what is reached now; none is lowered"""

    def run(self) -> Outcome:
        from exphil_league.cli.bench import check

        check("--k", min(self.k, default=0), 1)
        if self.rows is not None:
            _require_room(self.rows)
        return run_fidelity(self)


def _require_room(file: Path) -> None:
    """Raises UserError where no file can be written, before the work and not after it."""
    from exphil_league.errors import UserError

    if file.is_dir() or not file.parent.is_dir():
        raise UserError(f"--rows {file}: name a file in a folder that exists")


def run_fidelity(command: SimFidelity) -> Outcome:
    """Measure, write and show what the command asks for; its result is for `--json`. Raises UserError."""
    from envs.sim.fidelity.report import report_with_halves
    from exphil_league.observe.fidelity_tables import show_report, show_residuals

    made = _predicted(command)
    if command.rows is not None:
        from envs.sim.fidelity.rows_file import write_rows

        write_rows(command.rows, made.rows, made.games)
    result = report_with_halves(made)
    show_report(result)
    if command.residuals:
        show_residuals(made)
    return Outcome(result, _floors(command, made))


def _floors(command: SimFidelity, made: Predictions) -> int:
    """Check or raise the floors where that is asked for; the exit status."""
    from envs.sim.fidelity.floors import fallen, raise_floors, reached, read_floors
    from exphil_league.observe.console import say

    if not (command.raise_floors or command.check_floors):
        return MET
    now = reached(made)
    short = fallen(now, read_floors())
    say(*short, f"{len(short)} floors are not reached")
    if command.raise_floors:
        say(f"{raise_floors(now)} floors raised")
    return SHORT_OF_THRESHOLD if short and command.check_floors else MET


def _predicted(command: SimFidelity) -> Predictions:
    from envs.sim.fidelity.predictions import predict_games
    from envs.sim.fidelity.split import half_of
    from exphil_league.errors import UserError
    from exphil_league.observe.progress import progress
    from exphil_league.replays.scan import replay_files

    files = list(dict.fromkeys(file for path in command.paths for file in replay_files(path)))
    if command.half is not None:
        files = [file for file in files if half_of(file.name) == command.half]
    if not files:
        raise UserError("no game to predict: give .slp files, and with --half those that split.json names")
    with progress("predicting games", total=len(files), unit="games") as shown:
        return predict_games(files, command.k, command.character, lambda path: shown.advance(1))
