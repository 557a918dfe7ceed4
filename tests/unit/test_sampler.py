"""The sampler: what it records is what was played, and the learner can recompute it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from envs.controller import NEUTRAL_PARTS, encode
from envs.observation import observe
from envs.reward import TERMS, Rewards
from exphil_league.config.league import LeagueConfig, LearnerConfig, Shares
from exphil_league.config.recipe import Recipe
from exphil_league.league.model import Outcome
from exphil_league.rl.batch import PlayerBatch, ReturnSettings, to_batch
from exphil_league.rl.buffers import ChunkShape, UnwrittenRow, allocate, check_written, poison
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.sampler import Sampler
from exphil_league.rl.update import evaluate
from policies.agent import SeatView
from policies.delay import NOTHING
from policies.network_agent import NetworkAgent
from policies.onnx.agent_file import read_agent_file, write_agent_file
from policies.onnx.runtime import OnnxAgent
from policies.policy import Policy, PolicyInputs
from tests.fakes import FakeBackend
from tests.rl_play import RecordingBackend, new_sampler, small_recipe

CORES_AND_TIMINGS = [
    ("mlp", {}),
    ("gru", {}),
    ("gru", {"delay_frames": 3}),
    ("gru", {"delay_frames": 3, "min_delay_frames": 0, "action_repeat": 4}),
]


def recomputed(policy: Policy, batch: PlayerBatch) -> torch.Tensor:
    with torch.no_grad():
        return evaluate(policy, batch).head.log_prob


def alone(recipe: Recipe) -> Recipe:
    """The main player by itself, with both seats of every game."""
    league = LeagueConfig(learners=(LearnerConfig(),), shares=Shares(self_play=1.0, pfsp=0.0, verification=0.0))
    return recipe.model_copy(update={"league": league})


def second_chunk(sampler: Sampler) -> tuple[Chunk, PlayerBatch]:
    """Main's second chunk: it starts from a state that is not zero and has resets inside."""
    sampler.sample()
    chunk = sampler.sample()[0]
    assert chunk.resets[1:-1].any()
    return chunk, to_batch(chunk, ReturnSettings(0.99, 0.95), torch.device("cpu"))


@pytest.mark.parametrize(("core", "timing"), CORES_AND_TIMINGS)
def test_learner_recomputes_what_the_sampler_saw(tmp_path: Path, core: str, timing: dict[str, int]) -> None:
    sampler, _ = new_sampler(tmp_path, small_recipe(core=core, timing=timing))
    chunk, batch = second_chunk(sampler)
    policy = sampler.lanes[0].policy
    np.testing.assert_allclose(recomputed(policy, batch), chunk.log_prob, atol=1e-5)
    with torch.no_grad():
        np.testing.assert_allclose(evaluate(policy, batch).value, chunk.value[:-1], atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_a_runner_on_a_gpu_samples_what_the_cpu_recomputes(tmp_path: Path) -> None:
    sampler, _ = new_sampler(tmp_path, small_recipe(delay_frames=3), device=torch.device("cuda"))
    chunk, batch = second_chunk(sampler)
    policy = sampler.lanes[0].policy.cpu()
    np.testing.assert_allclose(recomputed(policy, batch), chunk.log_prob, atol=1e-3)


def test_recomputation_notices_broken_state_resets_and_queue(tmp_path: Path) -> None:
    sampler, _ = new_sampler(tmp_path, small_recipe(delay_frames=3))
    chunk, batch = second_chunk(sampler)
    policy = sampler.lanes[0].policy
    queue = batch.inputs.queue.flip(2)
    broken = {
        "state": replace(batch, state=tuple(torch.zeros_like(layer) for layer in batch.state)),
        "resets": replace(batch, resets=torch.zeros_like(batch.resets)),
        "queue": replace(batch, inputs=PolicyInputs(batch.inputs.floats, batch.inputs.ids, queue)),
        "columns": replace(batch, state=tuple(layer.flip(0) for layer in batch.state)),
    }
    for what, wrong in broken.items():
        difference = (recomputed(policy, wrong) - torch.from_numpy(chunk.log_prob)).abs().max()
        assert difference > 1e-3, what


@pytest.mark.parametrize("delay_frames", [0, 3])
def test_columns_are_exactly_the_learners_seats(tmp_path: Path, delay_frames: int) -> None:
    recipe = small_recipe(delay_frames, opponents_per_runner=2)
    backend = RecordingBackend(recipe.ppo.games)
    sampler, _ = new_sampler(tmp_path, recipe, backend)
    chunks = sampler.sample()
    # Eight games: three of self-play, three of main and two of the exploiter against somebody frozen.
    assert [(c.player, c.log_prob.shape[1], c.env_frames) for c in chunks] == [
        ("main", 9, 6 * 16),
        ("main_exploiter", 2, 2 * 16),
    ]
    pressed = encode(np.stack(backend.pressed))  # [T, N, P, A]
    for lane, chunk in zip(sampler.lanes, chunks, strict=True):
        own = pressed[:, lane.games, lane.seats]
        np.testing.assert_array_equal(own[delay_frames:], chunk.parts[: len(own) - delay_frames])
        assert (own[:delay_frames] == NEUTRAL_PARTS).all()
    seats = {(lane.games[i], lane.seats[i]) for lane in sampler.lanes for i in range(len(lane.games))}
    assert len(seats) == 11, "no seat belongs to two columns"


class Recorder(RecordingBackend):
    """Remembers what happened to every game: the frames before each step, which games ran, which began."""

    def __init__(self, num_games: int) -> None:
        super().__init__(num_games)
        self.steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._began = np.zeros(num_games, np.bool_)

    def reset(self, mask, matchups, seeds):
        self._began |= mask
        return super().reset(mask, matchups, seeds)

    def step(self, controllers):
        self.steps.append((self._frames.copy(), ~self.done, self._began))
        self._began = np.zeros(self.num_games, np.bool_)
        return super().step(controllers)


def test_the_sampler_plays_as_an_agent_and_as_an_agent_file_do(tmp_path: Path) -> None:
    """Games of 27 frames under an action repeat of 4: agents that see the same frames press the same on all of them."""
    timing = {"delay_frames": 3, "min_delay_frames": 0, "action_repeat": 4}
    recipe = alone(small_recipe(timing=timing, time_limit_s=0.45))
    backend = Recorder(recipe.ppo.games)
    sampler, _ = new_sampler(tmp_path, recipe, backend)
    lane = sampler.lanes[0]
    write_agent_file(tmp_path / "main.agent", lane.policy, name="main", digest="d")
    agents = [
        NetworkAgent(lane.policy, len(lane.games), 0, "main", "d"),
        OnnxAgent(read_agent_file(tmp_path / "main.agent"), len(lane.games), 0),
    ]
    for agent in agents:
        agent._random.bit_generator.state = lane.get_state()["rng"]
    for _ in range(4):
        sampler.sample()
    everyone = np.arange(len(lane.games))
    assert len(set(lane._queue.delays.tolist())) > 1
    for (frames, running, began), controllers in zip(backend.steps, backend.pressed, strict=True):
        seen, pressed = observe(frames), encode(controllers)[lane.games, lane.seats]
        view = SeatView(frames[lane.games], lane.seats, *(a[lane.games, lane.seats] for a in seen))
        for agent in agents:
            agent.reset(everyone[began[lane.games]])
            found = agent.act(view, everyone)
            np.testing.assert_array_equal(found[running[lane.games]], pressed[running[lane.games]])


def test_held_frames_are_counted_and_their_rewards_summed(tmp_path: Path) -> None:
    recipe = alone(small_recipe(timing={"action_repeat": 4}, time_limit_s=0.45))
    backend = Recorder(recipe.ppo.games)
    sampler, _ = new_sampler(tmp_path, recipe, backend)

    def one_each(before: np.ndarray, *rest: object) -> Rewards:
        return Rewards(np.ones((len(before), 2), np.float32), np.ones((len(before), 2, len(TERMS)), np.float32))

    sampler._settings = replace(sampler._settings, reward=one_each)
    chunks = [replace(sampler.sample()[0]) for _ in range(2)]
    chunk, gamma = chunks[-1], recipe.ppo.gamma
    running = np.array([ran for _, ran, _ in backend.steps])
    assert len(chunk.reward) == 4
    assert chunk.env_frames == running[16:].sum() < 16 * recipe.ppo.games
    stats = sampler.take_stats()
    assert stats.env_frames == running.sum()
    assert stats.seat_frames["main"] == 2 * running.sum() == stats.reward["main"][0]
    whole, cut_short = sum(gamma**i for i in range(4)), sum(gamma**i for i in range(3))
    assert chunk.terminated.any()
    np.testing.assert_allclose(chunk.reward[chunk.terminated], cut_short, rtol=1e-6)
    np.testing.assert_allclose(chunk.reward[~chunk.terminated], whole, rtol=1e-6)


def test_queue_holds_the_last_actions_and_is_neutral_at_a_start(tmp_path: Path) -> None:
    sampler, _ = new_sampler(tmp_path, small_recipe(delay_frames=3))
    chunk, _ = second_chunk(sampler)
    assert (chunk.queue[chunk.resets] == NEUTRAL_PARTS).all()
    for row in range(1, len(chunk.parts)):
        going_on = ~chunk.resets[row]
        np.testing.assert_array_equal(chunk.queue[row, going_on, -1], chunk.parts[row - 1, going_on])
        np.testing.assert_array_equal(chunk.queue[row, going_on, :-1], chunk.queue[row - 1, going_on, 1:])


def test_every_finished_game_is_reported_once(tmp_path: Path) -> None:
    recipe = small_recipe()
    backend = RecordingBackend(recipe.ppo.games)
    sampler, league = new_sampler(tmp_path, recipe, backend)
    for _ in range(6):
        sampler.sample()
    ids = [result.job_id for result in league.reported]
    assert len(ids) == len(set(ids)) == backend.ended > 3 * recipe.ppo.games
    assert league.status()["counts"]["games.train"] == len(ids)
    assert {r.frames for r in league.reported} == {24}
    stats = sampler.take_stats()
    assert (stats.games, stats.timer_games, stats.env_frames) == (len(ids), len(ids), 6 * 16 * 8)


def test_game_ends_stop_the_return_and_faults_do_not(tmp_path: Path) -> None:
    sampler, _ = new_sampler(tmp_path, small_recipe())
    chunk = sampler.sample()[0]
    chunk = sampler.sample()[0]
    ends = chunk.terminated
    assert ends.any()
    assert not chunk.truncated.any()
    np.testing.assert_array_equal(chunk.resets[1:], ends)


class NonsenseBackend(FakeBackend):
    """A game that dies leaves a last frame of nonsense."""

    def step(self, controllers):
        frames = super().step(controllers)
        frames["players"]["percent"][self.done, 0] = 500.0
        return frames


def test_a_died_game_is_aborted_truncated_and_brings_no_reward(tmp_path: Path) -> None:
    recipe = small_recipe()
    sampler, league = new_sampler(tmp_path, recipe, NonsenseBackend(recipe.ppo.games, fault_at=10))
    chunk = sampler.sample()[0]
    assert chunk.truncated[9].all()
    assert not chunk.terminated.any()
    assert (chunk.reward[9] == 0).all()
    assert {r.outcome for r in league.reported} == {Outcome.ABORTED}


def test_rewards_are_zero_sum_in_self_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fakes.REACH_UNITS", 1000.0)
    sampler, _ = new_sampler(tmp_path, small_recipe(time_limit_s=60.0))
    rewards = [sampler.sample()[0].reward.copy() for _ in range(3)]
    self_play = np.concatenate(rewards)[:, :6]
    assert np.abs(self_play).sum() > 0
    np.testing.assert_array_equal(self_play[:, 0::2], -self_play[:, 1::2])


def test_an_unwritten_row_is_found() -> None:
    chunk = allocate("main", ChunkShape(rows=4, columns=3, floats=5, ids=2, delay_frames=2))
    arrays = ("floats", "log_prob", "value", "reward", "ids", "queue", "parts")
    poison(chunk)
    poisoned = {name: getattr(chunk, name)[2, 1].copy() for name in arrays}
    for name in arrays:
        getattr(chunk, name).fill(0)
    chunk.queue[1, 2] = NOTHING
    chunk.parts[3, 0, 0] = 254  # any block of buttons is a part
    check_written(chunk)
    for name, unwritten in poisoned.items():
        getattr(chunk, name)[2, 1] = unwritten
        with pytest.raises(UnwrittenRow, match=f"{name} .* at row 2, column 1"):
            check_written(chunk)
        getattr(chunk, name)[2, 1] = 0
