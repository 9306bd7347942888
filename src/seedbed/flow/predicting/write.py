"""Labelled rows, written as they come: CSV, JSON lines or Parquet by the name's ending."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from pyarrow.types import is_floating, is_nested

from seedbed.core.errors import RecipeError
from seedbed.core.rows import as_json
from seedbed.serve.preparation import as_texts
from seedbed.store.places import arriving

Write = Callable[[pl.DataFrame], None]

ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet")


def refuse_ending(out: Path) -> None:
    """Refuse a name that does not tell the format.

    Raises:
        RecipeError: The ending is none of `ENDINGS`.
    """
    if out.suffix.lower() not in ENDINGS:
        raise RecipeError(
            f"the ending {out.suffix!r} tells no format" if out.suffix else "the name has no ending to tell its format",
            at=f"--out {out}",
            hint=f"end it in {', '.join(ENDINGS)}",
        )


@contextmanager
def writing(out: Path) -> Iterator[Write]:
    """Something to give frames of the same columns to; the file is there, whole, once the body has ended well.

    Raises:
        RecipeError: The ending tells no format.
    """
    refuse_ending(out)
    with arriving(out) as partial:
        match out.suffix.lower():
            case ".csv":
                with _csv(partial) as write:
                    yield write
            case ".parquet":
                with _parquet(partial) as write:
                    yield write
            case _:
                with _json_lines(partial) as write:
                    yield write


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    first = True
    with path.open("wb") as file:

        def write(rows: pl.DataFrame) -> None:
            nonlocal first
            flat(rows).write_csv(file, include_header=first)
            first = False

        yield write


@contextmanager
def _json_lines(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(rows: pl.DataFrame) -> None:
            file.writelines(f"{line}\n" for line in as_json(rows))

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    writer: pq.ParquetWriter | None = None

    def write(rows: pl.DataFrame) -> None:
        nonlocal writer
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:  # no two probabilities are equal: a dictionary of them takes a fifth more than they do
            repeated = [one.name for one in table.schema if not (is_nested(one.type) or is_floating(one.type))]
            writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=repeated)
        writer.write_table(table)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


def flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as CSV can hold them: columns for probabilities, warnings in one text, nested values as JSON."""
    columns = []
    for column in rows:
        if column.name == "probabilities" and isinstance(column.dtype, pl.Struct):
            columns += [share.alias(f"probability {share.name}") for share in column.struct.unnest()]
        elif column.name == "probabilities" and isinstance(column.dtype, pl.Array):
            for place in range(column.dtype.size):
                pair = column.arr.get(place).struct.unnest()
                columns += [one.alias(f"{one.name} {place + 1}") for one in pair]
        elif column.name == "warnings":
            columns.append(column.list.join("; ").replace("", None))
        else:
            nested = column.dtype.is_nested() or column.dtype == pl.Binary
            columns.append(as_texts(column).alias(column.name) if nested else column)
    return pl.DataFrame(columns)
