"""NumPy arrays, a file a column."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Literal, Self
from urllib.parse import quote

import numpy as np
import orjson
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of_columns, plain, plain_kind, values
from .files.splits import Splits

_MAGIC = b"\x93NUMPY\x01\x00"
#: Room for a header whose length is known at the end.
_HEADER = 128


class Numpy(Splits):
    """Write each split as a folder of `.npy` files: one array a column.

    A column of numbers or of true and false is `COLUMN.npy`. A text column is two arrays, as Arrow has it:
    `COLUMN.utf8.npy` holds the bytes of all texts in UTF-8 one after the other, `COLUMN.ends.npy` where each ends.
    Where a column has missing values, `COLUMN.missing.npy` is true for them (and the array holds 0, or an empty text).
    Points in time are texts (ISO 8601), spans of time are counted in their unit, lists and structs are JSON.

    ## Why
    `numpy.load(path, mmap_mode="r")` opens a column of any size at once and without pickles. An array of texts of fixed
    width would take four bytes for each character of the longest text, in every row.

    ## Limits
    Texts are put together by whoever reads them: `utf8[ends[i - 1]:ends[i]].tobytes().decode()`. Categories come back
    as texts.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Numbers, and what is missing",
            options={"path": "out/numpy", "row_ids": False},
            before={"text": ["good", "bad"], "stars": [5, None]},
            after={
                "train/stars.npy": [5, 0],
                "train/stars.missing.npy": [False, True],
                "train/text.utf8.npy": [103, 111, 111, 100, 98, 97, 100],
                "train/text.ends.npy": [4, 7],
            },
        ),
    )

    use: Literal["numpy"] = "numpy"

    def write(self, rows: Rows, target: Path) -> None:
        """Write a folder of arrays."""
        target.mkdir()
        with contextlib.ExitStack() as stack:
            columns = [_Column(target / _file_name(name), plain_kind(kind)) for name, kind in rows.schema.items()]
            for column in columns:
                stack.enter_context(column)
            for batch in rows.batches():
                for column, given in zip(columns, plain(batch), strict=True):
                    column.add(given)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`.

        Raises:
            DataError: The schema or an array is damaged.
        """
        schema = described(path, "numpy").schema

        def batches() -> Iterator[pl.DataFrame]:
            try:
                columns = {name: _Arrays(path / _file_name(name), plain_kind(kind)) for name, kind in schema.items()}
                height = max((one.height for one in columns.values()), default=0)
                for start in range(0, height, BATCH):
                    found = {name: one.values(start, min(start + BATCH, height)) for name, one in columns.items()}
                    yield frame_of_columns(found, schema, at=str(path))
            except (OSError, ValueError, json.JSONDecodeError) as error:
                raise DataError(f"an array cannot be read: {str(error)[:160]}", at=str(path)) from None

        return Rows(schema, batches)


def _file_name(column: str) -> str:
    """A column's name as that of a file on any system."""
    return quote(column, safe=" ") or "%"


class _Array:
    """An array that grows; its header is written at the end."""

    def __init__(self, path: Path, kind: np.dtype[Any]) -> None:
        self._path, self._kind, self._height = path, kind, 0
        self._file: BinaryIO | None = None

    def add(self, some: np.ndarray[Any, Any]) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
            self._file.write(b"\0" * _HEADER)
        self._file.write(np.ascontiguousarray(some, self._kind).tobytes())
        self._height += len(some)

    def close(self) -> None:
        if self._file is None:
            return
        told = str({"descr": self._kind.str, "fortran_order": False, "shape": (self._height,)}).encode()
        room = _HEADER - len(_MAGIC) - 2
        self._file.seek(0)
        self._file.write(_MAGIC + room.to_bytes(2, "little") + told.ljust(room - 1) + b"\n")
        self._file.close()


class _Column:
    """The arrays of a column."""

    def __init__(self, path: Path, kind: pl.DataType) -> None:
        self._text = kind == pl.String or kind.is_nested() or kind == pl.Null
        name = f"{path.name}.utf8.npy" if self._text else f"{path.name}.npy"
        self._values = _Array(path.with_name(name), np.dtype(np.uint8) if self._text else _numpy_kind(kind))
        self._ends = _Array(path.with_name(f"{path.name}.ends.npy"), np.dtype(np.int64))
        self._missing = _Array(path.with_name(f"{path.name}.missing.npy"), np.dtype(np.bool_))
        self._end = self._rows = 0

    def __enter__(self) -> Self:
        none: list[int] = []
        self._values.add(np.array(none))  # also where there is no row
        if self._text:
            self._ends.add(np.array(none))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._values, self._ends, self._missing):
            one.close()

    def add(self, column: pl.Series) -> None:
        """Add some rows."""
        column = column.alias("v")  # Polars would take a name such as `^.*$` for a pattern
        if column.null_count() or self._missing._file is not None:
            if self._missing._file is None:  # none was missing before
                self._missing.add(np.zeros(self._rows, np.bool_))
            self._missing.add(column.is_null().to_numpy())
        self._rows += column.len()
        if not self._text:
            filled = column.fill_null(False if column.dtype == pl.Boolean else 0)
            self._values.add(filled.to_numpy())
            return
        texts = _texts(column)
        lengths = texts.str.len_bytes().to_numpy().astype(np.int64)
        self._values.add(np.frombuffer("".join(texts.to_list()).encode(), np.uint8))
        ends = np.cumsum(lengths) + self._end
        self._ends.add(ends)
        self._end = int(ends[-1]) if len(ends) else self._end


def _texts(column: pl.Series) -> pl.Series:
    if not column.dtype.is_nested():
        return column.cast(pl.String).fill_null("")
    said = ["" if value is None else orjson.dumps(value).decode() for value in values(column)]
    return pl.Series(column.name, said, dtype=pl.String)


def _numpy_kind(kind: pl.DataType) -> np.dtype[Any]:
    empty: np.ndarray[Any, Any] = pl.Series(dtype=kind).to_numpy()
    found: np.dtype[Any] = empty.dtype.newbyteorder("<")
    return found


class _Arrays:
    """The arrays of a column, opened."""

    def __init__(self, path: Path, kind: pl.DataType) -> None:
        self._nested, self._null = kind.is_nested(), kind == pl.Null
        self._text = kind == pl.String or self._nested or self._null
        missing = path.with_name(f"{path.name}.missing.npy")
        self._missing = _opened(missing) if missing.exists() else None
        self._values = _opened(path.with_name(f"{path.name}.utf8.npy" if self._text else f"{path.name}.npy"))
        self._ends = _opened(path.with_name(f"{path.name}.ends.npy")) if self._text else self._values
        self.height = len(self._ends)

    def values(self, start: int, end: int) -> list[Any]:
        """Plain values of some rows."""
        found = self._read(start, end)
        if self._missing is None:
            return found
        gone = self._missing[start:end]
        return [None if missing else value for value, missing in zip(found, gone, strict=True)]

    def _read(self, start: int, end: int) -> list[Any]:
        if not self._text:
            return list(self._values[start:end].tolist())
        ends = [int(self._ends[start - 1]) if start else 0, *self._ends[start:end].tolist()]
        raw = self._values[ends[0] : ends[-1]].tobytes()
        texts = [raw[a - ends[0] : b - ends[0]].decode() for a, b in pairwise(ends)]
        if self._nested:
            return [orjson.loads(text) if text else None for text in texts]
        return [None] * len(texts) if self._null else texts


def _opened(path: Path) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
    return found
