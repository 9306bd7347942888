"""What rows are told apart by in slices, and the neighbours of mistakes: both look at columns that no model sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from seedbed.core.context import Context
from seedbed.core.ledger import excerpt_of
from seedbed.core.part import Columns, Part
from seedbed.core.rows import ROW
from seedbed.core.run import ModelRecord, Neighbour
from seedbed.core.similarity.nearest import nearest
from seedbed.core.task import Task, answers_said, rows_said
from seedbed.core.values import said
from seedbed.evaluate.forms import in_words
from seedbed.evaluate.slices import Grouping, by_length, by_value, length_edges
from seedbed.flow.splitting.split import Similarity

from .judge import Rows

#: Training rows that are shown with a mistake.
NEAREST = 3
_BATCH = 20_000

Advance = Callable[[float], None]


class ToldApart(Part):
    """The columns of `evaluate`, so that the engine refuses one that is not there before it reads rows."""

    slices: Columns | None = None
    fairness: Columns | None = None


def groupings_of(splits: Mapping[str, Rows], task: Task, columns: Sequence[str]) -> dict[str, list[Grouping]]:
    """By held-out split: text length (cut by the training rows' quartiles), source where there are several, columns.

    Args:
        splits: Rows, with the columns among their other ones.
        task: Names the text.
        columns: The recipe's `evaluate.slices`.
    """
    edges = length_edges(_read_by(task, splits["train"])) if task.shown else ()
    found = {}
    for name, rows in splits.items():
        if name == "train":
            continue
        sources = by_value("source", rows.frame[ROW].str.extract("^([^:]*):"))
        found[name] = [
            *([by_length(_read_by(task, rows), edges)] if task.shown else []),
            *([sources] if len(sources.values) > 1 else []),
            *(by_value(column, flat(rows.more[column])) for column in columns),
        ]
    return found


def _read_by(task: Task, rows: Rows) -> pl.Series:
    """What models read of each row, as text."""
    return rows_said(task, task.as_asked(rows.frame))


def flat(column: pl.Series) -> pl.Series:
    """A column as text; lists and records in JSON."""
    if column.dtype.is_nested():
        return pl.DataFrame({"value": column}).select(
            pl.when(pl.col("value").is_not_null()).then(pl.struct("value").struct.json_encode())
        )["value"]
    return column.cast(pl.String)


def with_neighbours(
    models: Sequence[ModelRecord], splits: Mapping[str, Rows], similarity: Similarity, task: Task, context: Context
) -> tuple[ModelRecord, ...]:
    """Models whose mistakes know the training rows nearest to them, by what the split calls similar."""
    train, validation = splits["train"], splits.get("validation")
    wrong = sorted({mistake.row for model in models for mistake in model.mistakes})
    if validation is None or not wrong or similarity.kind == "rows":
        return tuple(models)
    texts = _compared(validation, similarity).filter(validation.frame[ROW].is_in(wrong))
    rows = validation.frame[ROW].filter(validation.frame[ROW].is_in(wrong)).to_list()
    known = _compared(train, similarity)
    with context.stage("Looking for what is near to mistakes", train.frame.height, "rows") as stage:
        found = nearest(
            texts.fill_null("").to_list(),
            _batches(known, stage.advance),
            kind=similarity.kind,
            most=NEAREST,
        )
    near = dict(zip(rows, (_neighbours(train, task, one) for one in found), strict=True))
    return tuple(
        model.model_copy(
            update={
                "mistakes": tuple(
                    mistake.model_copy(update={"neighbours": near[mistake.row]}) for mistake in model.mistakes
                )
            }
        )
        for model in models
    )


def _compared(rows: Rows, similarity: Similarity) -> pl.Series:
    frame = rows.frame if similarity.column in rows.frame.columns else rows.more
    return said(frame[similarity.column])


def _batches(texts: pl.Series, advance: Advance) -> Iterator[tuple[range, list[str]]]:
    for start in range(0, texts.len(), _BATCH):
        some = texts.slice(start, _BATCH).fill_null("").to_list()
        yield range(start, start + len(some)), some
        advance(len(some))


def _neighbours(train: Rows, task: Task, found: Sequence[tuple[int, float]]) -> tuple[Neighbour, ...]:
    places = [place for place, _ in found]
    rows = train.frame[places]
    shown = rows.select(ROW).with_columns(
        rows_said(task, rows).fill_null("").alias("text"), _answered(task, rows).fill_null("").alias("label")
    )
    shown = shown.with_columns(excerpt_of(pl.col("text")))
    if task.says not in ("label", "labels", "number"):
        shown = shown.with_columns(excerpt_of(pl.col("label")))
    return tuple(
        Neighbour(row=row, text=text, label=str(label), similarity=similarity)
        for (row, text, label), (_, similarity) in zip(shown.iter_rows(), found, strict=True)
    )


def _answered(task: Task, rows: pl.DataFrame) -> pl.Series:
    """What is right of each row, as text; nothing where the text itself is."""
    if task.answer is None:
        return pl.Series([""], dtype=pl.String).new_from_index(0, rows.height)
    if task.says == "labels":
        told = [in_words("labels", labels or ()) for labels in rows[task.answer].to_list()]
        return pl.Series(told, dtype=pl.String)
    if task.says == "spans":
        return pl.Series([in_words("spans", known) for known in rows[task.answer].to_list()], dtype=pl.String)
    if task.says in ("label", "number"):
        return answers_said(task, rows[task.answer])
    return said(rows[task.answer])
