"""Which job each game of a runner plays next, with few distinct opponents at once.

A forward pass costs nearly the same for 2 columns as for 20, so games against frozen opponents sit at
*tables*: all games of a table meet one opponent, for a term of about one game each, then the league draws
the table's next opponent. Every opponent keeps its share of the games, spread over time instead of over games.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from exphil_league.league.model import Job, MatchResult
from exphil_league.rl.slots import SlotGroup


class JobSource(Protocol):
    """The part of a league that a sampler needs; `exphil_league.league.service.LeagueHandle` is one."""

    def request_jobs(
        self, learner: str, learner_seats: int | None, count: int, opponent: str | None = None
    ) -> list[Job]: ...

    def report(self, results: Sequence[MatchResult]) -> list[str]: ...


@dataclass
class Table:
    """Games of one learner against one opponent."""

    player: str
    games: range
    opponent: str | None = None
    finished: int = 0
    """Games begun against the present opponent's successor count from here."""

    @property
    def term_over(self) -> bool:
        return self.opponent is None or self.finished >= len(self.games)


def opponent_of(job: Job) -> str | None:
    """Id of the player in the seat that does not learn; None in self-play."""
    return None if all(job.learner_sides) else job.players[job.learner_sides.index(False)]


def seat_tables(groups: Sequence[SlotGroup], opponents: int) -> list[Table]:
    """Tables of the one-seat groups, at most about half of `opponents` of them.

    The other half is for the change of terms, while a table's last games still meet its old opponent.
    """
    single = [g for g in groups if g.learner_seats == 1]
    total = sum(g.games for g in single)
    tables = []
    for group in single:
        count = max(1, min(group.games, round(opponents / 2 * group.games / total)))
        edges = [group.first_game + round(group.games * i / count) for i in range(count + 1)]
        tables += [Table(group.player, range(a, b)) for a, b in pairwise(edges)]
    return tables


class JobDesk:
    """Draws jobs for games from the league."""

    def __init__(
        self, league: JobSource, groups: Sequence[SlotGroup], opponents: int, may_change: Callable[[], bool]
    ) -> None:
        """`may_change()` says whether one more distinct opponent is allowed just now."""
        self._league = league
        self._may_change = may_change
        self._group_of = {game: group for group in groups for game in group.game_indices}
        self._tables = seat_tables(groups, opponents)
        self._table_of = {game: table for table in self._tables for game in table.games}

    def first_jobs(self) -> dict[int, Job]:
        """A job for every game."""
        jobs: dict[int, Job] = {}
        for group in dict.fromkeys(self._group_of.values()):
            if group.learner_seats == 2:
                jobs.update(zip(group.game_indices, self._request(group.player, 2, group.games), strict=True))
        for table in self._tables:
            first, *rest = table.games
            jobs[first] = self._change(table)
            if rest:
                jobs.update(zip(rest, self._request(table.player, 1, len(rest), table.opponent), strict=True))
        return jobs

    def next_job(self, game: int) -> Job:
        """The job that follows the one just finished in `game`."""
        table = self._table_of.get(game)
        if table is None:
            return self._request(self._group_of[game].player, 2, 1)[0]
        table.finished += 1
        if table.term_over and self._may_change():
            return self._change(table)
        return self._request(table.player, 1, 1, table.opponent)[0]

    def get_state(self) -> list[tuple[str | None, int]]:
        """Opponent and finished games of every table."""
        return [(table.opponent, table.finished) for table in self._tables]

    def set_state(self, state: Sequence[tuple[str | None, int]]) -> None:
        """Go on from `get_state` of a desk with the same tables."""
        for table, (opponent, finished) in zip(self._tables, state, strict=True):
            table.opponent, table.finished = opponent, finished

    def _change(self, table: Table) -> Job:
        job = self._request(table.player, 1, 1)[0]
        table.opponent = opponent_of(job)
        table.finished = 0
        return job

    def _request(self, player: str, learner_seats: int, count: int, opponent: str | None = None) -> list[Job]:
        return list(self._league.request_jobs(player, learner_seats, count, opponent))
