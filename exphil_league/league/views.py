"""What people and dashboards read of a league's state, as JSON-ready dictionaries."""

from __future__ import annotations

from typing import Any

from exphil_league.league.model import WARM_START, PlayerKind
from exphil_league.league.state import LeagueState
from exphil_league.rating.ladder import ladder_rows
from exphil_league.rating.matchups import RATED_BY_MATCHUP, MatchupGames, matchup_rows
from exphil_league.rating.meta_strategy import cyclicity


def ladder(state: LeagueState) -> dict[str, Any]:
    """Elo of every frozen player from the rating matches, best first.

    A learner's newest snapshot stands for it and is shown under the learner's kind; `main` names that of the
    (first) main player, the warm start before its first snapshot. `role` is the learner a player was frozen from.
    `nash_mass`, `min_win_rate` and `cyclicity` show what one number per player cannot; `matchups` rates the strongest
    by characters and stage.
    """
    rating, names = state.setup.rating, state.evaluation.players
    reference = WARM_START if WARM_START in names else None
    points = state.evaluation.points_matrix()
    rows = []
    if rating.anchor in names:
        rows = ladder_rows(
            names,
            _kinds(state),
            points,
            anchor=rating.anchor,
            anchor_elo=rating.anchor_elo,
            prior_sd_elo=rating.prior_sd_elo,
            reference=reference,
            pair_prior_games=rating.pair_prior_games,
        )
    for row in rows:
        player = state.players[row["player"]]
        row["role"] = player.role_of or ("anchors" if player.kind is PlayerKind.ANCHOR else "roots")
    mains = state.learners_of_kind(PlayerKind.MAIN)
    return {
        "anchor": rating.anchor,
        "anchor_digest": state.anchor_digest,
        "main": state.line(mains[0])[-1] if mains else None,
        "backend": state.setup.game.backend,
        "env_frames": state.env_frames,
        "cyclicity": cyclicity(points),
        "players": rows,
        "matchups": _matchups(state, [row["player"] for row in rows if row["games"]]),
    }


def _matchups(state: LeagueState, rated: list[str]) -> list[dict[str, Any]]:
    """Ratings by matchup of the first `RATED_BY_MATCHUP` players and the anchor."""
    rating = state.setup.rating
    shown = {*rated[:RATED_BY_MATCHUP], rating.anchor}
    games = [
        MatchupGames((first, second), (own, theirs), stage, (cell.points, cell.games - cell.points))
        for (first, second, own, theirs, stage), cell in state.rated_matchups.cells.items()
        if cell.games and first in shown and second in shown
    ]
    return matchup_rows(games, rating.anchor, rating.anchor_elo, rating.prior_sd_elo, rating.matchup_sd_elo)


def payoff(state: LeagueState) -> dict[str, Any]:
    """Every pair that met: `train` decayed as matchmaking sees it, `evaluate` plain as the ladder does; the same by
    characters and stage (`matchups`), and what seat 0 is worth (`seat_0`)."""
    return {
        "train": state.payoff.rows(),
        "evaluate": state.evaluation.rows(),
        "matchups": {"train": state.matchups.rows(), "evaluate": state.rated_matchups.rows()},
        "seat_0": {"train": state.payoff.seat_0(), "evaluate": state.evaluation.seat_0()},
    }


def lineage(state: LeagueState) -> dict[str, Any]:
    """Players, and who grew from whom: an acyclic graph over frozen parents."""
    players = [
        {
            "player": player.player_id,
            "kind": player.kind.value,
            "role_of": player.role_of,
            "parent": player.parent,
            "reason": player.reason.value,
            "status": player.status.value,
            "created_frames": player.created_frames,
            "digest": player.digest,
        }
        for player in state.players.values()
    ]
    edges = [
        {"parent": e.parent, "child": e.child, "reason": e.reason.value, "env_frames": e.env_frames}
        for e in state.edges
    ]
    return {"players": players, "edges": edges}


def status(state: LeagueState) -> dict[str, Any]:
    """Learners, work in flight and every counter."""
    learners = [
        {
            "player": name,
            "kind": state.players[name].kind.value,
            "digest": state.players[name].digest,
            "parent": state.players[name].parent,
            "env_frames": learner.env_frames,
            "frames_since_snapshot": learner.env_frames - learner.snapshot_frames,
            "snapshots": learner.snapshots,
            "generation": learner.generation,
            "stages_passed": learner.stage,
            "in_curriculum": state.curriculum_stage(name) is not None,
        }
        for name, learner in state.learners.items()
    ]
    return {
        "learners": learners,
        "frozen_players": len(state.frozen()),
        "pool": len(state.pool),
        "jobs_issued": len(state.job_status),
        "jobs_open": len(state.open_jobs),
        "counts": dict(sorted(state.counts.items())),
    }


def _kinds(state: LeagueState) -> dict[str, str]:
    kinds = {name: state.players[name].kind.value for name in state.frozen()}
    for learner in state.learners:
        own = [h for h in state.historical if state.players[h].role_of == learner]
        if own:
            kinds[own[-1]] = state.players[learner].kind.value
    return kinds
