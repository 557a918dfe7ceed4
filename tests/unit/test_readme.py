"""The README tells the truth: its commands parse, its script is the tested one, its files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from exphil_league.cli.main import COMMANDS, parse

CHECKOUT = Path(__file__).parents[2]
PAGES = [CHECKOUT / "README.md", CHECKOUT / "cluster" / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")


def commands() -> list[str]:
    """Commands in the README's tour and in the code of the cluster's page."""
    found = [text for text in re.findall(r"`([^`\n]+)`", README) if text.split()[0] in COMMANDS and " " in text]
    for block in re.findall(r"```\n(.*?)```", PAGES[1].read_text(encoding="utf-8"), re.DOTALL):
        found += re.findall(r"exphil-league ([a-z]+ [^#\n]+)", block.replace("\\\n", " "))
    return found


@pytest.mark.parametrize("command", commands())
def test_command_parses(command: str) -> None:
    parse(shlex.split(command))


def test_the_script_is_the_tested_one() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert block == (CHECKOUT / "docs" / "stock_rllib.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("target", ["setup", "demo", "test", "smoke"])
def test_make_targets_exist(target: str) -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
