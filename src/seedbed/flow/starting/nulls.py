"""Values such as NA that stand for none in a file whose numbers they would turn into texts."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from seedbed.flow.recognising import Recognised
from seedbed.steps.values.kinds import read_as

#: What programs write where there is no value: R, pandas, SQL, spreadsheets.
_MARKERS = ("NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NULL", "null", "None")
#: Share of a column that is left without them, and share of that which must be numbers.
_LEFT, _NUMBERS = 0.1, 0.98


def nulls_in(known: Recognised) -> tuple[str, ...]:
    """Markers that stand among the numbers of a column of a CSV file; none where a person said what means none."""
    source = known.source
    if source.use != "csv" or "nulls" in source.model_fields_set:
        return ()
    found = {marker for column in known.sample.rows.iter_columns() for marker in _among_numbers(column)}
    return tuple(marker for marker in _MARKERS if marker in found)


def _among_numbers(column: pl.Series) -> Sequence[str]:
    if column.dtype != pl.String:
        return ()
    markers = column.filter(column.is_in(_MARKERS)).unique()
    if not markers.len():
        return ()
    values = column.filter(column.is_in(_MARKERS).not_()).str.strip_chars()
    values = values.filter(values.str.len_bytes() > 0)
    if not values.len() or values.len() < _LEFT * column.len():
        return ()
    _, wrong = read_as("number", values)
    return markers.to_list() if int(wrong.sum()) <= (1 - _NUMBERS) * values.len() else ()


def told_of(nulls: Sequence[str]) -> tuple[str, ...]:
    """What a person should know of it."""
    if not nulls:
        return ()
    return (f"{', '.join(nulls)} among numbers is read as a missing value, in every column: `nulls` in the source",)
