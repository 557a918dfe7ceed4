"""What an impatient user gets wrong: one message that names the culprit, exit status 2, and nothing lost.

Every case starts in a folder full of things that are not what they seem, and must leave it as it was.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envs.slippi.errors import Reason
from envs.slippi.read import read_game
from exphil_league.cli.command import BAD_INPUT, INTERRUPTED, MET
from exphil_league.cli.main import main
from exphil_league.config.recipe import Recipe
from exphil_league.errors import user_message
from exphil_league.league.store import LeagueStore
from exphil_league.run_folder import create, write_json
from policies import checkpoint
from policies.onnx.agent_file import read_agent_file, write_agent_file
from tests.unit.policy_fixtures import small_policy

PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
PATIENCE_S = 120
SECONDS_HELD_BACK = 1
"""Of a game being saved, in the writer's memory."""
QUICK_GAME = ("--stocks", "1", "--time-limit-s", "2", "--speed", "0", "--seed", "3")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the cases get a copy of."""
    folder = tmp_path_factory.mktemp("pristine")
    assert main(["play", "walker", "--opponent", "idle", "--out", str(folder / "good.slp"), *QUICK_GAME]) == MET
    _make_replays(folder)
    _make_recipes(folder)
    _make_runs(folder)
    _make_agents(folder)
    return folder


def _make_replays(folder: Path) -> None:
    for name in ("empty", "broken"):
        (folder / name).mkdir()
    whole = (folder / "good.slp").read_bytes()
    (folder / "broken" / "picture.slp").write_bytes(PNG)
    (folder / "broken" / "nothing.slp").touch()
    (folder / "broken" / "cut.slp").write_bytes(whole[: len(whole) * 3 // 5])


def _make_recipes(folder: Path) -> None:
    (folder / "picture.yaml").write_bytes(PNG)
    (folder / "tabs.yaml").write_text("ppo:\n\tgames: 8\n")
    (folder / "hollow.yaml").write_text("ppo:\n")
    (folder / "numbers.yaml").write_text("1: 2\n")


def _make_runs(folder: Path) -> None:
    for name in ("run", "older", "garbled", "listed", "unparsable", "emptied", "extended"):
        create(folder / name, Recipe(), None)
    write_json(folder / "older" / "run.json", {"format": "exphil-league-run-0"})
    (folder / "garbled" / "run.json").write_text("{")
    (folder / "listed" / "run.json").write_text("[]")
    (folder / "unparsable" / "recipe.yaml").write_text("ppo: [")
    (folder / "emptied" / "recipe.yaml").write_text("")
    (folder / "extended" / "recipe.yaml").write_text("warp: 9\n")
    (folder / "run" / "league.sqlite").write_text("no database, though named like one")
    LeagueStore(folder / "older").close()
    with sqlite3.connect(folder / "older" / "league.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def _make_agents(folder: Path) -> None:
    (folder / "text.agent").write_text("no agent")
    with zipfile.ZipFile(folder / "random.agent", "w") as archive:
        archive.writestr("holiday.txt", "no agent either")
    (folder / "hollow_module.py").write_text("def no_arguments(): ...\ndef nothing(capacity, seed): ...\nvalue = 3\n")
    (folder / "misspelt_module.py").write_text("def make(:\n")
    write_agent_file(folder / "good.agent", small_policy("mlp", 0), name="good", digest="d")
    whole = (folder / "good.agent").read_bytes()
    (folder / "cut.agent").write_bytes(whole[: len(whole) // 2])
    middle = len(whole) // 2
    (folder / "flipped.agent").write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])


@pytest.fixture
def mess(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, as the working directory."""
    folder = tmp_path / "mess"
    shutil.copytree(pristine, folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


def content(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, bytes of files and None for folders, but for what a reader of SQLite leaves beside."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


CASES = {
    # replays
    "watch broken/picture.slp": ["broken/picture.slp", "not slp", "only Slippi replays"],
    "watch broken/nothing.slp --html page.html": ["broken/nothing.slp", "empty"],
    "watch broken/cut.slp --html page.html": ["broken/cut.slp", "truncated", "repair"],
    "watch empty --html page.html": ["empty: unreadable", "check that it is a file"],
    "watch good.slp --html tabs.yaml/page.html": ["tabs.yaml", "name another place"],
    "watch good.slp --html empty": ["empty is a folder", "--html"],
    "watch good.slp --speed -1": ["--speed"],
    "replays scan empty": ["empty: no .slp file"],
    "replays stats nowhere": ["nowhere: no such folder"],
    "train smoke --replays empty": ["empty: no .slp file"],
    "train smoke --replays nowhere": ["nowhere: no such folder"],
    "bc smoke --replays empty": ["empty: no .slp file"],
    "bench replays --replays nowhere": ["nowhere: no such folder"],
    # recipes
    "train picture.yaml --dry-run": ["picture.yaml: not valid YAML"],
    "train tabs.yaml --dry-run": ["tabs.yaml: not valid YAML", "line 2"],
    "train hollow.yaml --dry-run": ["hollow.yaml: ppo", "no section", "leave it out"],
    "train numbers.yaml --dry-run": ["numbers.yaml: 1"],
    "train empty --dry-run": ["empty: no such recipe", "demo"],
    "train smoke --dry-run --set ppo": ["--set ppo", "key=value"],
    "train smoke --dry-run --set =3": ["--set =3", "key=value"],
    "train smoke --dry-run --set game.characters=FOX": ["game.characters: 'FOX'", "[A, B]"],
    "train smoke --dry-run --set imitation.characters=[FX]": ["imitation.characters", "did you mean FOX?"],
    "train smoke --dry-run --set game.stages=[BATLEFIELD]": ["game.stages", "did you mean BATTLEFIELD?"],
    "train smoke --dry-run --set ppo.gamma=.nan": ["ppo.gamma: nan: input should be a finite number"],
    "train smoke --out run": ["run exists", "--resume run", "--out"],
    "train smoke --out empty/../tabs.yaml": ["tabs.yaml exists", "--out"],
    "train smoke --out tabs.yaml/run": ["tabs.yaml/run", "name another place"],
    # runs
    "train --resume empty": ["empty is not a run folder"],
    "train --resume older": ["exphil-league-run-0", "exphil-league-run-1", "--out"],
    "train --resume garbled": ["garbled/run.json is damaged"],
    "train --resume listed": ["listed/run.json is damaged"],
    "train --resume unparsable": ["unparsable/recipe.yaml: not valid YAML"],
    "train --resume emptied": ["emptied/recipe.yaml is empty"],
    "train --resume extended": ["extended/recipe.yaml: unknown key warp", "version that made this run"],
    "train --resume run --set ppo.games=9": ["ppo.games is 64, not 9", "may change only run.max_minutes"],
    "train --resume run --set run.max_update=9": ["did you mean run.max_updates?"],
    "train --resume run --out elsewhere": ["--out"],
    "league ladder --run run": ["run/league.sqlite", "not a database"],
    "league status --run older": ["older/league.sqlite", "version 99"],
    "league payoff --run tabs.yaml": ["tabs.yaml holds no league"],
    "export --run empty --out x.agent": ["empty holds no league"],
    # players
    "play text.agent": ["text.agent is no agent file"],
    "play random.agent": ["random.agent is no agent file"],
    "play cut.agent": ["cut.agent is no agent file"],
    "play flipped.agent": ["flipped.agent is no agent file"],
    "play empty": ["empty is no policy checkpoint"],
    "play --run run": ["has no best.agent", "exphil-league export --run run"],
    "play": ["--run"],
    "play :make": ["unknown player ':make'"],
    "play ..module:make": ["unknown player"],
    "play nowhere:make": ["'nowhere' cannot be imported"],
    "play misspelt_module:make": ["'misspelt_module' cannot be imported", "line 1"],
    "play hollow_module:made": ["no callable 'made'"],
    "play hollow_module:value": ["no callable 'value'"],
    "play hollow_module:no_arguments": ["hollow_module:no_arguments", "factory(capacity, seed)"],
    "play hollow_module:nothing": ["what the factory returned is no agent"],
    "eval fighter --opponent idel": ["did you mean idle?"],
    "eval fighter --games 0": ["--games is 0"],
    "eval": ["AGENT"],
    # numbers and names of `play` and `bench`
    "play fighter --seed -1": ["--seed is -1"],
    "play fighter --seed 18446744073709551615": ["--seed"],
    "play fighter --stocks 0": ["--stocks is 0"],
    "play fighter --speed -2": ["--speed is -2"],
    "play fighter --time-limit-s nan": ["--time-limit-s is nan"],
    "play fighter --stage FOD": ["unknown stage 'FOD'", "FOUNTAIN_OF_DREAMS"],
    "play fighter --backend dolphn": ["unknown backend 'dolphn'", "did you mean dolphin"],
    "play fighter --out empty": ["empty is a folder", "--out"],
    "play fighter --out tabs.yaml/x.slp": ["tabs.yaml cannot be made", "--out"],
    "bench sim --games 0": ["--games is 0"],
    "bench rollout --games 1": ["--games is 1"],
    "bench train --iterations 0": ["--iterations is 0"],
    "bench train --width 2": ["--width is 2"],
}  # fmt: skip


@pytest.mark.parametrize(("line", "words"), CASES.items(), ids=CASES)
def test_a_mistake_is_named_and_changes_nothing(
    mess: Path, capfd: pytest.CaptureFixture[str], line: str, words: list[str]
) -> None:
    before = content(mess)
    assert main([*line.split(), "--json"]) == BAD_INPUT
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "error: " in shown.err
    assert "Traceback" not in shown.err
    for word in words:
        assert word in shown.err
    assert content(mess) == before


def test_a_folder_of_broken_files_is_scanned_to_its_end(mess: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replays", "scan", "broken", "--json"]) == MET
    (printed,) = capfd.readouterr().out.splitlines()
    reasons = {Path(file["path"]).name: file["reason"] for file in json.loads(printed)["refused"]}
    assert reasons == {"picture.slp": Reason.NOT_SLP, "nothing.slp": Reason.EMPTY, "cut.slp": Reason.TRUNCATED}


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Let every write beyond a size fail half-way, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _save_checkpoint(folder: Path) -> None:
    checkpoint.save(small_policy("mlp", 0, seed=1), folder / "checkpoints")


def _export(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:  # making the model takes scratch files of its own
        patch.setattr("policies.onnx.export.export_policy", lambda policy: os.urandom(8192))
        write_agent_file(folder / "good.agent", small_policy("gru", 0), name="new", digest="e")


def _play(folder: Path) -> None:
    _succeed("play", "walker", "--opponent", "idle", "--out", "good.slp", *QUICK_GAME)


def _make_page(folder: Path) -> None:
    _succeed("watch", "good.slp", "--html", "page.html")


def _write_report(folder: Path) -> None:
    write_json(folder / "run" / "run.json", {"format": "x" * 4096})


def _succeed(*arguments: str) -> None:
    """Run a command with its errors let through."""
    from exphil_league.cli.main import parse

    parse(arguments).run()


@pytest.mark.parametrize(
    ("write", "culprit"),
    [
        (_save_checkpoint, "checkpoints"),
        (_export, "good.agent"),
        (_play, "good.slp"),
        (_make_page, "page.html"),
        (_write_report, "run.json"),
    ],
)
def test_a_disk_that_fills_up_leaves_the_old_file(mess: Path, write: Callable[[Path], None], culprit: str) -> None:
    old = checkpoint.save(small_policy("mlp", 0), mess / "checkpoints")
    (mess / "page.html").write_text("the old page")
    before = content(mess)
    with files_limited_to(2048), pytest.raises(Exception) as caught:  # noqa: PT011
        write(mess)
    message = user_message(caught.value)
    assert message is not None
    assert culprit in message
    assert content(mess) == before
    checkpoint.load(mess / "checkpoints" / old)
    read_agent_file(mess / "good.agent")


def test_ctrl_c_ends_a_game_cleanly_and_keeps_what_was_played(pristine: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exphil_league", "play", "walker", "--opponent", "idle", "--out", "game.slp"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "walker against idle" in process.stderr.readline()
        wait_for(tmp_path / "game.slp.part")
        time.sleep(2 * SECONDS_HELD_BACK)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == INTERRUPTED
    assert said.endswith("stopped\n")
    assert "Traceback" not in said
    assert len(read_game(tmp_path / "game.slp").frames) > 0


def wait_for(file: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < deadline_s, f"{file} did not appear"
        time.sleep(0.05)


def test_help_into_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m exphil_league --help | true"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert shown.stderr == ""


def test_tables_fit_a_terminal_of_eight_columns(
    mess: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "8")
    assert main(["replays", "stats", "broken"]) == MET
    assert "0 games" in capsys.readouterr().err
