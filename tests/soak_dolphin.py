"""A soak of training on emulators: they break at random, the run is killed, and nothing may be left of it.

    python -m tests.soak_dolphin --frames 300000 --instances 8 --fault-every 2000 --kills 3 --out soak_dolphin.jsonl

It starts `exphil-league train standin` on stand-ins that suffer faults of every kind, each process on average one in so
many game frames; kills the driver (SIGKILL) at random moments, looks at what is left, and starts it again with
--resume, until so many frames of games were learnt from and the kills are done. Then it ends the run with Ctrl-C, looks
again, and brings the run to its end: rating, promotion, ladder. Left may be no process, no home with its pipes and pid
file, no held lock, no shared memory.

One JSON object a line tells what happened; the last one has "ok", "frames", "updates", "faults" by kind, "kills",
"orphans" and "leftovers" (lists, empty), or "problem". Exit status 1 if anything is amiss. `--runners 0` plays in the
driver (`train --serial`) instead of in Ray's runner actors.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from envs.dolphin.home import run_dir
from exphil_league.observe.progress import duration
from tests.left_behind import all_gone, files_left, marked, processes_left, shared_memory
from tests.soak import Soak, SoakFailed

REPORT_S: Final = 10.0
SETTINGS: Final = (
    "name=soak-dolphin", "run.max_updates=1000000", "run.checkpoint_every_updates=5", "game.time_limit_s=40",
    "game.dolphin.restarts=100000", "game.dolphin.backoff_s=0", "game.dolphin.frame_timeout_s=4",
    "game.dolphin.boot_timeout_s=40", "game.dolphin.soft_memory_mib=400", "game.dolphin.hard_memory_mib=500",
    "game.dolphin.log_kib=16", "ppo.unroll_frames=128", "ppo.max_lag_updates=2", "ppo.publish_every_updates=4",
    "evaluation.every_updates=1000000",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How big a soak is."""

    frames: int
    """Frames of finished games."""
    instances: int
    fault_every: int
    kills: int
    runners: int

    def settings(self, folder: Path) -> list[str]:
        """The recipe's keys."""
        per_process = self.instances // max(self.runners, 1)
        return [
            *SETTINGS, f"game.dolphin.run_dir={folder}", f"game.dolphin.instances={per_process}",
            f"game.dolphin.standin_fault_every_frames={self.fault_every}", f"ppo.games={per_process}",
            f"ray.num_env_runners={self.runners}",
        ]  # fmt: skip


@dataclass
class EmulatorSoak(Soak):
    """One run on emulators under fire."""

    serial: bool = False
    homes: Path = field(init=False)
    played: dict[tuple[float, float], dict[str, float]] = field(default_factory=dict)
    """Metrics of every update: by the run's starts and the number, for after a kill some are done again."""
    memory: set[Path] = field(default_factory=set)
    """Shared memory that the run was seen to use."""

    def __post_init__(self) -> None:
        self.homes = run_dir(self.run.with_name("homes"))

    def endure(self, size: Size) -> None:
        """Train, kill, go on, end. Raises SoakFailed."""
        rng, self.serial = random.Random(self.seed), size.runners == 0
        sets = [part for setting in size.settings(self.homes) for part in ("--set", setting)]
        self._start(["train", "standin", "--out", str(self.run), *sets])
        self._progress("start")
        for moment in sorted(rng.uniform(0.05, 0.95) * size.frames for _ in range(size.kills)):
            self._until(moment, size.frames)
            self._kill_driver()
            self.killed["driver"] += 1
            self._note(event="killed", left=self._nothing_left())
            self._start(["train", "--resume", str(self.run)])
            self._progress("after a kill")
        self._until(size.frames, size.frames)
        self._stop()
        self._nothing_left()
        self._bring_to_its_end()
        self._nothing_left()
        if size.frames > 10 * size.fault_every and not self.faults:
            raise SoakFailed("nothing broke: the stand-ins suffer no faults")

    def figures(self) -> dict[str, Any]:
        """What the run has been through."""
        games = sum(row["rl/games"] for row in self.played.values())
        return {
            "frames": self.frames,
            "updates": self._updates(),
            "games": round(games),
            "aborted_games": round(sum(row["rl/aborted_games"] for row in self.played.values())),
            "faults": dict(self.faults),
            "kills": self.killed.total(),
            "seconds": round(time.monotonic() - self.began_s),
        }

    @property
    def frames(self) -> int:
        """Frames of finished games: neither what waited nor games that a kill cut off."""
        return round(sum(row["rl/games"] * row.get("rl/game_frames", 0) for row in self.played.values()))

    @property
    def faults(self) -> Counter[str]:
        """By kind."""
        found = Counter[str]()
        for row in self.played.values():
            found.update({k.rpartition("/")[2]: round(v) for k, v in row.items() if k.startswith("rl/faults/")})
        return found

    def left(self) -> dict[str, list[str]]:
        """Processes, and files, locks and memory."""
        return {
            "orphans": processes_left(self.mark),
            "leftovers": files_left(self.homes) + [str(segment) for segment in self.memory if segment.exists()],
        }

    def _nothing_left(self) -> list[str]:
        found = all_gone(lambda: [one for kind in self.left().values() for one in kind], 20.0)
        if found:
            raise SoakFailed(f"left behind: {found}")
        return found

    def _until(self, frames: float, total: int) -> None:
        """So many frames were learnt from. Every so often it is told how far it is."""
        told = time.monotonic()
        moved, before = time.monotonic(), self._updates()
        while self.frames < frames:
            time.sleep(2.0)
            self._read()
            now = time.monotonic()
            if self._updates() != before:
                moved, before = now, self._updates()
            if now - moved > self.stalled_after_s or self.driver is None or self.driver.poll() is not None:
                raise SoakFailed(f"no update for {now - moved:.0f} s; see {self.log.with_suffix('.out')}")
            if now - told > REPORT_S:
                told = now
                per_s = self.frames / (now - self.began_s)
                left = duration((total - self.frames) / per_s) if per_s else "unknown"
                self._note(event="report", **self.figures(), frames_per_s=round(per_s, 1), time_left=left)

    def _read(self) -> None:
        """Note the metrics of new updates, and the shared memory in use."""
        self.memory |= shared_memory(pid for pid, _ in marked(self.mark))
        metrics = self.run / "metrics.jsonl"
        for line in metrics.read_text(encoding="utf-8").splitlines() if metrics.exists() else ():
            try:
                row = json.loads(line)
            except ValueError:  # being written
                continue
            self.played[row.get("rl/restarts", 0), row["training_iteration"]] = row

    def _start(self, arguments: list[str]) -> None:
        super()._start([*arguments, *["--serial"] * self.serial])

    def _kill_driver(self) -> None:
        self._read()
        super()._kill_driver()

    def _stop(self) -> None:
        super()._stop()
        self._read()


def main() -> int:
    """Soak as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--instances", type=int, default=8)
    parser.add_argument("--fault-every", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--runners", type=int, default=2, help="runner actors; 0: train --serial")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--patience-s", type=float, default=1800.0, help="limit for going on, after a start or a kill")
    parser.add_argument("--out", type=Path, default=Path("soak_dolphin.jsonl"), help="the log")
    chosen = parser.parse_args()
    size = Size(chosen.frames, chosen.instances, chosen.fault_every, chosen.kills, chosen.runners)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored, here and in the driver
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = EmulatorSoak(Path(folder) / "run", chosen.out.resolve(), chosen.seed, chosen.patience_s)
        verdict: dict[str, Any] = {"ok": True}
        try:
            soak.endure(size)
        except SoakFailed as failure:
            verdict = {"ok": False, "problem": str(failure)}
        finally:
            left = soak.left()
            soak.clear_away()
        soak._note(event="end", **verdict, **soak.figures(), **left)
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
