"""TFRecord files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import orjson
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of_columns, plain, plain_kind, values
from .files.splits import Splits


class Tfrecord(Splits):
    """Write each split as a TFRecord file of `tf.train.Example`s.

    Whole numbers and true and false are `int64_list`, 32-bit numbers `float_list`, texts and bytes `bytes_list`. A
    64-bit number is its eight bytes, little-endian (`tf.io.decode_raw(x, tf.float64)`): `float_list` would halve its
    digits; cast the column to 32 bits first if that is wanted. Lists and structs are JSON, points in time ISO 8601,
    unsigned 64-bit numbers texts. What is missing has no feature. `schema.json` beside the files says what each was.

    ## Why
    It is what TensorFlow reads fastest from a network, and what older pipelines expect.

    ## Limits
    A reader must be told every feature and its default; `tf_data` writes what needs no telling. Written by TensorFlow's
    own writer, so that package is needed. Categories come back as texts.
    """

    extra: ClassVar[str] = "tensorflow"
    needs: ClassVar[tuple[str, ...]] = ("tensorflow",)
    ending: ClassVar[str] = ".tfrecord"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="What is missing has no feature",
            options={"path": "out/tfrecord", "row_ids": False},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train.tfrecord": [{"text": "good", "stars": 5}, {"stars": 1}]},
        ),
    )

    use: Literal["tfrecord"] = "tfrecord"

    def write(self, rows: Rows, target: Path) -> None:
        """Write an example a row."""
        tf = tensorflow()
        with tf.io.TFRecordWriter(str(target)) as writer:
            for batch in rows.batches():
                columns = [_features(tf, column) for column in batch]
                for row in zip(*columns, strict=True):
                    held = {name: one for name, one in zip(rows.schema, row, strict=True) if one is not None}
                    writer.write(tf.train.Example(features=tf.train.Features(feature=held)).SerializeToString())

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`.

        Raises:
            DataError: The schema or the file is damaged.
            MissingExtraError: TensorFlow is not installed.
        """
        cls.check_needs()
        schema = described(path, "tfrecord").schema

        def batches() -> Iterator[pl.DataFrame]:
            tf = tensorflow()
            from google.protobuf.message import DecodeError

            try:
                found = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
                while some := list(islice(found, BATCH)):
                    examples = [tf.train.Example.FromString(one).features.feature for one in some]
                    yield pl.DataFrame([_column(examples, name, kind, str(path)) for name, kind in schema.items()])
            except (tf.errors.OpError, DecodeError, ValueError, IndexError) as error:
                raise DataError(f"cannot be read: {(str(error).splitlines() or [''])[0][:160]}", at=str(path)) from None

        return Rows(schema, batches)


def tensorflow() -> Any:
    """TensorFlow, without its talk."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Nothing is computed with it here, and it would announce its faster kernels past every log level.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    return tf


def _features(tf: Any, column: pl.Series) -> list[Any]:
    """The features of a column, none for a missing value."""
    column = column if column.dtype == pl.Binary else plain(column.to_frame())[column.name]
    make = _maker(tf, column.dtype)
    found = values(column) if column.dtype.is_nested() else column.to_list()
    return [None if value is None else make(value) for value in found]


def _maker(tf: Any, kind: pl.DataType) -> Callable[[Any], Any]:
    """What makes a feature of a plain value."""
    train = tf.train
    if kind == pl.Float32:
        return lambda value: train.Feature(float_list=train.FloatList(value=[value]))
    if kind == pl.Boolean or (kind.is_integer() and kind != pl.UInt64):
        return lambda value: train.Feature(int64_list=train.Int64List(value=[int(value)]))
    to_bytes = _bytes_of(kind)
    return lambda value: train.Feature(bytes_list=train.BytesList(value=[to_bytes(value)]))


def _bytes_of(kind: pl.DataType) -> Callable[[Any], bytes]:
    if kind == pl.Float64:
        return lambda value: np.float64(value).astype("<f8").tobytes()
    if kind.is_nested():
        return orjson.dumps
    return bytes if kind == pl.Binary else lambda value: str(value).encode()


def _column(examples: list[Any], name: str, kind: pl.DataType, at: str) -> pl.Series:
    binary = kind == pl.Binary  # stays as it is; inside of lists and structs it is JSON's
    read = _reader(plain_kind(kind, binary=binary))
    found = [read(one[name]) if name in one else None for one in examples]
    return frame_of_columns({name: found}, pl.Schema({name: kind}), at=at, binary=binary)[name]


def _reader(kind: pl.DataType) -> Callable[[Any], Any]:
    """What reads a plain value out of a feature."""
    if kind == pl.Float32:
        return lambda found: found.float_list.value[0]
    if kind == pl.Boolean or (kind.is_integer() and kind != pl.UInt64):
        made = bool if kind == pl.Boolean else int
        return lambda found: made(found.int64_list.value[0])
    of_bytes = _value_of(kind)
    return lambda found: of_bytes(found.bytes_list.value[0])


def _value_of(kind: pl.DataType) -> Callable[[bytes], Any]:
    if kind == pl.Float64:
        return lambda raw: float(np.frombuffer(raw, "<f8")[0])
    if kind.is_nested():
        return orjson.loads
    if kind == pl.Binary:
        return bytes
    return int if kind == pl.UInt64 else bytes.decode
