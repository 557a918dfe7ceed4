"""Checkpoint store: `root/<digest>/` holds policy.safetensors and policy.json, never a pickle.

The digest names the content: it is taken over the spec and the weights only, so that equal policies have
equal digests whenever and wherever they were trained. A checkpoint is written beside its place and renamed,
so that a reader never sees half of one and a full disk leaves the earlier ones alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from policies.cores import UnknownCore
from policies.policy import Policy
from policies.spec import PolicySpec, disagreements

FORMAT: Final = "exphil-league-checkpoint-1"
WEIGHTS_FILE: Final = "policy.safetensors"
CONFIG_FILE: Final = "policy.json"
_DIGEST_LENGTH: Final = 16


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, written or run here; the message says what differs and what to do."""


def digest_of(policy: Policy) -> str:
    """Content digest (16 hex digits of SHA-256) over spec and weights."""
    return _digest(policy.spec, policy.state_dict())


def save(policy: Policy, root: Path, extra: Mapping[str, Any] | None = None) -> str:
    """Write root/<digest>/ and return the digest; a checkpoint that is there already is left as it is.

    `extra` (JSON values: run, player, step ...) is stored beside the spec and does not change the digest.
    Raises CheckpointError when the disk is full or not writable; earlier checkpoints survive.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in policy.state_dict().items()}
    digest = _digest(policy.spec, weights)
    config = {
        "format": FORMAT,
        "digest": digest,
        "spec": policy.spec.model_dump(mode="json"),
        "extra": dict(extra or {}),
    }
    try:
        _write(root, digest, weights, json.dumps(config, indent=1) + "\n")
    except (OSError, SafetensorError) as error:
        size_mb = sum(t.numel() * t.element_size() for t in weights.values()) / 1e6
        raise CheckpointError(
            f"cannot write the checkpoint {root / digest} ({size_mb:.1f} MB): {error}. "
            "Free some space or choose another run folder; earlier checkpoints are untouched"
        ) from error
    return digest


def load(path: Path, map_location: str = "cpu") -> Policy:
    """The policy in a checkpoint folder. Raises CheckpointError if it is none, broken, or of another version."""
    config = read_config(path)
    try:
        policy = Policy(config["spec"])
    except UnknownCore as error:
        raise CheckpointError(f"{path}: {error}") from error
    try:
        weights = load_file(path / WEIGHTS_FILE, device=map_location)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path / WEIGHTS_FILE} cannot be read: {error}") from error
    _check_weights(path, policy.state_dict(), weights)
    found = _digest(config["spec"], weights)
    if found != config["digest"]:
        raise CheckpointError(
            f"{path}: the weights have digest {found}, {CONFIG_FILE} says {config['digest']}: "
            "the checkpoint was changed or damaged; take another one"
        )
    policy.load_state_dict(weights)
    return policy.to(map_location).eval()


def read_config(path: Path) -> dict[str, Any]:
    """policy.json of a checkpoint folder, with `spec` parsed. Raises CheckpointError."""
    file = path / CONFIG_FILE
    try:
        config = json.loads(file.read_text())
    except OSError as error:
        raise CheckpointError(f"{path} is no policy checkpoint: {error.strerror}: {CONFIG_FILE}") from error
    except ValueError as error:
        raise CheckpointError(f"{file} is damaged: {error}") from error
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise CheckpointError(f"{file}: format is {found!r}, this version reads {FORMAT!r}")
    try:
        spec = PolicySpec.model_validate(config["spec"])
    except (KeyError, ValidationError) as error:
        raise CheckpointError(f"{file}: the policy spec is not one of this version: {error}") from error
    if problems := disagreements(spec):
        raise CheckpointError(f"{path} cannot run here: {'; '.join(problems)}. Train a new policy with this version")
    return {**config, "spec": spec}


def _digest(spec: PolicySpec, weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(spec.model_dump(mode="json"), sort_keys=True).encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.view(torch.uint8).numpy().data)
    return digest.hexdigest()[:_DIGEST_LENGTH]


def _check_weights(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise CheckpointError(f"{path}: weight {name} is missing; the checkpoint is of another version")
        if name not in expected:
            raise CheckpointError(f"{path}: weight {name} is unknown here; the checkpoint is of another version")
        if expected[name].shape != found[name].shape:
            raise CheckpointError(
                f"{path}: weight {name} has shape {list(found[name].shape)}, "
                f"the spec asks for {list(expected[name].shape)}"
            )


def _write(root: Path, digest: str, weights: Mapping[str, Tensor], config: str) -> None:
    if (root / digest).is_dir():
        return
    root.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=root))
    try:
        save_file(dict(weights), beside / WEIGHTS_FILE)
        (beside / CONFIG_FILE).write_text(config)
        for name in (WEIGHTS_FILE, CONFIG_FILE):
            with (beside / name).open("rb") as written:
                os.fsync(written.fileno())
        beside.chmod(0o755)  # made for its owner alone; on shared storage other machines read it
        beside.rename(root / digest)
    except OSError:
        if not (root / digest).is_dir():  # else another process saved the same content first
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
