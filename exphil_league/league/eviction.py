"""Who leaves the training pool when it is full: the players that say least to the main players, never the needed ones.

Kept are roots, players in open leases, the newest snapshots, every learner's last one, and the support of the pool's
Nash equilibrium in the rating games (a player that a best mixture of the pool needs). Of the others those leave that
the main players beat most surely. An evicted player keeps its weights, its rating and its place in the lineage.
"""

from __future__ import annotations

import numpy as np

from exphil_league.league.model import PlayerKind
from exphil_league.league.state import LeagueState
from exphil_league.rating.bradley_terry import fit
from exphil_league.rating.meta_strategy import SUPPORT, nash, pair_win_rates


def surplus(state: LeagueState) -> tuple[str, ...]:
    """The players to evict now, the surest beaten first; fewer than the pool is over its size when more are needed."""
    over = len(state.pool) - state.setup.league.pool.max_players
    if over <= 0:
        return ()
    kept = needed(state)
    free = [name for name in state.pool if name not in kept]
    mains = state.learners_of_kind(PlayerKind.MAIN)
    hardest = np.min([state.payoff.win_rates(main, free) for main in mains], axis=0)
    order = np.argsort(-hardest, kind="stable")  # of equals the oldest
    return tuple(free[n] for n in order[:over])


def needed(state: LeagueState) -> set[str]:
    """Members of the pool that are never evicted."""
    recent = state.pool[-state.setup.league.pool.keep_recent :]
    last = {state.players[name].role_of: name for name in state.pool}
    roots = [name for name in state.pool if state.players[name].role_of is None]
    starts = [learner.root for learner in state.learners.values()]
    leased = [name for job in state.open_jobs.values() for name in job.players]
    return {*recent, *last.values(), *roots, *starts, *leased, *nash_support(state)}


def nash_support(state: LeagueState) -> list[str]:
    """Players of the pool with rating games that hold mass in its maximum-entropy Nash equilibrium."""
    book, rating = state.evaluation, state.setup.rating
    in_pool, games = set(state.pool), book.games_played().sum(axis=1)
    rated = [n for n, name in enumerate(book.players) if name in in_pool and games[n]]
    if not rated:
        return []
    points = book.points_matrix()
    win = pair_win_rates(points, fit(points, rating.prior_sd_elo), rating.pair_prior_games)
    mass = nash(win[np.ix_(rated, rated)])
    return [book.players[n] for n, share in zip(rated, mass, strict=True) if share > SUPPORT]
