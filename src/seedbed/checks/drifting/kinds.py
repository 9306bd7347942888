"""What a column is to `drift`: numbers, categories, texts, or names of many things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.checks.rows_shown import MOST
from seedbed.core.task import Task

from .words import unseen_share

#: A column of more different texts, or of more than one in `_ROWS_EACH` rows, is none of categories.
_CATEGORIES, _ROWS_EACH = 100, 5
#: Texts of fewer characters, on the average, are names or ids.
_TEXT = 20
_TAIL = 0.01
#: Fewer rows may have no value twice by chance.
_ENOUGH = 20


@dataclass(frozen=True)
class Compared:
    """A column of the reference and of the rows, in a form that can be compared."""

    name: str
    kind: Literal["number", "category", "text", "name"]
    before: pl.Series
    now: pl.Series

    @property
    def names_rows(self) -> bool:
        """Whether it is an id: whole numbers, none of which is there twice, among enough rows to tell."""
        both = (self.before.drop_nulls(), self.now.drop_nulls())
        return self.kind == "number" and all(
            len(one) >= _ENOUGH and one.n_unique() == len(one) and (one == one.floor()).all() for one in both
        )

    def odd(self, part: str) -> NDArray[np.int64]:
        """Places of the rows, at most `MOST`, that stand out most by a part of the column."""
        if part == "empty":
            gone = self.now.null_count() / len(self.now) > self.before.null_count() / len(self.before)
            return _first(self.now.is_null() if gone else self.now.is_not_null())
        if part == "unknown words":
            shares = unseen_share(self.before.drop_nulls(), self.now)
            return np.argsort(-shares, kind="stable")[:MOST]
        if self.kind == "category":
            return _first(self.now == self._more_often())
        lengths = self.kind != "number"
        before, now = (one.str.len_chars().cast(pl.Float64) if lengths else one for one in (self.before, self.now))
        up = (now.median() or 0) >= (before.median() or 0)  # type: ignore[operator]
        edge = before.quantile(1 - _TAIL if up else _TAIL)
        outside = now > edge if up else now < edge
        found = _first(outside)
        order = now.to_frame("x").with_row_index("at").drop_nulls("x").sort("x", descending=bool(up))["at"]
        return found if len(found) else order.head(MOST).to_numpy().astype(np.int64)

    def _more_often(self) -> str:
        before, now = (
            dict(one.value_counts(normalize=True, name="\x00n").iter_rows()) for one in (self.before, self.now)
        )
        grown = {value: share - before.get(value, 0.0) for value, share in now.items() if value is not None}
        return str(max(sorted(grown), key=grown.__getitem__))


def compared_of(name: str, before: pl.Series, now: pl.Series, task: Task) -> Compared:
    """A column as both samples have it."""
    numeric = _numeric(before), _numeric(now)
    if name != task.answer and numeric[0] is not None and numeric[1] is not None:
        return Compared(name, "number", numeric[0], numeric[1])
    before, now = _as_text(before), _as_text(now)
    kinds = pl.concat([before, now]).drop_nulls()
    different = kinds.n_unique()
    few = different <= max(2, min(_CATEGORIES, len(kinds) // _ROWS_EACH))
    if name == task.answer or (few and name != task.shown):
        return Compared(name, "category", before, now)
    long = float(kinds.str.len_chars().mean() or 0) >= _TEXT  # type: ignore[arg-type]
    return Compared(name, "text" if long or name == task.shown else "name", before, now)


def _numeric(column: pl.Series) -> pl.Series | None:
    """Numbers, dates and times as numbers without NaN; nothing of other columns."""
    if column.dtype == pl.String and (filled := column.drop_nulls()).len():
        read = filled.str.strip_chars().cast(pl.Float64, strict=False)
        if not read.has_nulls():
            return column.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
    if column.dtype.is_temporal():
        column = column.to_physical()
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_nan(None)
    return None


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype.is_nested():
        return pl.DataFrame({"x": column}).select(
            pl.when(pl.col("x").is_not_null()).then(pl.struct("x").struct.json_encode())
        )["x"]
    if column.dtype == pl.Binary:
        return column.bin.encode("hex")
    return column.cast(pl.String)


def _first(rows: pl.Series) -> NDArray[np.int64]:
    return np.flatnonzero(rows.fill_null(False).to_numpy())[:MOST]
