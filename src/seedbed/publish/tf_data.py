"""Datasets of `tf.data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example, LabelColumn, TextColumn
from seedbed.core.task import Task

from .files.described import described
from .files.splits import Splits
from .tfrecord import tensorflow


class TfData(Splits):
    """Write each split as what `tf.data.Dataset.load` reads, or as pairs that a Keras model fits.

    An element is a dictionary of tensors, one a column: texts and bytes are `tf.string`, numbers and true and false
    keep their types. With `pairs` it is a text and the number of its label, by the run's own order of labels, which
    `schema.json` lists: `model.fit(tf.data.Dataset.load("out/train").batch(32))`.

    ## Why
    `tf.data` needs no schema to load it again, and shards and prefetches it by itself.

    ## Limits
    Tensors have no missing values and no time: a split in which a column has any, or that holds lists, structs, dates
    or decimals, is refused with the column's name. Name the others under `columns`, or fill them in a step. Needs
    TensorFlow, about 1.4 GB.
    """

    extra: ClassVar[str] = "tensorflow"
    needs: ClassVar[tuple[str, ...]] = ("tensorflow",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Pairs for Keras",
            options={"path": "out/tf", "pairs": True, "text": "text", "label": "label"},
            before={"text": ["good", "bad"], "label": ["pos", "neg"]},
            after={"train": [["good", 1], ["bad", 0]]},
        ),
    )

    use: Literal["tf_data"] = "tf_data"
    pairs: bool = Field(False, description="Whether an element is a text and the number of its label.")
    text: TextColumn = Field(None, description="Column of the text in a pair; the task's when left out.")
    label: LabelColumn = Field(None, description="Column of the label in a pair; the task's when left out.")

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Pairs need a text and one label."""
        if self.pairs and task.says != "label" and self.label is None:
            hint = f"leave `pairs` out, or name a column with `label`; {task.kind} has no column of one label"
            yield "pairs", "a pair is a text and the number of its label", hint
        elif self.pairs and "text" not in task.roles and self.text is None:
            yield "pairs", f"rows of {task.kind} have no text that could be in a pair", "leave `pairs` out"

    def write(self, rows: Rows, target: Path) -> None:
        """Save a dataset of `tf.data`."""
        tf = tensorflow()
        spec, elements = self._pairs(tf, rows) if self.pairs else _dictionaries(tf, rows)
        failed: list[Exception] = []
        found = tf.data.Dataset.from_generator(lambda: _noting(elements, failed), output_signature=spec)
        try:
            found.unbatch().save(str(target))
        except tf.errors.OpError as error:
            raise DataError(f"TensorFlow says: {str(error).splitlines()[0][:160]}") from None
        if failed:
            raise failed[0]

    def more(self, files: Mapping[str, Rows]) -> dict[str, Any]:
        """The labels in the order of their numbers."""
        rows = next(iter(files.values()))
        return {"labels": list(self._labels(rows)), "pairs": True} if self.pairs else {"pairs": False}

    def _labels(self, rows: Rows) -> tuple[str, ...]:
        if rows.labels:
            return rows.labels
        name = self._column("label", self.label, rows)
        found: set[str] = set()
        for batch in rows.batches():
            found.update(batch[name].cast(pl.String).drop_nulls().unique().to_list())
        return tuple(sorted(found))

    @staticmethod
    def _column(role: str, named: str | None, rows: Rows) -> str:
        name = named or rows.task.get(role)
        if name is None or name not in rows.schema:
            raise RecipeError(f"which column is the {role} of a pair?", hint=f"say {role}: COLUMN")
        return name

    def _pairs(self, tf: Any, rows: Rows) -> tuple[Any, Iterator[Any]]:
        text, label = self._column("text", self.text, rows), self._column("label", self.label, rows)
        labels = pl.Series(self._labels(rows), dtype=pl.String)
        codes = {name: code for code, name in enumerate(labels.to_list())}

        def elements() -> Iterator[Any]:
            for batch in rows.batches():
                told = batch[label].cast(pl.String).replace_strict(codes, default=None, return_dtype=pl.Int64)
                yield _tensor(batch[text].cast(pl.String), text), _tensor(told.alias(label), label)

        spec = (tf.TensorSpec((None,), tf.string), tf.TensorSpec((None,), tf.int64))
        return spec, elements()

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`; pairs are not read back.

        Raises:
            DataError: The schema or the dataset is damaged, or it holds pairs.
            MissingExtraError: TensorFlow is not installed.
        """
        cls.check_needs()
        known = described(path, "tf_data")
        if known.more.get("pairs"):
            raise DataError("these are pairs for a model, not rows", at=str(path), hint="export without `pairs`")

        def batches() -> Iterator[pl.DataFrame]:
            tf = tensorflow()
            from google.protobuf.message import DecodeError

            try:
                for some in tf.data.Dataset.load(str(path)).batch(BATCH).as_numpy_iterator():
                    yield pl.DataFrame([_column_of(some[name], name, kind) for name, kind in known.schema.items()])
            except (tf.errors.OpError, DecodeError, OSError, ValueError, KeyError) as error:
                said = (str(error).splitlines() or [""])[0][:160]
                raise DataError(f"cannot be read: {said}", at=str(path)) from None

        return Rows(known.schema, batches)


def _noting(elements: Iterator[Any], failed: list[Exception]) -> Iterator[Any]:
    """The elements up to a failure: an error inside of `save` would wait for ever for its writers."""
    try:
        yield from elements
    except Exception as error:  # noqa: BLE001 (it is raised when `save` has ended)
        failed.append(error)


def _dictionaries(tf: Any, rows: Rows) -> tuple[Any, Iterator[Any]]:
    spec = {name: tf.TensorSpec((None,), _tensor_kind(tf, name, kind)) for name, kind in rows.schema.items()}
    return spec, ({one.name: _tensor(one, one.name) for one in batch} for batch in rows.batches())


def _tensor_kind(tf: Any, name: str, kind: pl.DataType) -> Any:
    if kind in (pl.String(), pl.Binary()):
        return tf.string
    if kind == pl.Boolean:
        return tf.bool
    if (kind.is_integer() or kind.is_float()) and kind != pl.Int128:
        return tf.as_dtype(str(kind).lower())
    raise DataError(
        f"a tensor cannot hold column {name[:80]!r}: {kind}",
        hint="name the others under `columns`, or cast it in a step",
    )


def _tensor(column: pl.Series, name: str) -> Any:
    if missing := column.null_count():
        raise DataError(
            f"a tensor cannot say that a value is missing: {missing:,} of column {name[:80]!r} are",
            hint="leave the column out of `columns`, or fill it in a step",
        )
    if column.dtype in (pl.String(), pl.Binary()):
        return np.array(column.cast(pl.Binary).to_list() or np.empty(0), dtype=object)
    return column.to_numpy()


def _column_of(found: Any, name: str, kind: pl.DataType) -> pl.Series:
    if kind == pl.String:
        return pl.Series(name, found.tolist(), dtype=pl.Binary).cast(pl.String)
    return pl.Series(name, found.tolist(), dtype=kind)
