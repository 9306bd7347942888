"""From a file (or a mapping) to a recipe, and back."""

from __future__ import annotations

import copy
import glob
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from seedbed.core.documents import Document, KeyPath, open_document, write_document
from seedbed.core.errors import RecipeError
from seedbed.core.part import BASE, Part
from seedbed.core.source import FileSource
from seedbed.store.places import is_run
from seedbed.train import USUAL

from .faults import dotted, faults_of, refusal
from .overrides import key_path, overridden
from .recipe import DEFAULT_SPLIT, Recipe


@dataclass(frozen=True)
class Loaded:
    """A recipe, and where it came from."""

    recipe: Recipe
    base: Path
    """Folder that the recipe's relative paths start from."""
    text: str
    """The file as it was read; of a mapping, its YAML."""
    document: Document | None = None
    """The file, where there is one."""
    overrides: Mapping[KeyPath, str] = field(default_factory=dict)
    """Values that came from the command line, by path, as `--set PATH=VALUE`."""
    of_run: Path | None = None
    """Folder of the run whose own copy it is."""

    def place(self, path: str | KeyPath) -> str:
        """Where a value stands: `recipe.yaml:12: steps.2.column`. Text that is about nothing in a recipe is kept."""
        keys = key_path(path) if isinstance(path, str) else path
        if isinstance(path, str) and keys[0] not in Recipe.model_fields:
            return path
        return _place(self.document, self.overrides, keys)


def load(path: Path, overrides: Sequence[str] = ()) -> Loaded:
    """Read a recipe from a YAML file. Of the copy in a run's folder, paths start from where the recipe stood that ran.

    Args:
        path: The file.
        overrides: `PATH=VALUE` texts that replace values of the file.

    Raises:
        RecipeError: It cannot be read, or something in it is wrong; with file, line, path and way out.
    """
    document = open_document(path)
    if document.data is None:
        raise RecipeError("the recipe is empty", at=document.at, hint=_NEEDED)
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        raise RecipeError(f"the recipe is {kind}, not `key: value` pairs", at=document.place(), hint=_NEEDED)
    data = copy.deepcopy(document.data)
    if overrides:
        usual = [{"use": use} for use in _usual(data)]
        for section, default in (("split", DEFAULT_SPLIT), ("train", usual)):
            if any(text.partition("=")[0].startswith(f"{section}.") for text in overrides):
                data.setdefault(section, copy.deepcopy(default))
    places = overridden(data, overrides)
    folder = path.resolve().parent
    of_run = is_run(folder)
    base = (_ran_from(folder) or folder) if of_run else folder
    recipe = _validated(data, base, document, places)
    return Loaded(recipe, base, document.text, document, places, folder if of_run else None)


def _ran_from(folder: Path) -> Path | None:
    """The folder of the recipe of a run that stands where runs are put, in `runs/NAME/ID`; none of one elsewhere."""
    told = json.loads((folder / "run.json").read_bytes())
    here = Path("runs", str(told.get("name")), str(told["id"]))
    return folder.parents[2] if folder.parts[-3:] == here.parts else None


def refuse_astray(loaded: Loaded) -> None:
    """Refuse to run the recipe of a run's folder whose relative paths lead nowhere from there.

    Raises:
        RecipeError: A source is not there.
    """
    if loaded.of_run is None:
        return
    for place, source in enumerate(loaded.recipe.sources):
        path = source.path if isinstance(source, FileSource) else ""
        elsewhere = "://" in path or path.startswith(("/", "~", "${")) or Path(path).is_absolute()
        if not path or elsewhere or glob.glob(path, root_dir=loaded.base, recursive=True):
            continue
        raise RecipeError(
            "this recipe is a run's own copy, and its paths start from the folder of the recipe that ran",
            at=f"sources.{place}.path",
            hint=f"copy {loaded.of_run / 'recipe.yaml'} to that folder, where {path} is, and run it there",
        )


def parse(mapping: Mapping[str, Any], base: Path | None = None) -> Loaded:
    """A recipe from a mapping, for Python callers; parts may be instances.

    Args:
        mapping: What a recipe file would hold.
        base: Folder that relative paths start from; the current one by default.

    Raises:
        RecipeError: Something in it is wrong; with path and way out.
    """
    base = (base or Path.cwd()).resolve()
    recipe = _validated(dict(mapping), base, None, {})
    return Loaded(recipe, base, dump(recipe))


def dump(recipe: Recipe) -> str:
    """YAML of a recipe as resolved: what was given, what the task filled in, and the default split and models.

    `load` reads it back as an equal recipe. Placeholders of secrets (`${env:NAME}`) stay as they are.
    """
    sections = {name: _plain(getattr(recipe, name)) for name in type(recipe).model_fields}
    sections["evaluate"] = recipe.evaluate.model_dump(mode="json", exclude_none=True)
    kept = ("seedbed", "name", "task", "sources", "split", "train", "evaluate")
    return write_document({name: value for name, value in sections.items() if name in kept or value not in ({}, [])})


_NEEDED = "it needs at least the keys seedbed, name, task and sources"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if not isinstance(value, BaseModel):
        return value
    given = value.model_dump(mode="json", exclude_unset=True)
    fields = type(value).model_fields
    told = {name: v for name, v in given.items() if v is not None or fields[name].default is not None}
    return {"use": value.use, **told} if isinstance(value, Part) else told


def _validated(data: dict[str, Any], base: Path, document: Document | None, overrides: Mapping[KeyPath, str]) -> Recipe:
    try:
        return Recipe.model_validate(data, context={BASE: base})
    except ValidationError as error:
        faults = faults_of(error, Recipe, data)
        raise refusal(
            faults,
            place=lambda path: _place(document, overrides, path),
            line=lambda path: document.line(path) if document else 0,
        ) from None


def _place(document: Document | None, overrides: Mapping[KeyPath, str], path: KeyPath) -> str:
    for given, text in overrides.items():
        made_on_the_way = given[: len(path)] == path and document and path not in document.lines
        if path[: len(given)] == given or made_on_the_way:
            return f"{text}: {dotted(path)}"
    return ": ".join(text for text in (document.place(path) if document else "", dotted(path)) if text)


def _usual(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Who learns the task where nobody is named."""
    task = data.get("task")
    return USUAL.get(str(task.get("kind")), ()) if isinstance(task, Mapping) else ()
