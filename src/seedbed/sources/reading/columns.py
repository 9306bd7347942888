"""All files of a source that has its types in the files must agree on them."""

from __future__ import annotations

import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.source import InputFile


def refuse_other_columns(file: InputFile, schema: pl.Schema, first: InputFile, wanted: pl.Schema) -> None:
    """Fail where a file has other columns, or other types, than the first.

    Raises:
        DataError: It has; says which.
    """
    if schema == wanted:
        return
    names = [*wanted, *(name for name in schema if name not in wanted)]
    differing = [name for name in names if schema.get(name) != wanted.get(name)]
    shown = [f"{name} ({schema.get(name, 'missing')}, there {wanted.get(name, 'missing')})" for name in differing[:3]]
    raise DataError(
        f"has other columns or types than {first.name}: {', '.join(shown) or 'their order differs'}",
        at=file.url,
        hint="read files with different columns as sources of their own",
    )
