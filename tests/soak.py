"""A soak: a league run whose processes are killed at random, over and over, must end whole.

    python -m tests.soak --minutes 60 --kills 24 --out soak.jsonl

It starts `exphil-league train` with runner actors, kills (SIGKILL) a runner, the league actor or the driver at
random moments, starts the driver again with --resume where it was the one, and checks what a user relies on:
every result that was in the log at a kill is there at the end, once; the run goes on within a time limit after
every kill; nothing that the run started is alive when it is over. One JSON object a line tells what happened.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exphil_league.league.events import ResultAccepted
from exphil_league.league.store import LeagueStore
from tests.left_behind import MARK, marked

TITLES: Final = {"runner": b"ray::BatchedEnvRunner", "league": b"ray::LeagueActor"}
"""Beginnings of the process titles of Ray's actors."""
SETTINGS: Final = (
    "name=soak", "run.max_updates=1000000", "run.checkpoint_every_updates=5", "ray.num_env_runners=2", "ppo.games=8",
    "ppo.unroll_frames=32", "evaluation.every_updates=20", "evaluation.games_per_round=4", "evaluation.final_games=8",
    "evaluation.final_vs_warm_start=4",
)  # fmt: skip


class SoakFailed(AssertionError):
    """Something that a user relies on did not hold; the message says what."""


@dataclass
class Soak:
    """One run under fire."""

    run: Path
    log: Path
    seed: int
    stalled_after_s: float = 240.0
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    acknowledged: set[str] = field(default_factory=set)
    """Jobs whose results were in the league's log when something was killed."""
    driver: subprocess.Popen[bytes] | None = None

    def go(self, minutes: float, kills: int) -> dict[str, Any]:
        """Kill about evenly over the time, then let the run end. Raises SoakFailed."""
        rng = random.Random(self.seed)
        self._start(["train", "smoke", "--out", str(self.run), *(a for s in SETTINGS for a in ("--set", s))])
        self._progress("start")
        began, killed = time.monotonic(), Counter[str]()
        while sum(killed.values()) < kills:
            due = began + minutes * 60 * (sum(killed.values()) + rng.random()) / kills
            time.sleep(max(due - time.monotonic(), 1.0))
            victim = rng.choice(("runner", "runner", "league", "driver"))
            self.acknowledged |= self._accepted()
            if self._kill(victim, rng):
                killed[victim] += 1
                self._note(event="killed", victim=victim, acknowledged=len(self.acknowledged))
                self._progress(f"after killing the {victim}")
        return self._finish(killed)

    def _finish(self, killed: Counter[str]) -> dict[str, Any]:
        """End the run and look at what is left."""
        self._stop()
        accepted = self._accepted()
        lost = self.acknowledged - accepted
        if lost:
            raise SoakFailed(f"{len(lost)} acknowledged results are lost: {sorted(lost)[:5]}")
        found = {"event": "done", "kills": dict(killed), "results": len(accepted), "updates": self._updates()}
        self._note(**found)
        return found

    def _stop(self) -> None:
        """As a user would, with Ctrl-C."""
        assert self.driver is not None
        self.driver.send_signal(signal.SIGINT)
        self.driver.wait(timeout=180)
        self._wait(lambda: not list(marked(self.mark)), 60, "no process of the run to be left")

    def _start(self, arguments: list[str]) -> None:
        with (self.log.with_suffix(".out")).open("ab") as output:
            self.driver = subprocess.Popen(
                [sys.executable, "-m", "exphil_league", *arguments],
                env=os.environ | {MARK: self.mark}, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self._note(event="started", arguments=arguments[:2], pid=self.driver.pid)

    def _kill(self, victim: str, rng: random.Random) -> bool:
        """Whether there was one to kill. After the driver, its Ray session must die by itself; then it is resumed."""
        assert self.driver is not None
        if victim != "driver":
            pids = [pid for pid, title in marked(self.mark) if title.startswith(TITLES[victim])]
            if not pids:
                return False
            with suppress(ProcessLookupError):
                os.kill(rng.choice(pids), signal.SIGKILL)
            return True
        self._kill_driver()
        self._start(["train", "--resume", str(self.run)])
        return True

    def _kill_driver(self) -> None:
        """And see everything that it started end by itself."""
        assert self.driver is not None
        self.driver.kill()
        self.driver.wait()
        self._wait(lambda: not list(marked(self.mark)), 120, "the processes of a killed driver to end")

    def _progress(self, when: str) -> None:
        """The run makes two more updates in time."""
        before = self._updates()
        self._wait(lambda: self._updates() >= before + 2, self.stalled_after_s, f"an update {when}")
        self._note(event="goes on", updates=self._updates())

    def _wait(self, ready: Any, limit_s: float, what: str) -> None:
        deadline = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > deadline:
                raise SoakFailed(f"waited {limit_s:.0f} s for {what}")
            if self.driver is not None and self.driver.poll() not in (None, -signal.SIGKILL, 130):
                raise SoakFailed(f"the driver ended with {self.driver.returncode}; see {self.log.with_suffix('.out')}")
            time.sleep(1.0)

    def _updates(self) -> int:
        metrics = self.run / "metrics.jsonl"
        return len(metrics.read_bytes().splitlines()) if metrics.exists() else 0

    def _accepted(self) -> set[str]:
        """Jobs with a result in the log, each of which must be there once."""
        store = LeagueStore(self.run, read_only=True)
        jobs = [event.result.job_id for event in store.events() if isinstance(event, ResultAccepted)]
        store.close()
        if len(set(jobs)) < len(jobs):
            raise SoakFailed("a result was counted twice")
        return set(jobs)

    def _note(self, **what: Any) -> None:
        line = json.dumps({"time": time.strftime("%H:%M:%S"), **what})
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")


def main() -> None:
    """Soak as the command line says; exit status 1 with the reason when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("soak.jsonl"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder) / "run", chosen.out.resolve(), chosen.seed)
        try:
            soak.go(chosen.minutes, chosen.kills)
        except SoakFailed as failure:
            sys.exit(f"failed: {failure}")


if __name__ == "__main__":
    main()
