"""`promote`: may the newest main player be the agent that this run stands for?

The suite is declared in the recipe, before anything is trained. A candidate that fails a check leaves the top agent
as it is; before the first promotion that is the warm start.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from envs.backend import Matchup
from exphil_league import run_folder
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.evaluation.players import load_player
from exphil_league.export import export_player
from exphil_league.league import views
from exphil_league.league.model import WARM_START
from exphil_league.league.state import LeagueState
from exphil_league.observe.console import say, table
from exphil_league.observe.league_tables import read_league
from exphil_league.promotion.checks import CONTROL, Check
from exphil_league.promotion.conduct import Conduct
from exphil_league.promotion.suite import Contestant, Games, Suite, Verdict
from exphil_league.run_folder import RunFolder
from policies.agent import Agent


def promote(root: Path, player: str | None = None) -> dict[str, Any]:
    """Judge a frozen player, by default the newest main player; RUN/best.agent is the candidate's if it passes.

    Writes and returns RUN/promotion.json: {"candidate", "digest", "promoted", "reason", "top", "top_digest", "checks":
    [{"name", "threshold", "measured", "ok", "meaning"}], "conduct": {"candidate", "warm_start"}}. Repeatable: games
    that were played are not played again. Raises UserError for a run or player that cannot be judged.
    """
    run = run_folder.reopen(root)
    recipe, state = run.load_recipe(), read_league(run.root)
    candidate = _candidate(run, state, player)
    opponents = [_opponent(run, state, name) for name in held_back(recipe, state)]
    suite = Suite(games_of(recipe), run.promotion_games)
    verdict = suite.judge(recipe.promotion, candidate, _member(run, state, WARM_START), opponents)
    found = settle(run, candidate, verdict)
    show(found)
    return found


def held_back(recipe: Recipe, state: LeagueState) -> list[str]:
    """The recipe's opponents less those that training met: a candidate learnt against them, they cannot judge it."""
    met = set(state.opponents(recipe.league.train_against_anchors))
    if known := [name for name in recipe.promotion.opponents if name in met]:
        say(f"promotion: {', '.join(known)} were met in training and do not judge")
    return [name for name in recipe.promotion.opponents if name not in met]


def games_of(recipe: Recipe) -> Games:
    """Games under the rules of rating games, on the recipe's stages with its characters."""
    rules, (one, other) = recipe.evaluation, recipe.game.sides
    matchups = [
        Matchup(characters=pair, stage=stage, stocks=rules.stocks, time_limit_s=rules.time_limit_s)
        for pair, stage in product(product(one, other), recipe.game.stages)
    ]
    at_once = recipe.game.at_once(rules.games)
    return Games(recipe.game.backend, matchups, at_once, recipe.seed, recipe.game.dolphin)


def warm_start_conduct(run: RunFolder, recipe: Recipe, digest: str) -> Conduct:
    """How the warm start plays against itself: the series that the gate controls itself by, played here if it is not
    there yet. Training compares with it on the way."""
    warm_start = Contestant(WARM_START, digest, partial(load_player, str(run.checkpoints / digest)))
    suite = Suite(games_of(recipe), run.promotion_games)
    return suite.series(warm_start, warm_start, recipe.promotion.games_vs_warm_start)[1]


def settle(run: RunFolder, candidate: Contestant, verdict: Verdict) -> dict[str, Any]:
    """Put the candidate in the top agent's place or leave that alone, and write down why."""
    failed = [check for check in verdict.checks if not check.ok]
    before = run_folder.read_json(run.promotion) if run.promotion.is_file() else {}
    top, top_digest = before.get("top", WARM_START), before.get("top_digest")
    if not failed:
        top, top_digest = candidate.name, candidate.digest
    if not failed or not run.agent.is_file() or top_digest is None:
        top_digest = export_player(run.root, top, run.agent)["digest"]
    found = {
        "candidate": candidate.name,
        "digest": candidate.digest,
        "promoted": not failed,
        "reason": _reason(failed),
        "top": top,
        "top_digest": top_digest,
        "agent": str(run.agent),
        "checks": [asdict(check) | {"ok": check.ok} for check in verdict.checks],
        "conduct": {"candidate": verdict.candidate.row(), WARM_START: verdict.prior.row()},
    }
    run_folder.write_json(run.promotion, found)
    return found


def show(found: dict[str, Any]) -> None:
    """The checks as a table, and the verdict in a sentence."""
    rows = [
        (check["name"], f"{check['measured']:.3f}", _limit(check), "yes" if check["ok"] else "NO")
        for check in found["checks"]
    ]
    table(f"may {found['candidate']} be the top agent?", ("check", "measured", "limit", "met"), rows)
    verdict = "is promoted" if found["promoted"] else f"is refused: {found['reason']}"
    say(f"{found['candidate']} {verdict}", f"top agent:   {found['top']}, {found['agent']}")


def _limit(check: dict[str, Any]) -> str:
    return f"{'at most' if check['at_most'] else 'at least'} {check['threshold']:.3f}"


def _reason(failed: list[Check]) -> str:
    if any(check.name == CONTROL for check in failed):
        return "the gate refuses itself: two copies of the warm start did not come out equal"
    return "; ".join(f"{c.name} is {c.measured:.3f}, not {_limit(asdict(c))} ({c.meaning})" for c in failed)


def _candidate(run: RunFolder, state: LeagueState, player: str | None) -> Contestant:
    name = player or views.ladder(state)["main"]
    if name == WARM_START or name not in state.frozen() or name in state.anchors:
        raise UserError(f"{run.root}: {name!r} cannot be promoted; a frozen player of this run can, once there is one")
    return _member(run, state, name)


def _member(run: RunFolder, state: LeagueState, name: str) -> Contestant:
    """A frozen policy of the run."""
    digest = state.players[name].digest
    return Contestant(name, digest, partial(load_player, str(run.checkpoints / digest)))


def _opponent(run: RunFolder, state: LeagueState, name: str) -> Contestant:
    """Somebody the recipe names: a frozen policy of the run, or whatever plays. Raises UserError for nobody."""
    if name in state.frozen() and name not in state.anchors:
        return _member(run, state, name)
    make: Any = partial(load_player, name)
    agent: Agent = make(1, 0)
    return Contestant(name, agent.digest, make)
