"""From a file to a recipe for it: look, decide, draft, and write both files or none."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from seedbed.core import numbers
from seedbed.core.context import Context, Progress
from seedbed.core.documents import read_document
from seedbed.core.errors import RecipeError
from seedbed.core.learner import Learner
from seedbed.flow.recognising import Recognised
from seedbed.profile import Profile, profile_of
from seedbed.recipe import parse
from seedbed.store.store import write_whole

from .draft import Subject, draft_card, draft_recipe
from .given import given_of, read_as
from .named import Said
from .notes import notes_of, other_tasks
from .nulls import nulls_in, told_of
from .refusing import refuse_few, refuse_nested_questions, refuse_ragged, refuse_unfit, refuse_unknown
from .shaped import draft_shaped, told
from .shapes import shape_of
from .tables import table_shape

RECIPE, CARD = "recipe.yaml", "card.yaml"


@dataclass(frozen=True)
class Start:
    """What was found in a file, and the recipe and card for it."""

    profile: Profile
    path: str
    """The file as the recipe names it."""
    use: str
    """The source that reads it."""
    found: dict[str, str]
    """Its format: encoding, delimiter, …"""
    notes: tuple[str, ...]
    """What a person should know, in sentences."""
    recipe: str
    card: str
    task: str = ""
    """What the rows are fit for and why, where that is not to tell a label."""


def start(
    path: str,
    *,
    text: str | None,
    label: str | None,
    folder: Path,
    kind: str | None = None,
    columns: Sequence[str] = (),
    settings: Sequence[str] = (),
    progress: Progress | None = None,
) -> Start:
    """Look at a file, and draft a recipe and a card; writes nothing.

    Args:
        path: File, folder, glob or URL, relative to the current folder.
        text: Column with the text; found when left out.
        label: Column with the label; found when left out.
        folder: Where the recipe is to stand; its path to the file starts there.
        kind: What the model is to do; found when left out.
        columns: What columns are to the task, as `ROLE=COLUMN`; found when left out.
        settings: What is to be said of the source, as `sources.0.NAME=VALUE`.
        progress: Where progress is shown.

    Raises:
        DataError: The file cannot be read, or is not fit for anything that Seedbed does so far.
        RecipeError: There is no such task, column or setting; or which column is meant does not show.
    """
    given, said = given_of(settings), Said.of(kind, columns, text, label)
    named = frozenset(one for one in (*said.columns.values(), text, label) if one)
    context = Context(base=Path.cwd(), progress=progress or Context().progress, named=named)
    known, given, nulls = _read(path, given, context)
    refuse_unknown(known, text, label)
    if kind == "text_classification":
        text, label = said.columns.get("text"), said.columns.get("label")
        refuse_unknown(known, text, label)
    rows = known.sample.rows
    profile = profile_of(known.sample, text, label)
    refuse_nested_questions(known, path)
    refuse_ragged(profile, path, known)
    shape, unsaid = said.shape(rows, profile, path), (kind, text, label) == (None, None, None)
    if kind is None:
        shape = (shape_of(rows, profile) if unsaid else None) or table_shape(rows, profile, text, label)
    refuse_few(profile, path)
    if shape is None:
        refuse_unfit(profile, path, known)
    subject = _subject(path, folder, known, profile, given)
    recipe = draft_shaped(subject, shape) if shape else draft_recipe(subject)
    parse(read_document(recipe, at=RECIPE).data, folder)  # what is written must be a recipe
    notes = [*known.notes, *known.scan.notes, *told_of(nulls)]
    if shape is None:
        notes += [*notes_of(profile), *(other_tasks(rows, profile) if unsaid else ())]
    task = told(shape, profile.rows) if shape else ""
    return Start(
        profile, subject.path, known.source.use, _found(known), tuple(notes), recipe, draft_card(subject), task
    )


def _read(path: str, given: dict[str, Any], context: Context) -> tuple[Recognised, dict[str, Any], tuple[str, ...]]:
    """A file, the options with which it was read in the end, and the markers among them that stand for no value."""
    known = read_as(path, given, context)
    nulls = nulls_in(known)
    if nulls:
        given = {**given, "nulls": ["", *nulls]}
        known = read_as(path, given, context)
    return known, given, nulls


def _subject(path: str, folder: Path, known: Recognised, profile: Profile, given: dict[str, Any]) -> Subject:
    return Subject(
        typed=path,
        path=path_from(path, folder),
        name=str(given.get("name") or name_of(path)),
        source=known.source,
        found=", ".join(f"{what} {spelt(value)}" for what, value in _found(known).items() if what != "quote"),
        profile=profile,
        rows=known.sample.rows,
        given=given,
        learners=_learners(),
    )


def refuse_replacing(folder: Path) -> None:
    """Refuse to write where a recipe or a card stands.

    Raises:
        RecipeError: One does.
    """
    there = [name for name in (RECIPE, CARD) if os.path.lexists(folder / name)]
    if there:
        raise RecipeError(
            f"there is a {' and a '.join(there)} already",
            at=str(folder),
            hint="--out FOLDER writes elsewhere; --force replaces them",
        )


def write(start: Start, folder: Path) -> tuple[Path, Path]:
    """Write the recipe and the card into a folder, which is made if need be; both, or none.

    Raises:
        RecipeError: The folder cannot be written to.
    """
    recipe, card = folder / RECIPE, folder / CARD
    had_card = os.path.lexists(card)
    try:
        write_whole(card, start.card.encode())
        try:
            write_whole(recipe, start.recipe.encode())
        except OSError:
            if not had_card:
                card.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecipeError(f"cannot be written to: {reason}", at=str(folder), hint="name a folder with --out") from None
    return recipe, card


def path_from(path: str, folder: Path) -> str:
    """A path that is typed here, as a recipe in `folder` has to write it."""
    if "://" in path or path.startswith("~") or os.path.isabs(path):
        return path
    before = _before_magic(path)
    parent, last = os.path.split(before.rstrip("/"))  # a link that is named itself keeps its name
    absolute = os.path.join(os.path.realpath(parent or "."), last, path[len(before) :].lstrip("/"))
    try:
        return PurePosixPath(Path(os.path.relpath(absolute, os.path.realpath(folder)))).as_posix()
    except ValueError:  # another drive
        return absolute


def name_of(path: str) -> str:
    """A name for a dataset from where it comes from, fit for a folder."""
    last = PurePosixPath(Path(_before_magic(path.partition("?")[0] if "://" in path else path)).as_posix())
    stem = last.name or Path.cwd().name
    if glob.has_magic(path) and not last.name:
        stem = Path.cwd().name
    stem = re.sub(r"(?i)(\.(csv|tsv|txt|tab|jsonl|ndjson|json|parquet|pq|gz|bz2|xz|zst|zip|dat))+$", "", stem)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:60].rstrip("-._")
    return slug if len(slug) > 1 else "my-dataset"


def _before_magic(path: str) -> str:
    """The path without the part that holds `*`, `?` or `[`, unless a file is called so."""
    if not glob.has_magic(path) or os.path.lexists(path):
        return path
    parts = path.split("/")
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:first])


def spelt(value: str) -> str:
    """A delimiter's name; whatever is none, as it is."""
    return {",": "comma", ";": "semicolon", "\\t": "tab", "\t": "tab", "|": "bar", " ": "space"}.get(value, value)


def _found(known: Recognised) -> dict[str, str]:
    """The format, and how many files have it where that is more than one."""
    files = len(known.scan.files)
    return {**known.scan.found, **({"files": f"{files:,}"} if files > 1 else {})}


def _learners() -> dict[str, str]:
    """Learners that a recipe can name without options, what each is, and what it takes."""
    return {
        name: numbers.short(part.summary().rstrip("."), 80)
        + (f" (pip install 'seedbed[{part.extra}]')" if part.extra else "")
        for name, part in sorted(Learner.catalogue.items())
        if not any(field.is_required() for field in part.model_fields.values())
    }
