"""The members of a population: runs of their own under RUN/population, and what a round does to them.

A round is measured and decided on the players' published weights, written into the ledger, and then carried out: the
donor's checkpoint is copied to the receiver, whose league freezes its own player and goes on from the donor's. The
trainer of the receiver finds that out when it joins its league again, and takes over the weights. The optimizer's
moments are not taken over: they belong to the old weights, and fresh ones are there after some hundred steps.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exphil_league.config.loader import dump
from exphil_league.config.recipe import Recipe
from exphil_league.league.model import WARM_START, Donor, LearnerView, PlayerKind, Reason
from exphil_league.league.service import LeagueHandle
from exphil_league.observe.console import say, table
from exphil_league.population import tournament
from exphil_league.population.evolution import Exploit, Fitness, Values, evolve, first_values
from exphil_league.population.ledger import Ledger
from exphil_league.population.tournament import Entrant, Scale
from exphil_league.rating.bradley_terry import Z_95
from exphil_league.rl.partners import load_agent
from exphil_league.run_folder import RunFolder, write_atomic
from policies.agent import Agent


@dataclass(frozen=True)
class Member:
    """One league of the population."""

    name: str
    run: RunFolder
    recipe: Recipe
    open_league: Callable[[], LeagueHandle]


@dataclass(frozen=True)
class Population:
    """All members. Plain data and picklable functions: Tune keeps it with its scheduler."""

    run: RunFolder
    recipe: Recipe
    members: Mapping[str, Member]

    @property
    def ledger(self) -> Ledger:
        return Ledger.load(self.run.population)

    def begin(self) -> None:
        """Found the ledger, or carry out what the last round of a killed run decided."""
        ledger = self.ledger
        if not ledger.rounds:
            ledger.add(update=0, env_frames={}, fitness={}, exploits=[], values=self._first_values())
        self._carry_out(ledger)

    def next_round(self, names: Sequence[str], update: int) -> None:
        """Measure these members, which wait for each other, and let the worst of each role go on from the best."""
        ledger = self.ledger
        number, rng = len(ledger.rounds), np.random.default_rng([self.recipe.seed, len(ledger.rounds)])
        views = self._entrants(names)
        fitness = self._measure(list(views), number)
        settled = _without_fresh(fitness, views, ledger.rounds[-1]["env_frames"])
        here = {name: ledger.values[name] for name in names}
        evolved = evolve(self.recipe.population, settled, here, rng)
        exploits = [self._exploit(exploit, views) for exploit in evolved.exploits]
        ledger.add(
            update=update,
            env_frames={**ledger.rounds[-1]["env_frames"], **_frames(views)},
            fitness=tournament.by_member(fitness),
            exploits=exploits,
            values={**ledger.values, **evolved.values},
        )
        show(number, fitness, exploits)
        self._carry_out(ledger)

    def choose(self) -> dict[str, Any]:
        """Measure everybody once more, after training; the member with the surest main player is the best.

        Returns {"member", "player", "round", "mains": {member: {"digest", "env_frames"}}, "env_frames"}; done once.
        """
        ledger = self.ledger
        if ledger.best is None:
            views = self._entrants(list(self.members))
            fitness = self._measure(list(views), len(ledger.rounds))
            main = next(learner.name for learner in self.recipe.league.learners if learner.kind is PlayerKind.MAIN)
            best = max(fitness[main], key=lambda member: _low(fitness[main][member]))
            mains = {
                e.member: {"digest": e.digest, "env_frames": v.env_frames} for e, v in views.items() if e.player == main
            }
            frames, measured = _frames(views), tournament.by_member(fitness)
            total = sum(trained for of in frames.values() for trained in of.values())
            ledger.best = {"member": best, "player": main, "round": len(ledger.rounds), "mains": mains}
            ledger.best |= {"env_frames": total}
            ledger.add(update=None, env_frames=frames, fitness=measured, exploits=[], values=ledger.values)
            show(len(ledger.rounds) - 1, fitness, [])
        return ledger.best

    def _first_values(self) -> dict[str, Values]:
        learners = [learner.name for learner in self.recipe.league.learners]
        found = first_values(self.recipe.population, self.recipe.ppo, learners, self.recipe.seed)
        return dict(zip(self.members, found, strict=True))

    def _entrants(self, names: Sequence[str]) -> dict[Entrant, LearnerView]:
        """Every learner of these members as its league knows it."""
        found = {}
        for name in names:
            league = self.members[name].open_league()
            for learner in self.recipe.league.learners:
                view = league.learner(learner.name)
                found[Entrant(name, learner.name, view.player.kind, view.player.digest)] = view
        return found

    def _measure(self, entrants: Sequence[Entrant], number: int) -> dict[str, dict[str, Fitness]]:
        rating = self.recipe.rating
        league = next(iter(self.members.values())).open_league()
        yardsticks = [
            Entrant("", name, PlayerKind.ANCHOR, league.player(name).digest) for name in (WARM_START, rating.anchor)
        ]
        seed = int(np.random.default_rng([self.recipe.seed, number, 1]).integers(2**31))
        points = tournament.play(self.recipe, entrants, yardsticks, self._load, seed)
        scale = Scale(rating.anchor, rating.anchor_elo, rating.prior_sd_elo)
        return tournament.fitness(entrants, yardsticks, points, scale)

    def _load(self, digest: str, capacity: int) -> Agent:
        stores = [member.run.checkpoints for member in self.members.values()]
        owner = next((store for store in stores if (store / digest).is_dir()), stores[0])
        return load_agent(owner, self.recipe.seed, digest, capacity)

    def _exploit(self, exploit: Exploit, views: Mapping[Entrant, LearnerView]) -> dict[str, Any]:
        """An exploit with all that carrying it out needs."""
        donor = next(e for e in views if (e.member, e.player) == (exploit.donor, exploit.player))
        return {
            **exploit._asdict(),
            "kind": donor.kind.value,
            "digest": donor.digest,
            "env_frames": views[donor].env_frames,
        }

    def _carry_out(self, ledger: Ledger) -> None:
        """What the last round decided. Repeatable."""
        last = ledger.rounds[-1]
        for exploit in last["exploits"]:
            receiver, donor = self.members[exploit["receiver"]], self.members[exploit["donor"]]
            copy_checkpoint(donor.run.checkpoints, receiver.run.checkpoints, exploit["digest"])
            receiver.open_league().adopt(exploit["player"], donor_of(exploit, last["round"]))
        for name, values in last["values"].items():
            member = self.members[name]
            now = member.recipe.model_copy(update={"ppo": self.recipe.ppo.with_numbers(values)})
            write_atomic(member.run.recipe, dump(now))


def donor_of(exploit: Mapping[str, Any], number: int) -> Donor:
    """The donor of an exploit in the ledger."""
    kind = PlayerKind(exploit["kind"])
    return Donor(exploit["donor"], exploit["player"], kind, exploit["digest"], exploit["env_frames"], number)


def copy_checkpoint(source: Path, target: Path, digest: str) -> None:
    """Bring a checkpoint from one store to another, whole or not at all."""
    if (target / digest).is_dir():
        return
    beside = target / f".{digest}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source / digest, beside)
    beside.rename(target / digest)


def show(number: int, fitness: Mapping[str, Mapping[str, Fitness]], exploits: Sequence[Mapping[str, Any]]) -> None:
    """A round on the console."""
    members = list(dict.fromkeys(member for of in fitness.values() for member in of))
    rows = [
        (member, *(f"{of[member].value:.4g} ± {of[member].sd:.2g}" for of in fitness.values())) for member in members
    ]
    table(f"population, round {number}: fitness with standard deviation", ("member", *fitness), rows)
    for exploit in exploits:
        say(f"{exploit['player']} of {exploit['receiver']} goes on from that of {exploit['donor']}")


def _frames(views: Mapping[Entrant, LearnerView]) -> dict[str, dict[str, int]]:
    """Env frames by member and player."""
    frames: dict[str, dict[str, int]] = {}
    for entrant, view in views.items():
        frames.setdefault(entrant.member, {})[entrant.player] = view.env_frames
    return frames


def _without_fresh(
    fitness: Mapping[str, Mapping[str, Fitness]],
    views: Mapping[Entrant, LearnerView],
    before: Mapping[str, Mapping[str, int]],
) -> dict[str, dict[str, Fitness]]:
    """Less the exploiters that their league reset since the round before: they have had less time than the others."""
    fresh = {
        (entrant.player, entrant.member)
        for entrant, view in views.items()
        if view.player.reason is Reason.RESET
        and view.snapshot_frames > before.get(entrant.member, {}).get(entrant.player, 0)
    }
    return {
        player: {member: found for member, found in of.items() if (player, member) not in fresh}
        for player, of in fitness.items()
    }


def _low(fitness: Fitness) -> float:
    return fitness.value - Z_95 * fitness.sd
