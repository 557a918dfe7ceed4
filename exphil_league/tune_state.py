"""A spare of Tune's experiment state, which Tune overwrites in place.

A kill or a full disk in that moment leaves half a file, and Tune then starts the trial anew without a word: its
resume points would be there, and unused. So each state that is seen whole is kept aside and put back when needed.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

_STATE = "experiment_state-*.json"
_SEARCH = "basic-variant-state-*.json"


def keep_spare(experiment: Path) -> None:
    """Copy the state of an experiment's folder aside if it is whole. Raises OSError when the disk refuses."""
    files = [*experiment.glob(_STATE), *experiment.glob(_SEARCH)]
    if files and all(map(_is_whole, files)):
        spare = _spare(experiment)
        spare.mkdir(exist_ok=True)
        for file in files:
            _copy(file, spare / file.name)


def mend(experiment: Path) -> None:
    """Put the spare in the place of every file of the state that is missing or damaged."""
    for kept in _spare(experiment).glob("*.json"):
        file = experiment / kept.name
        if _is_whole(kept) and not _is_whole(file):
            _copy(kept, file)


def _spare(experiment: Path) -> Path:
    return experiment.with_name(f"{experiment.name}-spare")


def _is_whole(file: Path) -> bool:
    """Can Tune read it? The state is JSON; the search's state is a pickle, whatever its name says."""
    try:
        content = file.read_bytes()
        if file.match(_STATE):
            json.loads(content)
        else:
            pickle.loads(content)
    except (OSError, ValueError, EOFError, pickle.UnpicklingError):
        return False
    return True


def _copy(file: Path, place: Path) -> None:
    scratch = place.with_name(f".{place.name}")
    try:
        shutil.copyfile(file, scratch)
        os.replace(scratch, place)
    finally:
        scratch.unlink(missing_ok=True)
