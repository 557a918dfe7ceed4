"""The agent file: one portable .agent file with everything needed to play, readable without torch.

A zip of two members: policy.onnx (see `policies.onnx.export`) and agent.json (name, rating, digest, spec, the
stick centres the parts decode to, and the model's own digest). A reader refuses whatever it cannot run right.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from envs.controller import SHOULDER_CENTRES, STICK_CENTRES
from policies.spec import PolicySpec, disagreements

if TYPE_CHECKING:
    from policies.policy import Policy

FORMAT: Final = "exphil-league-agent-1"
MODEL_MEMBER: Final = "policy.onnx"
CONFIG_MEMBER: Final = "agent.json"
_UNREADABLE: Final = (OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What opening a file raises that is no zip of our kind: RuntimeError for an encrypted one or an odd compression."""
_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)  # equal agents are equal files


class AgentFileError(ValueError):
    """An agent file that cannot be read, written or run here; the message says why."""


@dataclass(frozen=True)
class AgentFile:
    """What an agent file holds."""

    name: str
    digest: str
    """Digest of the checkpoint it was exported from."""
    spec: PolicySpec
    rating: Mapping[str, float] | None
    """elo, low, high on its run's ladder; None for an unrated agent."""
    extra: Mapping[str, Any]
    model: bytes
    """The ONNX model."""


def write_agent_file(
    path: Path,
    policy: Policy,
    *,
    name: str,
    digest: str,
    rating: Mapping[str, float] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> AgentFile:
    """Export `policy` (needs torch and onnx) and write it to `path`, atomically. Raises AgentFileError."""
    from policies.onnx.export import export_policy  # torch: reading and playing do without it

    agent = AgentFile(name, digest, policy.spec, rating, dict(extra or {}), export_policy(policy))
    config = {
        "format": FORMAT,
        "name": name,
        "digest": digest,
        "rating": dict(rating) if rating is not None else None,
        "spec": policy.spec.model_dump(mode="json"),
        "stick_centres": STICK_CENTRES.tolist(),
        "shoulder_centres": SHOULDER_CENTRES.tolist(),
        "model_sha256": hashlib.sha256(agent.model).hexdigest(),
        "extra": dict(agent.extra),
    }
    try:
        _write_zip(path, {CONFIG_MEMBER: (json.dumps(config, indent=1) + "\n").encode(), MODEL_MEMBER: agent.model})
    except OSError as error:
        raise AgentFileError(
            f"cannot write the agent file {path} ({len(agent.model) / 1e6:.1f} MB): {error.strerror}. "
            "Free some space or choose another place"
        ) from error
    return agent


def read_agent_file(path: Path) -> AgentFile:
    """The agent in a file. Raises AgentFileError if it is none, damaged, or of another version."""
    config, model = _read_zip(path)
    found = config.get("format")
    if found != FORMAT:
        raise AgentFileError(f"{path}: format is {found!r}, this version reads {FORMAT!r}; export the agent again")
    try:
        spec = PolicySpec.model_validate(config["spec"])
        agent = AgentFile(
            str(config["name"]), str(config["digest"]), spec, config["rating"], dict(config["extra"]), model
        )
        problems = disagreements(spec) + _decoding_problems(config)
        intact = hashlib.sha256(model).hexdigest() == config["model_sha256"]
    except (KeyError, TypeError, ValidationError) as error:
        raise AgentFileError(f"{path}: {CONFIG_MEMBER} is not one of this version: {error}") from error
    if problems:
        raise AgentFileError(f"{path} cannot run here: {'; '.join(problems)}. Export an agent with this version")
    if not intact:
        raise AgentFileError(f"{path}: the model is not the one {CONFIG_MEMBER} names: the file was changed or damaged")
    return agent


def _decoding_problems(config: Mapping[str, Any]) -> list[str]:
    """Parts mean other stick positions there than here."""
    here = {"stick_centres": STICK_CENTRES.tolist(), "shoulder_centres": SHOULDER_CENTRES.tolist()}
    return [f"its {key} differ from this installation's" for key, centres in here.items() if config[key] != centres]


def _read_zip(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG_MEMBER))
            model = archive.read(MODEL_MEMBER)
    except FileNotFoundError as error:
        raise AgentFileError(f"there is no agent file {path}") from error
    except _UNREADABLE as error:
        raise AgentFileError(f"{path} is no agent file, or it was cut or damaged: {error}") from error
    if not isinstance(config, dict):
        raise AgentFileError(f"{path}: {CONFIG_MEMBER} holds no object; export the agent again")
    return config, model


def _write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for member, content in members.items():
                    archive.writestr(zipfile.ZipInfo(member, _FIXED_DATE), content, zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
