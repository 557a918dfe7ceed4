"""Who may join a league: the fixed members of a roster, and what a setup says of players that must exist."""

from __future__ import annotations

from collections.abc import Iterable

from exphil_league.config.league import LearnerConfig
from exphil_league.errors import UserError
from exphil_league.league.model import WARM_START, Donor, Player, PlayerKind, PlayerStatus, Reason, Roster


def roots(roster: Roster) -> list[Player]:
    """The frozen members a roster names: anchors, warm start, imports, and styles, which grew from the warm start."""

    def root(name: str, kind: PlayerKind, digest: str, reason: Reason, parent: str | None = None) -> Player:
        return Player(name, kind, parent, digest, 0, None, PlayerStatus.FROZEN, reason)

    anchors = [root(name, PlayerKind.ANCHOR, digest, Reason.INIT) for name, digest in roster.anchors.items()]
    imports = [root(name, PlayerKind.HISTORICAL, digest, Reason.IMPORT) for name, digest in roster.imports.items()]
    warm_start = root(WARM_START, PlayerKind.HISTORICAL, roster.warm_start, Reason.INIT)
    styles = [root(name, PlayerKind.STYLE, digest, Reason.STYLE, WARM_START) for name, digest in roster.styles.items()]
    return [*anchors, warm_start, *imports, *styles]


def require_starts(config: LearnerConfig, members: dict[str, Player]) -> None:
    """Raises UserError for a learner that starts from nobody."""
    missing = [name for name in config.starts if name not in members]
    if missing:
        known = ", ".join(members)
        raise UserError(f"learner {config.name!r} starts from {missing[0]!r}, which is not enrolled; enrolled: {known}")


def require_known(repertoires: Iterable[str], members: Iterable[str]) -> None:
    """Raises UserError for a repertoire of nobody."""
    for name in set(repertoires).difference(members):
        raise UserError(f"game.players: no learner or enrolled player {name!r}; there are: {', '.join(members)}")


def require_same_role(learner: Player, donor: Donor) -> None:
    """Raises ValueError for a donor of another role: an exploiter never goes on from a main player, nor the reverse."""
    if (donor.player, donor.kind) != (learner.player_id, learner.kind):
        raise ValueError(
            f"{learner.player_id}, a {learner.kind}, cannot go on from {donor.player} of {donor.league}, a {donor.kind}"
        )
