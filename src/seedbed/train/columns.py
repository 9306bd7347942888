"""The columns of a table as numbers: what is one stays one, few values are categories, the rest is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import ModelError

#: Categories of a column at most, the most frequent; others are "another one", as a value is that training rows lack.
MOST_CATEGORIES = 200
#: A column of texts, of which a larger share than this are different, holds names and no categories.
_NAMES = 0.5
#: A number that is larger counts as this one: more than 32 bits can say, trees cannot read.
_LARGEST = 3e38


@dataclass(frozen=True)
class ColumnFeatures:
    """What is read of a table's columns."""

    numbers: tuple[str, ...]
    """Columns that hold numbers, dates, or texts that all read as numbers."""
    named: dict[str, dict[str, int]]
    """Codes of the categories of the other columns that are read."""

    @classmethod
    def learn(cls, rows: pl.DataFrame) -> ColumnFeatures:
        """Find out what training rows hold."""
        numbers, named = [], {}
        for column in rows:
            found = _as_numbers(column)
            if found is not None:
                if _kept(found).drop_nulls().n_unique() > 1:
                    numbers.append(column.name)
            elif column.dtype in (pl.String, pl.Categorical, pl.Enum):
                known = column.cast(pl.String).drop_nulls()
                counted = known.value_counts(name="\x00n", sort=True)  # no column is called so
                if 1 < counted.height <= max(2, _NAMES * known.len()):
                    frequent = sorted(counted[column.name].head(MOST_CATEGORIES).to_list())
                    named[column.name] = {value: code for code, value in enumerate(frequent)}
        return cls(tuple(numbers), named)

    @property
    def width(self) -> int:
        """Columns that are read."""
        return len(self.numbers) + len(self.named)

    @property
    def categories(self) -> NDArray[np.bool_]:
        """Which features are codes of categories, shape (features,)."""
        return np.array([False] * len(self.numbers) + [True] * len(self.named))

    def of(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Rows as numbers, not a number where a value is missing, shape (rows, features).

        Raises:
            ModelError: The rows lack a column that is read.
        """
        missing = [name for name in (*self.numbers, *self.named) if name not in rows.columns]
        if missing:
            raise ModelError(
                f"the model reads the column {missing[0]!r}, which the rows do not have",
                hint=f"they have: {', '.join(rows.columns[:12]) or 'no columns'}",
            )
        return np.column_stack(list(self._each(rows)))

    def in_order(self, features: NDArray[np.float64], right: NDArray[np.float64]) -> ColumnFeatures:
        """The same with codes in the order of what is right where a category stands.

        A tree that cuts between codes then finds the best two groups of categories without trying all (Fisher 1958, *On
        Grouping for Maximum Homogeneity*); of several labels, the order is that of the first principal component of
        their shares (Coppersmith, Hong & Hosking 1999).

        Args:
            features: What `of` makes of training rows.
            right: A number of each row, shape (rows, 1), or whether it has each label, shape (rows, labels).
        """
        named = {}
        for place, (name, codes) in enumerate(self.named.items(), len(self.numbers)):
            coded = features[:, place]
            means = np.stack([right[coded == code].mean(axis=0) for code in codes.values()])
            counts = np.array([(coded == code).sum() for code in codes.values()], dtype=np.float64)
            off = means - np.average(means, axis=0, weights=counts)
            along = np.linalg.eigh((off * counts[:, None]).T @ off)[1][:, -1]
            order = np.argsort(off @ (along * (1 if along[np.abs(along).argmax()] > 0 else -1)), kind="stable")
            values = list(codes)
            named[name] = {values[old]: new for new, old in enumerate(order.tolist())}
        return ColumnFeatures(self.numbers, named)

    def saved(self) -> dict[str, Any]:
        """As JSON."""
        return {"numbers": self.numbers, "named": self.named}

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> ColumnFeatures:
        """From what `saved` gave."""
        return cls(tuple(saved["numbers"]), {name: dict(codes) for name, codes in saved["named"].items()})

    def _each(self, rows: pl.DataFrame) -> Iterator[NDArray[np.float64]]:
        for name in self.numbers:
            yield _kept(_numbers(rows[name])).fill_null(float("nan")).to_numpy()
        for name, codes in self.named.items():
            values = rows[name].cast(pl.String)
            coded = values.replace_strict(codes, default=len(codes), return_dtype=pl.Float64)
            yield coded.set(values.is_null(), None).fill_null(float("nan")).to_numpy()


def _as_numbers(column: pl.Series) -> pl.Series | None:
    """A column's values as numbers; none where some are no numbers, or nothing is known."""
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return None
    found = _numbers(column)
    known = column.cast(pl.String).str.strip_chars() if column.dtype == pl.String else column
    blank = known.is_null() | (known == "") if column.dtype == pl.String else known.is_null()
    return found if (found.is_not_null() | blank).all() and not blank.all() else None


def _kept(numbers: pl.Series) -> pl.Series:
    """Numbers as they are learned from; null where there is none, as where a text says `nan` or `inf`."""
    return numbers.set(~numbers.is_finite(), None).clip(-_LARGEST, _LARGEST)


def _numbers(column: pl.Series) -> pl.Series:
    if column.dtype in (pl.Date, pl.Datetime):
        return column.dt.epoch("us").cast(pl.Float64)  # whatever unit it came in
    if column.dtype.is_temporal():
        return column.to_physical().cast(pl.Float64)
    text = column.str.strip_chars() if column.dtype == pl.String else column
    if column.dtype in (pl.Categorical, pl.Enum):
        text = column.cast(pl.String)
    return text.cast(pl.Float64, strict=False)
