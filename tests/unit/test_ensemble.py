"""Opponents computed together play as each of them does alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
import torch

from envs.frame import FRAME
from exphil_league.rl.opponents import FrozenSeats, OpponentCache
from policies.agent import SeatView
from policies.cores import CORES
from policies.network_agent import NetworkAgent
from policies.policy import Policy, PolicyInputs
from policies.stacked import PolicyStack
from tests.unit.policy_fixtures import random_inputs, small_policy

GAMES = np.array([1, 2, 4, 5, 7, 8])
"""Games with an opponent; column c is the seat of GAMES[c]."""
TIMINGS = [{}, {"delay_frames": 3}, {"delay_frames": 3, "min_delay_frames": 0, "action_repeat": 4}]


def policies(number: int, core: str = "gru", **timing: int) -> list[Policy]:
    found = [small_policy(core, seed=seed, **{"delay_frames": 0, **timing}) for seed in range(number)]
    for policy in found:
        with torch.no_grad():
            for weights in policy.parameters():
                weights.add_(0.3 * torch.randn_like(weights))
    return found


@pytest.mark.parametrize("core", sorted(CORES))
@pytest.mark.parametrize("timing", TIMINGS)
def test_a_stack_computes_what_its_networks_do(core: str, timing: dict[str, int]) -> None:
    networks = policies(4, core, **timing)
    stack = PolicyStack(networks[0])
    stack.hold(networks[:2])
    stack.hold(networks[1:])  # moved, replaced and new
    for _ in range(3):
        inputs = [PolicyInputs(*(x[0] for x in random_inputs(p.spec, 1, 5))) for p in networks[1:]]
        states = [tuple(torch.randn_like(layer) for layer in p.initial_state(5)) for p in networks[1:]]
        uniforms = torch.rand(3, 5, 6)
        together = [torch.stack(layers) for layers in zip(*states, strict=True)]
        with torch.inference_mode():
            found = stack.module.step(PolicyInputs(*map(torch.stack, zip(*inputs, strict=True))), together, uniforms)
            for k, policy in enumerate(networks[1:]):
                alone = policy.step(inputs[k], states[k], uniforms[k])
                torch.testing.assert_close(found.parts[k], alone.parts)
                torch.testing.assert_close(found.log_prob[k], alone.log_prob, atol=1e-5, rtol=1e-5)
                torch.testing.assert_close(found.value[k], alone.value, atol=1e-5, rtol=1e-5)
                for layer, expected in zip(found.state, alone.state, strict=True):
                    torch.testing.assert_close(layer[k], expected, atol=1e-5, rtol=1e-5)


class Table:
    """Six one-seat games, and by them what the same opponents press when each of them plays alone."""

    def __init__(self, networks: list[Policy]) -> None:
        self._networks = networks
        self.seats = self.opened()
        self._alone = {i: self.agent(str(i), len(GAMES)) for i in range(len(networks))}
        self._held = [0] * len(GAMES)

    def opened(self) -> FrozenSeats:
        return FrozenSeats(GAMES, OpponentCache(self.agent, len(GAMES), len(self._networks)))

    def agent(self, digest: str, capacity: int) -> NetworkAgent:
        return NetworkAgent(self._networks[int(digest)], capacity, int(digest), digest, digest)

    def begin(self, column: int, opponent: int) -> None:
        """A new game of a column, against the opponent of this number."""
        self.seats.assign(int(GAMES[column]), column % 2, str(opponent))
        self._alone[opponent].reset(np.array([column]))
        self._held[column] = opponent

    def frame(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Parts [6, 6] that all columns press on a random frame, together and each opponent alone."""
        frames, floats, ids = random_frame(self._networks[0], seed)
        pressed = np.zeros((10, 2, 6), np.uint8)
        self.seats.act(frames, floats, ids, pressed)
        at = GAMES, np.arange(len(GAMES)) % 2
        alone = np.empty((len(GAMES), 6), np.uint8)
        for opponent in dict.fromkeys(self._held):
            mine = np.flatnonzero(np.array(self._held) == opponent)
            view = SeatView(frames[GAMES[mine]], at[1][mine], floats[at][mine], ids[at][mine])
            alone[mine] = self._alone[opponent].act(view, mine)
        return pressed[at], alone


def random_frame(policy: Policy, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    torch.manual_seed(seed)
    inputs = random_inputs(policy.spec, 10, 2)
    frames = np.zeros(10, FRAME)
    frames["seed"] = np.arange(10)
    return frames, inputs.floats.numpy(), inputs.ids.numpy()


@pytest.mark.parametrize("timing", TIMINGS)
def test_opponents_press_what_each_of_them_would_alone(timing: dict[str, int]) -> None:
    table, seeds = Table(policies(3, **timing)), count()
    for column, opponent in enumerate((0, 1, 0, 2, 2, 0)):
        table.begin(column, opponent)
    for column, opponent in ((1, 2), (0, 0), (3, 1), (5, 1), (4, 0)):  # uneven, regrouped, somebody leaves and returns
        for _ in range(7):
            np.testing.assert_array_equal(*table.frame(next(seeds)))
        table.begin(column, opponent)
    saved = table.seats.get_state()
    expected = [table.frame(seed)[0] for seed in range(50, 60)]
    table.seats = table.opened()
    table.seats.set_state(saved)
    again = [table.frame(seed)[0] for seed in range(50, 60)]
    np.testing.assert_array_equal(again, expected)


def test_one_forward_serves_all_opponents_and_follows_new_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = policies(4)
    table = Table(networks)
    for column, opponent in enumerate((0, 1, 2, 2, 3, 0)):
        table.begin(column, opponent)
    forwards = counted(monkeypatch, Policy, "step")
    frames, floats, ids = random_frame(networks[0], 0)
    pressed = np.zeros((10, 2, 6), np.uint8)
    table.seats.act(frames, floats, ids, pressed)
    assert forwards() == 1
    with torch.no_grad():
        networks[2].head.out[0].bias[7] += 100.0
    table.seats.refresh(["2", "nobody"])
    table.seats.act(frames, floats, ids, pressed)
    chosen = pressed[GAMES, np.arange(len(GAMES)) % 2, 0]
    assert (chosen[2:4] == 7).all()
    assert not (np.delete(chosen, (2, 3)) == 7).all()


def counted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> Callable[[], int]:
    """How often a method was called from now on."""
    calls, method = [0], getattr(owner, name)

    def counting(*args: object, **kwargs: object) -> object:
        calls[0] += 1
        return method(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return lambda: calls[0]
