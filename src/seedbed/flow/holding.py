"""Holds a file against a recipe: its columns, what the steps reject, the checks, and rows that are known already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.check import Finding, View
from seedbed.core.context import Context, Progress, current, store_of, workers_for
from seedbed.core.errors import DataError, ModelError, RecipeError, SeedbedError
from seedbed.core.ledger import Books
from seedbed.core.part import labels_of
from seedbed.core.rows import number_rows
from seedbed.core.run import StepRecord
from seedbed.core.similarity import normalise
from seedbed.core.source import FileSource, Source
from seedbed.core.step import Map, Step
from seedbed.core.task import Task, TextClassification, Unlabelled
from seedbed.core.values import said
from seedbed.engine.curate import Curated, Curation, open_sources, schema_of
from seedbed.engine.jobs import Opened, conform
from seedbed.engine.kernel import Kernel
from seedbed.engine.plan import check_steps
from seedbed.profile import ColumnProfile, column_profile, copies_in
from seedbed.recipe.loading import Loaded
from seedbed.recipe.recipe import Recipe
from seedbed.store.going import Journal

from .checking import look, stops
from .doubting.doubt import Doubting
from .doubting.labelled import Labelled
from .locating import Place, places_of
from .recognising import TOLD, kind_of, looked_at, recognise
from .running import settle
from .starting.start import path_from

#: Labels beyond so many are not counted: that many are no labels.
_MOST_LABELS = 1_000
#: Texts in which copies are looked for.
_MOST_TEXTS = 50_000
#: What a column may look like to be held against the recipe's own: other looks hang on how many rows there are.
_PLAIN = ("number", "date", "boolean")


class Copies(BaseModel):
    """Copies inside a file."""

    model_config = ConfigDict(frozen=True)

    of: int = Field(description="Rows that were looked through: those with a text, of a big file the first.")
    exact: int = Field(description="Rows whose text, but for case and white space, stood before.")
    compared: int = Field(description="Of those, rows that were looked through for near copies.")
    near: int = Field(description="Of those, further rows whose text is similar to one before.")
    conflicts: int = Field(description="Rows whose text also stands with another label.")


class Known(BaseModel):
    """Rows that stand in the recipe's own sources, too."""

    model_config = ConfigDict(frozen=True)

    rows: int = Field(description="Rows whose text, but for case and white space, stands there.")
    of: int = Field(description="Rows with a text.")
    other_label: int = Field(description="Those of them that stand there with other labels only.")


class Held(BaseModel):
    """What came of holding a file against a recipe."""

    model_config = ConfigDict(frozen=True)

    file: str
    recipe: str
    source: str = Field(description="The source that it was read with.")
    found: dict[str, str] = Field(description="What was found out about its format.")
    rows: Books
    parts: tuple[StepRecord, ...] = Field(description="What the source, each step and the task did to the rows.")
    missing_columns: tuple[str, ...] = Field(description="Columns of the recipe's own data that the file lacks.")
    extra_columns: tuple[str, ...] = Field(description="Columns that the recipe's own data lacks.")
    other_types: dict[str, str] = Field(description="Columns that hold something else than the recipe's own data.")
    unknown_labels: dict[str, int] = Field(description="Rows by label that the recipe does not know, after its steps.")
    copies: Copies
    known: Known | None = Field(
        description="Rows that stand in the recipe's own sources; null if those cannot be read."
    )
    findings: tuple[Finding, ...]
    places: dict[str, Place] = Field(
        default_factory=dict, description="Where rows begin that failed checks name, of files that have lines."
    )
    stopped_by: tuple[str, ...] = Field(description="Checks that failed and stop a run.")
    notes: tuple[str, ...] = Field(description="What a person should know, in sentences.")

    @property
    def passed(self) -> bool:
        """Whether no check stops it."""
        return not self.stopped_by


def hold(file: str, loaded: Loaded, *, workers: int | None = None, progress: Progress | None = None) -> Held:
    """Read a file as a recipe reads its sources, and take it through the recipe's steps and checks.

    Nothing is written but passes into the recipe's store.

    Args:
        file: File, folder, glob or URL, relative to the current folder.
        loaded: The recipe.
        workers: Worker processes; the number of cores, at most 8, when left out.
        progress: Where progress is shown.

    Raises:
        DataError: The file cannot be read, lacks a column that the recipe needs, or no row is left.
        RecipeError: The recipe does not fit its own data either.
    """
    recipe = loaded.recipe
    for part in (*recipe.sources, *recipe.steps, *recipe.checks):
        part.check_needs()
    store = store_of(loaded.base)
    with Journal.of_work(store) as used:
        # The file may be fetched, each time it is named: that is what it was named for. The recipe's sources may not.
        context = Context(
            base=loaded.base,
            store=store,
            seed=recipe.split.seed,
            workers=workers_for(workers),
            progress=progress or Context().progress,
            refresh=True,
            used=used,
        )
        with current(replace(context, offline=True, refresh=False)) as offline:
            return _held(file, loaded, context, offline)


def _held(file: str, loaded: Loaded, context: Context, offline: Context) -> Held:
    """What came of it.

    Args:
        file: As given.
        loaded: The recipe.
        context: For the file.
        offline: For the recipe's own sources.
    """
    recipe = loaded.recipe
    quiet = replace(context, progress=Context().progress)  # for what is done in a moment
    source, notes = _source_for(path_from(file, loaded.base), recipe, quiet)
    theirs = _opened(source, file, recipe.task.answer or "", quiet)
    source = theirs.source
    own, why = _own(recipe, offline)
    if why:
        notes.append(f"the recipe's own sources cannot be read ({why}), so nothing was compared with them")
    columns = _columns(theirs, own, quiet)
    task = _task_of(theirs, recipe)
    curated = _curated(source, recipe, task, context, loaded, file, columns)
    if isinstance(task, Unlabelled):
        notes.append(f"there is no column {task.label!r}: nothing was looked at that needs labels")
    rows = _Rows.of((theirs,), recipe, context)
    mine = _Rows.of(own, recipe, context) if own else None
    view = View(rows=curated.table.scan(), task=task, licences={file: source.license})
    findings = look(recipe.checks, "rows", view, context)
    doubted, undoubted = _doubted(recipe, view, curated, context)
    findings += doubted
    notes += undoubted
    later = [check.use for check in recipe.checks if check.when != "rows" and not check.needs_no_split]
    if later:
        notes.append(f"not looked at, because nothing is split or trained: {', '.join(dict.fromkeys(later))}")
    if own and {one.sha256 for one in theirs.scan.files} & {one.sha256 for each in own for one in each.scan.files}:
        notes.append("this is one of the recipe's own files")
    named = recipe.task.names or (mine and tuple(mine.labels))
    return Held(
        file=file,
        recipe=loaded.document.at if loaded.document else recipe.name,
        source=source.use,
        found=dict(theirs.scan.found),
        rows=curated.books,
        parts=curated.parts,
        missing_columns=columns.missing,
        extra_columns=columns.extra,
        other_types=columns.other,
        unknown_labels={label: n for label, n in rows.labels.most_common() if label not in named} if named else {},
        copies=rows.copies(),
        known=rows.among(mine) if mine else None,
        findings=tuple(findings),
        places=places_of((row for one in findings if not one.passed for row in one.rows), theirs, quiet),
        stopped_by=tuple(stops(findings, [waiver.what for waiver in recipe.waive])),
        notes=(*notes, *theirs.notes),
    )


# -- reading


def _source_for(path: str, recipe: Recipe, context: Context) -> tuple[Source, list[str]]:
    """The recipe's source that reads this kind of file, pointed at it: one of that name, else the first."""
    sources = recipe.sources
    own_kinds = [one for one in sources if isinstance(one, FileSource) and type(one) not in TOLD]
    try:
        kind, notes = kind_of(path, context)
    except DataError:
        if not own_kinds:
            raise
        return _pointed(own_kinds[0], path), []
    fitting = [one for one in sources if isinstance(one, FileSource) and isinstance(one, kind)]
    last = PurePosixPath(path).name
    named = [one for one in fitting if PurePosixPath(one.path).name == last]
    if fitting:
        like = (named or fitting)[0]
        several = [f"it is read as sources.{sources.index(like)} is ({like.path})"] if len(sources) > 1 else []
        return _pointed(like, path), [*notes, *several]
    read = recognise(path, context)
    told = f"the recipe has no {read.source.use} source: the file is read with that source's defaults"
    return read.source.model_copy(update={"columns": sources[0].columns}), [*read.notes, told]


def _pointed(source: Source, path: str) -> Source:
    return source.model_copy(update={"path": path, "limit": None})


def _own(recipe: Recipe, context: Context) -> tuple[tuple[Opened, ...], str]:
    """The recipe's own sources; none and why where they cannot be read."""
    try:
        return open_sources(recipe.sources, context), ""
    except SeedbedError as error:
        return (), f"{error.at}: {error.problem}"


def _opened(source: Source, file: str, label: str, context: Context) -> Opened:
    try:
        return open_sources((source,), context)[0]
    except RecipeError as error:  # the recipe's `columns` name one that is not there
        if source.columns and error.at.endswith(f".columns.{label}"):  # rows that nobody labelled have none
            others = {new: old for new, old in source.columns.items() if new != label}
            return _opened(source.model_copy(update={"columns": others}), file, label, context)
        raise DataError(error.problem.replace("the source", "the file"), at=file, hint=error.hint) from None


def _task_of(theirs: Opened, recipe: Recipe) -> Task:
    """The recipe's task; for texts alone where the file, and what steps make of it, has no label."""
    try:
        columns = check_steps(recipe.steps, schema_of((theirs,)))
    except RecipeError:  # which is told when the rows are read
        return recipe.task
    task = recipe.task
    return task if not isinstance(task, TextClassification) or task.label in columns else Unlabelled(**dict(task))


def _curated(
    source: Source, recipe: Recipe, task: Task, context: Context, loaded: Loaded, file: str, columns: _Columns
) -> Curated:
    checks = tuple((f"checks.{place}", check) for place, check in enumerate(recipe.checks))
    try:
        return Curation((source,), recipe.steps, task, context, recipe.ledger.changes, also=checks).run()
    except RecipeError as error:
        if not columns.missing and not columns.other and columns.known:
            raise RecipeError(error.problem, at=loaded.place(error.at) if error.at else "", hint=error.hint) from None
        lacks = f" (the file lacks {', '.join(columns.missing[:6])})" if columns.missing else ""
        raise DataError(f"does not fit the recipe: {error.problem}{lacks}", at=file, hint=error.hint) from None


def _doubted(recipe: Recipe, view: View, curated: Curated, context: Context) -> tuple[list[Finding], list[str]]:
    """Findings of checks that run on a split and can do without; and why there are none where there are none."""
    checks = [check for check in recipe.checks if check.when == "split" and check.needs_no_split]
    if not checks:
        return [], []
    if isinstance(view.task, Unlabelled):
        return [], [f"not looked at: {', '.join(check.use for check in checks)} (the rows have no label)"]
    try:
        task = settle(recipe.task, curated)
        doubts = Doubting(
            lambda: Labelled.of_table(curated.table, recipe.split, task, context, curated.key), recipe.train, context
        )
        return look(checks, "split", replace(view, task=task, doubts=doubts), context), []
    except (DataError, ModelError) as error:  # few rows are no fault of theirs
        return [], [f"not looked at: {', '.join(check.use for check in checks)} ({error.problem})"]


# -- columns


@dataclass(frozen=True)
class _Columns:
    """How the columns of a file differ from those of the recipe's own data."""

    known: bool = False
    """Whether those can be read."""
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    other: dict[str, str] = field(default_factory=dict)


def _columns(theirs: Opened, own: Sequence[Opened], context: Context) -> _Columns:
    """Compare names, and what the values look like where that does not hang on the number of rows."""
    if not own:
        return _Columns()
    here = list(theirs.renames)
    there = list(dict.fromkeys(name for one in own for name in one.renames))
    mine, sample = _looks(theirs, context), {}
    for one in reversed(own):
        sample.update(_looks(one, context))
    other = {}
    for name in here:
        a, b = mine[name], sample.get(name)
        if b is None or a.looks == b.looks or "empty" in (a.looks, b.looks) or "constant" in (a.looks, b.looks):
            continue
        if a.type != b.type or b.looks in _PLAIN:
            other[name] = f"{b.looks} ({b.type}) there, {a.looks} ({a.type}) here"
    return _Columns(
        True,
        tuple(name for name in there if name not in here),
        tuple(name for name in here if name not in there),
        other,
    )


def _looks(opened: Opened, context: Context) -> dict[str, ColumnProfile]:
    rows = looked_at(opened.source, opened.scan, context).rows.head(20_000)
    return {name: column_profile(rows[name]) for name in rows.columns}


# -- rows


def _as_told(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Rows with what the task shows as `text`, and what it answers as `label`."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    text, label = (said(rows[name]) if name in rows.columns else nothing for name in (task.shown, task.answer))
    return pl.DataFrame({"text": text, "label": label})


@dataclass
class _Rows:
    """Rows after the steps that rewrite columns, as far as comparing them takes."""

    texts: list[pl.Series] = field(default_factory=list)
    labelled: list[pl.Series] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    """Of each row's text; and, in `pairs`, of its text and label together."""
    pairs: list[NDArray[np.uint64]] = field(default_factory=list)
    told: list[NDArray[np.bool_]] = field(default_factory=list)
    """Whether each row has a label."""
    kept: int = 0

    @classmethod
    def of(cls, opened: Sequence[Opened], recipe: Recipe, context: Context) -> _Rows:
        """Read all rows once; only hashes and some texts stay in memory."""
        found, task = cls(), recipe.task
        size = sum(file.size for one in opened for file in one.scan.files)
        with context.stage("Comparing rows", size, "B") as stage:
            for rows, read in _mapped(opened, recipe.steps, context):
                told = _as_told(rows, task)
                found.add(told.filter(pl.col("text").str.strip_chars().str.len_bytes() > 0))
                stage.advance(read)
        return found

    def add(self, rows: pl.DataFrame) -> None:
        """Note some rows (`text`, `label`)."""
        alike = pl.DataFrame({"text": normalise(rows["text"]), "label": rows["label"]})
        self.hashes.append(alike["text"].hash(1997).to_numpy())
        self.pairs.append(alike.select(pl.struct("text", "label").hash(1997)).to_series().to_numpy())
        self.told.append(rows["label"].is_not_null().to_numpy())
        if len(self.labels) <= _MOST_LABELS:
            counted = rows.filter(pl.col("label").str.strip_chars().str.len_bytes() > 0)["label"]
            self.labels.update(dict(counted.value_counts(name="n").iter_rows()))
        if self.kept < _MOST_TEXTS:
            self.texts.append(rows["text"])
            self.labelled.append(rows["label"])
            self.kept += rows.height

    def copies(self) -> Copies:
        """Copies among these rows."""
        if not self.kept:
            return Copies(of=0, exact=0, compared=0, near=0, conflicts=0)
        found = copies_in(pl.concat(self.texts), pl.concat(self.labelled))
        return Copies(
            of=self.kept,
            exact=found["exact_copies"],
            compared=found["compared"],
            near=found["near_copies"],
            conflicts=found["conflicts"],
        )

    def among(self, others: _Rows) -> Known:
        """How many of these rows stand among others."""
        here, there = np.concatenate(self.hashes), np.concatenate(others.hashes)
        known = np.isin(here, there)
        agreed = np.isin(np.concatenate(self.pairs), np.concatenate(others.pairs))
        other = known & ~agreed & np.concatenate(self.told)
        return Known(rows=int(known.sum()), of=len(here), other_label=int(other.sum()))


def _mapped(opened: Sequence[Opened], steps: Sequence[Step], context: Context) -> Iterator[tuple[pl.DataFrame, int]]:
    """Rows of some sources after the steps that rewrite columns, and the bytes that they stand for."""
    maps = tuple(
        (name, step) for name, step in zip(labels_of(list(steps)), steps, strict=True) if isinstance(step, Map)
    )
    kernel, schema = Kernel(maps), schema_of(opened)
    for one in opened:
        for block in one.source.blocks(one.scan, context):
            parsed = one.source.parse(block, one.scan)
            table = conform(parsed.table, one.renames, schema)
            name, number = one.scan.files[block.file].name, one.first_file + block.file
            rows = number_rows(table, file_number=number, source=one.name, file=name, records=parsed.records)
            yield kernel(rows).kept, block.size
