"""From a recipe's name or file and `--set` pairs to a validated Recipe; every mistake in plain words."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError

PLAIN_LIMITS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}

PLAIN_KINDS = {
    "model_type": "no section; indent its keys below it, or leave it out",
    "tuple_type": "no list; write it as [A, B]",
    "invalid_key": "no name of a key",
}


class _RecipeLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, where plain YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"given twice: {', '.join(map(str, repeated))}")
        return super().construct_mapping(node, deep)


def packaged_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("tune_configs")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_recipe(name_or_path: str, sets: Iterable[str] = ()) -> Recipe:
    """The recipe of a file or a packaged name (`demo`), with `key=value` pairs applied. Raises UserError."""
    source, values = _read(name_or_path)
    return validate(_applied(values, sets), source)


def changed(recipe: Recipe, sets: Iterable[str]) -> Recipe:
    """`recipe` with `key=value` pairs applied. Raises UserError."""
    return validate(_applied(recipe.model_dump(mode="json"), sets), "--set")


def validate(values: Mapping[str, Any], source: str) -> Recipe:
    """Check the values of a recipe; `source` names them in messages. Raises UserError."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {_plain(detail)}" for detail in _causes(error))) from error


def parse_recipe(text: bytes, source: str) -> dict[str, Any]:
    """The values in a recipe's YAML, not checked yet; `source` names it in messages. Raises UserError."""
    try:
        values = yaml.load(text, _RecipeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{source}: not valid YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UserError(f"{source}: a recipe is a mapping of sections, this is a {type(values).__name__}")
    return values


def dump(recipe: Recipe) -> str:
    """The resolved recipe as YAML, every key written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def difference(old: Recipe, new: Recipe) -> dict[str, tuple[Any, Any]]:
    """Dotted keys that differ, with their old and new values."""
    before, after = flatten(old.model_dump(mode="json")), flatten(new.model_dump(mode="json"))
    return {key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)}


def _read(name_or_path: str, over: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """A recipe's name and values, laid over those of its `base`; `over` are the recipes that rest on it."""
    values = parse_recipe(_text(name_or_path), name_or_path)
    base = values.pop("base", None)
    if base is None:
        return name_or_path, values
    beside = Path(name_or_path).with_name(str(base))
    base = str(beside) if beside.is_file() else str(base)
    if base in (*over, name_or_path):
        raise UserError(f"{name_or_path}: base {base!r} leads back to itself; leave it out or name another recipe")
    _, below = _read(base, (*over, name_or_path))
    return name_or_path, _laid_over(below, values)


def _text(name_or_path: str) -> bytes:
    path = Path(name_or_path)
    names = packaged_recipes()
    if path.is_file():
        return path.read_bytes()
    if name_or_path in names:
        return (resources.files("tune_configs") / f"{name_or_path}.yaml").read_bytes()
    raise UserError(_no_such_recipe(path, names))


def _laid_over(below: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged key by key; any other value takes the place of the one below."""
    merged = dict(below)
    for key, value in values.items():
        old = merged.get(key)
        merged[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _no_such_recipe(path: Path, names: list[str]) -> str:
    close = difflib.get_close_matches(path.stem, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"{path}: no such recipe{hint} Give a YAML file or one of: {', '.join(names)}"


def _applied(values: dict[str, Any], sets: Iterable[str]) -> dict[str, Any]:
    for pair in sets:
        _apply(values, pair)
    return values


def _apply(values: dict[str, Any], pair: str) -> None:
    """Set one dotted key in place: `ppo.games=32`; the value is read as YAML."""
    key, equals, text = pair.partition("=")
    if not equals or not key:
        raise UserError(f"--set {pair}: write it as key=value, for example --set ppo.games=32")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"--set {pair}: the value is not valid YAML") from error
    *sections, last = key.split(".")
    here = values
    for section in sections:
        inner = here.setdefault(section, {})
        if not isinstance(inner, dict):
            raise UserError(f"--set {pair}: {section} is a value, not a section")
        here = inner
    here[last] = value


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """The errors less those that follow from one further inside, such as a list too short without its wrong items."""
    places = [detail["loc"] for detail in error.errors()]
    return [
        detail
        for detail, place in zip(error.errors(), places, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _plain(detail: ErrorDetails) -> str:
    """One pydantic error as a sentence with the dotted key and, for a wrong name, the nearest right one."""
    key = ".".join(str(part) for part in detail["loc"])
    given = detail["input"]
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        return _unknown_key(detail["loc"])
    if detail["type"] in PLAIN_LIMITS:
        return f"{key}: {given} is out of range, it {PLAIN_LIMITS[detail['type']].format(**context)}"
    if detail["type"] == "value_error":
        return f"{key}: {context['error']}" if key else str(context["error"])
    if detail["type"] in PLAIN_KINDS:
        return f"{key}: {given!r} is {PLAIN_KINDS[detail['type']]}"
    return f"{key}: {given!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _unknown_key(location: tuple[int | str, ...]) -> str:
    *sections, wrong = location
    known = _fields(sections)
    dotted = ".".join(map(str, location))
    close = difflib.get_close_matches(str(wrong), known, n=1)
    if close:
        return f"unknown key {dotted}; did you mean {'.'.join(map(str, [*sections, close[0]]))}?"
    return f"unknown key {dotted}; known here: {', '.join(known)}"


def _fields(sections: list[int | str]) -> list[str]:
    """Field names of the section at a place in the recipe; empty where there is none."""
    model: Any = Recipe
    for section in sections:
        if isinstance(section, int):
            model = get_args(model)[0]
        elif get_origin(model) is dict:
            model = get_args(model)[1]
        elif _is_section(model) and section in model.model_fields:
            model = model.model_fields[section].annotation
    return list(model.model_fields) if _is_section(model) else []


def _is_section(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)
