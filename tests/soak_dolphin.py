"""A soak of emulators: they break at random, their owner is killed, and nothing may be left of it.

    python -m tests.soak_dolphin --frames 300000 --instances 8 --fault-every 2000 --kills 3 --out soak_dolphin.jsonl

An owner plays games on tiny Dolphins that crash, exit, hang, freeze, or send nonsense, each on average once in so many
frames; it reports its counts now and then. This process kills it with SIGKILL at even shares of the frames and starts
the next, which goes on. At the end nothing that they started may be alive, and no home, port or pipe may be left. One
JSON object a line; the last one has "ok", "frames", "faults" by kind, "kills", "left". Exit status 1 if something is
left.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from envs.controller import decode
from tests.dolphin.tiny import TinyBackend, all_gone, left_behind

GAME_FRAMES = 3000
REPORT_S = 2.0


def own(folder: Path, instances: int, fault_every: int) -> None:
    """Play until killed; one report a line."""
    import numpy as np

    from envs.controller import PART_SIZES

    backend = TinyBackend(
        folder, instances, {"random": fault_every}, GAME_FRAMES, restarts=10_000, log_kib=16, recycle_frames=20_000
    )
    for instance in backend.instances:
        instance._iso = backend.faulty
    rng = np.random.default_rng(0)
    backend.again(np.ones(instances, np.bool_))
    told = time.monotonic()
    while True:
        parts = np.stack([rng.integers(0, size, (instances, 2)) for size in PART_SIZES], axis=-1)
        backend.step(decode(parts))
        if backend.done.any():
            backend.again(backend.done)
        if time.monotonic() - told > REPORT_S:
            told = time.monotonic()
            print(json.dumps(backend.figures()), flush=True)


class Soak:
    """Owners one after the other, and what they reported."""

    def __init__(self, arguments: argparse.Namespace, out: Any) -> None:
        self.arguments, self.out = arguments, out
        self.frames = 0
        self.boots = 0
        self.faults: Counter[str] = Counter()
        self.kills = 0

    def tell(self, **what: Any) -> None:
        print(json.dumps(what), file=self.out, flush=True)

    def stretch(self, folder: Path, frames: int) -> None:
        """One owner until it has played so many frames; then it is killed."""
        given = self.arguments
        command = [sys.executable, "-m", "tests.soak_dolphin", "--own", str(folder)]
        command += ["--instances", str(given.instances), "--fault-every", str(given.fault_every)]
        owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert owner.stdout is not None
        last: dict[str, Any] = {}
        for line in owner.stdout:
            last = json.loads(line)
            self.tell(event="report", **last)
            if last["frames"] >= frames:
                break
        if owner.poll() is not None:
            raise SystemExit(f"the owner ended by itself with status {owner.returncode}")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        self.kills += 1
        self.frames += last["frames"]
        self.boots += last["boots"]
        self.faults.update(last["faults"])
        self.tell(event="killed", gone=all_gone(folder, 10.0))

    def run(self, folder: Path) -> bool:
        began, stretches = time.monotonic(), max(1, self.arguments.kills)
        while self.kills < stretches or self.frames < self.arguments.frames:
            self.stretch(folder, -(-self.arguments.frames // stretches))
        left = left_behind(folder)
        self.tell(
            ok=not left,
            frames=self.frames,
            faults=dict(self.faults),
            boots=self.boots,
            kills=self.kills,
            left=left,
            seconds=round(time.monotonic() - began),
        )
        return not left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--instances", type=int, default=8)
    parser.add_argument("--fault-every", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--out", type=argparse.FileType("w"), default=sys.stdout)
    parser.add_argument("--own", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.own:
        own(arguments.own, arguments.instances, arguments.fault_every)
    with tempfile.TemporaryDirectory() as folder:
        return 0 if Soak(arguments, arguments.out).run(Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
