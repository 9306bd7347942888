"""Rows as they were read, before any step: for examples, and for telling a row's story."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW, number_rows

from .jobs import Opened, conform


def raw_rows(opened: Sequence[Opened], schema: pl.Schema, numbers: pl.Series, context: Context) -> pl.DataFrame:
    """Some rows with the run's columns, as the sources hold them; reads no further than the last of them.

    Args:
        opened: The sources.
        schema: The run's columns.
        numbers: `NUMBER` of the rows.
        context: As it was when the rows were read.
    """
    left = set(numbers.to_list())
    found = [pl.DataFrame(schema={NUMBER: pl.UInt64(), ROW: pl.String(), **schema})]
    for one in opened:
        for block in one.source.blocks(one.scan, context):
            if not left:
                break
            parsed = one.source.parse(block, one.scan)
            rows = number_rows(
                conform(parsed.table, one.renames, schema),
                file_number=one.first_file + block.file,
                source=one.name,
                file=one.scan.files[block.file].name,
                records=parsed.records,
            ).filter(pl.col(NUMBER).is_in(list(left)))
            left -= set(rows[NUMBER].to_list())
            found.append(rows)
    return pl.concat(found)
