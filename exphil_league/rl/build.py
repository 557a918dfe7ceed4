"""From a recipe to an AlgorithmConfig: the one place that knows RLlib's switches and their traps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import gymnasium as gym
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs.backends import make_backend
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.league.model import WARM_START, PlayerKind
from exphil_league.rl.algorithm import LeaguePPOConfig
from exphil_league.rl.learner import LeagueLearner
from exphil_league.rl.module import LeagueModule
from exphil_league.rl.opponents import LoadAgent
from exphil_league.rl.partners import load_agent as load_from_store
from exphil_league.rl.runner import BatchedEnvRunner, policy_spaces
from exphil_league.rl.setup import BackendFactory, LeagueFactory, LearnerStart, RLSetup
from exphil_league.rl.slots import SlotGroup, divide, learner_shares
from policies.spec import PolicySpec


def algorithm_config(
    recipe: Recipe,
    *,
    spec: PolicySpec,
    store: Path,
    starts: Mapping[str, str],
    first: Mapping[str, str] | None = None,
    open_league: LeagueFactory,
    open_backend: BackendFactory | None = None,
    load_agent: LoadAgent | None = None,
    resume_points: Path | None = None,
    warm_start_actions: Sequence[int] = (),
    serial: bool = False,
) -> LeaguePPOConfig:
    """The config of a league run; `.build_algo()` builds it here, or give it to a Tuner as `param_space`.

    spec: of the warm start, which every learner shares.
    store: the run's checkpoint store. starts: digests in it of the frozen players that learners may start
    from, at least `warm_start`; it is also everybody's teacher. first: where each learner begins, as the league
    drew it; default: the first of its configured starts.
    open_league: called once in every process that samples or learns; must pickle, and be a plain function or
    partial (RLlib deep-copies its config). In serial mode every call must give the process's one league.
    open_backend(num_games), load_agent(digest, capacity): default to the recipe's backend and to the store.
    resume_points: folder that the trial keeps its resume points in (`rl.resume`).
    warm_start_actions: [ACTIONS] frames of the warm start in each action state, for `rl.drift`.
    serial: sampling and learning in this process, one torch thread, whatever the recipe's `ray` section says.

    Raises UserError for a recipe whose numbers do not fit together.
    """
    setup = RLSetup(
        spec=spec,
        starts=tuple(
            _start(learner.name, (first or {}).get(learner.name, learner.starts[0]), starts, store)
            for learner in recipe.league.learners
        ),
        groups=slot_groups(recipe),
        curriculum_groups=slot_groups(recipe, self_play=0.0) if recipe.league.curriculum else (),
        ppo=recipe.ppo,
        opponents_per_runner=recipe.ppo.opponents_per_runner,
        torch_threads=1 if serial else recipe.ray.torch_threads,
        seed=recipe.seed,
        checkpoints=store,
        resume_points=resume_points,
        keep_resume_points=recipe.run.keep_checkpoints,
        warm_start_actions=tuple(warm_start_actions),
        open_league=open_league,
        open_backend=open_backend or partial(make_backend, recipe.game.backend, dolphin=recipe.game.dolphin),
        load_agent=load_agent or partial(load_from_store, store, recipe.seed),
    )
    return rllib_config(
        setup,
        num_env_runners=0 if serial else recipe.ray.num_env_runners,
        num_learners=0 if serial else recipe.ray.num_learners,
        num_gpus_per_learner=0 if serial else recipe.ray.num_gpus_per_learner,
        num_gpus_per_env_runner=0 if serial else recipe.ray.num_gpus_per_env_runner,
    )


def slot_groups(recipe: Recipe, self_play: float | None = None) -> tuple[SlotGroup, ...]:
    """How one runner's games are shared out among the recipe's learners.

    Raises UserError for too few games, or for fewer columns of a learner than minibatches.

    self_play: share of a main's games in which it plays both seats; default: the recipe's.
    """
    if self_play is None:
        self_play = recipe.league.shares.self_play
    learners = recipe.league.learners
    mains = [p.name for p in learners if p.kind is PlayerKind.MAIN]
    exploiters = [p.name for p in learners if p.kind is not PlayerKind.MAIN]
    try:
        groups = divide(
            recipe.ppo.games,
            learner_shares(mains, exploiters, self_play, recipe.ppo.exploiter_share),
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    _check_columns(recipe, groups)
    return groups


def _check_columns(recipe: Recipe, groups: Sequence[SlotGroup]) -> None:
    """An empty minibatch has no mean: its loss would be NaN, and its step left out without anything said."""
    for player in dict.fromkeys(group.player for group in groups):
        columns = sum(group.columns for group in groups if group.player == player)
        if columns < recipe.ppo.minibatches:
            raise UserError(
                f"ppo.minibatches ({recipe.ppo.minibatches}) is more than the {columns} columns that ppo.games "
                f"({recipe.ppo.games}) leave {player}: a minibatch holds at least one whole sequence. Lower "
                "ppo.minibatches, or raise ppo.games or ppo.exploiter_share"
            )


HEAD: Final = "node:__internal_head__"
"""What Ray's head node alone has. The trial lives there: beside the run folder, which holds its resume points, and the
league's actor, whose database lies on that node's disk."""


def rllib_config(
    setup: RLSetup,
    num_env_runners: int = 0,
    num_learners: int = 0,
    num_gpus_per_learner: float = 0,
    num_gpus_per_env_runner: float = 0,
) -> LeaguePPOConfig:
    """RLlib's switches for a setup."""
    space, actions = policy_spaces(setup.spec)
    config = LeaguePPOConfig()
    config.league_setup = setup
    config.env_runners(
        env_runner_cls=BatchedEnvRunner,
        num_env_runners=num_env_runners,
        num_gpus_per_env_runner=num_gpus_per_env_runner,
        create_env_on_local_worker=num_env_runners == 0,
        # No connectors, so no states of theirs to gather and send round.
        merge_env_runner_states=False,
        broadcast_env_runner_states=False,
        sample_timeout_s=600.0,
    )
    if num_learners or not num_gpus_per_learner:  # a trial that learns itself goes where the GPU is
        config.resources(custom_resources_for_main_process={HEAD: 0.001})
    config.learners(learner_class=LeagueLearner, num_learners=num_learners, num_gpus_per_learner=num_gpus_per_learner)
    config.torch_ddp_kwargs = {"find_unused_parameters": True}  # value warm-up leaves the trunk without gradients
    config.training(lr=setup.ppo.learning_rate, use_kl_loss=False)
    config.multi_agent(policies=set(setup.players), policy_mapping_fn=_no_mapping)
    config.rl_module(rl_module_spec=_module_specs(setup, space, actions))
    config.environment(observation_space=space, action_space=actions)
    config.fault_tolerance(restart_failed_env_runners=True)
    config.reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=0)
    config.debugging(seed=setup.seed % 2**31, log_level="ERROR")
    return config


def _module_specs(setup: RLSetup, space: gym.Space, actions: gym.Space) -> MultiRLModuleSpec:
    # The class and model_config are given at construction: `config.rl_module_spec` is a copy, changes to it are lost.
    return MultiRLModuleSpec(
        rl_module_specs={
            start.player: RLModuleSpec(
                module_class=LeagueModule,
                observation_space=space,
                action_space=actions,
                model_config={
                    "spec": setup.spec.model_dump(mode="json"),
                    "start": str(start.checkpoint) if start.checkpoint else None,
                },
            )
            for start in setup.starts
        }
    )


def _start(player: str, name: str, starts: Mapping[str, str], store: Path) -> LearnerStart:
    if name not in starts:
        raise UserError(f"league.learners: {player} starts from {name!r}; known: {', '.join(starts) or 'none'}")
    return LearnerStart(player, store / starts[name], store / starts[WARM_START])


def _no_mapping(agent_id: object, *args: object, **kwargs: object) -> str:
    """RLlib asks for a mapping of agents to modules; our runner reads it from the league's jobs."""
    raise NotImplementedError("seats are mapped to players by the league's jobs")
