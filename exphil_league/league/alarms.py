"""What goes wrong in leagues, seen in the store: each alarm has a stable name and a sentence that says what to do.

Thresholds are rules of thumb for what published leagues were seen to fail by: forgetting, cycles without progress,
exploiters that are useless or too easy, players who agree instead of fighting, seats and crashes that decide games.
Each asks for enough games to mean something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Any, Final, NamedTuple

from exphil_league.league.history import History
from exphil_league.league.matchmaking import FORGOTTEN_BELOW
from exphil_league.league.model import PlayerKind
from exphil_league.league.state import LeagueState
from exphil_league.rating.bradley_terry import Z_95

KINDS: Final = (
    *("forgetting", "cycling", "who_learns", "weak_exploiters", "useless_exploiter", "live_gap", "self_play_draws"),
    *("draws", "timer", "game_length", "aborted", "snapshot_storm", "seats", "lost_jobs", "stale_results"),
)
"""Names of alarms, up to a slash and whom it is about."""
FEWEST_GAMES: Final = 20
"""Of a pair, below which its win rate says nothing."""
STANDSTILL_SNAPSHOTS: Final = 4
"""Snapshots over which a main player's Elo should have risen ..."""
STANDSTILL_ELO: Final = 15.0
"""... by more than this ..."""
CYCLICITY: Final = 0.3
"""... unless the payoff is more cyclic than this (share of its squared log odds that no rating explains)."""
WEAK_WIN_RATE: Final = 0.9
WEAK_SHARE: Final = 0.05
"""Share of a main player's games against exploiters that it beats more often than WEAK_WIN_RATE."""
USELESS_GENERATIONS: Final = 5
USELESS_WIN_RATE: Final = 0.3
LIVE_GAP: Final = 0.15
LIVE_GAMES: Final = 300
DRAW_RISE: Final = 0.15
DRAW_SHARE: Final = 0.3
TIMER_SHARE: Final = 0.05
TIMES_LONGER: Final = 2.0
SEAT_EFFECT: Final = 0.03
SEAT_GAMES: Final = 400
ABORTED_SHARE: Final = 0.05
LOST_SHARE: Final = 0.05


class Alarm(NamedTuple):
    """Something that is wrong now."""

    name: str
    """Stable, with the player behind a slash where it is one player's."""
    text: str


def alarms(state: LeagueState, history: History, ladder: Mapping[str, Any]) -> list[Alarm]:
    """All alarms of a league; `ladder` as `views.ladder` gives it."""
    mains = state.learners_of_kind(PlayerKind.MAIN)
    found: list[Alarm] = []
    for main in mains:
        found += [*_forgetting(state, main), *_standstill(state, main, ladder), *_lessons(state, history, main)]
    for exploiter in history.generations:
        found += [*_useless(history, exploiter), *_live_gap(state, history, exploiter)]
    for check in (_draws, _lengths, _aborted, _snapshot_storm):
        found += check(state, history)
    return [*found, *_seats(history), *_lost(state)]


def _forgetting(state: LeagueState, main: str) -> Iterator[Alarm]:
    """Past selves that it surely beats less often than FORGOTTEN_BELOW and than a later self of its."""
    line = state.line(main)
    rates = state.payoff.win_rates(main, line)
    low, high = state.payoff.interval(main, line, Z_95)
    met = state.payoff.effective_games(main, line) >= FEWEST_GAMES
    forgotten = [
        i for i in range(len(line) - 1) if met[i] and high[i] < min(FORGOTTEN_BELOW, (low * met)[i + 1 :].max())
    ]
    if forgotten:
        worst = min(forgotten, key=lambda i: float(rates[i]))
        yield Alarm(
            f"forgetting/{main}",
            f"{main} has forgotten {len(forgotten)} of its past selves and wins only {rates[worst]:.0%} against "
            f"{line[worst]}: raise league.shares.verification or league.shares.pfsp",
        )


def _standstill(state: LeagueState, main: str, ladder: Mapping[str, Any]) -> Iterator[Alarm]:
    rows = {row["player"]: row for row in ladder["players"] if row["games"] >= FEWEST_GAMES}
    line = [player for player in state.line(main) if player in rows]
    cyclicity = ladder.get("cyclicity") or 0.0
    if len(line) <= STANDSTILL_SNAPSHOTS or cyclicity < CYCLICITY:
        return
    now, before = rows[line[-1]]["elo"], rows[line[-1 - STANDSTILL_SNAPSHOTS]]["elo"]
    if now - before < STANDSTILL_ELO:
        yield Alarm(
            f"cycling/{main}",
            f"{main} gained {now - before:+.0f} Elo over its last {STANDSTILL_SNAPSHOTS} snapshots while "
            f"{cyclicity:.0%} of the payoff is cycles: it moves without getting better; raise ppo.teacher_weight or "
            "league.shares.pfsp",
        )


def _lessons(state: LeagueState, history: History, main: str) -> Iterator[Alarm]:
    """Main learns from its own games alone, and not from exploiters that it has outgrown."""
    lessons = history.learned_from[main]
    live = sum(opponent in state.learners for opponent in lessons)
    if live:
        yield Alarm(
            f"who_learns/{main}",
            f"{main} learnt from {live} of its last {len(lessons)} games against players that learn at the same time: "
            "an exploiter's games must not train it; update the worker that reports them",
        )
    exploiters = [o for o in set(lessons) if o not in state.learners and state.players[o].role_of not in (None, main)]
    games = state.payoff.effective_games(main, exploiters)
    rates = state.payoff.win_rates(main, exploiters)
    found = zip(exploiters, rates, games, strict=True)
    weak = {name for name, rate, worth in found if rate > WEAK_WIN_RATE and worth >= FEWEST_GAMES}
    share = sum(opponent in weak for opponent in lessons) / max(len(lessons), 1)
    if len(lessons) >= 200 and share > WEAK_SHARE:
        yield Alarm(
            f"weak_exploiters/{main}",
            f"{share:.0%} of the games {main} learns from are against exploiters it beats nine times in ten: set "
            "league.weighting to squared, or lower league.exploration",
        )


def _useless(history: History, exploiter: str) -> Iterator[Alarm]:
    last = history.generations[exploiter][-USELESS_GENERATIONS:]
    if len(last) < USELESS_GENERATIONS:
        return
    if all(g.why == "timeout" and g.rate < USELESS_WIN_RATE and g.games >= FEWEST_GAMES for g in last):
        rates = ", ".join(f"{g.rate:.0%}" for g in last)
        yield Alarm(
            f"useless_exploiter/{exploiter}",
            f"the last {USELESS_GENERATIONS} generations of {exploiter} timed out and won {rates} against the live "
            "main player: give it other starts, or raise league.snapshot.timeout_frames",
        )


def _live_gap(state: LeagueState, history: History, exploiter: str) -> Iterator[Alarm]:
    """What an exploiter wins against the live main player it should win against that player's snapshot too."""
    book = state.evaluation
    for generation in history.generations[exploiter][-3:]:
        frozen = book.games_between(generation.snapshot, [generation.main])[0] if generation.main in book.players else 0
        if generation.games < LIVE_GAMES or frozen < FEWEST_GAMES:
            continue
        rate = book.win_rate(generation.snapshot, generation.main)
        noise = sqrt(0.25 / generation.games + 0.25 / frozen)
        if generation.rate - rate > max(LIVE_GAP, Z_95 * noise):
            yield Alarm(
                f"live_gap/{exploiter}",
                f"{generation.snapshot} won {generation.rate:.0%} against the live main player but wins {rate:.0%} "
                f"against {generation.main}: it is let win, or rewards leak; look at its games before crediting it",
            )
            return


def _draws(state: LeagueState, history: History) -> Iterator[Alarm]:
    games = history.self_play
    if len(games.last) == games.last.maxlen:
        first, last = (_share(ages, "draw") for ages in (games.first, games.last))
        if last - first > DRAW_RISE:
            yield Alarm(
                "self_play_draws",
                f"{last:.0%} of self-play games are draws, they began at {first:.0%}: both sides agree not to fight; "
                "raise ppo.reward.stalling or ppo.reward.approach",
            )
    if len(history.training.last) >= 200 and (share := _share(history.training.last, "draw")) > DRAW_SHARE:
        yield Alarm("draws", f"{share:.0%} of the last {len(history.training.last)} training games are draws")


def _lengths(state: LeagueState, history: History) -> Iterator[Alarm]:
    games = history.training
    if len(games.last) < 200:
        return
    if (share := _share(games.last, "by_timer")) > TIMER_SHARE:
        yield Alarm(
            "timer",
            f"{share:.0%} of the last {len(games.last)} games ended by the timer: players stall; raise "
            "ppo.reward.stalling or ppo.reward.approach",
        )
    first, last = (median(ending.frames for ending in ages) for ages in (games.first, games.last))
    if len(games.last) == games.last.maxlen and last > TIMES_LONGER * first:
        yield Alarm(
            "game_length",
            f"half of the last games took more than {last / 60:.0f} s, at first it was {first / 60:.0f} s: players "
            "avoid each other; watch a game, raise ppo.reward.stalling or ppo.reward.approach",
        )


def _share(games: Any, what: str) -> float:
    return sum(getattr(ending, what) for ending in games) / max(len(games), 1)


def _aborted(state: LeagueState, history: History) -> Iterator[Alarm]:
    for player, aborted in history.aborted.items():
        games = history.games[player]
        if aborted >= 5 and aborted > ABORTED_SHARE * games:
            yield Alarm(
                f"aborted/{player}",
                f"{aborted} of {games} games of {player} were aborted: a player that breaks games is neither punished "
                "nor rated for it; look at the faults before trusting its rating",
            )


def _snapshot_storm(state: LeagueState, history: History) -> Iterator[Alarm]:
    least = state.setup.league.snapshot.min_frames
    for learner, frames in history.snapshot_frames.items():
        close = [b - a for a, b in pairwise(frames) if b - a < least]
        if close:
            yield Alarm(
                f"snapshot_storm/{learner}",
                f"{learner} was frozen after {min(close)} env frames, less than league.snapshot.min_frames ({least})",
            )


def _seats(history: History) -> Iterator[Alarm]:
    """Every pair plays both orders equally often, so seat 0 should make half of the points."""
    for purpose, (points, games) in history.seat_0.items():
        if games >= SEAT_GAMES and abs(points / games - 0.5) > max(SEAT_EFFECT, Z_95 * sqrt(0.25 / games)):
            yield Alarm(
                f"seats/{purpose}",
                f"seat 0 made {points / games:.1%} of the points of {games} games ({purpose}), though every pair plays "
                "both orders: the seat decides games; check the backend's starting places and ports",
            )


def _lost(state: LeagueState) -> Iterator[Alarm]:
    counts, issued = state.counts, len(state.job_status)
    lost = counts["expired"]
    if issued >= 200 and lost > LOST_SHARE * issued:
        yield Alarm(
            "lost_jobs",
            f"{lost} of {issued} jobs were never reported: runners died, the run was stopped while they were played, "
            "or games take longer than league.lease_s",
        )
    stale = counts["refused.stale"]
    if issued >= 200 and stale > LOST_SHARE * issued:
        yield Alarm(
            "stale_results",
            f"{stale} of {issued} results came from weights the league does not know. Games that a reset cut off count "
            "too (league.snapshot: longer generations cost fewer); else raise ppo.publish_every_updates or look for "
            "runners that missed an update",
        )
