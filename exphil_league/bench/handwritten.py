"""The yardstick of `bench train`: self-play PPO written straight down, as fast as we know how.

No league, no runners, no checkpoints, no metrics: one loop over the same simulator, network and loss. What
the platform costs beyond this is its price, so nothing obvious may be left undone here: buffers are allocated
once, nothing is copied twice, both seats of all games share one forward, Adam is fused.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from envs.backend import MATCHUP, Matchup
from envs.backends import make_backend
from envs.controller import decode
from envs.frame import empty_frames, words_f32
from envs.observation import observe
from envs.reward import reward_terms
from exphil_league.bench.contender import Task, Timing
from policies.policy import Policy, PolicyInputs


class Handwritten:
    """Columns are seats: column 2 n + p is seat p of game n. The policy has no delay and there is no teacher."""

    name = "handwritten"

    def __init__(self, task: Task) -> None:
        self._task = task
        torch.manual_seed(task.seed)
        self._policy = Policy(task.spec).to(task.device)
        self._optimizer = torch.optim.Adam(self._policy.parameters(), lr=task.ppo.learning_rate, eps=1e-5, fused=True)
        self._rng = np.random.default_rng(task.seed)
        self._backend = make_backend(task.game.backend, task.ppo.games)
        self._allocate()
        self._start(np.ones(task.ppo.games, np.bool_))

    def _allocate(self) -> None:
        t, n = self._task.ppo.unroll_frames, self._task.ppo.games
        b, spec = 2 * n, self._task.spec
        empty = partial(torch.empty, device=self._task.device)
        self._floats = empty(t, b, spec.observation_floats)
        self._ids = empty(t, b, spec.observation_ids, dtype=torch.int32)
        self._queue = empty(t, b, 0, 6, dtype=torch.uint8)
        self._parts = empty(t, b, 6, dtype=torch.int64)
        self._log_prob, self._reward = empty(t, b), empty(t, b)
        self._value = empty(t + 1, b)
        self._done, self._resets = empty(t, b, dtype=torch.bool), empty(t, b, dtype=torch.bool)
        self._state = self._policy.initial_state(b)
        self._fresh = torch.ones(b, dtype=torch.bool)
        self._before = empty_frames(n)
        self._weights = self._task.ppo.reward.vector()
        rows = [Matchup(stage=s, stocks=self._task.game.stocks, time_limit_s=self._task.game.time_limit_s).row()
                for s in self._task.game.stages]  # fmt: skip
        self._matchups = np.array([rows[i % len(rows)] for i in range(n)], MATCHUP)

    def _start(self, games: np.ndarray) -> None:
        seeds = self._rng.integers(0, 2**63, len(games), dtype=np.uint64)
        self._frames = self._backend.reset(games, self._matchups, seeds)

    def iterate(self) -> Timing:
        """One batch."""
        clock = self._task.clock
        start_s = clock()
        with torch.inference_mode():
            self._sample()
        sampled_s = clock()
        self._learn()
        return Timing(clock() - start_s, sampled_s - start_s)

    def _sample(self) -> None:
        t, n = self._task.ppo.unroll_frames, self._task.ppo.games
        self._first_state = self._state  # steps return new tensors
        uniforms = torch.from_numpy(self._rng.random((t, 2 * n, 6), np.float32)).to(self._task.device)
        seen = observe(self._frames)
        for row in range(t):
            self._floats[row] = torch.from_numpy(seen.floats).view(2 * n, -1)
            self._ids[row] = torch.from_numpy(seen.ids).view(2 * n, -1)
            self._resets[row] = self._fresh
            if self._fresh.any():
                self._state = tuple(layer.masked_fill(self._resets[row, :, None], 0.0) for layer in self._state)
            inputs = PolicyInputs(self._floats[row], self._ids[row], self._queue[row])
            step = self._policy.step(inputs, self._state, uniforms[row])
            self._state = step.state
            self._parts[row], self._log_prob[row], self._value[row] = step.parts, step.log_prob, step.value
            self._play(row, step.parts.cpu().numpy().astype(np.uint8).reshape(n, 2, 6))
            seen = observe(self._frames, seen)
        floats, ids = (torch.from_numpy(array).view(1, 2 * n, -1).to(self._task.device) for array in seen)
        inputs = PolicyInputs(floats, ids, self._queue[:1])
        features, _ = self._policy.unroll(inputs, self._state, self._fresh[None].to(self._task.device))
        self._value[t] = self._policy.value(features)[0]

    def _play(self, row: int, parts: np.ndarray) -> None:
        words_f32(self._before)[...] = words_f32(self._frames)
        self._frames = self._backend.step(decode(parts))
        done = self._backend.done.copy()
        terms = reward_terms(self._before, self._frames, done, self._backend.result)
        self._reward[row] = torch.from_numpy(terms @ self._weights).view(-1)
        self._fresh = torch.from_numpy(done).repeat_interleave(2)
        self._done[row] = self._fresh
        if done.any():
            self._start(done)

    def _learn(self) -> None:
        ppo = self._task.ppo
        advantage = self._advantage()
        target = advantage + self._value[:-1]
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        for _ in range(ppo.epochs):
            for columns in torch.randperm(advantage.shape[1], device=advantage.device).chunk(ppo.minibatches):
                inputs = PolicyInputs(self._floats[:, columns], self._ids[:, columns], self._queue[:, columns])
                state = tuple(layer[columns] for layer in self._first_state)
                features, _ = self._policy.unroll(inputs, state, self._resets[:, columns])
                head = self._policy.head.evaluate(features, self._parts[:, columns])
                ratio = (head.log_prob - self._log_prob[:, columns]).exp()
                gain = advantage[:, columns]
                surrogate = torch.minimum(ratio * gain, ratio.clamp(1 - ppo.clip, 1 + ppo.clip) * gain).mean()
                error = (self._policy.value(features) - target[:, columns]).square().mean()
                entropy = head.part_entropy.sum(-1).mean()
                self._step(0.5 * ppo.value_weight * error - surrogate - ppo.entropy_weight * entropy)

    def _advantage(self) -> Tensor:
        ppo = self._task.ppo
        going_on = (~self._done).float()
        error = self._reward + ppo.gamma * going_on * self._value[1:] - self._value[:-1]
        going_on *= ppo.gamma * ppo.gae_lambda
        for t in range(len(error) - 2, -1, -1):
            error[t].addcmul_(going_on[t], error[t + 1])
        return error

    def _step(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self._policy.parameters(), self._task.ppo.max_grad_norm)
        self._optimizer.step()

    def close(self) -> None:
        self._backend.close()
