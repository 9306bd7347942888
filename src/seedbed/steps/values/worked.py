"""Columns that are read anew, value by value, where a value may be at fault: what `cast` and `parse_dates` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

#: The new values of a column, and what is wrong with each (null where nothing is).
Reading = Callable[[pl.Series], tuple[pl.Series, pl.Series]]
#: Why a row that such a step rejected cannot be rescued.
UNREAD = "no decision can make a value: mend it where it was read from, or say `on_error: missing` of this step"


def worked(readings: Mapping[str, Reading], dtypes: Mapping[str, pl.DataType], *, reject: bool) -> pl.Expr:
    """The work of a `Rework` that reads columns anew.

    Args:
        readings: By column.
        dtypes: Types of the new values, by column.
        reject: Whether a row with a fault goes; else the value is made missing.

    Returns:
        As `Rework.work`, with the evidence `column` and `value` of the first fault of a row.
    """
    dtype = pl.Struct(
        {
            "reason": pl.String(),
            "evidence": pl.Struct({"column": pl.String(), "value": pl.String()}),
            "columns": pl.Struct(dict(dtypes)),
        }
    )
    work = partial(_work, dict(readings), dict(dtypes), reject)
    return pl.struct(list(readings)).map_batches(work, return_dtype=dtype, is_elementwise=True)


def _work(
    readings: Mapping[str, Reading], dtypes: Mapping[str, pl.DataType], reject: bool, rows: pl.Series
) -> pl.Series:
    table = rows.struct.unnest()
    read = {name: reading(table[name]) for name, reading in readings.items()}
    new = pl.DataFrame([known.cast(dtypes[name]).alias(name) for name, (known, _) in read.items()])
    faults = pl.DataFrame([fault.alias(name) for name, (_, fault) in read.items()])
    if not reject:
        faults = faults.clear(rows.len())
    first = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in readings]
    values = [
        pl.when(fault.is_not_null()).then(_shown(table[name])).alias(name)
        for name, fault in zip(readings, faults.get_columns(), strict=True)
    ]
    told = pl.select(*values) if rows.len() else faults
    return (
        pl.DataFrame(
            [
                faults.select(pl.coalesce(pl.all())).to_series().alias("reason"),
                pl.DataFrame(
                    [
                        faults.select(pl.coalesce(first)).to_series().alias("column"),
                        told.select(pl.coalesce(pl.all())).to_series().alias("value"),
                    ]
                ).to_struct("evidence"),
                new.to_struct("columns"),
            ]
        )
    ).to_struct(rows.name)


def _shown(values: pl.Series) -> pl.Series:
    return values.cast(pl.String, strict=False)
