"""A list of checks that fail, hang and break; and what `doctor` says of a machine: GPU, packages, disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from exphil_league.observe.doctor import machine
from exphil_league.observe.doctor.check import Answer, Check, Trouble, bad, examine, fine

Smi = Callable[[str], None]


def test_what_needs_a_failed_check_is_not_run_and_says_so():
    asked: list[str] = []

    def asks(name: str, answer: Answer) -> Check:
        return Check(name, lambda: asked.append(name) or answer, {"b": ("a",), "c": ("b",)}.get(name, ()))

    findings = examine([asks("a", bad("no", "do it")), asks("b", fine("yes")), asks("c", fine("yes"))], lambda _: None)
    assert asked == ["a"]
    assert [finding.as_json()["found"] for finding in findings] == ["no", "not run: it needs a", "not run: it needs b"]


def test_a_check_that_hangs_or_breaks_is_a_finding():
    def breaks() -> Answer:
        raise ZeroDivisionError("by nought")

    def refuses() -> Answer:
        raise Trouble("wrong", "right")

    checks = [Check("hangs", lambda: time.sleep(30) or fine(""), limit_s=0.2), Check("breaks", breaks)]
    hangs, broke, refused = examine([*checks, Check("refuses", refuses)], lambda _: None)
    assert (hangs.ok, hangs.answer.found) == (False, "no answer within 0.2 s")
    assert hangs.seconds < 5
    assert broke.answer.found == "ZeroDivisionError: by nought"
    assert refused.answer == bad("wrong", "right")


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Smi:
    """Makes an nvidia-smi that does what a line of shell says."""

    def made(line: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return made


def test_no_gpu_is_no_failure(smi: Smi, monkeypatch: pytest.MonkeyPatch):
    smi("echo 'could not communicate with the driver'; exit 9")
    answer = machine.gpu()
    assert (answer.ok, "could not communicate" in answer.found, "--gpus all" in answer.remedy) == (True, True, True)
    monkeypatch.setenv("PATH", "/nowhere")
    assert machine.gpu().ok
    assert "no NVIDIA driver" in machine.gpu().found


@pytest.mark.parametrize(
    ("torch", "ok", "words"), [("True 2.13.0+cu128", True, "sees it"), ("False 2.13.0+cpu", False, "CUDA build")]
)
def test_a_gpu_that_torch_does_not_see_is_one(
    torch: str, ok: bool, words: str, smi: Smi, monkeypatch: pytest.MonkeyPatch
):
    smi("echo 'NVIDIA L4, 23034 MiB'")
    monkeypatch.setattr(machine, "_child", lambda program: torch)
    answer = machine.gpu()
    assert answer.ok == ok
    assert "NVIDIA L4, 23034 MiB" in answer.found
    assert torch.split()[1] in answer.found
    assert words in answer.found + answer.remedy


def test_a_package_that_does_not_load_is_told_with_its_last_words():
    with pytest.raises(Trouble) as caught:
        machine._child("import no_such_package")
    assert "No module named 'no_such_package'" in caught.value.answer.found
    assert machine._child("print(6 * 7)") == "42"


def test_packages_are_held_against_what_is_declared():
    for text, ok, found in (("numpy>=1", True, "2."), ("numpy<1", False, "needs <1"), ("nonesuch", False, "not inst")):
        answer = machine._package(Requirement(text), "install it")
        assert (answer.ok, found in answer.found, answer.remedy) == (ok, True, "" if ok else "install it")


def test_too_little_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert machine.disk(tmp_path).ok
    monkeypatch.setattr(machine, "ENOUGH_DISK_GIB", 1e9)
    assert "make room" in machine.disk(tmp_path).remedy
