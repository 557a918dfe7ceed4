"""Checkpoints and agent files: round trips, and plain words for every way they can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from envs.controller import NEUTRAL_PARTS
from envs.frame import empty_frames
from exphil_league.config.league import LeagueConfig
from exphil_league.errors import UserError
from exphil_league.rl import weights
from exphil_league.rl.partners import load_agent, own_digest
from policies import checkpoint
from policies.agent import Handling, SeatView
from policies.checkpoint import CheckpointError
from policies.network_agent import NetworkAgent
from policies.onnx.agent_file import AgentFileError, read_agent_file, write_agent_file
from policies.onnx.runtime import OnnxAgent, OnnxStep
from policies.policy import Policy, PolicyInputs
from tests.unit.policy_fixtures import random_inputs, small_policy


def test_a_checkpoint_comes_back_equal_under_a_digest_of_its_content(tmp_path: Path) -> None:
    policy = small_policy("gru", 2)
    digest = checkpoint.save(policy, tmp_path, {"player": "main"})
    again = checkpoint.load(tmp_path / digest)
    assert again.spec == policy.spec
    assert checkpoint.digest_of(again) == digest == checkpoint.save(again, tmp_path / "other", {"player": "else"})
    assert checkpoint.digest_of(small_policy("gru", 2, seed=1)) != digest
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([digest, "other"])


def _edit(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "policy.json"
        config = json.loads(file.read_text())
        section = config if key in config else config["spec"]
        section[key] = value
        file.write_text(json.dumps(config))

    return change


def _cut(folder: Path) -> None:
    weights = folder / "policy.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def _flip(folder: Path) -> None:
    weights = folder / "policy.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_edit("format", "exphil-league-checkpoint-9"), "format is 'exphil-league-checkpoint-9', this version reads"),
        (_edit("observation_version", 9), "observation_version is 9 there and 1 in this installation"),
        (_edit("head_width", 32), r"weight head\.\S+ has shape \[16\], the spec asks for \[32\]"),
        (_edit("delay_frames", 3), r"weight encoder\.inner\.0\.weight has shape"),
        (_edit("core", {"name": "lstn", "width": 24, "layers": 2}), "unknown core 'lstn'; known: gru, mlp"),
        (_edit("hed_width", 32), "spec is not one of this version"),
        (_cut, "policy.safetensors cannot be read"),
        (_flip, "the checkpoint was changed or damaged"),
        (lambda folder: (folder / "policy.json").unlink(), "is no policy checkpoint"),
        (lambda folder: (folder / "policy.json").write_text("{"), "policy.json is damaged"),
    ],
)
def test_a_wrong_checkpoint_is_refused_in_words(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    folder = tmp_path / checkpoint.save(small_policy("mlp", 2), tmp_path)
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(folder)


def test_a_full_disk_leaves_the_earlier_checkpoint_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checkpoint.save(small_policy("mlp", 0), tmp_path)

    def full(weights: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(CheckpointError, match=r"No space left on device.*earlier checkpoints are untouched"):
        checkpoint.save(small_policy("mlp", 0, seed=1), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [first]
    checkpoint.load(tmp_path / first)


def test_an_agent_file_joins_a_league_by_the_digest_of_its_content(tmp_path: Path) -> None:
    """It is kept with the checkpoints, plays from there under the league's name for it, and follows no path."""
    store = tmp_path / "checkpoints"
    file = tmp_path / "older.agent"
    write_agent_file(file, small_policy("mlp", 0), name="older", digest="d")
    digest = own_digest(str(file))
    weights.keep_agent(file, store)
    file.unlink()
    agent = load_agent(store, 1, digest, 4)
    assert (agent.digest, agent.name, agent.capacity) == (digest, "older", 4)
    with pytest.raises(UserError, match="no such agent file"):
        own_digest(str(file))
    file.write_text("nonsense")
    with pytest.raises(UserError, match=r"older\.agent"):
        own_digest(str(file))
    assert LeagueConfig(opponents={"older": str(file)}).opponents == {"older": str(file)}


@pytest.mark.parametrize(("core", "delay_frames", "least"), [("gru", 0, None), ("gru", 2, 0), ("mlp", 0, None)])
def test_onnx_equals_torch_over_200_frames(tmp_path: Path, core: str, delay_frames: int, least: int | None) -> None:
    policy = small_policy(core, delay_frames, min_delay_frames=least)
    write_agent_file(tmp_path / "main.agent", policy, name="main", digest="d")
    step = OnnxStep(read_agent_file(tmp_path / "main.agent").model)
    inputs, uniforms = random_inputs(policy.spec, 200, 3), torch.rand(200, 3, 6)
    state, onnx_state = policy.initial_state(3), step.initial_state(3)
    for t in range(200):
        row = PolicyInputs(*(x[t] for x in inputs))
        with torch.inference_mode():
            expected = policy.step(row, state, uniforms[t])
        parts, log_prob, value, onnx_state = step(*(x.numpy() for x in row), uniforms[t].numpy(), onnx_state)
        assert_greedy_parts_agree(policy, step, row, state)
        state = expected.state
        np.testing.assert_array_equal(parts, expected.parts.numpy())
        np.testing.assert_allclose(log_prob, expected.log_prob.numpy(), atol=1e-4)
        np.testing.assert_allclose(value, expected.value.numpy(), atol=1e-4)


def assert_greedy_parts_agree(policy: Policy, step: OnnxStep, row: PolicyInputs, state: tuple) -> None:
    """In torch and ONNX, whatever the uniforms; each part is the likeliest of its own distribution."""
    before, columns = tuple(layer.numpy() for layer in state), len(row.floats)
    with torch.inference_mode():
        greedy = policy.step(row, state, torch.rand(columns, 6), greedy=torch.ones(columns, dtype=torch.bool))
        features, _ = policy.unroll(PolicyInputs(*(x[None] for x in row)), state, torch.zeros(1, columns))
        found = policy.head.evaluate(features, greedy.parts[None])
    parts, log_prob, _, _ = step(*(x.numpy() for x in row), np.full((columns, 6), 0.99, np.float32), before, True)
    np.testing.assert_array_equal(parts, greedy.parts.numpy())
    np.testing.assert_allclose(log_prob, greedy.log_prob.numpy(), atol=1e-4)
    for part, log_p in enumerate(found.log_probs):
        np.testing.assert_array_equal(greedy.parts[:, part], log_p[0].argmax(-1))


def test_a_greedy_agent_repeats_itself_and_knows_how_sure_it_is(tmp_path: Path) -> None:
    policy = small_policy("gru", 1)
    write_agent_file(tmp_path / "main.agent", policy, name="main", digest="d")
    agent_file = read_agent_file(tmp_path / "main.agent")
    inputs, columns = random_inputs(policy.spec, 30, 2), np.arange(2)
    nothing = np.zeros(2, np.int64)
    views = [SeatView(nothing, nothing, floats.numpy(), ids.numpy()) for floats, ids, _ in zip(*inputs, strict=True)]
    greedy, repeats = Handling(greedy=True), Handling(greedy=True, action_repeat=3)
    agents = [
        *(OnnxAgent(agent_file, 2, seed, greedy) for seed in (1, 2)),
        NetworkAgent(policy, 2, 3, "main", "d", handling=greedy),
    ]
    played = np.array([[agent.act(view, columns) for view in views] for agent in agents])
    assert (played == played[0]).all()
    assert all(((agent.confidence > 0) & (agent.confidence <= 1)).all() for agent in agents)
    every_third = OnnxAgent(agent_file, 2, 1, repeats)
    held = np.array([every_third.act(view, columns) for view in views])
    assert (held[2::3] == held[1::3][: len(held[2::3])]).all()
    assert (held[1:] != held[:-1]).any()


def test_who_presses_at_once_decides_as_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the delay varies: the one that is played is the one that the network is shown."""
    policy = small_policy("gru", 3, min_delay_frames=1)
    monkeypatch.setattr("policies.actuator.game_delays", lambda spec, seeds, seats: np.full(len(seeds), 2))
    waits, presses = (NetworkAgent(policy, 1, 5, "main", "d") for _ in range(2))
    presses.press_at_once(2)
    column, frames = np.zeros(1, np.int64), empty_frames(1)
    inputs = random_inputs(policy.spec, 40, 1)
    views = [SeatView(frames, column, x.numpy(), i.numpy()) for x, i, _ in zip(*inputs, strict=True)]
    late, now = (np.array([agent.act(view, column)[0] for view in views]) for agent in (waits, presses))
    assert (late[2:] == now[:-2]).all()
    assert (late[:2] == NEUTRAL_PARTS).all()


def test_a_file_from_before_the_choice_still_samples_and_says_so_when_asked_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = small_policy("mlp", 0)

    def sampling_only(self: Any, floats: Any, ids: Any, queue: Any, uniforms: Any, greedy: Any, *state: Any) -> Any:
        step = self.policy.step(PolicyInputs(floats, ids, queue), state, uniforms)
        return (step.parts.to(torch.int32), step.log_prob, step.value, *step.state)

    monkeypatch.setattr("policies.onnx.export._SingleStep.forward", sampling_only)
    write_agent_file(tmp_path / "old.agent", policy, name="old", digest="d")
    old = read_agent_file(tmp_path / "old.agent")
    floats, ids, _ = random_inputs(policy.spec, 1, 1)
    nothing = np.zeros(1, np.int64)
    OnnxAgent(old, 1, 0).act(SeatView(nothing, nothing, floats[0].numpy(), ids[0].numpy()), nothing)
    with pytest.raises(AgentFileError, match="only sample: export it again"):
        OnnxAgent(old, 1, 0, Handling(greedy=True))


def test_an_agent_file_plays_as_the_network_it_was_made_from(tmp_path: Path) -> None:
    policy = small_policy("gru", 1)
    rating = {"elo": 1234.0, "low": 1200.0, "high": 1260.0}
    path = tmp_path / "sub" / "main.agent"
    write_agent_file(path, policy, name="main", digest="abc", rating=rating, extra={"games": 3})
    agent_file = read_agent_file(path)
    assert (agent_file.name, agent_file.digest, agent_file.rating) == ("main", "abc", rating)
    assert agent_file.spec == policy.spec
    agents = [OnnxAgent(agent_file, 4, seed=3), NetworkAgent(policy, 4, seed=3, name="main", digest="abc")]
    inputs, columns = random_inputs(policy.spec, 20, 2), np.array([3, 1])
    nothing = np.zeros(2, np.int64)
    for t in range(20):
        view = SeatView(nothing, nothing, inputs.floats[t].numpy(), inputs.ids[t].numpy())
        if t == 10:
            for agent in agents:
                agent.reset(np.array([3]))
        np.testing.assert_array_equal(*(agent.act(view, columns) for agent in agents))


@pytest.fixture(scope="module")
def good_agent(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an agent file that is fine."""
    path = tmp_path_factory.mktemp("agent") / "main.agent"
    write_agent_file(path, small_policy("mlp", 0), name="main", digest="d")
    return path.read_bytes()


def _rewrite(path: Path, change: Callable[[dict[str, object]], None], model: bytes | None = None) -> None:
    with zipfile.ZipFile(path) as archive:
        config, onnx = json.loads(archive.read("agent.json")), archive.read("policy.onnx")
    change(config)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("agent.json", json.dumps(config))
        archive.writestr("policy.onnx", model or onnx)


def _older(config: dict[str, object]) -> None:
    config["format"] = "exphil-league-agent-0"


def _other_observation(config: dict[str, object]) -> None:
    config["spec"]["observation_version"] = 9  # type: ignore[index]


def _other_sticks(config: dict[str, object]) -> None:
    config["stick_centres"] = [0.0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "is no agent file, or it was cut or damaged"),
        (lambda path: path.write_bytes(b"PNG"), "is no agent file"),
        (lambda path: path.unlink(), "there is no agent file"),
        (lambda path: _rewrite(path, _older), "format is 'exphil-league-agent-0', this version reads"),
        (lambda path: _rewrite(path, _other_observation), "observation_version is 9 there and 1 in this"),
        (lambda path: _rewrite(path, _other_sticks), "its stick_centres differ from this installation's"),
        (lambda path: _rewrite(path, lambda config: config.pop("digest")), "agent.json is not one of this version"),
        (lambda path: _rewrite(path, lambda config: None, b"another model"), "the file was changed or damaged"),
    ],
)
def test_a_wrong_agent_file_is_refused_in_words(
    tmp_path: Path, good_agent: bytes, damage: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "main.agent"
    path.write_bytes(good_agent)
    read_agent_file(path)
    damage(path)
    with pytest.raises(AgentFileError, match=message):
        read_agent_file(path)


def test_playing_an_agent_file_imports_no_torch() -> None:
    code = "import sys, policies.onnx.runtime, policies.onnx.agent_file; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
