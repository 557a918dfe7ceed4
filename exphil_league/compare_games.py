"""The fresh games of a comparison. Each is kept as it ends: a second call plays only what is missing.

A game is kept in RUN/comparison_games.jsonl of the run whose main player played it (of the first, when two met) and
known again by who played, the matchup and the seed. So more games can be asked for later, Ctrl-C loses nothing, and a
run compared with a third one need not meet the anchors again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from envs.backend import Matchup
from envs.backends import make_backend
from exphil_league.errors import UserError
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches
from exphil_league.evaluation.rating_games import Cast
from exphil_league.league.model import Job, MatchResult
from exphil_league.league.state import LeagueState
from exphil_league.observe.console import say
from exphil_league.observe.progress import progress
from exphil_league.run_folder import RunFolder
from policies.agent import Agent

AT_ONCE: Final = 64


@dataclass(frozen=True)
class Contender:
    """A run and the player that stands for it."""

    name: str
    run: RunFolder
    state: LeagueState
    main: str

    @property
    def digest(self) -> str:
        return self.state.players[self.main].digest

    @property
    def env_frames(self) -> int:
        """Frames that all learners of the run have trained."""
        return self.state.env_frames


@dataclass(frozen=True)
class Game:
    """One finished game. What is equal in all but the result is the same game."""

    anchors: str
    """`rating.ladder.anchor_digest`: games of another simulator or backend are never taken for these."""
    digests: tuple[str, str]
    matchup: Matchup
    seed: int
    result: MatchResult

    @property
    def key(self) -> Key:
        return self.anchors, self.digests, self.matchup, self.seed


Key = tuple[str, tuple[str, str], Matchup, int]
_GAME: Final = TypeAdapter(Game)


def fresh_games(contenders: Sequence[Contender], games: int, seed: int) -> list[Game]:
    """`games` games of every two main players, and of each against the common anchors, seats and matchups balanced.

    Those that are kept are read, the others played and kept. Raises UserError for runs without a common matchup.
    """
    if not games:
        return []
    wanted = {_key(contenders, job): (owner, job) for owner, job in _jobs(contenders, games, seed)}
    kept = {key: game for c in contenders for key, game in _read(c.run.comparison_games).items() if key in wanted}
    missing = {key: wanted[key] for key in wanted if key not in kept}
    if kept:
        say(f"{len(kept)} games of earlier comparisons are kept, {len(missing)} are to be played")
    return [*kept.values(), *_play(contenders, missing, seed)]


def common_anchors(contenders: Sequence[Contender]) -> dict[str, str]:
    """Anchors that all runs know: name -> digest."""
    known = [{name: c.state.players[name].digest for name in c.state.anchors} for c in contenders]
    return dict(item for item in known[0].items() if all(item in other.items() for other in known[1:]))


def _jobs(contenders: Sequence[Contender], games: int, seed: int) -> Iterator[tuple[Contender, Job]]:
    """Each game with the contender that keeps it; the same for whatever order the runs are named in."""
    matchups, anchors = _matchups(contenders), common_anchors(contenders)
    distinct = list({contender.digest: contender for contender in reversed(contenders)}.values())
    for one, other in combinations(sorted(distinct, key=lambda contender: contender.digest), 2):
        yield from _pair(one, (other.name, other.digest), matchups, games, seed)
    share = 2 * (games // (2 * max(len(anchors), 1)))
    for contender, anchor in product(distinct, anchors.items()):
        if contender.digest != anchor[1]:
            yield from _pair(contender, anchor, matchups, share, seed)


def _pair(
    owner: Contender, opponent: tuple[str, str], matchups: Sequence[Matchup], games: int, seed: int
) -> Iterator[tuple[Contender, Job]]:
    name, digest = opponent
    own_seed = zlib.crc32(f"{owner.digest} {digest}".encode(), seed & 0xFFFFFFFF)
    for job in pair_jobs((owner.name, name), (owner.digest, digest), matchups, games, own_seed):
        yield owner, job


def _matchups(contenders: Sequence[Contender]) -> list[Matchup]:
    """Every pair of characters on every stage that all runs know, under the first run's rating rules."""
    games = [contender.state.setup.game for contender in contenders]
    pairs = [pair for pair in games[0].pairs if all(pair in game.pairs for game in games)]
    stages = [stage for stage in games[0].played_on if all(stage in game.played_on for game in games)]
    if not pairs or not stages:
        raise UserError("the runs have no matchup in common: no pair of characters, or no stage, that all of them play")
    rules = contenders[0].state.setup.evaluation
    return [
        Matchup(characters=pair, stage=stage, stocks=rules.stocks, time_limit_s=rules.time_limit_s)
        for pair, stage in product(pairs, stages)
    ]


def _play(contenders: Sequence[Contender], missing: Mapping[Key, tuple[Contender, Job]], seed: int) -> list[Game]:
    """Play what is missing; a game that was aborted is not kept, so that the next call tries it again."""
    if not missing:
        return []
    import torch

    torch.set_num_threads(1)  # see `league_phase.league_run`
    setup, played = contenders[0].state.setup, list[Game]()
    owners = {job.job_id: owner for owner, job in missing.values()}
    backend = make_backend(setup.game.backend, setup.game.at_once(min(AT_ONCE, len(missing))), setup.game.dolphin)

    def load(digest: str, capacity: int) -> Agent:
        from exphil_league.rl.partners import load_agent

        owner = next((c for c in contenders if (c.run.checkpoints / digest).is_dir()), contenders[0])
        return load_agent(owner.run.checkpoints, seed, digest, capacity)

    try:
        with progress("comparing", total=len(missing), unit="games") as shown:

            def note(job: Job, result: MatchResult, frames: object) -> None:
                game = Game(*_key(contenders, job), result)
                if result.points is not None:
                    _keep(owners[job.job_id].run.comparison_games, game)
                    played.append(game)
                shown.advance()

            jobs = [job for _, job in missing.values()]
            play_matches(backend, jobs, Cast(load, columns_needed(backend.num_games)), on_game=note, worker="compare")
    finally:
        backend.close()
    return played


def _key(contenders: Sequence[Contender], job: Job) -> Key:
    return contenders[0].state.anchor_digest, job.digests, job.matchup, job.seed


def _keep(path: Path, game: Game) -> None:
    with path.open("ab") as lines:
        lines.write(b"\n" + _GAME.dump_json(game))  # a line that a kill cut off ends here


def _read(path: Path) -> dict[Key, Game]:
    """The kept games; a line that a kill cut off is left out."""
    found = dict[Key, Game]()
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            game = _GAME.validate_json(line)
        except ValidationError:
            continue
        found[game.key] = game
    return found
