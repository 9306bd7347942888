"""Reads one row again where its source can still be read, and does to it again what the steps did."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.context import Context, Progress, current, store_of
from seedbed.core.documents import open_document
from seedbed.core.errors import SeedbedError
from seedbed.core.ledger import EXCERPT_LENGTH, mask, masked
from seedbed.core.part import labels_of
from seedbed.core.rows import data_columns
from seedbed.core.run import Run
from seedbed.core.source import FileSource
from seedbed.core.step import Filter, Map, Reduce
from seedbed.engine.curate import open_sources, schema_of
from seedbed.engine.jobs import Opened
from seedbed.engine.kernel import Kernel, Usable
from seedbed.engine.plan import TASK
from seedbed.engine.raw import read_record
from seedbed.flow.finished import Finished
from seedbed.recipe.loading import parse
from seedbed.recipe.recipe import Recipe

from .story import Change

#: Characters shown before the first difference of two long texts.
_BEFORE = 60


@dataclass(frozen=True)
class Reread:
    """A row, read again and taken through the steps again."""

    read: dict[str, str | None] | None = None
    """Values as read, as excerpts; none where they cannot be read any more or the record is malformed."""
    line: int | None = None
    changes: tuple[Change, ...] = ()
    values: dict[str, Any] | None = None
    """Values after the last step, or before the step that rejects the row."""
    rejected_by: str | None = None
    """The step that rejects it now, looking at this row alone."""
    whole: bool = False
    """Whether every step was done again."""
    note: str = ""
    """Why not, in a sentence."""


def reread(
    finished: Finished,
    row: tuple[str, str, int],
    until: str | None,
    *,
    progress: Progress | None = None,
    trust: bool = False,
) -> Reread:
    """Read a row and do the row-wise steps again.

    Args:
        finished: The run.
        row: Source, file and record.
        until: The part that rejected the row, by the ledger; steps after it are left out.
        progress: Where progress is shown.
        trust: Whether steps may run functions of whoever made the recipe.
    """
    with Context(progress=progress or Context().progress).stage("Reading the row again"), ExitStack() as stack:
        try:
            found = _opened(finished)
        except SeedbedError as error:
            return Reread(note=f"The recipe cannot be read any more ({error.problem}): nothing was done again.")
        if isinstance(found, str):
            return Reread(
                note=f"The source is not what it was, or not there ({found}): told from the run's folder alone."
            )
        recipe, opened, context = found
        stack.enter_context(current(context))
        source, file, record = row
        one = next(one for one in opened if one.name == source)
        place = [each.name for each in one.scan.files].index(file)
        try:
            held = read_record(one, place, record, schema_of(opened), context)
        except SeedbedError as error:
            return Reread(note=f"The row cannot be read again: {error.problem}.")
        if held is None or not held.row.height:
            return Reread(line=held.line if held else None, whole=True)
        return _steps_again(recipe, held.row, held.line, until, trust=trust)


def _opened(finished: Finished) -> tuple[Recipe, tuple[Opened, ...], Context] | str:
    """The recipe and its sources, if they are what they were; else why not.

    Raises:
        RecipeError: The recipe cannot be read.
    """
    document = open_document(finished.folder / "recipe.yaml")
    locked = json.loads((finished.folder / "recipe.lock").read_text("utf-8"))["inputs"]
    why = ""
    for base in _bases(finished):
        # Nothing is fetched to tell of what was: it is in the run's store, or it is not.
        context = Context(base=base, store=store_of(base), offline=True)
        try:
            with current(context):
                recipe = parse(document.data, base).recipe
                opened = open_sources(recipe.sources, context)
                now = _inputs(opened, recipe)
        except SeedbedError as error:
            why = why or f"{error.at}: {error.problem}"
            continue
        then = [(entry["source"], entry["file"], entry["sha256"]) for entry in locked]
        if now == then:
            return recipe, opened, context
        other = next(iter([entry for entry in now if entry not in then] or then))
        why = f"{other[1]} has changed since" if len(now) == len(then) else "files were added or taken away since"
        paths = [source.path for source in recipe.sources if isinstance(source, FileSource)]
        if all("://" in path or Path(path).is_absolute() for path in paths):
            break  # another folder would not change that
    return why


def _inputs(opened: Sequence[Opened], recipe: Recipe) -> list[tuple[str, str, str]]:
    """Source, file and digest of every input, in the order of `recipe.lock`."""
    named = zip(labels_of(list(recipe.steps)), recipe.steps, strict=True)
    seconds = [(name, second.scan) for name, step in named for second in step.seconds()]
    scans = [*((one.name, one.scan) for one in opened), *seconds]
    return [(name, file.name, file.sha256) for name, scan in scans for file in scan.files]


def _bases(finished: Finished) -> Iterator[Path]:
    """Folders that the recipe's relative paths may start from, the likeliest first; a run does not say which."""
    folder = finished.folder.resolve()
    beside = [folder.parents[2]] if folder.parent.name == finished.run.name and len(folder.parents) > 2 else []
    likely = [*beside, *_named(finished.run), Path.cwd(), *list(folder.parents)[:3]]
    yield from dict.fromkeys(base for base in likely if base.is_dir())


def _named(run: Run) -> list[Path]:
    """The folder of the recipe as the command line named it."""
    try:
        words = shlex.split(run.command)
    except ValueError:
        return []
    return [Path(word).resolve().parent for word in words if word.endswith((".yaml", ".yml"))][:1]


def _steps_again(recipe: Recipe, batch: pl.DataFrame, line: int | None, until: str | None, *, trust: bool) -> Reread:
    read = excerpts(batch)
    changes: list[Change] = []
    steps = [*zip(labels_of(list(recipe.steps)), recipe.steps, strict=True), (TASK, Usable(use=TASK, task=recipe.task))]
    for name, step in steps:
        if isinstance(step, Reduce):
            if name == until:
                break
            continue
        if not isinstance(step, Map | Filter):
            return Reread(read, line, tuple(changes), note=f"The steps from {name} on were not done again.")
        if step.runs_code and not trust:
            why = "it runs a function of whoever made the recipe; if you know what it does, say --trust"
            return Reread(read, line, tuple(changes), note=f"The steps from {name} on were not done again: {why}.")
        try:
            after = Kernel(((name, step),))(batch).kept
        except SeedbedError as error:
            return Reread(
                read, line, tuple(changes), note=f"The steps from {name} on were not done again: {error.problem}."
            )
        if not after.height:
            return Reread(read, line, tuple(changes), _values(batch), rejected_by=name, whole=True)
        changes += _differences(name, batch, after)
        batch = after
    return Reread(read, line, tuple(changes), _values(batch), whole=True)


def _values(row: pl.DataFrame) -> dict[str, Any]:
    return row.select(data_columns(row)).row(0, named=True)


def excerpts(row: pl.DataFrame) -> dict[str, str | None]:
    """The values of one row, fit to be shown."""
    return {name: shown(value) for name, value in _values(row).items()}


def shown(value: Any) -> str | None:
    """A value as text, fit to be shown: at most 200 characters, personal data masked."""
    text = _text(value)
    return text if text is None or isinstance(value, float) else mask(text)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _differences(part: str, before: pl.DataFrame, after: pl.DataFrame) -> Iterator[Change]:
    old, new = _values(before), _values(after)
    for column, value in new.items():
        if column not in old:
            yield Change(part=part, column=column, before=None, after=shown(value), note="a new column")
        elif not same(old[column], value):
            one, other, note = side_by_side(_text(old[column]), _text(value))
            yield Change(part=part, column=column, before=one, after=other, note=note)


def same(one: Any, other: Any) -> bool:
    """Whether two values are of one type and equal, NaN to NaN too."""
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 (NaN)


def side_by_side(before: str | None, after: str | None) -> tuple[str | None, str | None, str]:
    """Two texts as excerpts that show where they first differ, and a note where they cannot."""
    if before is None or after is None:
        return shown(before), shown(after), ""
    one, other = (str(pl.select(masked(pl.lit(text))).item()) for text in (before, after))
    if one == other:
        unseen = _visible(before) == _visible(after)
        note = "white space or invisible characters only" if unseen else "only in what is not shown here"
        return shown(before), shown(after), note
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(start - _BEFORE, 0) if start > _BEFORE and max(len(one), len(other)) > EXCERPT_LENGTH else 0
    return _window(one, start), _window(other, start), ""


def _window(text: str, start: int) -> str:
    end = start + EXCERPT_LENGTH - 2
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")


def _visible(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "ZC")
