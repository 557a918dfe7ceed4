"""Checkpoints on nodes that do not share a disk: the head keeps all, the others get what they need through Ray.

Agent files that a recipe names as opponents are kept there too, by the digest of their content.

A checkpoint store is a folder; each node has its own at that path, or all have one where storage is shared. What a
node lacks comes from the head by Ray's object store and stays in the node's folder, since a digest never changes.
Without a `WeightServer` (serial mode, one machine) the folder is all there is.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from exphil_league.errors import UserError
from policies import checkpoint
from policies.onnx.agent_file import AgentFile, AgentFileError, read_agent_file
from policies.policy import Policy

AGENT: Final = "agent-"
"""Begins the digest of an agent file."""
_AGENT_FILE: Final = "player.agent"


class WeightServer:
    """The head's store; an actor of one node that reads and writes its own disk alone."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def has(self, digest: str) -> bool:
        return (self._folder / digest).is_dir()

    def read(self, digest: str) -> dict[str, bytes] | None:
        """The files of a checkpoint; None when there is no such."""
        if not self.has(digest):
            return None
        return _files(self._folder / digest)

    def write(self, digest: str, files: dict[str, bytes]) -> None:
        _put(self._folder, digest, files)

    def discard(self, digest: str) -> None:
        shutil.rmtree(self._folder / digest, ignore_errors=True)


def serve(store: Path, folder: Path | None = None) -> Any:
    """Start the server of a store on this node, or find the one that runs; returns its handle.

    store: the path by which every node asks for it. folder: where it lies on this node, when that differs.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    server = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(WeightServer)
    return server.options(name=_name(store), get_if_exists=True, scheduling_strategy=here).remote(str(folder or store))


def close(server: Any) -> None:
    """End a server, if there is one; its files stay."""
    if server is not None:
        import ray

        ray.kill(server, no_restart=True)


def load(path: Path) -> Policy:
    """The policy of a checkpoint STORE/DIGEST, fetched first if this node lacks it. Raises CheckpointError."""
    return checkpoint.load(_here(path))


def agent_digest(file: Path) -> str:
    """Name of an agent file's content in a store. Raises UserError for a file that is none or cannot be read."""
    if not file.is_file():
        raise UserError(f"no such agent file: {file}")
    try:
        read_agent_file(file)
    except AgentFileError as error:
        raise UserError(str(error)) from error
    return AGENT + hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def keep_agent(file: Path, store: Path) -> None:
    """Put an agent file into a store on this node."""
    digest = agent_digest(file)
    if not (store / digest).is_dir():
        _put(store, digest, {_AGENT_FILE: file.read_bytes()})


def load_agent_file(path: Path) -> AgentFile:
    """The agent file kept as STORE/DIGEST, fetched first if this node lacks it. Raises AgentFileError."""
    return read_agent_file(_here(path) / _AGENT_FILE)


def _here(path: Path) -> Path:
    """STORE/DIGEST, fetched from the head if this node lacks it and the head has it."""
    if not path.is_dir() and (server := _server(path.parent)) is not None:
        import ray

        files = ray.get(server.read.remote(path.name))
        if files is not None:
            _put(path.parent, path.name, files)
    return path


def save(policy: Policy, store: Path, extra: dict[str, Any]) -> str:
    """Write a policy to this node's store and to the head's; returns its digest. Raises CheckpointError."""
    digest = checkpoint.save(policy, store, extra)
    if (server := _server(store)) is not None:
        import ray

        if not ray.get(server.has.remote(digest)):
            ray.get(server.write.remote(digest, _files(store / digest)))
    return digest


def discard(store: Path, digest: str) -> None:
    """Remove a checkpoint that nobody needs any more, here and at the head."""
    shutil.rmtree(store / digest, ignore_errors=True)
    if (server := _server(store)) is not None:
        import ray

        ray.get(server.discard.remote(digest))


def _server(store: Path) -> Any:
    """The handle of a store's server, or None without one."""
    import ray

    if not ray.is_initialized():
        return None
    try:
        return ray.get_actor(_name(store))
    except ValueError:
        return None


def _name(store: Path) -> str:
    return f"weights:{store}"


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def _put(store: Path, digest: str, files: dict[str, bytes]) -> None:
    """Write files beside their place and move them there whole; what is there already is left as it is."""
    store.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=store))
    try:
        for name, content in files.items():
            (beside / name).write_bytes(content)
        beside.chmod(0o755)
        beside.rename(store / digest)
    except OSError:
        if not (store / digest).is_dir():  # else another process fetched the same content first
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
