"""Which errors are the user's, and that they are told so without a traceback."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import pytest

from envs.game import UnknownName
from exphil_league.cli.command import BAD_INPUT, MET, SHORT_OF_THRESHOLD, Command, Outcome, execute
from exphil_league.errors import UserError, user_message
from exphil_league.ray_session import require_train_extra
from policies.onnx.agent_file import AgentFileError


class Wrapped(Exception):
    """What Ray makes of an error in an actor: the cause in an attribute."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("a traceback as text")
        self.cause = cause


@dataclass(frozen=True)
class Fails(Command):
    error: type[BaseException] | BaseException = UserError

    def run(self) -> Outcome:
        raise self.error


@dataclass(frozen=True)
class Prints(Command):
    status: int = MET

    def run(self) -> Outcome:
        print("a library's noise")
        return Outcome({"found": 1}, self.status)


@pytest.mark.parametrize("error", [UserError("no such key"), UnknownName("no such key"), AgentFileError("no such key")])
def test_refusals_of_every_package_are_for_the_user(error: Exception) -> None:
    assert user_message(error) == "no such key"
    assert user_message(Wrapped(error)) == "no such key"


def test_a_full_disk_is_told_with_its_place() -> None:
    message = user_message(Wrapped(OSError(errno.ENOSPC, "No space left on device", "/run/x")))
    assert message is not None
    assert "/run/x" in message
    assert "full" in message


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), OSError(errno.EIO, "input/output error")])
def test_our_own_bugs_are_not_blamed_on_the_user(error: Exception) -> None:
    assert user_message(error) is None


def test_a_chain_of_causes_that_bites_its_tail_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert user_message(one) is None


def test_bad_input_is_exit_status_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(Fails(error=UserError("no such key"))) == BAD_INPUT
    assert capsys.readouterr() == ("", "error: no such key\n")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        execute(Fails(error=ZeroDivisionError()))


def test_json_is_alone_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(Prints(json=True, status=SHORT_OF_THRESHOLD)) == SHORT_OF_THRESHOLD
    printed = capfd.readouterr()
    assert printed.out == '{"found": 1}\n'
    assert "noise" in printed.err


def test_a_missing_train_extra_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"`train` needs ray and torch.*pip install"):
        require_train_extra("train")
