"""The learning players' side of the league: publishing weights, taking snapshots, starting again.

Holds what a checkpoint must keep about it; where weights travel is the business of `rl.weights`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exphil_league.league.model import Reason, SnapshotDecision
from exphil_league.league.service import LeagueHandle
from exphil_league.rl import weights
from policies import checkpoint
from policies.policy import Policy


@dataclass
class Standing:
    """Where a learning player is."""

    env_frames: int = 0
    generation: int = 0
    """Resets, as the league counts them."""
    digest: str = ""
    """Its last published checkpoint."""


class Membership:
    """Publishes learners to the checkpoint store and the league.

    Only a learner's last published checkpoint and its snapshots are kept on disk.
    """

    def __init__(self, league: LeagueHandle, store: Path, players: list[str]) -> None:
        self._league = league
        self._store = store
        self.standings = {player: Standing() for player in players}
        self._disposable: set[str] = set()
        """Digests written here that nobody needs once they are superseded."""

    @property
    def digests(self) -> dict[str, str]:
        return {player: standing.digest for player, standing in self.standings.items()}

    def join(self, player: str, policy: Policy) -> Policy | None:
        """Bring the player's standing in line with the league.

        Returns the policy it must continue with, when the league has reset it since this trainer's checkpoint
        was written; None when `policy` is right.
        """
        standing, view = self.standings[player], self._league.learner(player)
        if view.generation != standing.generation:
            standing.generation = view.generation
            standing.env_frames = view.env_frames
            standing.digest = view.player.digest
            return weights.load(self._store / view.player.digest)
        standing.digest = self._save(player, policy)
        self._league.publish(player, standing.digest, standing.env_frames)
        return None

    def goes_on(self, player: str) -> bool:
        """Whether the player's weights are another's of its population: it goes on in its updates, not anew."""
        return self._league.learner(player).player.reason is Reason.PBT

    def update(self, player: str, policy: Policy) -> SnapshotDecision | None:
        """Publish new weights; the league may freeze them. A decision to reset must then be carried out."""
        standing = self.standings[player]
        before = standing.digest
        standing.digest = self._save(player, policy)
        decision = self._league.maybe_snapshot(player, standing.digest, standing.env_frames)
        if decision is not None:
            self._disposable.discard(decision.snapshot.digest)
            if decision.reset_digest is not None:
                standing.digest = decision.reset_digest
                standing.generation += 1
        self._discard(before)
        return decision

    def rating_of_main(self) -> float | None:
        """Lower 95 % bound of the Elo of main's newest snapshot; None before its first rating game."""
        ladder = self._league.ladder()
        rows = [row for row in ladder["players"] if row["player"] == ladder["main"] and row["games"]]
        return float(rows[0]["low"]) if rows else None

    def policy_of(self, digest: str) -> Policy:
        """A policy out of the store."""
        return weights.load(self._store / digest)

    def get_state(self) -> dict[str, Any]:
        return {player: asdict(standing) for player, standing in self.standings.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        self.standings.update({player: Standing(**kept) for player, kept in state.items()})

    def _save(self, player: str, policy: Policy) -> str:
        known = checkpoint.digest_of(policy)
        if not (self._store / known).is_dir():
            extra = {"player": player, "env_frames": self.standings[player].env_frames}
            weights.save(policy, self._store, extra)
            self._disposable.add(known)
        return known

    def _discard(self, digest: str) -> None:
        if digest in self._disposable and digest not in self.digests.values():
            self._disposable.discard(digest)
            weights.discard(self._store, digest)
