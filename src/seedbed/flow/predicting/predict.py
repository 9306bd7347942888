"""A model at work on files: labels rows as they stream by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from secrets import token_hex
from tempfile import TemporaryDirectory

import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.numbers import things
from seedbed.engine.cutting import cut_by
from seedbed.engine.jobs import Opened
from seedbed.engine.plan import renames_of
from seedbed.engine.units import Crew
from seedbed.engine.workers import LostWorkersError
from seedbed.flow.recognising import recognise
from seedbed.serve.predictor import Predictor
from seedbed.sources import Jsonl
from seedbed.sources.reading.files import is_local, local_path

from .labelling import Labelled, Labelling, Outcome, in_order, pieces_of
from .write import Write, refuse_ending, writing


def predict_file(
    predictor: Predictor,
    path: str,
    out: Path | Write,
    *,
    columns: Mapping[str, str] | None = None,
    context: Context | None = None,
    trust: bool = False,
    probabilities: int | None = None,
) -> Labelled:
    """Label every record of a file; memory does not grow with it.

    The output has a row for each record of the input, in order: its id (`row`), its own columns, `predicted`,
    `confidence`, `probabilities` and `warnings`; and `set`, `low`, `high` and `decided` where the model's bundle keeps
    promises or thresholds. A record that cannot be read has an id and a warning. A column of the input that is called
    like one of these gets a `_` at its end.

    Args:
        predictor: The model.
        path: A file, folder or glob, of any kind that a source reads.
        out: A file (.csv, .jsonl or .parquet, by its ending; there whole or not at all), or what takes frames.
        columns: Columns of the file to be read as inputs of the model, as INPUT: COLUMN.
        context: Where relative paths start, and where progress is shown; who does the work (`workers` processes of
            this machine, or a Ray cluster). The answers are the same, whoever does it.
        trust: Whether workers may run functions of whoever made the model, as the predictor was opened.
        probabilities: Keep those of so many labels, the most probable first, as pairs of `label` and `probability`;
            0 for none; a field for each label when left out.

    Raises:
        RecipeError: `out` names no format, or the input; `columns` names no input.
        DataError: The file cannot be read, or lacks a column.
        ModelError: A step or the model failed.
        LostWorkersError: Workers died again and again over the same piece.
    """
    context = context or Context()
    if isinstance(out, Path):
        refuse_ending(out)
        _refuse_input(out, path, context)
    with ExitStack() as stack:
        if not is_local(path) and context.engine == "ray":  # the nodes of a cluster see the store, and no other folder
            context = replace(context, refresh=True)
        elif not is_local(path):  # fetched each time it is named, and kept no longer than that
            fetched = stack.enter_context(TemporaryDirectory(prefix="seedbed-"))
            context = replace(context, store=Path(fetched))
        opened, notes = open_file(predictor, path, context, (columns or {}).values())
        reading = reading_of(predictor, list(opened.renames), columns or {}, path)
        folder, call = predictor.folder.resolve(), token_hex(8)
        labelling = Labelling(opened, reading, folder, predictor.digest, trust, call, probabilities)
        done = Labelled(notes=notes)
        write = stack.enter_context(writing(out)) if isinstance(out, Path) else out
        total = sum(file.size for file in opened.scan.files)
        with context.stage(f"Labelling {PurePosixPath(path).name}", total, "B") as stage:
            for outcome in in_order(_outcomes(labelling, predictor, context)):
                for frame in outcome.frames:
                    write(frame)
                done.add(outcome.counts)
                stage.advance(outcome.size, things(done.rows, "row"))
    return done


def _outcomes(labelling: Labelling, predictor: Predictor, context: Context) -> Iterator[Outcome]:
    """What comes of each piece, as it comes: by this process, by others, or by a cluster."""
    opened, here = labelling.opened, partial(labelling.outcome, predictor)
    if context.engine == "local" and context.workers == 1:
        yield from map(here, pieces_of(opened.source.blocks(opened.scan, context)))
        return
    with Crew.of(context) as crew:
        pieces = pieces_of(cut_by(crew.workers, opened.source, opened.scan, context))
        few = list(islice(pieces, 2 * context.workers)) if context.engine == "local" else []
        alone = context.engine == "local" and len(few) < 2 * context.workers  # what a process costs is not worth it
        try:
            yield from map(here, few) if alone else crew.workers.run(labelling, chain(few, pieces))
        except LostWorkersError as error:
            hint = "use fewer --workers, or more memory, and start again: a file is written whole or not at all"
            raise LostWorkersError(error.problem, at=error.at, hint=hint) from None


def open_file(
    predictor: Predictor, path: str, context: Context, named: Iterable[str] = ()
) -> tuple[Opened, tuple[str, ...]]:
    """A file that rows for a model are read from, and what was decided on the way, in sentences.

    Args:
        predictor: The model.
        path: A file, folder or glob, of any kind that a source reads.
        context: Where relative paths start.
        named: Columns that somebody named.

    Raises:
        DataError: It is not there, or cannot be read.
    """
    known = {name for one in predictor.preparation.inputs for name in (one.name, *one.known_as)}
    known.add(predictor.bundle.task.answer or "")
    found = recognise(path, replace(context, named=frozenset({*known, *named})))
    source, scan = found.source, found.scan
    if isinstance(source, Jsonl):  # a text may be a number in the first rows and words in a later one
        texts = [one.name for one in predictor.preparation.inputs if one.type == "text" and one.name in scan.schema]
        if any(scan.schema[name] != pl.String for name in texts):
            source = source.model_copy(update={"types": dict.fromkeys(texts, "string")})
            scan = source.scan(context)
    opened = Opened(source, scan, source.use, source.name or "0", 0, renames_of(source, scan, path))
    return opened, (*found.notes, *opened.notes)


def _refuse_input(out: Path, path: str, context: Context) -> None:
    if out.is_dir():
        raise RecipeError("this is a folder", at=f"--out {out}", hint=f"name a file in it, such as {out / 'out.csv'}")
    if is_local(path) and out.exists() and out.resolve() == local_path(path, context.base).resolve():
        raise RecipeError("this would replace the file that is read", at=f"--out {out}", hint="choose another name")


def reading_of(predictor: Predictor, there: list[str], columns: Mapping[str, str], path: str) -> dict[str, str]:
    """The model's inputs by the columns of the file that they are read from.

    Raises:
        RecipeError: `columns` names an input that the model does not have.
        DataError: A column is not there.
    """
    for name in columns:
        if name not in predictor.inputs:
            hint = did_you_mean(name, predictor.inputs)
            if columns[name] in predictor.inputs and name in there:
                hint = f"the other way round: --column {columns[name]}={name}"
            raise RecipeError(f"the model has no input {name!r}", at=f"--column {name}", hint=hint)
    reading = {}
    for one in predictor.preparation.inputs:
        wanted = columns.get(one.name)
        if wanted is not None and wanted not in there:
            raise DataError(f"there is no column {wanted!r}", at=path, hint=did_you_mean(wanted, there))
        try:
            reading[one.name] = wanted or predictor.preparation.named(one, there)
        except DataError as error:
            stop = "" if error.hint.endswith("?") else "."
            hint = f"{error.hint}{stop} Say --column {one.name}=COLUMN to read another"
            raise DataError(error.problem, at=path, hint=hint) from None
    return reading
