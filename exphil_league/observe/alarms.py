"""Warnings that name a failing run early: those of its learners are found here, those of its league in `league.alarms`.
Each is said once when it begins, kept in RUN/warnings.jsonl, and counted in every result under `warnings/`. One that
comes and goes is said again only after it was gone for CALM_UPDATES.

The thresholds are rules of thumb: a policy whose entropy has fallen under a tenth of where it began has collapsed; a
divergence from the warm start three times its own median has left it; a main player that is worse than its own warm
start with 95 % confidence has unlearnt; games that end by the timer are games in which nobody fights; a player whose
action states the promotion gate would refuse has found something else to do than to fight.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Final

from exphil_league.evaluation.score import wilson
from exphil_league.league.alarms import KINDS as LEAGUE_KINDS
from exphil_league.league.alarms import Alarm
from exphil_league.observe import metric_names as names
from exphil_league.observe.console import say

KINDS: Final = ("entropy", "kl", "action_distance", "worse_than_warm_start", "timer", "resume_point", "memory")
"""What is watched here: names of warnings, up to a slash and a player's name."""
ENTROPY_SHARE: Final = 0.1
KL_TIMES_MEDIAN: Final = 3.0
KL_FLOOR: Final = 0.05
"""Divergences below this, in nats, are noise whatever their median."""
TIMER_SHARE: Final = 0.05
TIMER_GAMES: Final = 200
"""Finished games that the share of timer ends is taken over."""
RATED_GAMES: Final = 30
"""Rating games against the warm start below which nothing is concluded from them."""
HISTORY: Final = 200
"""Updates that the median is taken over."""
MEMORY_TIMES: Final = 2.0
MEMORY_MIB: Final = 512.0
"""A runner whose memory has doubled since its first updates, and by this much at least, keeps what it should let go."""
CALM_UPDATES: Final = 50
LEAGUE_EVERY: Final = 10
_FEWEST: Final = 20
_ENTROPY_OF: Final = re.compile("rl/([^/]+)/entropy")
"""Name of a learning player's entropy."""


class Alarms:
    """A sink that watches the numbers of each update. Updates before a resume are read from RUN/metrics.jsonl."""

    def __init__(
        self,
        warnings: Path,
        history: Path | None = None,
        of_league: Callable[[], Iterable[Alarm]] = tuple,
        max_action_distance: float = 1.0,
    ) -> None:
        """`of_league` gives the alarms of the league's store (`league.alarms`), asked once in LEAGUE_EVERY updates;
        `max_action_distance` is the promotion gate's."""
        self._warnings = warnings
        self._of_league = of_league
        self._max_action_distance = max_action_distance
        self._said = len(warnings.read_bytes().splitlines()) if warnings.exists() else 0
        self._writes = 0
        self._league_problems: dict[str, str] = {}
        self._entropy: dict[str, float] = {}
        self._kl: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=HISTORY))
        self._games: deque[tuple[float, float]] = deque()
        self._memory_mib: list[float] = []
        self._calm: dict[str, int] = {}
        """Updates that a warning has been gone for; one that is not in here is news."""
        for metrics in _earlier(history):
            self._news(name for name, _ in self._problems(metrics))
        if history is not None and history.exists():
            self._calm |= {alarm.name: 0 for alarm in of_league()}

    def write(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Returns how many warnings hold now, in all and of each kind, and how many were said since the run began."""
        if self._writes % LEAGUE_EVERY == 0:
            self._league_problems = {alarm.name: alarm.text for alarm in self._of_league()}
        self._writes += 1
        found = dict(self._problems(metrics)) | self._league_problems
        for name in self._news(found):
            say(f"warning: {found[name]}")
            line = {names.UPDATES: metrics[names.UPDATES], "warning": name, "text": found[name]}
            with self._warnings.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")
            self._said += 1
        kinds = Counter(name.partition("/")[0] for name in found)
        return {
            names.WARNINGS_NOW: float(len(found)),
            names.WARNINGS_SAID: float(self._said),
            **{names.WARNINGS_OF_KIND + kind: float(kinds[kind]) for kind in (*KINDS, *LEAGUE_KINDS)},
        }

    def close(self) -> None: ...

    def _news(self, found: Iterable[str]) -> list[str]:
        """Those of the warnings of an update that did not hold in the last CALM_UPDATES."""
        now = dict.fromkeys(found, 0)
        gone = {name: calm + 1 for name, calm in self._calm.items() if name not in now and calm + 1 < CALM_UPDATES}
        news = [name for name in now if name not in self._calm]
        self._calm = now | gone
        return news

    def _problems(self, metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        """Name and sentence of everything that is wrong now."""
        for player in sorted(match[1] for name in metrics if (match := _ENTROPY_OF.fullmatch(name))):
            yield from self._entropy_problem(player, metrics[f"rl/{player}/entropy"])
            if (kl := metrics.get(f"rl/{player}/kl_teacher")) is not None:
                yield from self._kl_problem(player, kl)
            yield from self._action_problem(player, metrics.get(f"rl/{player}/action_distance", 0.0))
        enough = metrics.get(names.VS_WARM_START_GAMES, 0) >= RATED_GAMES
        if enough and metrics[names.VS_WARM_START_HIGH] < 0.5:
            rate = metrics[names.VS_WARM_START]
            yield (
                "worse_than_warm_start",
                f"main wins {rate:.0%} against its own warm start, less than half with 95 % confidence: lower "
                "ppo.learning_rate, or raise ppo.teacher_weight",
            )
        yield from self._timer_problem(metrics)
        yield from self._memory_problem(metrics)
        if failed := metrics.get("rl/failed_resume_points"):
            yield (
                "resume_point",
                f"{failed:.0f} resume points could not be written, the last one that is whole is of update "
                f"{metrics['rl/resume_point']:.0f}: make room on the disk of the run folder",
            )

    def _entropy_problem(self, player: str, entropy: float) -> Iterator[tuple[str, str]]:
        first = self._entropy.setdefault(player, entropy)
        if entropy < ENTROPY_SHARE * first:
            yield (
                f"entropy/{player}",
                f"{player}'s entropy is {entropy:.2f} nats, it began at {first:.2f}: the policy collapses; raise "
                "ppo.entropy_weight or ppo.teacher_weight",
            )

    def _kl_problem(self, player: str, kl: float) -> Iterator[tuple[str, str]]:
        past = self._kl[player]
        if len(past) >= _FEWEST and kl > max(KL_TIMES_MEDIAN * median(past), KL_FLOOR):
            yield (
                f"kl/{player}",
                f"{player} is {kl:.2f} nats from its warm start, three times its median of {median(past):.2f}: lower "
                "ppo.learning_rate, set ppo.kl_limit, or raise ppo.teacher_weight",
            )
        past.append(kl)

    def _action_problem(self, player: str, distance: float) -> Iterator[tuple[str, str]]:
        """Not before games of all lengths have ended: in the first ones everybody is at a game's beginning."""
        if distance > self._max_action_distance and sum(count for count, _ in self._games) >= TIMER_GAMES:
            yield (
                f"action_distance/{player}",
                f"the action states {player} is in are {distance:.2f} from its warm start's (Jensen-Shannon), the gate "
                f"allows {self._max_action_distance:g}: watch a game, raise ppo.teacher_weight or a reward's penalties",
            )

    def _timer_problem(self, metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        games = metrics.get("rl/games", 0.0)
        self._games.append((games, games * metrics.get("rl/timer_share", 0.0)))
        while sum(count for count, _ in self._games) - self._games[0][0] >= TIMER_GAMES:
            self._games.popleft()
        total, by_timer = (sum(column) for column in zip(*self._games, strict=True))
        if total >= TIMER_GAMES and by_timer > TIMER_SHARE * total:
            low, high = wilson(by_timer, round(total))
            yield (
                "timer",
                f"{by_timer / total:.0%} of the last {total:.0f} games ended by the timer (95 %: {low:.0%} to "
                f"{high:.0%}): players stall; raise ppo.reward.stalling or ppo.reward.approach",
            )

    def _memory_problem(self, metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        peak = metrics.get("rl/runner_peak_mib", 0.0)
        if len(self._memory_mib) < _FEWEST:
            self._memory_mib.append(peak)
            return
        first = max(self._memory_mib)
        if peak > max(MEMORY_TIMES * first, first + MEMORY_MIB):
            yield (
                "memory",
                f"a runner holds {peak:.0f} MiB, in its first updates it was {first:.0f}, with "
                f"{metrics.get('rl/opponents_held', 0):.0f} frozen opponents in memory: lower "
                "ppo.opponents_per_runner, and look for players that keep what they should let go",
            )


def _earlier(history: Path | None) -> Iterator[Mapping[str, float]]:
    """The first update of a run that goes on and its last ones; a line that a kill cut off is left out."""
    lines = history.read_text(encoding="utf-8").splitlines() if history is not None and history.exists() else []
    for line in [*lines[:1], *lines[1:][-HISTORY:]]:
        try:
            yield json.loads(line)
        except ValueError:
            return
