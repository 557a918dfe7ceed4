"""The log of a league as Parquet files for analysis: matches, events, players."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from exphil_league.league.backup import open_to_read
from exphil_league.league.store import DATABASE, LeagueStore

ROWS_PER_GROUP: Final = 100_000

_TEXT, _COUNT, _REAL = pa.string(), pa.int64(), pa.float64()
_MATCHES: Final = pa.schema(
    {
        "job_id": _TEXT,
        **dict.fromkeys(("purpose", "branch", "player_0", "player_1", "character_0", "character_1"), _TEXT),
        "stage": _TEXT,
        "seed": _COUNT,
        "outcome": _TEXT,
        **dict.fromkeys(("stocks_0", "stocks_1"), _COUNT),
        **dict.fromkeys(("percent_0", "percent_1"), _REAL),
        "frames": _COUNT,
        **dict.fromkeys(("ended_by", "digest_0", "digest_1", "worker"), _TEXT),
    }
)
"""One row a result; `digest_0` and `digest_1` are the weights that really played."""
_PLAYERS: Final = pa.schema(
    {
        **dict.fromkeys(("player_id", "kind", "parent", "digest"), _TEXT),
        "created_frames": _COUNT,
        "role_of": _TEXT,
    }
)
_EVENTS: Final = pa.schema({"seq": _COUNT, "kind": _TEXT, "body": _TEXT})

_RESULT_COLUMNS: Final = frozenset(_MATCHES.names[_MATCHES.names.index("outcome") :])


def export_league(run: Path, out: Path) -> dict[str, Any]:
    """Write OUT/matches.parquet, events.parquet and players.parquet; the run may be going on.

    Returns {"out", "matches", "events", "players"} with the numbers of rows. Raises UserError when RUN holds no
    readable league.
    """
    LeagueStore(run, read_only=True).close()  # refuses what is no league
    out.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{'r' if name in _RESULT_COLUMNS else 'j'}.{name}" for name in _MATCHES.names)
    sources = {
        "matches": (_MATCHES, f"SELECT {columns} FROM match_result r JOIN job j USING (job_id) ORDER BY r.rowid"),
        "events": (_EVENTS, "SELECT seq, kind, body FROM event ORDER BY seq"),
        "players": (_PLAYERS, f"SELECT {', '.join(_PLAYERS.names)} FROM player ORDER BY rowid"),
    }
    with closing(open_to_read(run / DATABASE)) as db:
        db.execute("BEGIN")  # one moment of the run for all three files
        counts = {name: _write(db, query, schema, out / f"{name}.parquet") for name, (schema, query) in sources.items()}
    return {"out": str(out), **counts}


def _write(db: sqlite3.Connection, query: str, schema: pa.Schema, path: Path) -> int:
    """Write the rows of a query, a group at a time; returns how many. The file is there whole or not at all."""
    scratch = path.with_name(f".{path.name}")
    count = 0
    rows = db.execute(query)
    with pq.ParquetWriter(scratch, schema, compression="zstd") as writer:
        while group := rows.fetchmany(ROWS_PER_GROUP):
            columns = zip(*group, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(group)
    scratch.rename(path)
    return count
