"""The columns of one learning player in a runner: its policy's recurrent states, action queue and buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.controller import PARTS
from envs.reward import TERMS, Rewards
from exphil_league.rl.buffers import ChunkShape, allocate, poison
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.slots import SlotGroup
from policies.delay import DelayQueue, game_delays
from policies.policy import Policy, PolicyInputs
from policies.spec import ActionTiming


class LaneSettings(NamedTuple):
    """What all lanes of a runner have in common."""

    rows: int
    """Decisions T of a chunk."""
    gamma: float
    """Discount per game frame, for the rewards of the frames that an action is held."""


class Lane:
    """Columns [B] of one player. A self-play game has two columns, a one-seat game one, whose seat varies by job."""

    def __init__(
        self, player: str, policy: Policy, groups: Sequence[SlotGroup], settings: LaneSettings, seed: int
    ) -> None:
        self.player = player
        self.policy = policy
        self.games = np.concatenate([np.repeat(list(g.game_indices), g.learner_seats) for g in groups]).astype(np.int64)
        """[B] game of each column"""
        self.seats = np.concatenate([np.tile(np.arange(g.learner_seats), g.games) for g in groups]).astype(np.int64)
        """[B] seat of each column in its game"""
        self._own_games = np.unique(self.games)
        self._timing: ActionTiming = policy.spec
        self.device = next(policy.parameters()).device
        """Where the policy computes."""
        self._discounts = settings.gamma ** np.arange(policy.spec.action_repeat, dtype=np.float32)
        self._rng = np.random.default_rng(seed)
        columns, spec = len(self.games), policy.spec
        self._everyone = np.arange(columns)
        self._queue = DelayQueue(columns, spec.delay_frames)
        self._state: tuple[Tensor, ...] = policy.initial_state(columns)
        shape = ChunkShape(settings.rows, columns, spec.observation_floats, spec.observation_ids, spec.delay_frames)
        self.chunk = allocate(player, shape, for_gpu=self.device.type == "cuda")
        """The chunk under way; written row by row."""
        self._uniforms = torch.empty(0)
        self.reward: NDArray[np.float64] = np.zeros(len(TERMS))
        """[K] what each term brought in this chunk, summed over its rows and columns."""
        self.seat_frames = 0
        """Frames of this chunk that its columns played."""
        self._fresh = np.ones(columns, np.bool_)
        """[B] columns whose next row begins a game."""

    def columns_of(self, game: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.games == game)

    def begin_game(self, game: int, seat: int | None, frame_seed: int) -> None:
        """A game begins on the next row; `seat` is the one this player takes, None for both.

        `frame_seed` is the `seed` of its first frame.
        """
        columns = self.columns_of(game)
        if seat is not None:
            self.seats[columns] = seat
        self._fresh[columns] = True
        seeds = np.full(len(columns), frame_seed, np.uint32)
        self._queue.reset(columns, game_delays(self._timing, seeds, self.seats[columns]))

    def begin_chunk(self) -> None:
        """Poison the buffer and note the state before row 0."""
        chunk = self.chunk
        poison(chunk)
        self.reward = np.zeros(len(TERMS))
        chunk.state = tuple(layer.cpu().numpy().copy() for layer in self._state)
        rows, columns = chunk.log_prob.shape
        chunk.env_frames = rows * self._timing.action_repeat * len(self._own_games)
        self.seat_frames = rows * self._timing.action_repeat * columns
        self._uniforms = self._tensor(self._rng.random((rows, columns, len(PARTS)), np.float32))

    def decide(self, row: int, floats: NDArray[np.float32], ids: NDArray[np.int32]) -> None:
        """Write row `row` and sample its actions; floats [N, P, F] and ids [N, P, K] are what all games look like."""
        inputs = self._observe(row, floats, ids)
        step = self.policy.step(inputs, self._state, self._uniforms[row])
        self._state = step.state
        chunk = self.chunk
        chunk.parts[row] = step.parts.cpu().numpy()
        chunk.log_prob[row] = step.log_prob.cpu().numpy()
        chunk.value[row] = step.value.cpu().numpy()

    def press(self, row: int, pressed: NDArray[np.uint8]) -> None:
        """One frame under the actions of a row: put what is to be pressed on it into `pressed` [N, P, 6]."""
        pressed[self.games, self.seats] = self._queue.push(self._everyone, self.chunk.parts[row])

    def record(
        self, row: int, held: int, rewards: Rewards, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
    ) -> None:
        """What frame `held` (from 0) under the actions of row `row` brought: rewards, terminated and truncated [N]."""
        chunk, total = self.chunk, rewards.total[self.games, self.seats]
        chunk.reward[row] = total if held == 0 else chunk.reward[row] + self._discounts[held] * total
        self.reward += rewards.weighted[self.games, self.seats].sum(0)
        chunk.terminated[row] |= terminated[self.games]
        chunk.truncated[row] |= truncated[self.games]

    def leave_out(self, standing: NDArray[np.bool_]) -> None:
        """These games [N] stand still for a frame: it is not counted."""
        self.chunk.env_frames -= int(standing[self._own_games].sum())
        self.seat_frames -= int(standing[self.games].sum())

    def finish_chunk(self, floats: NDArray[np.float32], ids: NDArray[np.int32]) -> Chunk:
        """Write the bootstrap row and hand the chunk out; its arrays are valid until the next `begin_chunk`."""
        last = len(self.chunk.log_prob)
        fresh = self._fresh.copy()
        inputs = self._observe(last, floats, ids)
        features, _ = self.policy.unroll(
            PolicyInputs(*(field[None] for field in inputs)), self._state, self._tensor(fresh)[None]
        )
        self.chunk.value[last] = self.policy.value(features)[0].cpu().numpy()
        self._fresh = fresh
        return self.chunk

    def _observe(self, row: int, floats: NDArray[np.float32], ids: NDArray[np.int32]) -> PolicyInputs:
        """Fill the observation of `row` and forget the state of columns where a game begins."""
        chunk = self.chunk
        chunk.floats[row] = floats[self.games, self.seats]
        chunk.ids[row] = ids[self.games, self.seats]
        chunk.queue[row] = self._queue.pending
        chunk.resets[row] = self._fresh
        if self._fresh.any():
            keep = self._tensor(~self._fresh)
            self._state = tuple(torch.where(_like(keep, layer), layer, 0.0) for layer in self._state)
            self._fresh[:] = False
        return PolicyInputs(*(self._tensor(array[row]) for array in (chunk.floats, chunk.ids, chunk.queue)))

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        """On the policy's device; the array stays as it is until that has read it."""
        return torch.from_numpy(array).to(self.device, non_blocking=True)

    def get_state(self) -> dict[str, Any]:
        """What the next chunk depends on besides weights and games: recurrent states, action queue, random stream."""
        return {
            "rng": self._rng.bit_generator.state,
            "state": tuple(layer.cpu().numpy().copy() for layer in self._state),
            "pending": self._queue.pending.copy(),
            "delays": self._queue.delays.copy(),
            "seats": self.seats.copy(),
            "fresh": self._fresh.copy(),
        }

    def set_state(self, state: Mapping[str, Any], whole: bool) -> None:
        """Go on from `get_state`; not `whole`: from its random stream only, for games that begin anew."""
        self._rng.bit_generator.state = state["rng"]
        if whole:
            self._state = tuple(torch.from_numpy(layer.copy()).to(self.device) for layer in state["state"])
            self._queue.pending[...] = state["pending"]
            self._queue.delays[...] = state["delays"]
            self.seats[...] = state["seats"]
            self._fresh[...] = state["fresh"]


def _like(mask: Tensor, layer: Tensor) -> Tensor:
    """mask [B] shaped to broadcast over a state layer [B, ...]."""
    return mask.view(-1, *(1,) * (layer.dim() - 1))
