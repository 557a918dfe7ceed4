"""The first stages of a run: the warm start that everybody begins with, and its styles.

Both are imitated from the user's replays, from games that scripted players play, or taken over from another run.
"""

from __future__ import annotations

import shutil
import sys
from itertools import product
from pathlib import Path
from typing import Any

from envs.backend import Matchup
from exphil_league import run_folder
from exphil_league.config.recipe import Recipe
from exphil_league.config.replays import ReplaysConfig
from exphil_league.errors import UserError
from exphil_league.observe.console import say
from exphil_league.run_folder import RunFolder


def warm_start(run: RunFolder, recipe: Recipe, serial: bool) -> dict[str, Any]:
    """What imitation reached, once a run. Raises UserError as imitation does, KeyboardInterrupt after Ctrl-C."""
    done = _read_json(run.warm_start)
    if done is not None and done["stopped_by"] != "interrupt":
        return done
    if recipe.imitation.from_run is not None:
        return _taken_over(run, recipe, Path(recipe.imitation.from_run))
    from exphil_league.imitation.train import run_imitation

    cloned = run_imitation(
        recipe.imitation,
        recipe.policy.spec(recipe.game.played),
        games_folder(run, recipe),
        run.root,
        serial=serial,
        seed=recipe.seed,
        filters=filters(run, recipe),
        reward=recipe.ppo.reward,
        gamma=recipe.ppo.gamma,
        place=_place(recipe),
    )
    return cloned.report


def styles(run: RunFolder, recipe: Recipe, serial: bool, warm_start: str) -> dict[str, str]:
    """Digests of the recipe's styles by name, once a run; none where the recipe wants none."""
    if recipe.styles.by == "none":
        return {}
    done = _read_json(run.styles)
    if done is None or not done["done"]:
        from exphil_league.imitation.styles import run_styles

        asked = recipe.model_copy(update={"replays": filters(run, recipe)})
        done = run_styles(asked, games_folder(run, recipe), run.root, warm_start, serial, _place(recipe))
    return {row["style"]: row["checkpoint"] for row in done["styles"]}


def games_folder(run: RunFolder, recipe: Recipe) -> Path:
    """Where the games to learn from are: the user's replays, else games of scripted players, played once a run."""
    given = run.load_about()["replays"]
    return Path(given) if given else _scripted_replays(run, recipe)


def filters(run: RunFolder, recipe: Recipe) -> ReplaysConfig:
    """Which of these games are learnt from: those the recipe asks for; of scripted players, quiet ones too."""
    if run.load_about()["replays"]:
        return recipe.replays
    return recipe.replays.model_copy(update={"min_input_share": 0.0, "max_idle_frames": sys.maxsize})


def _scripted_replays(run: RunFolder, recipe: Recipe) -> Path:
    """Games of scripted players under tournament rules, on the recipe's stages and with its characters."""
    from exphil_league.evaluation.scripted_games import make_scripted_games

    folder = run.replays / "scripted"
    played = product(recipe.game.pairs, recipe.game.played_on)
    matchups = [Matchup(characters=pair, stage=stage) for pair, stage in played]
    if not folder.is_dir() or len(list(folder.glob("*.slp"))) < recipe.imitation.scripted_games:
        make_scripted_games(folder, recipe.imitation.scripted_games, recipe.seed, matchups)
    return folder


def _taken_over(run: RunFolder, recipe: Recipe, source: Path) -> dict[str, Any]:
    """Copy warm start and styles of another run. Raises UserError where its policy is not the recipe's."""
    from policies import checkpoint

    other = run_folder.reopen(source)
    report = _read_json(other.warm_start)
    if report is None or report["stopped_by"] == "interrupt":
        raise UserError(f"imitation.from_run: {source} has no finished warm start; let it get there first")
    made, wanted = checkpoint.read_config(other.checkpoints / report["checkpoint"])["spec"], recipe.policy
    if made != wanted.spec(recipe.game.played):
        raise UserError(f"imitation.from_run: {source} has another policy or other characters than this recipe")
    found = _read_json(other.styles) or {"styles": []}
    for digest in (report["checkpoint"], *(row["checkpoint"] for row in found["styles"])):
        shutil.copytree(other.checkpoints / digest, run.checkpoints / digest, dirs_exist_ok=True)
    if recipe.styles.by != "none" and found["styles"]:
        run_folder.write_json(run.styles, found)
    run_folder.write_json(run.warm_start, report)
    say(f"warm start and {len(found['styles'])} styles taken over from {other.root}")
    return report


def _place(recipe: Recipe) -> Any:
    """On GPUs as many processes as there are learners; on CPUs one, since reading needs the other cores."""
    from exphil_league.imitation.train import TrainingPlace

    spread = recipe.ray
    workers = max(spread.num_learners, 1) if spread.num_gpus_per_learner else 1
    return TrainingPlace(spread.torch_threads, workers, spread.num_gpus_per_learner)


def _read_json(path: Path) -> dict[str, Any] | None:
    return run_folder.read_json(path) if path.is_file() else None
