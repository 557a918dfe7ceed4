"""Compiled code that is kept on disk follows every source that ends up in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import envs.observation
import envs.reward_kernel
import envs.sim.jit
import policies.scripted_jit
from envs.jit import RECORDS, sources_stamp


def test_the_stamp_changes_with_every_file(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text("1")
    before = sources_stamp(files)
    assert sources_stamp(reversed(files)) == before
    for file in files:
        file.write_text("2")
        assert sources_stamp(files) != before
        file.write_text("1")


@pytest.mark.parametrize(
    ("sources", "at_least"),
    [
        (envs.sim.jit.SOURCES, 20),
        (policies.scripted_jit.SOURCES, 5),
        ((Path(envs.observation.__file__), *RECORDS), 1),
        ((Path(envs.reward_kernel.__file__), *RECORDS), 1),
    ],
    ids=["sim", "scripted", "observation", "reward"],
)
def test_whatever_a_file_with_kernels_imports_of_ours_is_a_source(sources: tuple[Path, ...], at_least: int) -> None:
    with_kernels = [file for file in sources if re.search(r"^@_?(kernel|entry)$", file.read_text(), re.MULTILINE)]
    assert len(with_kernels) >= at_least
    for file in with_kernels:
        assert set(imported_files(file)) <= set(sources), file.name


def imported_files(file: Path) -> Iterator[Path]:
    """Files of this project that `file` imports from."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ("envs", "policies"):
            for name in [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]:
                yield from module_file(name)


def module_file(name: str) -> Iterator[Path]:
    """The file of a module; nothing for a package or for what is no module."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return
    if spec is not None and spec.origin is not None and not spec.submodule_search_locations:
        yield Path(spec.origin)
