"""Which of several runs is better? Their main players meet, and the same anchors; nothing is claimed without intervals.

Four measures: Elo, from the ladders of all runs and the fresh games in one fit (players with equal digests are the
same player); head to head; the least win rate against an anchor; and what the strongest fresh exploiter reached
(`league probe`). A run is called better by a measure when the two 95 % intervals are disjoint, and better altogether
when some measure says so and none the opposite.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from exphil_league.compare_games import Contender, Game, common_anchors, fresh_games
from exphil_league.errors import UserError
from exphil_league.league import views
from exphil_league.league.state import LeagueState
from exphil_league.observe.console import say, table
from exphil_league.observe.league_tables import read_league
from exphil_league.rating.bradley_terry import Z_95, fit
from exphil_league.rating.win_rate import games_to_decide, rate_interval
from exphil_league.run_folder import RunFolder, read_json, write_json

UNEQUAL_FRAMES: Final = 0.05
"""Relative difference of trained frames above which a comparison is not one at equal frames."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and the games it rests on."""

    value: float
    low: float
    high: float
    games: int

    def row(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high, "games": self.games}


class Book:
    """Points by pair of digests, of ladders and fresh games alike."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, str], float] = defaultdict(float)

    def add_ladder(self, state: LeagueState) -> None:
        book, points = state.evaluation, state.evaluation.points_matrix()
        for i, j in zip(*np.nonzero(points + points.T), strict=True):
            one, other = (state.players[book.players[k]].digest for k in (i, j))
            if one != other:
                self.points[one, other] += float(points[i, j])

    def add_game(self, game: Game) -> None:
        if game.result.points is not None:
            self.points[game.digests] += game.result.points
            self.points[game.digests[::-1]] += 1.0 - game.result.points

    def rate(self, one: str, other: str) -> Estimate:
        """Win rate of one against the other."""
        won, lost = self.points[one, other], self.points[other, one]
        return Estimate(*rate_interval(won, won + lost), round(won + lost))

    def elo(self, digests: Sequence[str], anchor: str, anchor_elo: float, prior_sd_elo: float) -> list[Estimate]:
        """Elo of players on the anchor's scale, in one fit of everything."""
        place = {
            name: n for n, name in enumerate(dict.fromkeys([*digests, anchor, *(d for p in self.points for d in p)]))
        }
        points = np.zeros((len(place), len(place)))
        for (one, other), won in self.points.items():
            points[place[one], place[other]] = won
        ratings, games = fit(points, prior_sd_elo), (points + points.T).sum(axis=1)
        found = []
        for digest in digests:
            difference, sd = ratings.difference(place[digest], place[anchor])
            elo = anchor_elo + difference
            found.append(Estimate(elo, elo - Z_95 * sd, elo + Z_95 * sd, round(games[place[digest]])))
        return found


def compare(runs: Sequence[Path], games: int, seed: int = 1, at_frames: int | None = None) -> dict[str, Any]:
    """Compare two or more runs; `games` fresh games of each pair of main players, and as many of each against anchors.

    With `at_frames` the runs are taken as they were after so many game frames of all their learners together.

    Returns {"runs", "anchor_digest", "backend", "warnings", "comparisons": [{"one", "other", "measures", "better",
    "games_to_decide", "verdict"}], "decided"}, which each run's folder keeps too. Raises UserError for runs whose
    ladders cannot be compared, with the reason.
    """
    contenders = [_contender(run, name, at_frames) for run, name in zip(runs, _names(runs), strict=True)]
    _require_comparable(contenders)
    warnings = list(_warnings(contenders))
    fresh = Book()
    for game in fresh_games(contenders, games, seed):
        fresh.add_game(game)
    results = [_compare_pair(one, other, fresh, contenders) for one, other in combinations(contenders, 2)]
    found = {
        "runs": [_about(contender) for contender in contenders],
        "anchor_digest": contenders[0].state.anchor_digest,
        "backend": contenders[0].state.setup.game.backend,
        "warnings": warnings,
        "comparisons": results,
        "decided": all(result["better"] is not None for result in results),
    }
    _show(found)
    for contender in contenders:
        _note(contender.run, found)
    return found


def _note(run: RunFolder, found: dict[str, Any]) -> None:
    """Keep what was found in the run's folder, in the place of an older comparison of the same runs."""
    folders = {about["folder"] for about in found["runs"]}
    kept = read_json(run.comparisons)["comparisons"] if run.comparisons.is_file() else []
    others = [old for old in kept if {about["folder"] for about in old["runs"]} != folders]
    write_json(run.comparisons, {"comparisons": [*others, found]})


def _names(runs: Sequence[Path]) -> list[str]:
    """Names of the run folders, or their paths where these are alike."""
    if len(runs) < 2 or len({run.resolve() for run in runs}) < len(runs):
        raise UserError("league compare needs two or more different run folders")
    short = [run.resolve().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run) for run in runs]


def _contender(folder: Path, name: str, at_frames: int | None) -> Contender:
    state = read_league(folder, at_frames)
    main = views.ladder(state)["main"]
    if main is None:
        raise UserError(f"{folder} has no main player yet")
    return Contender(name, RunFolder(folder.resolve()), state, main)


def _require_comparable(contenders: Sequence[Contender]) -> None:
    """Raises UserError for ladders on different scales."""
    first = contenders[0]
    for other in contenders[1:]:
        here, there = first.state.setup, other.state.setup
        if here.game.backend != there.game.backend:
            raise UserError(
                f"{first.name} was rated on {here.game.backend}, {other.name} on {there.game.backend}: strength on one "
                "says nothing about the other; train and rate both on the same backend"
            )
        if first.state.anchor_digest != other.state.anchor_digest:
            raise UserError(
                f"the anchors of {first.name} ({first.state.anchor_digest[:12]}) and {other.name} "
                f"({other.state.anchor_digest[:12]}) differ: scripted players or simulator changed between the runs, "
                "so their ladders have no common scale; train both with the same version"
            )
        if (here.rating.anchor, here.rating.anchor_elo) != (there.rating.anchor, there.rating.anchor_elo):
            raise UserError(f"rating.anchor or rating.anchor_elo of {first.name} and {other.name} differ; use the same")


def _warnings(contenders: Sequence[Contender]) -> Iterator[str]:
    frames = {contender.name: contender.env_frames for contender in contenders}
    if max(frames.values()) > (1.0 + UNEQUAL_FRAMES) * min(frames.values()):
        told = ", ".join(f"{name} {trained}" for name, trained in frames.items())
        yield (
            f"not at equal frames ({told}): a gain may be one of training longer; --at-frames {min(frames.values())} "
            "compares the runs as they were then"
        )
    first = contenders[0].state.setup
    for other in contenders[1:]:
        setup = other.state.setup
        if (setup.game.pairs, setup.game.played_on) != (first.game.pairs, first.game.played_on):
            yield f"{other.name} trained other characters or stages than {contenders[0].name}; common ones are played"


def _compare_pair(one: Contender, other: Contender, fresh: Book, contenders: Sequence[Contender]) -> dict[str, Any]:
    """Everything measured of two runs, and what follows from it."""
    rating, everything = one.state.setup.rating, Book()
    everything.points |= fresh.points
    for contender in contenders:
        everything.add_ladder(contender.state)
    anchor = one.state.players[rating.anchor].digest
    elo = everything.elo([one.digest, other.digest], anchor, rating.anchor_elo, rating.prior_sd_elo)
    measures = {"elo": _measure(one, other, elo)}
    direct = (fresh.rate(one.digest, other.digest), fresh.rate(other.digest, one.digest))
    if direct[0].games:
        decisive = games_to_decide(direct[0].value)
        measures["head_to_head"] = _measure(one, other, direct) | {"games_to_decide": decisive}
    anchors = list(common_anchors(contenders).values())
    worst = [w for c in (one, other) if (w := _least(fresh, everything, c.digest, anchors)) is not None]
    if len(worst) == 2:
        measures["least_win_rate_vs_anchors"] = _measure(one, other, worst)
    probes = _strongest_probes(one, other)
    if probes is not None:
        measures["fresh_exploiter"] = _measure(one, other, probes, lower_is_better=True)
    better_by: dict[str, list[str]] = defaultdict(list)
    for name, measure in measures.items():
        if measure["better"] is not None:
            better_by[measure["better"]].append(name)
    games = [m["games_to_decide"] for m in measures.values() if m["games_to_decide"] is not None]
    needed = None if len(better_by) > 1 else min(games, default=None)  # games only sharpen each measure
    return {
        "one": one.name,
        "other": other.name,
        "measures": measures,
        "better": next(iter(better_by)) if len(better_by) == 1 else None,
        "games_to_decide": needed,
        "verdict": _verdict(better_by, needed),
    }


def _verdict(better_by: Mapping[str, Sequence[str]], needed: int | None) -> str:
    """What follows from the comparison of two runs, in a sentence; `better_by`: measures by the run they prefer."""
    if len(better_by) == 1:
        return f"{next(iter(better_by))} is better"
    if better_by:
        said = "; ".join(f"{name} is better by {', '.join(measures)}" for name, measures in better_by.items())
        return f"the measures disagree, and more games will not settle it: {said}"
    if needed is None:
        return "undecided: no gain can be claimed"
    return (
        f"undecided: no gain can be claimed; about {needed} games would decide (--games {needed}: those that were "
        "played count)"
    )


def _measure(
    one: Contender, other: Contender, found: Sequence[Estimate], lower_is_better: bool = False
) -> dict[str, Any]:
    """Two estimates, whose is better if their intervals are disjoint, and the games of both that would decide it."""
    (a, b), better = found, None
    if a.low > b.high or b.low > a.high:
        better = one.name if (a.value > b.value) != lower_is_better else other.name
    width, difference = (a.high - a.low + b.high - b.low) / 2, abs(a.value - b.value)
    needed = None if difference < 1e-9 else int(np.ceil((a.games + b.games) * (width / difference) ** 2))
    return {"one": a.row(), "other": b.row(), "better": better, "games_to_decide": needed}


def _least(fresh: Book, everything: Book, digest: str, anchors: Sequence[str]) -> Estimate | None:
    """The least win rate against an anchor, among those met afresh; without fresh games among those of the ladder."""
    for book in (fresh, everything):
        met = [book.rate(digest, anchor) for anchor in anchors if (digest, anchor) in book.points]
        if met:
            return min(met, key=lambda estimate: estimate.value)
    return None


def _strongest_probes(one: Contender, other: Contender) -> tuple[Estimate, Estimate] | None:
    """What the strongest start's exploiters reached against each, over probes that both runs had alike."""
    probes = [_probes(contender) for contender in (one, other)]
    common = probes[0].keys() & probes[1].keys()
    if not common:
        return None
    first, second = (_strongest({key: mine[key] for key in common}) for mine in probes)
    return first, second


def _probes(contender: Contender) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Measured probes of the run's main player, by what must be alike to compare them."""
    if not contender.run.probes.is_file():
        return {}
    rows = read_json(contender.run.probes)["probes"]
    keys = ("start", "start_digest", "frames", "games", "seed")
    return {tuple(row[key] for key in keys): row for row in rows if row["target"] == contender.digest}


def _strongest(probes: dict[tuple[Any, ...], dict[str, Any]]) -> Estimate:
    """Seeds of a start pooled; the start that reached most."""
    by_start: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in probes.values():
        by_start[row["start"], row["frames"]].append(row)
    pooled = []
    for rows in by_start.values():
        played = sum(row["games"] for row in rows)
        pooled.append(Estimate(*rate_interval(sum(row["rate"] * row["games"] for row in rows), played), played))
    return max(pooled, key=lambda estimate: estimate.value)


def _about(contender: Contender) -> dict[str, Any]:
    return {
        "run": contender.name,
        "folder": str(contender.run.root),
        "main": contender.main,
        "digest": contender.digest,
        "env_frames": contender.env_frames,
    }


def _show(found: dict[str, Any]) -> None:
    """The comparison for people."""
    say(*(f"warning: {warning}" for warning in found["warnings"]))
    for result in found["comparisons"]:
        rows = [
            (
                name,
                *(_cell(m[side]) for side in ("one", "other")),
                m["better"] or "undecided",
                m["games_to_decide"] or "",
            )
            for name, m in result["measures"].items()
        ]
        one, other = result["one"], result["other"]
        table(f"{one} and {other}", ("measure", one, other, "better", "games to decide"), rows)
        say(result["verdict"])


def _cell(estimate: dict[str, float]) -> str:
    digits = 0 if abs(estimate["value"]) > 2 else 3
    value, low, high = (f"{estimate[name]:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
