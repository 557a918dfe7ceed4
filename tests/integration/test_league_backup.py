"""The live database apart from the run folder: copied while it is used, found again, never on a network filesystem."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from exphil_league.errors import UserError
from exphil_league.league.backup import Backup, LiveDisk
from exphil_league.league.disk import mount_of
from exphil_league.league.export import export_league
from exphil_league.league.service import LocalLeague
from exphil_league.observe import league_tables
from tests.integration.league_writer import step
from tests.league_play import ROSTER, SETUP, Clock

MOUNTS = [
    "/dev/vda / ext4 rw 0 0",
    "pod:/volume /workspace nfs4 rw 0 0",
    "mfs#server:9421 /data fuse rw 0 0",
    "store /data/near fuse.sshfs rw 0 0",
    "/dev/vdb /workspace/scratch xfs rw 0 0",
    "tmpfs /with\\040space tmpfs rw 0 0",
]


@pytest.mark.parametrize(
    ("folder", "kind", "network"),
    [
        ("/home/me/run", "ext4", False),
        ("/workspace/runs/a", "nfs4", True),
        ("/workspace2", "ext4", False),
        ("/workspace/scratch/a", "xfs", False),
        ("/data/a", "fuse", True),
        ("/data/near/a", "fuse.sshfs", True),
        ("/with space/a", "tmpfs", False),
    ],
)
def test_the_nearest_mount_tells_whether_a_folder_is_on_the_network(folder: str, kind: str, network: bool) -> None:
    mount = mount_of(Path(folder), MOUNTS)
    assert mount is not None
    assert (mount.kind, mount.network) == (kind, network)


@pytest.fixture
def disk(tmp_path: Path) -> LiveDisk:
    return LiveDisk(tmp_path / "local", "1a2b", backup_every_s=3600)


def opened(run: Path, disk: LiveDisk | None) -> LocalLeague:
    league = LocalLeague(run, SETUP, 0, Clock(), disk)
    league.enrol(ROSTER)
    return league


def played(league: LocalLeague, steps: int) -> LocalLeague:
    for _ in range(steps):
        step(league, league._league.state)
    return league


def test_a_network_filesystem_is_refused_for_the_live_database(
    tmp_path: Path, disk: LiveDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "volume" / "run"
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path}/volume nfs4 rw 0 0\n")
    monkeypatch.setattr("exphil_league.league.disk._MOUNTS", mounts)
    with pytest.raises(UserError, match=r"nfs4.*--set run\.league_dir=DIR"):
        opened(run, None)
    played(opened(run, disk), 20).close()
    assert league_tables.status(run)["jobs_issued"] == 35, "the copy is read there"


def test_a_lost_disk_is_made_good_from_the_copy(tmp_path: Path, disk: LiveDisk) -> None:
    run = tmp_path / "run"
    league = played(opened(run, disk), 30)
    league.close()
    before = league._league.state
    shutil.rmtree(disk.folder)
    again = opened(run, disk)
    assert again._league.state == before
    played(again, 30).close()
    assert opened(tmp_path / "elsewhere", LiveDisk(disk.folder, "other", 60))._league.state.job_status == b""


def test_a_run_that_lived_in_its_folder_moves_to_the_local_disk(tmp_path: Path, disk: LiveDisk) -> None:
    """With what SQLite had not written into the main file when the run was killed, and without its leftovers."""
    run = tmp_path / "run"
    league = played(opened(run, None), 30)
    assert (run / "league.sqlite-wal").stat().st_size > 0
    killed = tmp_path / "killed"
    shutil.copytree(run, killed)
    before = league._league.state
    again = opened(killed, disk)
    assert again._league.state == before
    played(again, 10).close()
    assert not list(killed.glob("league.sqlite-*"))
    assert league_tables.read_league(killed) == again._league.state


def test_two_heads_that_went_on_with_one_run_are_noticed(tmp_path: Path, disk: LiveDisk) -> None:
    run, other = tmp_path / "run", LiveDisk(tmp_path / "other", disk.run_id, 3600)
    played(opened(run, disk), 12).close()
    behind = played(opened(run, other), 9)
    behind.close()
    assert opened(run, disk)._league.state == behind._league.state, "the longer log of one history is the run"
    shutil.copytree(other.home(run), tmp_path / "kept")
    changed = tmp_path / "kept" / "league.sqlite"
    with sqlite3.connect(changed) as db:
        db.execute("UPDATE event SET body = '{}' WHERE seq = (SELECT max(seq) FROM event)")
    db.close()
    shutil.copy(changed, run / "league.sqlite")
    with pytest.raises(UserError, match="two histories"):
        LocalLeague(run, SETUP, 0, Clock(), other)


def test_copies_are_made_while_the_league_goes_on(tmp_path: Path, disk: LiveDisk) -> None:
    run, now_s = tmp_path / "run", [0.0]
    league = played(opened(run, disk), 8)
    backup = Backup(league._store.path, run / "league.sqlite", 60.0, lambda: now_s[0])
    backup.maybe_copy()
    first = backup._thread
    assert first is not None
    played(league, 40)
    first.join()
    backup.maybe_copy()
    assert backup._thread is first, "not due yet"
    now_s[0] = 61.0
    backup.maybe_copy()
    assert backup._thread is not first
    assert backup._thread is not None
    backup._thread.join()
    copied = league_tables.read_league(run)
    assert 0 < len(copied.job_status) <= len(league._league.state.job_status)
    (run / "league.sqlite").unlink()
    (run / "league.sqlite").mkdir()
    with pytest.raises(UserError, match="could not be copied"):
        backup.finish()
    (run / "league.sqlite").rmdir()
    league.close()


def test_parquet_files_hold_what_the_league_counted(tmp_path: Path) -> None:
    run = tmp_path / "run"
    league = played(opened(run, None), 40)
    found = export_league(run, tmp_path / "out")
    matches = pq.read_table(tmp_path / "out" / "matches.parquet")
    counts = league._league.state.counts
    expected = {
        "train": counts["games.train"] + counts["aborted.train"],
        "evaluate": counts["games.evaluate"] + counts["aborted.evaluate"],
    }
    assert {purpose: matches["purpose"].to_pylist().count(purpose) for purpose in expected} == expected
    assert found["matches"] == matches.num_rows == len(set(matches["job_id"].to_pylist()))
    assert sum(matches["frames"].to_pylist()) == 900 * matches.num_rows
    assert pq.read_table(tmp_path / "out" / "events.parquet").num_rows == found["events"]
    players = pq.read_table(tmp_path / "out" / "players.parquet")["player_id"].to_pylist()
    assert players == list(league._league.state.players)
    league.close()
