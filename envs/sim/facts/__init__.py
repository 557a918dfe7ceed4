"""The game's numbers as TOML, each with its source; long tables as CSV, their source in a comment at the top.

A table has a `source` that holds for all its numbers; a number that comes from elsewhere is written
`{ value = 1.9, source = "..." }`. `load` drops the sources, `sources` returns them.
"""

from __future__ import annotations

import csv
import tomllib
from importlib import resources
from typing import Any

__all__ = ["MissingSource", "exists", "load", "rows", "sources"]


class MissingSource(ValueError):
    """A number in a facts file has no source; the message names the file and the key."""


def _read(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key != "source"}
    return value


def exists(name: str) -> bool:
    """Whether there is a `facts/<name>.toml`."""
    return resources.files(__package__).joinpath(f"{name}.toml").is_file()


def load(name: str) -> dict[str, Any]:
    """Values of `facts/<name>.toml`, sources left out. Raises FileNotFoundError."""
    loaded: dict[str, Any] = _plain(_read(name))
    return loaded


def rows(name: str) -> list[list[float]]:
    """Rows of `facts/<name>.csv` below its header, empty where there is no such file. Raises MissingSource."""
    path = resources.files(__package__).joinpath(f"{name}.csv")
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    if not any(line.startswith("# source:") for line in lines):
        raise MissingSource(f"facts/{name}.csv has no source")
    _, *table = csv.reader(line for line in lines if not line.startswith("#"))
    return [[float(value) for value in row] for row in table]


def sources(name: str) -> dict[str, str]:
    """Source of every number of a facts file by dotted key. Raises MissingSource."""
    found: dict[str, str] = {}
    _collect(name, "", _read(name), "", found)
    return found


def _collect(file: str, path: str, value: Any, inherited: str, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        own = str(value.get("source", inherited))
        for key, inner in value.items():
            if key != "source":
                _collect(file, f"{path}.{key}" if path else key, inner, own, found)
    elif inherited:
        found[path] = inherited
    else:
        raise MissingSource(f"facts/{file}.toml: {path} has no source")
