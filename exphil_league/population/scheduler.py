"""Tune's part of a population: trials that wait for each other, and a round when all have arrived.

Tune's own PopulationBasedTraining (synchronous) lets trials wait and takes turns where they outnumber the CPUs. Its
exploit would clone a trial whole, exploiters with the main player and all by one score, and draw from Python's global
generator; here a round is the population's, role by role, and its place in time is read from the ledger, so that a
resumed run holds the round that the killed one was on the way to.
"""

from __future__ import annotations

from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler

from exphil_league.observe.metric_names import UPDATES
from exphil_league.population.members import Population
from exphil_league.population.trial import VALUES
from exphil_league.tuning import MEMBER


class RoleWisePBT(PopulationBasedTraining):
    """Rounds of a population every `population.every_updates`."""

    def __init__(self, population: Population) -> None:
        config = population.recipe.population
        space = {name: tune.loguniform(*bounds) for name, bounds in config.ranges.items()}
        super().__init__(
            time_attr=UPDATES,
            metric=UPDATES,  # what Tune must be given; fitness is measured in the round itself
            mode="max",
            perturbation_interval=config.every_updates,
            hyperparam_mutations={VALUES: {player.name: space for player in population.recipe.league.learners}},
            quantile_fraction=config.quantile,
            resample_probability=config.resample,
            perturbation_factors=(config.factor, 1.0 / config.factor),
            synch=True,
        )
        self._population = population

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """A trial is new, resumed or begun again after a failure: give it its numbers and its place in time."""
        ledger = self._population.ledger
        trial.set_config({**trial.config, VALUES: ledger.values[trial.config[MEMBER]]})
        super().on_trial_add(tune_controller, trial)
        self._next_perturbation_sync = self._perturbation_interval * (ledger.done + 1)
        self._trial_state[trial].last_train_time = (trial.last_result or {}).get(UPDATES, 0)
        if trial.status == Trial.PENDING and self._trial_state[trial].last_train_time >= self._next_perturbation_sync:
            trial.set_status(Trial.PAUSED)  # it was waiting when the run was killed, and waits on

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Let the trial go on, or wait for the others; hold the round when nobody is missing."""
        self._trial_state[trial].last_train_time = result[UPDATES]
        if result[UPDATES] < self._next_perturbation_sync:
            return TrialScheduler.CONTINUE
        self._hold_round_when_complete(tune_controller)
        return TrialScheduler.PAUSE

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """A trial reached its limit: the others need not wait for it."""
        self._hold_round_when_complete(tune_controller, without=trial)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Raises what ended a trial for good: the others would wait for it forever."""
        if not trial.should_recover():
            raise trial.get_pickled_error() or RuntimeError(f"{trial.config[MEMBER]} of the population has failed")

    def _hold_round_when_complete(self, tune_controller: Any, without: Trial | None = None) -> None:
        if len(tune_controller.get_trials()) < len(self._population.members):
            return  # Tune has not made all of them yet
        trials, sync = [t for t in tune_controller.get_live_trials() if t != without], self._next_perturbation_sync
        if not trials or any(self._trial_state[trial].last_train_time < sync for trial in trials):
            return
        self._population.next_round(sorted(trial.config[MEMBER] for trial in trials), int(sync))
        values = self._population.ledger.values
        for trial in trials:
            trial.set_config({**trial.config, VALUES: values[trial.config[MEMBER]]})
        self._next_perturbation_sync = sync + self._perturbation_interval
