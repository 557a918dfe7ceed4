"""The `exphil-league` command: finds the command asked for, runs it, returns its exit status."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import make_dataclass
from typing import Annotated, Any, NoReturn

import tyro

from exphil_league.cli.agents import Eval, Export, Promote
from exphil_league.cli.bench import BenchDolphin, BenchLeague, BenchReplays, BenchRollout, BenchSim, BenchTrain
from exphil_league.cli.command import INTERRUPTED, SHORT_OF_THRESHOLD, Command, execute
from exphil_league.cli.doctor import Doctor
from exphil_league.cli.league import Compare, ExportLeague, Ladder, Lineage, Payoff, Probe, Status, Verify
from exphil_league.cli.play import Play, Watch
from exphil_league.cli.replays import ReplaysScan, ReplaysStats
from exphil_league.cli.report import Report
from exphil_league.cli.sim import SimFidelity
from exphil_league.cli.sim_measure import SimCoverage, SimMeasure
from exphil_league.cli.train import Bc, Train

COMMANDS: dict[str, type[Command] | dict[str, type[Command]]] = {
    "train": Train,
    "bc": Bc,
    "replays": {"scan": ReplaysScan, "stats": ReplaysStats},
    "league": {
        "ladder": Ladder,
        "payoff": Payoff,
        "lineage": Lineage,
        "status": Status,
        "export": ExportLeague,
        "probe": Probe,
        "verify": Verify,
        "compare": Compare,
    },
    "promote": Promote,
    "report": Report,
    "export": Export,
    "eval": Eval,
    "play": Play,
    "watch": Watch,
    "bench": {
        "sim": BenchSim,
        "rollout": BenchRollout,
        "train": BenchTrain,
        "replays": BenchReplays,
        "league": BenchLeague,
        "dolphin": BenchDolphin,
    },
    "sim": {"fidelity": SimFidelity, "measure": SimMeasure, "coverage": SimCoverage},
    "doctor": Doctor,
}
"""Commands by name; a group holds its own."""

GROUP_HELP = {
    "replays": "Look at a folder of replays.",
    "league": "Look at the league of a run; verify the rules of leagues.",
    "sim": "Compare the simulator with recorded games.",
    "bench": "Measure this machine and this project.",
}

DESCRIPTION = "Train Super Smash Bros. Melee bots by league self-play, rate them, and play them."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's); returns the exit status 0, 1 or 2, after Ctrl-C 130."""
    try:
        status = execute(parse(sys.argv[1:] if arguments is None else arguments))
    except BrokenPipeError:  # whoever read our output, `head` for one, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python's last flush complains too
        return SHORT_OF_THRESHOLD
    if arguments is None and status == INTERRUPTED:
        _leave_at_once(status)
    return status


def _leave_at_once(status: int) -> NoReturn:
    """End the process without taking the interpreter down: everything of ours is closed, but Ctrl-C may have come
    while a native library was being loaded or was compiling, and those crash when they are torn down half-built."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def parse(arguments: Sequence[str]) -> Command:
    """The command that `arguments` ask for; leaves with exit status 2 where they make no sense."""
    _refuse_unknown_command(arguments, COMMANDS)
    parsed = tyro.cli(
        _union(COMMANDS),
        prog="exphil-league",
        description=DESCRIPTION,
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    command = getattr(parsed, "command", parsed)
    assert isinstance(command, Command)
    return command


def _union(commands: Mapping[str, Any]) -> Any:
    """The union type from which tyro makes subcommands."""
    union: Any = None
    for name, command in commands.items():
        kind: Any = command if isinstance(command, type) else _group(name, command)
        member = Annotated[kind, tyro.conf.subcommand(name)]
        union = member if union is None else union | member
    return union


def _group(name: str, commands: Mapping[str, Any]) -> type:
    """A dataclass that holds one of a group's commands."""
    return make_dataclass(name.capitalize(), [("command", _union(commands))], namespace={"__doc__": GROUP_HELP[name]})


def _refuse_unknown_command(arguments: Sequence[str], commands: Mapping[str, Any]) -> None:
    """Name the nearest command for a mistyped one; tyro alone would only list them all."""
    if not arguments or arguments[0].startswith("-"):
        return
    given = arguments[0]
    if given not in commands:
        close = difflib.get_close_matches(given, commands, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(commands)}"
        print(f"error: no command {given!r}; {hint}", file=sys.stderr)
        raise SystemExit(2)
    inner = commands[given]
    if isinstance(inner, dict):
        _refuse_unknown_command(arguments[1:], inner)


if __name__ == "__main__":
    sys.exit(main())
