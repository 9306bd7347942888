"""From Arrow's types to those that the engine works on."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from seedbed.core.errors import DataError

_NAMED = (pl.Categorical, pl.Enum)


def from_arrow(table: pa.Table, at: str) -> pl.DataFrame:
    """A table of Arrow as one of Polars; values that stand in a dictionary are texts.

    Raises:
        DataError: A column holds what has no counterpart.
    """
    return plain(as_it_is(table, at))


def as_it_is(table: pa.Table, at: str) -> pl.DataFrame:
    """A table of Arrow as one of Polars, with its categories.

    Raises:
        DataError: A column holds what has no counterpart.
    """
    bare = pa.schema([field.remove_metadata() for field in table.schema])  # Polars believes what is written there
    try:
        return pl.DataFrame(pl.from_arrow(table.cast(bare) if table.schema != bare or table.schema.metadata else table))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, ValueError, TypeError) as error:
        kinds = ", ".join(f"{field.name} ({field.type})" for field in list(table.schema)[:6])
        raise DataError(
            f"holds a type that cannot be read ({str(error).partition(chr(10))[0][:120]})",
            at=at,
            hint=f"its columns are {kinds[:300]}: write that one as text",
        ) from None


def plain(rows: pl.DataFrame) -> pl.DataFrame:
    """The table with categories as texts."""
    # Series, not expressions: to those a column called `*` would mean all of them.
    return pl.DataFrame([one.cast(pl.String()) if isinstance(one.dtype, _NAMED) else one for one in rows.get_columns()])
