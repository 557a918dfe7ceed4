"""Which disks a live database may lie on: SQLite's locks and its write-ahead log need a disk of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exphil_league.errors import UserError

_NETWORK: Final = frozenset(
    "9p afs beegfs ceph cifs coda davfs fhgfs fuse gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 "
    "orangefs panfs pvfs2 smb smb2 smb3 smbfs wekafs".split()
)
"""Types in the kernel's table of mounts. `fuse` and `fuse.NAME` are programs (MooseFS, sshfs, s3fs, JuiceFS ...)
that promise neither shared memory nor locks."""
_MOUNTS: Final = Path("/proc/self/mounts")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line of the table of mounts."""

    point: Path
    kind: str

    @property
    def network(self) -> bool:
        return self.kind in _NETWORK or self.kind.startswith("fuse.")


def mount_of(folder: Path, mounts: Iterable[str] | None = None) -> Mount | None:
    """The mount that `folder` lies on (it need not exist yet); None where the system shows no table of mounts.

    mounts: lines as in /proc/mounts; default: this machine's.
    """
    if mounts is None:
        if not _MOUNTS.is_file():
            return None
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    place = Path(os.path.realpath(folder))
    found = [mount for mount in map(_mount, mounts) if place.is_relative_to(mount.point)]
    # Of two mounts on one point the later hides the earlier.
    return max(reversed(found), key=lambda mount: len(mount.point.parts), default=None)


def on_network(folder: Path) -> bool:
    """Whether a folder lies on another machine's disk, as far as this system tells."""
    mount = mount_of(folder)
    return mount is not None and mount.network


def require_local(folder: Path) -> None:
    """Raises UserError for a folder on a network filesystem, with what to do."""
    mount = mount_of(folder)
    if mount is not None and mount.network:
        raise UserError(
            f"{folder} lies on a network filesystem ({mount.kind}, mounted on {mount.point}), where the league's live "
            "database could be damaged: name a folder on this machine's own disk with --set run.league_dir=DIR; "
            "the run folder then keeps a copy of it"
        )


def _mount(line: str) -> Mount:
    _, point, kind, *_ = line.split(" ")
    return Mount(Path(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), point)), kind)
