"""What Python holds as a table, as rows: frames of pandas and Polars, tables of Arrow, lists and dicts."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from seedbed.core.errors import DataError

from .arrow_types import from_arrow, plain

#: What a column of values may hold as it is.
_KINDS: tuple[type, ...] = (bool, int, float, str, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal)
_DEEPEST = 100
KNOWN = "a frame of pandas or Polars, a table of Arrow, a list of dicts or a dict of lists"


def table_of(value: Any, at: str) -> pl.DataFrame:
    """The rows of a value.

    A frame of pandas keeps its index as a column if it has a name or holds no whole numbers. A list of dicts has the
    keys of all as columns; a dict of equally long lists is columns; any other dict is one row; a list of other values
    is a column `value`. Values that are lists or dicts become JSON text, as do those of a column of several kinds.

    Raises:
        DataError: It is nothing of that kind, or holds something that is no plain value.
    """
    found = _table(value, at)
    if not found.width:
        raise DataError("has no columns", at=at, hint="is this the right table?")
    return plain(found)


def _table(value: Any, at: str) -> pl.DataFrame:
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if isinstance(value, pl.Series):
        value = value.to_frame(value.name or "value")
    if isinstance(value, pl.DataFrame):
        return _without_objects(value, at)
    if isinstance(value, pa.RecordBatch):
        value = pa.Table.from_batches([value])
    if isinstance(value, pa.Table):
        return from_arrow(value, at)
    if type(value).__module__.partition(".")[0] == "pandas":
        return _of_pandas(value, at)
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.ndim == 1 else _square(value, at)
    if isinstance(value, Mapping):
        return _of_dict(value, at)
    if isinstance(value, list | tuple):
        return _of_list(list(value), at)
    raise DataError(f"is of type {type(value).__name__}, not {KNOWN}", at=at, hint="hand over its rows")


def _square(value: Any, at: str) -> dict[str, Any]:
    if value.ndim != 2:
        raise DataError(f"is an array of {value.ndim} dimensions", at=at, hint="a table has one or two")
    return {f"column_{place}": value[:, place].tolist() for place in range(value.shape[1])}


def _without_objects(frame: pl.DataFrame, at: str) -> pl.DataFrame:
    if not any(isinstance(kind, pl.Object) for kind in frame.dtypes):
        return frame
    return pl.DataFrame(
        [_column(one.name, one.to_list(), at) if isinstance(one.dtype, pl.Object) else one for one in frame]
    )


def _of_pandas(value: Any, at: str) -> pl.DataFrame:
    import pandas as pd

    if isinstance(value, pd.Index):
        value = value.to_series(name=value.name or "value").reset_index(drop=True)
    if isinstance(value, pd.Series):
        value = value.to_frame(value.name if value.name is not None else "value")
    if not isinstance(value, pd.DataFrame):
        raise DataError(f"is of type {type(value).__name__}, not {KNOWN}", at=at, hint="hand over a DataFrame")
    names = [".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in value.columns]
    columns = [(name, value.iloc[:, place]) for place, name in enumerate(names)]
    for level in range(value.index.nlevels):
        index = value.index.get_level_values(level)
        if index.name is None and value.index.nlevels == 1 and pd.api.types.is_integer_dtype(index.dtype):
            continue  # numbers of rows
        columns.append((str(index.name or f"index_{level + 1}"), index.to_series().reset_index(drop=True)))
    twice = sorted({name for name, _ in columns if [n for n, _ in columns].count(name) > 1})
    if twice:
        raise DataError(f"has the column {twice[0]!r} more than once", at=at, hint="rename one of them")
    return pl.DataFrame([_of_series(name, series, at) for name, series in columns])


def _of_series(name: str, series: Any, at: str) -> pl.Series:
    if series.dtype != object:
        try:
            table = pa.Table.from_pandas(series.to_frame(name), preserve_index=False)
            return from_arrow(table, at).to_series(0).alias(name)
        except (pa.ArrowException, TypeError, ValueError):
            pass
    return _column(name, series.tolist(), at)


def _of_dict(value: Mapping[Any, Any], at: str) -> pl.DataFrame:
    held = {str(name): _listed(one) for name, one in value.items()}
    lengths = {len(one) for one in held.values() if one is not None}
    if held and None not in held.values() and len(lengths) == 1:
        return pl.DataFrame([_column(name, one or [], at) for name, one in held.items()])
    return _of_list([dict(value)], at)


def _listed(value: Any) -> list[Any] | None:
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value.tolist())
    if type(value).__name__ == "Series":
        return list(value.to_list())
    return None


def _of_list(rows: list[Any], at: str) -> pl.DataFrame:
    if not any(isinstance(row, Mapping) for row in rows):
        return pl.DataFrame([_column("value", rows, at)])
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            kind = type(row).__name__
            raise DataError(f"its row {place + 1} is a {kind}, not a dict", at=at, hint="hand over dicts only")
    names = dict.fromkeys(str(name) for row in rows for name in row)
    if len({name for row in rows for name in row}) != len(names):
        rows = [{str(name): value for name, value in row.items()} for row in rows]
    return pl.DataFrame([_column(name, [row.get(name) for row in rows], at) for name in names])


def _column(name: str, values: list[Any], at: str) -> pl.Series:
    """Values as a column: of one kind as they are, else as text."""
    values = [_value(value) for value in values]
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int, float} and float in kinds:
        kinds, values = {float}, [value if value is None else float(value) for value in values]
    if len(kinds) <= 1 and kinds <= set(_KINDS):
        try:
            return pl.Series(name, values, strict=True)
        except (pl.exceptions.PolarsError, OverflowError, TypeError, ValueError):
            pass
    budget = _Budget(len(values))
    return pl.Series(name, [_text(value, budget, f"{at}, column {name!r}") for value in values], pl.String())


def _value(value: Any) -> Any:
    """A plain value for one of NumPy or pandas; none for what means that there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pandas":
        if kind.__name__ in ("NAType", "NaTType"):
            return None
        if kind.__name__ in ("Timestamp", "Timedelta"):
            return value.to_pydatetime(warn=False) if kind.__name__ == "Timestamp" else value.to_pytimedelta()
    return None if kind is float and math.isnan(value) else value


class _Budget:
    """How many values may still be looked at: a pickle of a few bytes can hold the same list over and over."""

    def __init__(self, rows: int) -> None:
        self.left = 200_000 + 10_000 * rows


def _text(value: Any, budget: _Budget, at: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, _KINDS) and not isinstance(value, bool | float):
        return str(value)
    return orjson.dumps(_as_json(value, budget, at, 0)).decode()


def _as_json(value: Any, budget: _Budget, at: str, depth: int) -> Any:
    budget.left -= 1
    if depth > _DEEPEST or budget.left < 0:
        raise DataError("holds lists in lists without end", at=at, hint="hand over plain rows")
    value = value.tolist() if isinstance(value, np.ndarray) else _value(value)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else str(value)
    if isinstance(value, Mapping):
        return {str(name): _as_json(one, budget, at, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one, budget, at, depth + 1) for one in value]
    if isinstance(value, _KINDS):
        return str(value)
    raise DataError(f"holds a {type(value).__name__}, which is no plain value", at=at, hint="hand over text or numbers")
