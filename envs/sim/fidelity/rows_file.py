"""Every prediction as Parquet, so that anyone can score it independently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from envs.sim.fidelity.classes import CLASSES

_COPIED = ("frame", "port", "k", "hit_in_window", "cpu", "x", "y", "action", "percent")


def write_rows(path: Path, rows: NDArray[np.void], games: Sequence[str]) -> None:
    """Write ROWs with columns game, port (1..4), frame, k, class, hit_in_window, cpu, x, y, action, percent.

    `frame` is the Slippi id predicted from; x, y, action and percent are the prediction for frame + k.
    """
    columns = {name: pa.array(np.ascontiguousarray(rows[name])) for name in _COPIED}
    columns["port"] = pa.array(rows["port"] + 1)
    columns["game"] = pa.DictionaryArray.from_arrays(rows["game"].astype(np.int32), pa.array(list(games), pa.string()))
    columns["class"] = pa.DictionaryArray.from_arrays(rows["class"].astype(np.int8), pa.array(CLASSES))
    order = ("game", "port", "frame", "k", "class", "hit_in_window", "cpu", "x", "y", "action", "percent")
    pq.write_table(pa.table({name: columns[name] for name in order}), path, compression="zstd")
