"""Rows as Arrow has them, for the formats that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from seedbed.core.errors import DataError
from seedbed.core.exporter import Rows

from .described import description_of
from .plain import inner_of, kind_of


def as_arrow(rows: pl.DataFrame) -> pa.Table:
    """Rows as every reader of Arrow knows them; categories as texts."""
    plain = pl.DataFrame([one.cast(pl.String) if _is_category(one.dtype) else one for one in rows])
    return plain.to_arrow(compat_level=pl.CompatLevel.oldest())


def schema_of(path: Path, use: str, own: Callable[[Path], Mapping[str, pl.DataType]]) -> pl.Schema:
    """The columns as the schema beside a file says, else as the file does.

    Raises:
        DataError: It is damaged.
    """
    try:
        found = description_of(path, use)
        return found.schema if found else pl.Schema(own(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        said = (str(error).splitlines() or [""])[0][:160]
        raise DataError(f"cannot be read: {said}", at=str(path)) from None


def read_as(schema: pl.Schema, batches: Callable[[], Iterator[pa.RecordBatch]], *, at: str) -> Rows:
    """Rows out of Arrow, with the types that they had.

    Raises:
        DataError: The file is damaged, or not what the schema says.
    """

    def typed() -> Iterator[pl.DataFrame]:
        try:
            for batch in batches():
                rows = pl.DataFrame(pl.from_arrow(batch))
                yield pl.DataFrame([rows[name].cast(kind) for name, kind in schema.items()])
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            said = (str(error).splitlines() or [""])[0][:160]
            raise DataError(f"cannot be read: {said}", at=at) from None

    return Rows(schema, typed)


def refuse_what_arrow_lacks(schema: Mapping[str, pl.DataType], use: str) -> None:
    """Refuse columns that Arrow has no type for.

    Raises:
        DataError: There is one.
    """
    for name, kind in schema.items():
        if _lacking(kind):
            raise DataError(
                f"{use} cannot say what column {name[:80]!r} holds: {kind}",
                hint="leave it out with `columns`, or cast it in a step",
            )


def _lacking(kind: pl.DataType) -> bool:
    match kind:
        case pl.List() | pl.Array():
            return _lacking(inner_of(kind))
        case pl.Struct():
            return not kind.fields or any(_lacking(kind_of(one.dtype)) for one in kind.fields)
    return isinstance(kind, pl.Int128 | pl.UInt128 | pl.Object | pl.Unknown)


def _is_category(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.Categorical | pl.Enum)
