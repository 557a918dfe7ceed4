"""Members wait for each other whatever order they report in, die in, end in, or are killed in together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler

from exphil_league.config.population import PopulationConfig
from exphil_league.population.scheduler import RoleWisePBT
from tests.rl_play import small_recipe

EVERY = 3


class Rounds:
    """Stands for the population: remembers who was in which round."""

    def __init__(self, members: int) -> None:
        ranges = {"learning_rate": (1e-4, 1e-3)}
        config = PopulationConfig(members=members, every_updates=EVERY, ranges=ranges)
        self.recipe = small_recipe().model_copy(update={"population": config})
        self.members = {f"member_{k}": None for k in range(members)}
        self.held: list[tuple[int, list[str]]] = []

    @property
    def ledger(self) -> Any:
        number = len(self.held)
        return SimpleNamespace(done=number, values={name: {"main": {"learning_rate": number}} for name in self.members})

    def next_round(self, names: list[str], update: int) -> None:
        self.held.append((update, names))


class FakeTrial:
    """As much of a trial as the scheduler sees."""

    def __init__(self, member: str) -> None:
        self.config: dict[str, Any] = {"member": member}
        self.status = Trial.PENDING
        self.updates = 0
        self.last_result: dict[str, int] | None = None
        self.experiment_tag = member
        checkpoints = SimpleNamespace(checkpoint_config=SimpleNamespace(num_to_keep=None))
        self.run_metadata = SimpleNamespace(checkpoint_manager=checkpoints)
        self.recovers = True

    def set_config(self, config: dict[str, Any]) -> None:
        self.config = config

    def set_status(self, status: str) -> None:
        self.status = status

    def is_finished(self) -> bool:
        return self.status == Trial.TERMINATED

    def should_recover(self) -> bool:
        return self.recovers

    def get_pickled_error(self) -> Exception | None:
        return None


class Controller:
    """Tune's loop in small: `cpus` trials at once, one report at a time."""

    search_alg = None

    def __init__(self, population: Rounds, cpus: int, limits: dict[str, int]) -> None:
        self.population, self.cpus, self.limits = population, cpus, limits
        self.trials: list[FakeTrial] = []
        self.restart([FakeTrial(name) for name in population.members])

    def restart(self, trials: list[FakeTrial]) -> None:
        """After a kill: another scheduler, trials as Tune kept them."""
        self.scheduler: Any = RoleWisePBT(self.population)  # type: ignore[arg-type]
        self.trials = []
        for trial in trials:
            if trial.status != Trial.TERMINATED:
                trial.set_status(Trial.PENDING)
            self.trials.append(trial)
            self.scheduler.on_trial_add(self, trial)

    def get_trials(self) -> list[FakeTrial]:
        return self.trials

    def get_live_trials(self) -> set[FakeTrial]:
        return {trial for trial in self.trials if trial.status != Trial.TERMINATED}

    def running(self) -> list[FakeTrial]:
        """Those that train now; the scheduler's choices are started first, then whoever is pending."""
        while len([t for t in self.trials if t.status == Trial.RUNNING]) < self.cpus:
            chosen = self.scheduler.choose_trial_to_run(self)
            chosen = chosen or next((t for t in self.trials if t.status == Trial.PENDING), None)
            if chosen is None:
                break
            chosen.status = Trial.RUNNING
        return [t for t in self.trials if t.status == Trial.RUNNING]

    def report(self, trial: FakeTrial) -> None:
        trial.updates += 1
        result = {"training_iteration": trial.updates}
        assert trial.config["values"]["main"]["learning_rate"] == (trial.updates - 1) // EVERY, "numbers of its round"
        if trial.updates >= self.limits[trial.config["member"]]:
            self.scheduler.on_trial_complete(self, trial, result)
            trial.status = Trial.TERMINATED
        elif self.scheduler.on_trial_result(self, trial, result) == TrialScheduler.PAUSE:
            trial.status = Trial.PAUSED
        trial.last_result = result

    def die(self, trial: FakeTrial, back_by: int) -> None:
        """The trial goes on from a point of the same round."""
        self.scheduler.on_trial_error(self, trial)
        trial.updates = max(trial.updates - back_by, trial.updates // EVERY * EVERY)
        trial.status = Trial.PENDING
        self.scheduler.on_trial_add(self, trial)


@settings(deadline=None, max_examples=120)
@given(st.data(), st.integers(2, 5), st.integers(1, 4))
def test_every_round_is_held_once_when_all_have_arrived(data: st.DataObject, members: int, cpus: int) -> None:
    population = Rounds(members)
    limits = {name: data.draw(st.integers(1, 4 * EVERY)) for name in population.members}
    controller = Controller(population, cpus, limits)
    for _ in range(40 * members):
        if not controller.get_live_trials():
            break
        running = controller.running()
        assert running, "nobody may wait forever"
        trial = data.draw(st.sampled_from(running))
        what = data.draw(st.sampled_from(["report"] * 8 + ["die", "kill"]))
        if what == "report":
            controller.report(trial)
        elif what == "die":
            controller.die(trial, data.draw(st.integers(0, EVERY)))
        else:
            controller.restart(controller.trials)
        sync = EVERY * (len(population.held) + 1)
        assert all(t.updates <= sync for t in controller.get_live_trials()), "nobody trains on before the round"
    assert not controller.get_live_trials(), "everybody reaches its limit"
    last = max(limits.values())
    for number, (update, names) in enumerate(population.held, 1):
        assert update == number * EVERY
        assert names == sorted(name for name, limit in limits.items() if limit > update)
    assert len(population.held) == (last - 1) // EVERY


def test_a_member_that_cannot_go_on_ends_the_run_instead_of_being_waited_for() -> None:
    controller = Controller(Rounds(2), 2, {"member_0": 9, "member_1": 9})
    trial = controller.running()[0]
    trial.recovers = False
    with pytest.raises(RuntimeError, match="member_0 of the population has failed"):
        controller.scheduler.on_trial_error(controller, trial)
