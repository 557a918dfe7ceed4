"""From a player of a run to an agent file that plays anywhere."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from exphil_league.errors import UserError
from exphil_league.league import views
from exphil_league.league.model import PlayerKind
from exphil_league.league.state import LeagueState
from exphil_league.observe.league_tables import read_league

_NEVER_TRAINED = (PlayerKind.ANCHOR, PlayerKind.STYLE)
"""Kinds that a run did not make stronger: exported only by name."""


def export_player(run: Path, player: str | None, out: Path) -> dict[str, Any]:
    """Write the agent file of a frozen player, by default of the top-rated one that is no scripted player.

    A player that was rated comes before any that was not: the prior alone can put those high.

    Returns {"agent", "player", "digest", "elo", "low", "high"}; the rating is None for a player without rating
    games. Raises UserError for a name that is not there, CheckpointError for weights that are gone.
    """
    from policies.checkpoint import load
    from policies.onnx.agent_file import write_agent_file

    state = read_league(run)
    rows = {row["player"]: row for row in views.ladder(state)["players"] if row["kind"] not in _NEVER_TRAINED}
    name = best_player(rows, run) if player is None else _known(player, state)
    digest = state.players[name].digest
    row = rows.get(name)
    rating = {key: row[key] for key in ("elo", "low", "high")} if row is not None and row["games"] else None
    policy = load(run / "checkpoints" / digest)
    write_agent_file(out, policy, name=name, digest=digest, rating=rating)
    return {"agent": str(out), "player": name, "digest": digest} | (rating or dict.fromkeys(("elo", "low", "high")))


def best_player(rows: dict[str, dict[str, Any]], run: Path) -> str:
    """The row with the highest rating, rated players first. Raises UserError when there is none."""
    if not rows:
        raise UserError(f"{run}: no player of this run is rated yet; name one with --player, or wait for rating games")
    return max(rows, key=lambda name: (rows[name]["games"] > 0, rows[name]["elo"]))


def _known(player: str, state: LeagueState) -> str:
    networks = [name for name, member in state.players.items() if member.kind is not PlayerKind.ANCHOR]
    if player in networks:
        return player
    close = difflib.get_close_matches(player, networks, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UserError(f"no player {player!r} to export; {hint}There are {', '.join(networks)}")
