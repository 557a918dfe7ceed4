"""V0: the rules of a league by name, each with what judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from exphil_league.verification import laws_of_jobs as jobs
from exphil_league.verification import laws_of_players as players
from exphil_league.verification import laws_of_results as results
from exphil_league.verification import trials
from exphil_league.verification import trials_of_pools as pools
from exphil_league.verification import trials_of_ratings as ratings
from exphil_league.verification import trials_of_settings as declared
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.trace import Trace

Law = Callable[[Trace], Iterator[str]]
Trial = Callable[[CoreClass, np.random.Generator], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """One numbered check of V0: laws over random histories, trials that bring about what those seldom show."""

    name: str
    laws: tuple[Law, ...] = ()
    trials: tuple[Trial, ...] = ()


RULES: Final = (
    Rule("V0.01 results count for their seat", (results.results_count_for_their_seat,)),
    Rule("V0.02 decay touches the played pair only", (results.decay_touches_the_pair_only,)),
    Rule("V0.03 PFSP weights at every extreme", (), (trials.pfsp_at_every_extreme,)),
    Rule("V0.04 frozen digests never change", (players.frozen_digests_never_change,)),
    Rule("V0.05 snapshot before reset", (players.frozen_before_reset,)),
    Rule("V0.06 resets by kind", (players.resets_by_kind,), (pools.reset_share,)),
    Rule("V0.07 only the learner that asked learns", (jobs.only_who_asked_learns,)),
    Rule(
        "V0.08 branches and what an impossible one becomes",
        (jobs.branches_fit_the_role,),
        (trials.impossible_branches_fall_through,),
    ),
    Rule(
        "V0.09 a result counts once, in any order",
        (results.a_result_counts_once,),
        (trials.order_of_plain_counts,),
    ),
    Rule("V0.10 aborted games change no win rate", (results.aborted_games_change_no_win_rate,)),
    Rule("V0.11 the state is the fold of the events", (jobs.state_is_the_fold,)),
    Rule("V0.12 lineage is acyclic and rooted", (players.lineage_is_rooted, players.descent_is_told)),
    Rule(
        "V0.13 eviction spares Nash support, roots and leased players",
        (players.leased_players_stay,),
        (pools.eviction_keeps_the_needed, pools.eviction_takes_the_beaten),
    ),
    Rule("V0.14 a lease expires once", (jobs.leases_expire_once,)),
    Rule(
        "V0.15 ratings without order or origin",
        (),
        (
            ratings.ratings_without_order_or_origin,
            ratings.ratings_follow_results,
            ratings.nash_mass_of_clones,
            ratings.ratings_on_their_scale,
            ratings.cycles_are_told,
            ratings.rating_games_go_where_declared,
        ),
    ),
    Rule("V0.16 one seed, one sequence of jobs", (jobs.one_seed_one_sequence,)),
    Rule(
        "V0.17 matchups and ports",
        (jobs.ports_are_balanced,),
        (
            trials.matchups_keep_their_marginals,
            trials.repertoires_are_kept,
            declared.rating_games_by_their_rules,
        ),
    ),
    Rule("V0.18 finished games move win rates", (results.finished_games_move_win_rates,)),
    Rule("V0.19 a draw is half a win", (results.draws_are_half,)),
    Rule(
        "V0.20 snapshots in time and when sure",
        (players.snapshots_keep_their_times, players.learners_are_counted),
        (trials.confident_snapshots, trials.a_final_freeze, declared.snapshots_as_declared),
    ),
    Rule("V0.21 late, stale and unknown results change nothing", (results.refused_results_change_nothing,)),
    Rule("V0.22 a reset learner's win rates are forgotten", (results.a_reset_forgets,)),
    Rule(
        "V0.23 every role meets its opponents",
        (),
        (
            trials.roles_meet_their_opponents,
            trials.verification_goes_back,
            trials.verification_leaves_alone,
            declared.exploit_floor_as_declared,
            declared.opponents_as_declared,
            declared.the_whole_past_is_met,
        ),
    ),
    Rule("V0.24 rating games are their own", (results.rating_games_are_their_own,)),
    Rule("V0.25 jobs name the weights in force", (players.jobs_name_the_weights_in_force,)),
    Rule(
        "V0.26 exploiters begin where declared",
        (),
        (pools.starts_as_declared, pools.starts_are_never_mains),
    ),
    Rule("V0.27 a new snapshot begins with its learner's win rates", (), (trials.prior_of_a_new_snapshot,)),
    Rule(
        "V0.28 pairs and matchups are told as they were played",
        (results.pairs_are_counted, results.results_count_for_their_matchup),
        (ratings.intervals_are_worth_their_games,),
    ),
    Rule("V0.29 a curriculum is passed and left", (), (declared.a_curriculum_is_passed,)),
    Rule("V0.30 several main players", (), (declared.several_mains,)),
    Rule(
        "V0.31 members stay themselves and are shown as they are",
        (),
        (declared.members_stay_themselves, declared.learners_are_shown),
    ),
)
"""V0. The first seventeen are the league's invariants, the others keep apart what those would say in one word."""
