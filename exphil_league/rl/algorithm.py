"""LeaguePPO: RLlib's PPO with a short training step of its own.

Per iteration: sample one chunk per learning player and runner, update, publish to the league (which may
freeze or reset a player), send the weights to the runners. RLlib keeps actors, fault tolerance, checkpoints
and Tune.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any, Final

import ray
from ray import cloudpickle
from ray.rllib.algorithms.ppo import PPO
from ray.rllib.algorithms.ppo import PPOConfig as RLlibPPOConfig
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, LEARNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME
from ray.tune.result import TIMESTEPS_TOTAL
from torch import Tensor

from exphil_league.rl.collect import Collected, Collector
from exphil_league.rl.drift import Drift
from exphil_league.rl.learner import LeagueLearner
from exphil_league.rl.membership import Membership
from exphil_league.rl.metrics import IterationTimes, player_metrics, reward_metrics, run_metrics
from exphil_league.rl.resume import ResumePoints
from exphil_league.rl.runner import BatchedEnvRunner, Sample
from exphil_league.rl.sampler import SampleStats
from exphil_league.rl.setup import RLSetup
from policies.policy import Policy

_MEMBERSHIP: Final = "league_membership"
_POINTER: Final = "resume_point.json"
"""What Tune's checkpoint folder holds instead of the state."""
PATIENCE_S: Final = 600.0
"""How long an update waits for a sample while no runner is alive."""
COUNTERS: Final = ("_iteration", "_time_total", "_timesteps_total")
"""What Tune counts of a trial: as it was at the resume point, which may be older than Tune's note of it."""


class LeaguePPOConfig(RLlibPPOConfig):
    """RLlib's config plus `league_setup`; made by `exphil_league.rl.build.algorithm_config`."""

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or LeaguePPO)
        self.league_setup: RLSetup | None = None


class LeaguePPO(PPO):
    """League self-play PPO."""

    # RLlib declares these as maybe absent or more narrowly; they are there once `setup` is through.
    config: Any
    env_runner_group: Any
    learner_group: Any
    metrics: Any
    _env_frames: int = 0
    _points: ResumePoints | None = None

    @classmethod
    def get_default_config(cls) -> LeaguePPOConfig:
        return LeaguePPOConfig()

    def setup(self, config: Any) -> None:
        super().setup(config)
        setup = self.config.league_setup
        assert setup is not None, "build the config with exphil_league.rl.build.algorithm_config"
        self._setup: RLSetup = setup
        self.membership = Membership(setup.open_league(), setup.checkpoints, setup.players)
        self._collector = Collector(
            self.env_runner_group,
            max(self.config.num_learners, 1),
            self.config.sample_timeout_s,
            setup.ppo.max_lag_updates,
        )
        self._drift = Drift(setup.warm_start_actions)
        if setup.resume_points is not None:
            self._points = ResumePoints(setup.resume_points, setup.keep_resume_points)
        self._published = Policy(setup.spec)
        self._restarts = 0
        self._joined = False
        self._weights = 0
        self._report: dict[str, Any] = {}

    def step(self) -> dict[str, Any]:
        """One iteration; `rl` holds our metrics, and env frames are Tune's x axis."""
        result = super().step()
        result["rl"] = self._report
        result[TIMESTEPS_TOTAL] = self._env_frames
        return result

    def training_step(self) -> None:
        if not self._joined:
            self._join()
        started = perf_counter()
        found = self._collect()
        sampled = perf_counter()
        self._learn(found.samples, found.stats)
        learned = perf_counter()
        self._publish(found.stats)
        self._send_weights()
        times = IterationTimes(sampled - started, learned - sampled, perf_counter() - started)
        self._report = self._metrics(found, times)

    # Steps of an iteration

    def _collect(self) -> Collected:
        """Samples for an update, waiting for runners to be replaced if need be. Raises RuntimeError after PATIENCE_S
        without any, so that a run whose runners cannot live ends instead of counting empty updates."""
        deadline, dropped = monotonic() + PATIENCE_S, 0
        while True:
            found = self._collector.collect(self._weights)
            dropped += found.dropped
            if found.samples:
                return replace(found, dropped=dropped)
            if monotonic() > deadline:
                raise RuntimeError(
                    f"no runner has brought a sample for {PATIENCE_S:.0f} s; Ray's logs say why they die"
                )
            sleep(1.0)
            self.restore_env_runners(self.env_runner_group)

    def _learn(self, samples: list[Sample], stats: SampleStats) -> None:
        self.metrics.log_value(
            (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), stats.env_frames, reduce="lifetime_sum"
        )
        if self.learner_group.is_local:
            data: dict[str, Any] = {"episodes": samples}
        else:
            data = {"episodes_refs": [ray.put(sample) for sample in samples]}
        results = self.learner_group.update(
            **data, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: self._env_frames + stats.env_frames}
        )
        self.metrics.aggregate(results, key=LEARNER_RESULTS)
        self._env_frames += stats.env_frames

    def _publish(self, stats: SampleStats) -> None:
        """Tell the league about the new weights and carry out what it decides."""
        for player, standing in self.membership.standings.items():
            standing.env_frames += stats.player_frames[player]
        if (self.iteration + 1) % self._setup.ppo.publish_every_updates:
            return
        for player in self._setup.players:
            decision = self.membership.update(player, self.policy(player))
            if decision is not None and decision.reset_digest is not None:
                self._reset(player, self.membership.policy_of(decision.reset_digest))

    def _send_weights(self) -> None:
        """Give the runners the learner's weights; those that are playing take them when they are through."""
        group, digests = self.env_runner_group, self.membership.digests
        group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)
        self._weights = self.learner_group.foreach_learner(_weights_number).result_or_errors[0].get()
        if group.local_env_runner is not None:
            group.local_env_runner.set_live_digests(digests)
        group.foreach_env_runner_async_fetch_ready(
            "set_live_digests", tag="digests", kwargs={"digests": digests}, timeout_seconds=0.0
        )

    def _metrics(self, found: Collected, times: IterationTimes) -> dict[str, Any]:
        runners = max(self.env_runner_group.num_remote_env_runners(), 1)
        report: dict[str, Any] = run_metrics(found.stats, times, runners)
        report |= {"env_frames": self._env_frames, "batch_age": found.lag_updates, "dropped_samples": found.dropped}
        report |= {"runner_restarts": self.env_runner_group.num_remote_worker_restarts(), "restarts": self._restarts}
        if self._points is not None:
            self._points.poll()
            report |= {"resume_point": self._points.written or 0, "failed_resume_points": len(self._points.failures)}
        for player, standing in self.membership.standings.items():
            learned = self.metrics.peek((LEARNER_RESULTS, player), default={})
            report[player] = {
                **player_metrics(learned),
                **reward_metrics(found.stats, player),
                **self._drift.update(player, found.stats.actions[player]),
                "env_frames": standing.env_frames,
            }
        return report

    # Players

    def policy(self, player: str) -> Policy:
        """A learning player's policy as the league is told it: a copy that the next call overwrites."""
        weights = self.learner_group.foreach_learner(_weights, player=player).result_or_errors[0].get()
        self._published.load_state_dict(weights)
        return self._published

    def _join(self) -> None:
        for player in self._setup.players:
            start_again = self.membership.join(player, self.policy(player))
            if start_again is not None:
                self._reset(player, start_again, goes_on=self.membership.goes_on(player))
        self._send_weights()
        self._joined = True

    def _reset(self, player: str, policy: Policy, goes_on: bool = False) -> None:
        weights = policy.state_dict()
        self.learner_group.foreach_learner(_reset_player, player=player, weights=weights, goes_on=goes_on)
        self._drift.restart(player)

    # Resume points

    def save_resume_point(self) -> None:
        """Copy the state here and now; it is written while training goes on (`rl.resume`)."""
        assert self._points is not None, "the setup names no folder for resume points"
        counters = {name: getattr(self, name) for name in COUNTERS}
        state = cloudpickle.dumps({"state": self.get_state(), "counters": counters})
        self._points.save(self.iteration, state, self.membership.rating_of_main())

    def go_on(self) -> bool:
        """Go on from the newest resume point; whether there is one."""
        newest = self._points.newest() if self._points is not None else None
        if newest is None:
            return False
        kept = pickle.loads(newest[1])
        self.set_state(kept["state"])
        for name, value in kept["counters"].items():
            setattr(self, name, value)
        self._restarts += 1
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """What Tune keeps: a note that a resume point is being written, or RLlib's folder where there are none."""
        if self._points is None:
            super().save_checkpoint(checkpoint_dir)
            return
        self.save_resume_point()
        (Path(checkpoint_dir) / _POINTER).write_text(json.dumps({"update": self.iteration}), encoding="utf-8")

    def load_checkpoint(self, checkpoint_dir: Any) -> None:
        """Go on from the newest whole resume point, be it the one of this note or, after a kill, one before it."""
        if not (Path(checkpoint_dir) / _POINTER).exists():
            super().load_checkpoint(checkpoint_dir)
        elif not self.go_on():  # killed before the first one was whole
            for name in COUNTERS:
                setattr(self, name, 0)

    def cleanup(self) -> None:
        """Finish the last resume point. Raises OSError when it cannot be written."""
        super().cleanup()
        if self._points is not None:
            self._points.close()

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        state = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(_MEMBERSHIP, components, not_components):
            state[_MEMBERSHIP] = {
                "standings": self.membership.get_state(),
                "env_frames": self._env_frames,
                "restarts": self._restarts,
                "drift": self._drift.get_state(),
                "runners": dict(self.env_runner_group.foreach_env_runner(_games_state, local_env_runner=False)),
            }
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        if _MEMBERSHIP in state:
            self.membership.set_state(state[_MEMBERSHIP]["standings"])
            self._env_frames = state[_MEMBERSHIP]["env_frames"]
            self._restarts = state[_MEMBERSHIP]["restarts"]
            self._drift.set_state(state[_MEMBERSHIP]["drift"])
            self._joined = False
            kept = state[_MEMBERSHIP]["runners"]
            self.env_runner_group.foreach_env_runner(
                lambda runner: runner.set_games_state(kept.get(runner.worker_index, {})), local_env_runner=False
            )


def _games_state(runner: BatchedEnvRunner) -> tuple[int, dict[str, Any]]:
    return runner.worker_index, runner.games_state()


def _weights_number(learner: LeagueLearner) -> int:
    return learner.weights_number


def _weights(learner: LeagueLearner, player: str) -> dict[str, Tensor]:
    return learner.published_weights(player)


def _reset_player(learner: LeagueLearner, player: str, weights: Mapping[str, Tensor], goes_on: bool) -> None:
    learner.reset_player(player, weights, goes_on)
