"""Reads one row again where its source can still be read, and does to it again what the steps did."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.context import Context, Progress, current, store_of
from seedbed.core.documents import open_document
from seedbed.core.errors import SeedbedError
from seedbed.core.part import labels_of
from seedbed.core.run import Run
from seedbed.core.source import FileSource
from seedbed.core.step import Filter, Fitted, Map, Reduce, Rework
from seedbed.engine.curate import open_sources, schema_of
from seedbed.engine.jobs import Opened
from seedbed.engine.kernel import Kernel, Usable
from seedbed.engine.learned import Learned
from seedbed.engine.plan import TASK
from seedbed.engine.raw import read_record
from seedbed.engine.sparing import Spared
from seedbed.flow.finished import Finished
from seedbed.flow.preparing.papers import state_of
from seedbed.recipe.loading import parse
from seedbed.recipe.recipe import Recipe

from .showing import differences, excerpts, values_of
from .story import Change

#: Where a run's folder does not say what a part learned.
_UNKNOWN = "The steps from {0} on were not done again: the run's folder does not say what it learned."


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
    met: tuple[tuple[str, str, int], ...] = ()
    """Part, file and record of the rows of other sources that steps brought columns of."""
    row: pl.DataFrame | None = None
    """The row itself after the last step, where it came so far."""


def reread(
    finished: Finished,
    row: tuple[str, str, int],
    until: str | None,
    *,
    training: bool = False,
    kept: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    trust: bool = False,
) -> Reread:
    """Read a row and do the row-wise steps again.

    Args:
        finished: The run.
        row: Source, file and record.
        until: The part that rejected the row, by the ledger; steps after it are left out.
        training: Whether it was to train: what `prepare` learned may say something else of such rows.
        kept: Its values in the dataset, if it is there: new columns of `prepare` are told by them.
        progress: Where progress is shown.
        trust: Whether steps may run functions of whoever made the recipe.
    """
    with Context(progress=progress or Context().progress).stage("Reading the row again"), ExitStack() as stack:
        try:
            found = opened_again(finished)
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
        again = _steps_again(recipe, held.row, held.line, until, trust=trust)
        return _prepared_again(finished, recipe, again, until, training=training, kept=kept or {})


def opened_again(finished: Finished) -> tuple[Recipe, tuple[Opened, ...], Context] | str:
    """The recipe and its sources, if they are what they were; else why not.

    Raises:
        RecipeError: The recipe cannot be read.
    """
    document = open_document(finished.folder / "recipe.yaml")
    locked = json.loads((finished.folder / "recipe.lock").read_text("utf-8"))["inputs"]
    why = ""
    for base in bases_of(finished):
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


def bases_of(finished: Finished) -> Iterator[Path]:
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
    read, spared = excerpts(batch), Spared()
    changes: list[Change] = []
    met: list[tuple[str, str, int]] = []
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
            done = Kernel(((name, step),))(batch, spared)
        except SeedbedError as error:
            return Reread(
                read, line, tuple(changes), note=f"The steps from {name} on were not done again: {error.problem}."
            )
        after = done.kept
        if not after.height:
            rejected = Reread(read, line, tuple(changes), values_of(batch), rejected_by=name, whole=True)
            return replace(rejected, met=tuple(met))
        if isinstance(step, Rework):
            found = (step.met_at(number) for number in done.met.get(name, ()))
            met += [(name, *place) for place in found if place]
        changes += differences(name, batch, after)
        batch = after
    return Reread(read, line, tuple(changes), values_of(batch), whole=True, met=tuple(met), row=batch)


def _prepared_again(
    finished: Finished, recipe: Recipe, again: Reread, until: str | None, *, training: bool, kept: Mapping[str, Any]
) -> Reread:
    """What parts of `prepare` learned, applied to the row once more."""
    row, changes = again.row, list(again.changes)
    if not again.whole or row is None or again.rejected_by:
        return again
    learned: list[tuple[str, Learned]] = []
    note = ""
    for name, step in zip(labels_of(list(recipe.prepare)), recipe.prepare, strict=True):
        if name == until:
            break
        if isinstance(step, Fitted):
            state = state_of(finished.folder, name)
            if state is None:
                note = _UNKNOWN.format(name)
                break
            learned.append((name, Learned(step=step, state=state, training=training)))
    for (name, one), brought in zip(learned, _lasting([one for _, one in learned], row.schema), strict=True):
        try:
            after = _applied(name, one, row, brought, kept)
        except SeedbedError as error:
            note = f"The steps from {name} on were not done again: {error.problem}."
            break
        changes += differences(name, row, after)
        row = after
    return replace(again, changes=tuple(changes), values=values_of(row), whole=not note, note=note)


def _applied(
    name: str, one: Learned, row: pl.DataFrame, brought: Mapping[str, pl.DataType], kept: Mapping[str, Any]
) -> pl.DataFrame:
    """The row after a part. Columns that it brought are taken from the dataset, where they are as it wrote them."""
    if brought and all(column in kept for column in brought):
        after = row.with_columns(pl.Series(column, [kept[column]], dtype=kind) for column, kind in brought.items())
    else:
        after = Kernel(((name, one),))(row).kept if one.columns() else row
    return after.drop(one.step.drops(one.state), strict=False)


def _lasting(learned: Sequence[Learned], schema: pl.Schema) -> list[Mapping[str, pl.DataType]]:
    """The new columns of each part that writes nothing else and whose columns no later part rewrites.

    Which columns a part writes is asked of Polars, without any of its work being done: that may load whole libraries.
    """
    rows = pl.LazyFrame(schema=schema)
    wrote: list[pl.Schema] = []
    new: list[bool] = []
    for one in learned:
        columns = list(one.columns())
        wrote.append(rows.select(columns).collect_schema() if columns else pl.Schema())
        new.append(not set(wrote[-1]) & set(rows.collect_schema()))
        rows = rows.with_columns(columns).drop(one.step.drops(one.state), strict=False)
    later = [set().union(*wrote[place + 1 :]) for place in range(len(wrote))]
    return [each if new[place] and not set(each) & later[place] else {} for place, each in enumerate(wrote)]
