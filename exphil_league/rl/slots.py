"""How a runner's games are shared out: which learner plays where, with one seat or with both.

The division is fixed for the life of a runner, so that every learner has the same number of chunk columns in
every sample, and minibatches and DDP shards keep their shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SlotGroup:
    """Consecutive games of a runner that one learner plays with `learner_seats` seats."""

    player: str
    learner_seats: int
    """2: self-play, both seats give a column. 1: a frozen opponent sits in the other seat."""
    first_game: int
    games: int

    @property
    def columns(self) -> int:
        return self.games * self.learner_seats

    @property
    def game_indices(self) -> range:
        return range(self.first_game, self.first_game + self.games)


@dataclass(frozen=True)
class SlotShare:
    """Part of all games wanted for one learner with one or both seats."""

    player: str
    learner_seats: int
    share: float


def learner_shares(
    mains: Sequence[str], exploiters: Sequence[str], self_play: float, exploiter_share: float
) -> list[SlotShare]:
    """Shares of the games: exploiters split `exploiter_share` evenly, mains the rest.

    `self_play` is the part of a main's games in which it plays both seats. Without exploiters the mains get all.
    """
    spent = exploiter_share if exploiters else 0.0
    shares = []
    for player in mains:
        own = (1.0 - spent) / len(mains)
        shares += [SlotShare(player, 2, own * self_play), SlotShare(player, 1, own * (1.0 - self_play))]
    shares += [SlotShare(player, 1, spent / len(exploiters)) for player in exploiters]
    return [s for s in shares if s.share > 0.0]


def divide(games: int, shares: Sequence[SlotShare]) -> tuple[SlotGroup, ...]:
    """Slot groups for `games` games by largest remainder, at least one game each.

    Raises ValueError when there are fewer games than shares.
    """
    if games < len(shares):
        raise ValueError(f"{games} games cannot hold {len(shares)} kinds of slots; raise ppo.games")
    total = sum(s.share for s in shares)
    wanted = [s.share / total * games for s in shares]
    counts = [max(1, int(w)) for w in wanted]
    while sum(counts) < games:
        counts[max(range(len(counts)), key=lambda i: wanted[i] - counts[i])] += 1
    while sum(counts) > games:
        counts[max((i for i, c in enumerate(counts) if c > 1), key=lambda i: counts[i] - wanted[i])] -= 1
    groups, first = [], 0
    for share, count in zip(shares, counts, strict=True):
        groups.append(SlotGroup(share.player, share.learner_seats, first, count))
        first += count
    return tuple(groups)
