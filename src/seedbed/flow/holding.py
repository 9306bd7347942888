"""Holds a file against a recipe: its columns, what the steps reject, the checks, and rows that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.check import Finding, View
from seedbed.core.context import Context, Progress, current, store_of
from seedbed.core.errors import DataError, ModelError, RecipeError, SeedbedError
from seedbed.core.ledger import Books
from seedbed.core.run import StepRecord
from seedbed.core.source import FileSource, Source
from seedbed.core.task import Task, TextClassification, Unlabelled
from seedbed.engine.curate import Curated, Curation, open_sources, schema_of
from seedbed.engine.jobs import Opened
from seedbed.engine.plan import check_steps
from seedbed.profile import ColumnProfile, column_profile
from seedbed.recipe.loading import Loaded
from seedbed.recipe.recipe import Recipe

from .beside_known import Copies, Known, ReadRows
from .checking import look, stops
from .doubting.doubt import Doubting
from .doubting.labelled import Labelled
from .locating import Place, places_of
from .recognising import TOLD, kind_of, looked_at, recognise
from .settling import settle
from .starting.start import path_from
from .working import working

#: What a column may look like to be held against the recipe's own: other looks hang on how many rows there are.
_PLAIN = ("number", "date", "boolean")


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
    seed = recipe.split.seed
    with working(loaded.base, store_of(loaded.base), seed, workers=workers, progress=progress) as context:
        # The file may be fetched, each time it is named: that is what it was named for. The recipe's sources may not.
        context = replace(context, refresh=True)
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
    rows = ReadRows.of((theirs,), recipe, context)
    mine = ReadRows.of(own, recipe, context) if own else None
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
