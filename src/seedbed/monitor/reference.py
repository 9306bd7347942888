"""What a model's held-out rows and its answers to them were like: what a window is compared with.

A bundle keeps it in `reference.json`, beside the profiles for people: no text and no row, but of each column its values
in order, of each text a sketch, of each answer how sure it was and whether it was right, each in an order of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from seedbed.core.errors import ModelError
from seedbed.core.profile import ColumnFacts, TableProfile
from seedbed.core.record import Record

from .columns import LENGTH, OTHER, Column, Kind, as_text, column_of, kind_of
from .sketches import MAKER, Sketches, packed, sketched, unpacked

#: Where `reference.json` holds it.
KEY = "monitor"
#: Values of a column, and answers, that are kept; fewer where there are very many columns.
MOST, _MOST_IN_ALL, _LEAST = 2_000, 100_000, 200
#: Texts whose sketches are kept.
MOST_SKETCHES = 1_000
#: Labels of which each row may have several that are watched one by one.
_MOST_LABELS = 50

Sure = NDArray[np.float64]


class Reference(Record):
    """What held-out rows, and answers to them, were like."""

    version: int = 1
    rows: int
    reads: dict[str, Column] = Field(description="Columns that the model read, by name.")
    answers: dict[str, Column] = Field(description="What it answered: `predicted`, `confidence`.")
    truth: Column | None = Field(None, description="What was right.")
    left_out: tuple[int, int] = Field(
        (0, 0), description="Rows that training left out for what a row brings, and of how many; none of them is here."
    )
    groups: int | None = Field(None, description="Groups of rows that belong together, where rows are not independent.")
    texts: tuple[str, ...] = Field((), description="The columns that sketches are of.")
    sketches: str = Field("", description="Sketches of texts, packed.")
    maker: str = MAKER
    sure: tuple[tuple[float, float], ...] = Field(
        (), description="How sure an answer was and how right (1, 0; of several labels a share); of rows in no order."
    )


@dataclass(frozen=True)
class Looked:
    """What was seen of rows: of the reference, or of a window."""

    rows: int
    reads: Mapping[str, Column]
    answers: Mapping[str, Column]
    truth: Column | None = None
    sketches: Sketches | None = None
    sure: Sure | None = None
    """How sure each answer was and how right, shape (rows, 2), where that is known."""
    texts: Sequence[str] = field(default=())
    left_out: tuple[int, int] = (0, 0)
    """Rows that training leaves out, and of how many; they are not among `rows`."""
    groups: int | None = None
    """Groups of rows that belong together, where rows are no independent draws."""


def reference_of(
    reads: pl.DataFrame,
    answers: pl.DataFrame,
    *,
    text: str | None,
    labels: Sequence[str] = (),
    truth: pl.Series | None = None,
    right: NDArray[np.float64] | NDArray[np.bool_] | None = None,
    left_out: tuple[int, int] = (0, 0),
    groups: int | None = None,
) -> Reference:
    """Describe rows that a model was not trained on.

    Args:
        reads: The columns that it reads.
        answers: What it said, as a file of predictions has it.
        text: The column that is the text, if any.
        labels: The task's.
        truth: What is right, as labels or numbers.
        right: How right answers were, from 0 to 1.
        left_out: Rows that training left out for what a row brings, and of how many.
        groups: Groups of rows that belong together, where rows are no independent draws.
    """
    kinds = {name: kind for name in reads.columns if (kind := kind_of(reads[name], text=name == text)) is not None}
    numbers = sum(kind in ("number", "text") for kind in kinds.values())
    most = max(_LEAST, min(MOST, _MOST_IN_ALL // max(1, numbers)))
    texts = tuple(name for name, kind in kinds.items() if kind == "text")
    table = answer_table(answers, labels)
    drawn = np.random.default_rng(13)
    some = drawn.permutation(reads.height)[:MOST_SKETCHES]
    sure: tuple[tuple[float, float], ...] = ()
    told = sureness(answers)
    if right is not None and told is not None:
        order = drawn.permutation(reads.height)[:MOST]
        pairs = zip(told.gather(order).to_list(), right[order].tolist(), strict=True)
        sure = tuple((float(f"{one:.6g}"), float(f"{was:.6g}")) for one, was in pairs if one is not None)
    return Reference(
        rows=reads.height,
        reads={name: column_of(reads[name], kind, most=most) for name, kind in kinds.items()},
        answers=answers_seen(table, labels, most=MOST),
        truth=None if truth is None else _truth(truth, labels, MOST),
        texts=texts,
        sketches=packed(sketched(joined(reads[some], texts))) if texts else "",
        sure=sure,
        left_out=left_out,
        groups=groups,
    )


def sureness(answers: pl.DataFrame) -> pl.Series | None:
    """How sure a model is of each answer; of several labels the mean over all of them. None where it does not say it.

    Args:
        answers: As a file of predictions has them, or as a predictor gives them.
    """
    if "confidence" in answers.columns:
        return answers["confidence"].cast(pl.Float64)
    if "probabilities" not in answers.columns or not isinstance(answers.schema.get("predicted"), pl.List):
        return None
    shares = answers["probabilities"]
    if isinstance(shares.dtype, pl.Struct):
        shares = shares.struct.unnest().select(pl.concat_list(pl.all())).to_series()
    surer = pl.max_horizontal(pl.element(), 1 - pl.element())
    return shares.to_frame("p").select(pl.col("p").list.eval(surer).list.mean()).to_series()


def joined(rows: pl.DataFrame, texts: Sequence[str]) -> pl.Series:
    """All texts of each row as one."""
    table = pl.DataFrame([as_text(rows[name]).alias(str(place)) for place, name in enumerate(texts)])
    return table.select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)).to_series()


def answer_table(answers: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """Answers as columns that can be compared: sets of labels as one column a label, likelihoods by token."""
    columns: list[pl.Series] = []
    if "predicted" in answers.columns:
        said = answers["predicted"]
        if isinstance(said.dtype, pl.List):
            columns += [said.list.contains(one).alias(f"predicted {one}") for one in labels[:_MOST_LABELS]]
        else:
            columns.append(said)
    if "confidence" in answers.columns:
        columns.append(answers["confidence"])
    if "nats" in answers.columns:
        table = answers.select((pl.col("nats") / pl.col("tokens").clip(1)).alias("nats per token"))
        columns.append(table.to_series())
    return pl.DataFrame(columns)


def answers_seen(table: pl.DataFrame, labels: Sequence[str], *, most: int | None = None) -> dict[str, Column]:
    """What is known of an `answer_table`."""
    found = {}
    for column in table:
        one_of = column.name == "predicted" and bool(labels)
        kind: Kind = "category" if one_of or column.dtype == pl.Boolean else "number"
        if column.dtype == pl.String and not one_of:
            kind = "text"
        found[column.name] = column_of(column, kind, most=most, labels=labels)
    return found


def _truth(truth: pl.Series, labels: Sequence[str], most: int | None) -> Column:
    return column_of(truth, "category" if labels else "number", most=most, labels=labels)


def seen_of(
    known: Looked,
    reads: pl.DataFrame,
    answers: pl.DataFrame,
    *,
    labels: Sequence[str] = (),
    sketches: Sketches | None = None,
    truth: pl.Series | None = None,
    sure: Sure | None = None,
    left_out: tuple[int, int] = (0, 0),
) -> Looked:
    """Look at the rows of a window as the reference was looked at.

    Args:
        known: The reference: says what each column is.
        reads: Columns that the model read, or `LENGTH` and the name of a text that is not there; those that are
            not there in either form are left out.
        answers: What it said.
        labels: The task's.
        sketches: Of its texts.
        truth: What is right, of those rows of which somebody said it.
        sure: How sure each of their answers was, and how right.
        left_out: Rows that training would have left out, which are not among these, and of how many.
    """
    there = {name: reads[name] for name in reads.columns}
    columns = {}
    for name, before in known.reads.items():
        column = there.get(name, there.get(LENGTH + name))
        if column is not None:
            columns[name] = column_of(column, before.kind, labels=before.counts)
    return Looked(
        rows=reads.height,
        reads=columns,
        answers=answers_seen(answer_table(answers, labels), labels),
        truth=None if truth is None or not len(truth) else _truth(truth, labels, None),
        sketches=sketches,
        sure=sure,
        left_out=left_out,
    )


def written(reference: Reference) -> dict[str, Any]:
    """A reference as `reference.json` holds it."""
    return {KEY: reference.model_dump(mode="json")}


def read_reference(text: str, *, at: str) -> tuple[Looked, bool]:
    """A reference out of `reference.json`; whether it holds all that can be watched.

    Bundles that were written before models were watched hold only profiles: of these, categories and missing values can
    be compared.

    Raises:
        ModelError: It is damaged.
    """
    try:
        held = json.loads(text)
        if KEY not in held:
            return _from_profiles(held), False
        told = Reference.model_validate(held[KEY])
        sketches = unpacked(told.sketches) if told.sketches and told.maker == MAKER else None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ModelError(
            f"what the model is to be compared with cannot be read ({type(error).__name__})",
            at=at,
            hint="copy the whole bundle again",
        ) from None
    sure = np.asarray(told.sure, dtype=np.float64).reshape(-1, 2) if told.sure else None
    seen = told.rows, told.reads, told.answers, told.truth
    return Looked(*seen, sketches, sure, told.texts, told.left_out, told.groups), True


def _from_profiles(held: Mapping[str, Any]) -> Looked:
    both = [TableProfile.model_validate(held[name]) for name in ("reads", "answers")]
    reads, answers = ({one.name: _counted(one) for one in table.columns} for table in both)
    return Looked(int(held["rows"]), reads, answers)


def _counted(facts: ColumnFacts) -> Column:
    """What a profile counted: categories, and rows without a value. Its histogram is too coarse for a test."""
    if facts.kind not in ("category", "boolean"):
        kind: Kind = "number" if facts.numbers else "text"
        return Column(kind=kind, rows=facts.rows, missing=facts.missing)
    counts = {one.value: one.rows for one in facts.values.top}
    if facts.values.other:
        counts[OTHER] = facts.values.other
    return Column(kind="category", rows=facts.rows, missing=facts.missing, counts=counts)
