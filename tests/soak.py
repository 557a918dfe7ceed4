"""A soak: a league run whose processes are killed at random, over and over, must end whole.

    python -m tests.soak --minutes 60 --kills 24 --out soak.jsonl

It starts `exphil-league train` with runner actors and kills (SIGKILL) a runner, the league actor, the trial (which
learns) or the driver at random moments, now and then a second one before the first is replaced. A killed driver is
started again with --resume. At the end the run is stopped with Ctrl-C, resumed and brought to its end. It checks what
a user relies on:

- every result that was in the log at a kill is there at the end, and each once;
- the run goes on within a time limit after every kill, and its updates are numbered without a gap or a repetition;
- nothing that the run started is alive when the driver is dead, and when the run is over;
- the run ends with a ladder and a verdict of the promotion gate.

One JSON object a line tells what happened; the last one sums it up and says with `ok` whether all of it held. Exit
status 1 when it did not; the run folder is then kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exphil_league.league.events import ResultAccepted
from exphil_league.league.store import LeagueStore
from tests.left_behind import MARK, marked

TITLES: Final = {"runner": b"ray::BatchedEnvRunner", "league": b"ray::LeagueActor", "trial": b"ray::LeaguePPO"}
"""Beginnings of the process titles of Ray's actors."""
VICTIMS: Final = {"runner": 4, "league": 2, "driver": 2, "trial": 1}
"""How often each is drawn, in relation to the others."""
SECOND_SHARE: Final = 0.25
"""Share of the kills after which another victim is killed before the run has gone on."""
SETTINGS: Final = (
    "name=soak", "run.max_updates=1000000", "run.checkpoint_every_updates=5", "run.restarts=1000",
    "ray.num_env_runners=2", "ppo.games=8", "ppo.unroll_frames=32", "evaluation.every_updates=20",
    "evaluation.games_per_round=4", "evaluation.final_games=8", "evaluation.final_vs_warm_start=4",
)  # fmt: skip


class SoakFailed(AssertionError):
    """Something that a user relies on did not hold; the message says what."""


@dataclass
class Soak:
    """One run under fire."""

    run: Path
    log: Path
    seed: int
    stalled_after_s: float = 600.0
    """The run must go on, and a killed driver's processes must end, within this."""
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    began_s: float = field(default_factory=time.monotonic)
    acknowledged: set[str] = field(default_factory=set)
    """Jobs whose results were in the league's log when something was killed."""
    killed: Counter[str] = field(default_factory=Counter)
    recovery_s: list[float] = field(default_factory=list)
    """From each kill, or pair of kills, to the second update after it."""
    driver: subprocess.Popen[bytes] | None = None

    def go(self, minutes: float, kills: int) -> None:
        """Kill about evenly over the time, then bring the run to its end. Raises SoakFailed."""
        rng = random.Random(self.seed)
        self._start(["train", "smoke", "--out", str(self.run), *(a for s in SETTINGS for a in ("--set", s))])
        self._progress("after the start")
        began = time.monotonic()
        while self.killed.total() < kills:
            due = began + minutes * 60 * (self.killed.total() + rng.random()) / kills
            time.sleep(max(due - time.monotonic(), 1.0))
            self._strike(rng, kills)
        self._stop()
        self._bring_to_its_end()
        self._check_results()
        self._check_updates()

    def report(self, **verdict: Any) -> None:
        """The last line of the log: the verdict, and what became of the run."""
        summary = {
            "minutes": round((time.monotonic() - self.began_s) / 60, 1),
            "kills": self.killed.total(),
            "killed": dict(self.killed),
            "acknowledged_results": len(self.acknowledged),
            "updates": self._updates(),
            "median_recovery_s": round(sorted(self.recovery_s)[len(self.recovery_s) // 2]) if self.recovery_s else None,
            "slowest_recovery_s": round(max(self.recovery_s)) if self.recovery_s else None,
        }
        self._note(event="end", **verdict, **summary)

    def _note(self, **what: Any) -> None:
        """Tell the log and the screen."""
        line = json.dumps({"time": time.strftime("%H:%M:%S"), **what})
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")

    def clear_away(self) -> None:
        """Kill what is left of the run, after a failure."""
        for pid, _ in marked(self.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # Kills

    def _strike(self, rng: random.Random, kills: int) -> None:
        """Kill one or two victims, and see the run go on."""
        self.acknowledged |= self._accepted()
        victims = [self._kill(rng)]
        if rng.random() < SECOND_SHARE and self.killed.total() < kills:
            time.sleep(10 * rng.random())
            victims.append(self._kill(rng))
        names = [victim for victim in victims if victim]
        if names:
            struck_s = time.monotonic()
            self._progress(f"after killing {' and '.join(names)}")
            self.recovery_s.append(time.monotonic() - struck_s)

    def _kill(self, rng: random.Random) -> str | None:
        """Kill somebody; who it was, None if that one was not there just then."""
        (victim,) = rng.choices(list(VICTIMS), list(VICTIMS.values()))
        if victim == "driver":
            self._kill_driver()
            self._start(["train", "--resume", str(self.run)])
        else:
            pids = [pid for pid, title in marked(self.mark) if title.startswith(TITLES[victim])]
            if not pids:
                return None
            with suppress(ProcessLookupError):
                os.kill(rng.choice(pids), signal.SIGKILL)
        self.killed[victim] += 1
        self._note(event="killed", victim=victim, kills=self.killed.total(), acknowledged=len(self.acknowledged))
        return victim

    def _kill_driver(self) -> None:
        """And see everything that it started end by itself."""
        assert self.driver is not None
        self.driver.kill()
        self.driver.wait()
        self._wait(self._nobody_left, self.stalled_after_s, "the processes of a killed driver to end", alive=False)

    # The end

    def _stop(self) -> None:
        """As a user would, with Ctrl-C."""
        assert self.driver is not None
        self.acknowledged |= self._accepted()
        self.driver.send_signal(signal.SIGINT)
        self._ended(130, "the run to stop after Ctrl-C")

    def _bring_to_its_end(self) -> None:
        """Two more updates, rating, promotion, report."""
        self._start(["train", "--resume", str(self.run), "--set", f"run.max_updates={self._updates() + 2}"])
        self._ended(0, "the run to end")
        for made in ("trained.json", "ladder.json", "promotion.json", "report.html"):
            if not (self.run / made).is_file():
                raise SoakFailed(f"the run ended without {made}")

    def _ended(self, status: int, what: str) -> None:
        assert self.driver is not None
        driver = self.driver
        self._wait(lambda: driver.poll() is not None, 2 * self.stalled_after_s, what, alive=False)
        if driver.returncode != status:
            raise SoakFailed(f"waited for {what}: exit status {driver.returncode}, not {status}; see {self._output}")
        self._wait(self._nobody_left, 60, "no process of the run to be left", alive=False)

    def _check_results(self) -> None:
        if lost := self.acknowledged - self._accepted():
            raise SoakFailed(f"{len(lost)} acknowledged results are lost: {sorted(lost)[:5]}")

    def _check_updates(self) -> None:
        updates = self._numbers()
        if updates != list(range(1, len(updates) + 1)):
            raise SoakFailed("metrics.jsonl has a gap or an update twice")

    # What can be seen of the run

    def _start(self, arguments: list[str]) -> None:
        with self._output.open("ab") as output:
            self.driver = subprocess.Popen(
                [sys.executable, "-m", "exphil_league", *arguments],
                env=os.environ | {MARK: self.mark}, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self._note(event="started", arguments=arguments[:2], pid=self.driver.pid)

    @property
    def _output(self) -> Path:
        """What the drivers say."""
        return self.log.with_suffix(".out")

    def _progress(self, when: str) -> None:
        """The run makes two more updates in time."""
        before = self._updates()
        self._wait(lambda: self._updates() >= before + 2, self.stalled_after_s, f"an update {when}")
        self._note(event="goes on", updates=self._updates())

    def _wait(self, ready: Callable[[], bool], limit_s: float, what: str, alive: bool = True) -> None:
        """`alive`: the driver has no business to end meanwhile."""
        deadline = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > deadline:
                raise SoakFailed(f"waited {limit_s:.0f} s for {what}; see {self._output}")
            if alive and self.driver is not None and self.driver.poll() is not None:
                raise SoakFailed(f"the driver ended with {self.driver.returncode}, waiting for {what}: {self._output}")
            time.sleep(1.0)

    def _nobody_left(self) -> bool:
        return not list(marked(self.mark))

    def _updates(self) -> int:
        return len(self._numbers())

    def _numbers(self) -> list[int]:
        """Of the updates in metrics.jsonl; a line that a kill cut off is left out."""
        metrics, found = self.run / "metrics.jsonl", []
        for line in metrics.read_text("utf-8").splitlines() if metrics.exists() else ():
            with suppress(ValueError):
                found.append(int(json.loads(line)["training_iteration"]))
        return found

    def _accepted(self) -> set[str]:
        """Jobs with a result in the log, each of which must be there once."""
        store = LeagueStore(self.run, read_only=True)
        jobs = [event.result.job_id for event in store.events() if isinstance(event, ResultAccepted)]
        store.close()
        if len(set(jobs)) < len(jobs):
            raise SoakFailed("a result was counted twice")
        return set(jobs)


def main() -> None:
    """Soak as the command line says; exit status 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("soak.jsonl"))
    parser.add_argument("--patience-s", type=float, default=600.0, help="limit for going on after a kill")
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored, here and in the driver
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    soak = Soak(folder / "run", chosen.out.resolve(), chosen.seed, chosen.patience_s)
    try:
        soak.go(chosen.minutes, chosen.kills)
    except BaseException as failure:
        soak.clear_away()
        reason = str(failure) or type(failure).__name__
        soak.report(ok=False, reason=reason, run=str(soak.run))
        if not isinstance(failure, SoakFailed | KeyboardInterrupt):
            raise
        sys.exit(1)
    soak.report(ok=True, lost_results=0, repeated_results=0, orphans=0, hangs=0)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
