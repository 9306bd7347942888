"""A model at work on files: opens it wherever it stands, and labels rows as they stream by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError, did_you_mean, told_as
from seedbed.core.metric import Score
from seedbed.core.numbers import things
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.source import Block
from seedbed.core.values import HAS_TEXT
from seedbed.engine.jobs import Opened, conform
from seedbed.engine.plan import renames_of
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run
from seedbed.flow.recognising import recognise
from seedbed.serve.predictor import BATCH, Predictor
from seedbed.sources import Jsonl
from seedbed.sources.reading.files import is_local, local_path
from seedbed.train.bundle import BUNDLE

from .write import Write, refuse_ending, writing

MODELS = "models"
#: Columns that may come out besides those of the file.
ADDED = ("predicted", "start", "confidence", "probabilities", "nats", "tokens", "warnings")
#: Columns that come besides, where the model's bundle keeps promises or thresholds.
KEPT = ("decided", "set", "low", "high")


def open_model(folder: str | Path, *, trust: bool = False, serving: Path | None = None) -> Predictor:
    """Open a model, with the run that made it where that stands around it.

    Args:
        folder: A model's folder, or a run's, however it is named: then the model that is best on validation rows.
        trust: Whether steps may run functions of whoever made the model.
        serving: A store, where it is to answer a few rows at a time, for long (see `Predictor.open`).

    Raises:
        ModelError: There is no model, or it is damaged, or it needs trust.
        DataError: The run's record cannot be read.
        MissingExtraError: Packages that it needs are not installed.
    """
    place = find_run(folder)
    if (place / BUNDLE).is_file():
        around = place.resolve().parents[1:2] if place.resolve().parent.name == MODELS else ()
        run = next((open_run(parent).run for parent in around if (parent / "run.json").is_file()), None)
        return Predictor.open(place, run=run, trust=trust, serving=serving)
    if not (place / "run.json").is_file():
        raise _no_model(place)
    run = open_run(place).run
    if run.best is None:
        why = f"it was stopped by {run.stopped_by[0]}" if run.stopped_by else "it trained none"
        raise ModelError(f"this run has no model: {why}", at=str(place), hint=f"see {place / 'report.html'}")
    return Predictor.open(place / MODELS / run.best, run=run, trust=trust, serving=serving)


def _no_model(place: Path) -> ModelError:
    hint = "give the folder that `seedbed run` names at its end, or models/NAME inside it"
    if not place.exists():
        parent = next(parent for parent in place.absolute().parents if parent.is_dir())
        near = did_you_mean(place.name, [one.name for one in parent.iterdir() if one.is_dir()], show=6)
        return ModelError("there is no such folder", at=str(place), hint=f"in {parent}: {near}" if near else hint)
    if not place.is_dir():
        return ModelError("this is a file, and a model is a folder", at=str(place), hint=hint)
    below = sorted(one.parent.name for one in place.glob(f"*/{BUNDLE}"))
    if below:
        return ModelError("this folder holds several models", at=str(place), hint=f"name one: {place / below[0]}")
    return ModelError("this folder holds neither a model nor a run", at=str(place), hint=hint)


@dataclass
class Labelled:
    """What came of labelling a file."""

    rows: int = 0
    """Records of the input, each of which is a row of the output."""
    malformed: int = 0
    """Records that could not be read; they have no label, and a warning says why."""
    warned: int = 0
    """Labelled rows with a warning."""
    empty: int = 0
    """Those of them that leave the model nothing to read: they have a label, as an empty text that is served has."""
    predicted: Counter[str] = field(default_factory=Counter)
    labelled: int = 0
    """Rows that bring a label of their own."""
    strange: int = 0
    """Those of them whose label is none of the model's."""
    right: int = 0
    """Those that the model gave the label that they bring."""
    notes: tuple[str, ...] = ()

    def accuracy(self, level: float = 0.95) -> Score | None:
        """Share of the rows with a label that got it, with the exact interval of Clopper and Pearson (1934).

        None where there is no such row, or where any has a label that is none of the model's: what is left would be
        no fair sample.
        """
        if not self.labelled or self.strange:
            return None
        from scipy.stats import binomtest

        ends = binomtest(self.right, self.labelled).proportion_ci(level, method="exact")
        return Score(value=self.right / self.labelled, low=float(ends.low), high=float(ends.high), n=self.labelled)


def predict_file(
    predictor: Predictor,
    path: str,
    out: Path | Write,
    *,
    columns: Mapping[str, str] | None = None,
    context: Context | None = None,
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
        context: Where relative paths start, and where progress is shown.

    Raises:
        RecipeError: `out` names no format, or the input; `columns` names no input.
        DataError: The file cannot be read, or lacks a column.
        ModelError: A step or the model failed.
    """
    context = context or Context()
    if isinstance(out, Path):
        refuse_ending(out)
        _refuse_input(out, path, context)
    with ExitStack() as stack:
        if not is_local(path):  # fetched each time it is named, and kept no longer than that
            folder = stack.enter_context(TemporaryDirectory(prefix="seedbed-"))
            context = replace(context, store=Path(folder))
        opened, notes = open_file(predictor, path, context)
        reading = reading_of(predictor, list(opened.renames), columns or {}, path)
        done = Labelled(notes=notes)
        write = stack.enter_context(writing(out)) if isinstance(out, Path) else out
        total = sum(file.size for file in opened.scan.files)
        stage = stack.enter_context(context.stage(f"Labelling {PurePosixPath(path).name}", total, "B"))
        for block in opened.source.blocks(opened.scan, context):
            rows = records_of(opened, block)
            for start in range(0, rows.height, BATCH):
                piece = rows.slice(start, BATCH)
                write(_labelled(predictor, piece, reading, done))
                stage.advance(block.size * piece.height / rows.height, things(done.rows, "row"))
    return done


def open_file(predictor: Predictor, path: str, context: Context) -> tuple[Opened, tuple[str, ...]]:
    """A file that rows for a model are read from, and what was decided on the way, in sentences.

    Raises:
        DataError: It is not there, or cannot be read.
    """
    found = recognise(path, context)
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
            raise RecipeError(
                f"the model has no input {name!r}", at=f"--column {name}", hint=did_you_mean(name, predictor.inputs)
            )
    reading = {}
    for one in predictor.preparation.inputs:
        wanted = columns.get(one.name)
        if wanted is not None and wanted not in there:
            raise DataError(f"there is no column {wanted!r}", at=path, hint=did_you_mean(wanted, there))
        try:
            reading[one.name] = wanted or predictor.preparation.named(one, there)
        except DataError as error:
            hint = f"{error.hint} Say --column {one.name}=COLUMN to read another"
            raise DataError(error.problem, at=path, hint=hint) from None
    return reading


def records_of(opened: Opened, block: Block) -> pl.DataFrame:
    """The records of a block, in order: rows, and those that are none with what is wrong in `BAD`."""
    name = opened.scan.files[block.file].name
    with told_as(DataError, name, about=f"records from {block.first_record}"):
        parsed = opened.source.parse(block, opened.scan)
    schema = pl.Schema({new: opened.scan.schema[old] for new, old in opened.renames.items()})
    rows = number_rows(
        conform(parsed.table, opened.renames, schema),
        file_number=block.file, source=opened.name, file=name, records=parsed.records,
    ).with_columns(pl.lit(None, pl.String).alias(BAD))  # fmt: skip
    bad = parsed.malformed
    if bad.height:
        lost = number_rows(
            bad.select(pl.format("it could not be read: {}, line {}", "reason", "line").alias(BAD)),
            file_number=block.file, source=opened.name, file=name, records=bad["record"],
        )  # fmt: skip
        rows = pl.concat([rows, lost], how="diagonal").sort(NUMBER)
    return rows


BAD = "\x00bad"


def _labelled(predictor: Predictor, rows: pl.DataFrame, reading: Mapping[str, str], done: Labelled) -> pl.DataFrame:
    """Rows with their labels; malformed ones without."""
    good = rows[BAD].is_null()
    given = rows.filter(good)
    found = predictor.predict(given.select(pl.col(column).alias(name) for name, column in reading.items()))
    _count(predictor, rows, given, found, done)
    if given.height < rows.height:
        places = pl.DataFrame({"at": good.arg_true()}).hstack(found)
        found = pl.DataFrame({"at": pl.int_range(rows.height, eager=True, dtype=pl.UInt32)})
        found = found.join(places, on="at", how="left", maintain_order="left").drop("at")
        said = pl.concat_list(rows[BAD])
        found = found.with_columns(pl.when(good).then("warnings").otherwise(said).alias("warnings"))
    added = [name for name in (*ADDED[:-1], *KEPT, ADDED[-1]) if name in found.columns]
    taken = {ROW, *ADDED, *added}
    own = [name for name in rows.columns if name not in (NUMBER, ROW, BAD)]
    names = {name: _free(name, own) if name in taken else name for name in own}
    return rows.select(ROW, **{new: pl.col(old) for old, new in names.items()}).hstack(found.select(added))


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _count(predictor: Predictor, rows: pl.DataFrame, given: pl.DataFrame, found: pl.DataFrame, done: Labelled) -> None:
    done.rows += rows.height
    done.malformed += rows.height - given.height
    done.warned += int((found["warnings"].list.len() > 0).sum())
    done.empty += int((~found["read"].str.contains(HAS_TEXT)).sum())
    task = predictor.bundle.task
    if task.says != "label":
        return
    done.predicted.update(found["predicted"].to_list())
    label = task.answer
    if label in given.columns and not given[label].dtype.is_nested():
        truth = given[label].cast(pl.String, strict=False)
        done.labelled += truth.len() - truth.null_count()
        done.strange += int((~truth.is_in(list(predictor.labels))).sum())
        done.right += int((truth == found["predicted"]).sum())
