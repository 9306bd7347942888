"""Files of JSON lines, read back into columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows


def read_lines(path: Path, schema: pl.Schema, row_of: Callable[[Any], dict[str, Any]]) -> Rows:
    """Rows out of a file of JSON lines.

    Args:
        path: The file.
        schema: The columns.
        row_of: From what a line says to values by column; `KeyError`, `TypeError`, `ValueError` and `AttributeError`
            say that it is damaged.
    """
    return Rows(schema, lambda: _batches(path, schema, row_of))


def _batches(path: Path, schema: pl.Schema, row_of: Callable[[Any], dict[str, Any]]) -> Iterator[pl.DataFrame]:
    read = 0
    with path.open("rb") as file:
        while lines := list(islice(file, BATCH)):
            rows = []
            for number, line in enumerate(lines, read + 1):
                with damaged(path, f"line {number:,}"):
                    rows.append(row_of(orjson.loads(line)))
            with damaged(path, f"line {read + 1:,} and after"):
                yield frame(rows, schema)
            read += len(lines)


def frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Rows as a table."""
    return pl.DataFrame(
        [pl.Series(name, [row[name] for row in rows], dtype=kind, strict=True) for name, kind in schema.items()]
    )


@contextmanager
def damaged(path: Path, where: str) -> Iterator[None]:
    """Tell that a file is damaged.

    Raises:
        DataError: Reading failed.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, pl.exceptions.PolarsError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise DataError(f"is not what it was written as: {said}", at=f"{path}, {where}") from None
