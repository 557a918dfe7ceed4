"""Wrong leagues, each a small mutation of the shipped core. `league verify` must name what is wrong with every one.

`exphil-league league verify --core tests.mutants:InvertedPfsp` shows one of them at the command line.
"""

from tests.mutants.seeded import (
    ExploitersNeverReset,
    InvertedPfsp,
    MainPlaysOwnLine,
    NoSnapshots,
    OpponentsTrained,
    PayoffNeverUpdated,
    ResetBeforeSnapshot,
    SeatIgnored,
    SnapshotAliasesLive,
)

__all__ = [
    "ExploitersNeverReset",
    "InvertedPfsp",
    "MainPlaysOwnLine",
    "NoSnapshots",
    "OpponentsTrained",
    "PayoffNeverUpdated",
    "ResetBeforeSnapshot",
    "SeatIgnored",
    "SnapshotAliasesLive",
]
