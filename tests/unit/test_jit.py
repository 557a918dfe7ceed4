"""Compiled code that is kept on disk follows every source that ends up in it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
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


PROGRAM = """
from pathlib import Path
from envs.jit import entry_of
from exphil_league.observe.console import say_what_compiles

@entry_of([Path(__file__)])
def twice(x):
    return 2 * x

say_what_compiles()
print(twice(21), twice(1.5))
"""


def test_a_person_hears_of_compilation_once_and_only_when_it_happens(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(Path(envs.sim.jit.__file__).parents[2]), "NUMBA_CACHE_DIR": ""}
    told = [
        subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stdout for run in told] == ["42 3.0\n"] * 2
    assert [run.stderr.count("compiling the game") for run in told] == [1, 0]


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
