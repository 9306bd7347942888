"""numeric_outliers: find numbers that lie far from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seedbed.core.part import Column, Columns, Example
from seedbed.core.step import Fitted

from .learned.distance import distances, most_of, usual_distance
from .learned.forest import grown, scores
from .learned.numbers import known_numbers, number_of, quantiles, refuse_others

#: What makes a median absolute deviation as wide as a standard deviation, where values are normal.
_AS_WIDE = 0.6745
#: Logarithm of about the largest number.
_LONGEST = 709.0
_USUAL = {"iqr": 1.5, "robust_z": 3.5}
_USUAL_SHARE = {"isolation_forest": 0.01, "robust_distance": 0.001}


class NumericOutliers(Fitted):
    """Drops, marks or clips numbers that lie far from the others of their column.

    * `iqr`: more than 1.5 interquartile ranges below the first quartile or above the third (Tukey, Exploratory Data
      Analysis, 1977).
    * `robust_z`: a modified z-score, 0.6745 (value - median) / MAD, beyond 3.5 (Iglewicz and Hoaglin, How to Detect
      and Handle Outliers, 1993).
    * `isolation_forest`: rows that few random cuts part from the others, all columns taken together (Liu, Ting and
      Zhou, ICDM 2008); the `share` of training rows that are parted soonest sets the limit.
    * `robust_distance`: rows far from the middle of most others, measured by how the columns go together (Mahalanobis
      distance with the minimum covariance determinant, Rousseeuw and Van Driessen, Technometrics 1999); the limit is
      one that a `share` of rows would pass if all were normal.

    `log: true` measures on the scale of the sign times ln(1 + |value|), for prices, counts and whatever else has a
    long tail.

    Limits are learned from training rows. `mark` and `clip` concern all rows; `drop` takes training rows only, with
    column, value and limits in the ledger: held-out rows are what they are.

    ## Why
    A price of 999999 is a way to write "unknown", and one such value moves every mean and every scale. But what is far
    away may be the very thing that one looks for, so the default marks and leaves the decision to you.

    ## Limits
    `iqr` and `robust_z` look at one column at a time and suppose one hump without a tail: 8 % of a lognormal column are
    outside (`log` mends that). A forest hardly sees rows in which ordinary values do not go together, such as a tall
    person of little weight; `robust_distance` does, where columns go together in straight lines. Where the middle half
    of a column is a single value (or, for `robust_z`, more than half) there is no spread to measure by and nothing is
    an outlier. Missing values, NaN and infinity are none; where columns are taken together, they count as the column's
    median. The column of a `clip` becomes a decimal number. The training values of a column are held in memory.
    """

    by_name: ClassVar[bool] = True

    use: Literal["numeric_outliers"] = "numeric_outliers"
    column: Column | Columns = Field(description="Column to look at, or several.")
    method: Literal["iqr", "robust_z", "isolation_forest", "robust_distance"] = Field(
        "iqr", description="How far away is measured."
    )
    beyond: float | None = Field(
        None,
        gt=0,
        description="Interquartile ranges (`iqr`, 1.5) or modified z-score (`robust_z`, 3.5) that are ordinary.",
    )
    share: float | None = Field(
        None,
        gt=0,
        le=0.5,
        description="Share of the training rows that `isolation_forest` takes for outliers (0.01), or of normal rows "
        "that `robust_distance` does (0.001).",
    )
    log: bool = Field(False, description="Whether values are measured by the sign times ln(1 + |value|).")
    action: Literal["mark", "clip", "drop"] = Field(
        "mark",
        description="`mark` writes COLUMN_outlier (`outlier` where columns are taken together), `clip` moves values to "
        "the nearest limit, `drop` drops training rows.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Marked by interquartile ranges",
            options={"column": "price"},
            before={"price": [9.0, 10.0, 11.0, 12.0, 13.0, 999.0, None]},
            after={"price_outlier": [False, False, False, False, False, True, None]},
        ),
        Example(
            title="Training rows dropped by modified z-scores",
            options={"column": ["price", "year"], "method": "robust_z", "action": "drop"},
            before={"price": [9, 10, 11, 12, 13, None], "year": [2020, 2021, 2022, 2021, 20222, 2023]},
            after={"price": [9, 10, 11, 12, None]},
        ),
        Example(
            title="Clipped",
            options={"column": "age", "action": "clip"},
            before={"age": [20, 30, 40, 50, 400]},
            after={"age": [20.0, 30.0, 40.0, 50.0, 80.0]},
        ),
        Example(
            title="Rows that are odd together",
            options={"column": ["height", "weight"], "method": "isolation_forest", "share": 0.2},
            before={"height": [180, 182, 181, 183, 120], "weight": [80, 82, 81, 83, 150]},
            after={"outlier": [False, False, False, False, True]},
        ),
        Example(
            title="Prices, by their logarithms",
            options={"column": "price", "method": "robust_z", "log": True},
            before={"price": [1, 2, 4, 8, 16, 32, 64, 1_000_000]},
            after={"price_outlier": [False, False, False, False, False, False, False, True]},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self._together and self.action == "clip":
            raise ValueError(f"{self.method} looks at whole rows, so that there is no limit to clip to")
        if self._together and self.beyond is not None:
            raise ValueError(f"{self.method} is told a `share`, not `beyond`")
        if not self._together and self.share is not None:
            raise ValueError(f"{self.method} is told `beyond`, not a `share`")
        if len(set(self._names)) < len(self._names):
            raise ValueError("a column is named twice")
        return self

    @property
    def _together(self) -> bool:
        """Whether columns are looked at together."""
        return self.method in _USUAL_SHARE

    @property
    def _names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else list(self.column)

    def brings(self) -> Sequence[str]:
        """The marks."""
        if self.action != "mark":
            return ()
        return ["outlier"] if self._together else [f"{name}_outlier" for name in self._names]

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """Limits by column; or what scores whole rows, the medians of its columns, and the highest ordinary score.

        Raises:
            DataError: A column holds no numbers, or `robust_distance` cannot be measured.
        """
        refuse_others(train, self._names, at=self.use)
        known = {name: self._measured(known_numbers(train, name)) for name in self._names}
        if not self._together:
            return {"limits": {name: self._limits(values) for name, values in known.items()}}
        medians = {name: float(np.median(values)) if len(values) else 0.0 for name, values in known.items()}
        values = self._matrix(medians, train.select(number_of(name) for name in self._names).collect())
        share = self.share or _USUAL_SHARE[self.method]
        if self.method == "robust_distance":
            learned = most_of(values, seed, at=self.use)
            return {"medians": medians, "learned": learned, "limit": usual_distance(len(self._names), share)}
        if not len(values):
            return {"medians": medians, "learned": None, "limit": 1.0}
        forest = grown(values, seed)
        return {"medians": medians, "learned": forest, "limit": quantiles(scores(forest, values), 1 - share)[0]}

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """Marks, or clipped values."""
        if self.action == "drop":
            return []
        if self._together:
            return [(self._score(state) > state["limit"]).alias("outlier")]
        limits = {name: state["limits"][name] for name in self._names}
        if self.action == "mark":
            return [_outside(name, *pair).alias(f"{name}_outlier") for name, pair in limits.items()]
        return [number_of(name).clip(*pair).alias(name) for name, pair in limits.items()]

    def keep(self, state: dict[str, Any]) -> pl.Expr | None:
        """Training rows without an outlier, if others go."""
        if self.action != "drop":
            return None
        if self._together:
            return self._score(state).le(state["limit"])
        return ~pl.any_horizontal(self._is_outside(state).values())

    def reason(self, state: dict[str, Any]) -> pl.Expr:
        """`outlier`."""
        return pl.lit("outlier")

    def evidence(self, state: dict[str, Any]) -> Mapping[str, pl.Expr]:
        """The first column with an outlier, its value and limits; the score and its limit where rows have one."""
        if self._together:
            return {"score": self._score(state), "at_most": pl.lit(state["limit"])}
        outside = self._is_outside(state)

        def first(of: Mapping[str, pl.Expr]) -> pl.Expr:
            return pl.coalesce(pl.when(outside[name]).then(value) for name, value in of.items())

        return {
            "column": first({name: pl.lit(name) for name in outside}),
            "value": first({name: number_of(name) for name in outside}),
            "at_least": first({name: pl.lit(state["limits"][name][0], pl.Float64) for name in outside}),
            "at_most": first({name: pl.lit(state["limits"][name][1], pl.Float64) for name in outside}),
        }

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """The limits."""
        if self._together:
            return [f"rows that score above {state['limit']:.4g} are outliers"]
        return [
            f"{name}: {low:.6g} to {high:.6g}" if low is not None else f"{name}: no limits, for it has no spread"
            for name, (low, high) in state["limits"].items()
        ]

    def _limits(self, values: NDArray[np.float64]) -> list[float | None]:
        """Least and greatest ordinary value; none where there is no spread to measure by."""
        if not len(values):
            return [None, None]
        beyond = self.beyond or _USUAL[self.method]
        if self.method == "iqr":
            low, high = quantiles(values, 0.25, 0.75)
            spread = beyond * (high - low)
        else:
            low = high = float(np.median(values))
            spread = beyond * float(np.median(np.abs(values - low))) / _AS_WIDE
        found = np.array([low - spread, high + spread])
        if self.log:
            found = np.sign(found) * np.expm1(np.minimum(np.abs(found), _LONGEST))
        return found.tolist() if spread > 0 and np.isfinite(found).all() else [None, None]

    def _measured(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sign(values) * np.log1p(np.abs(values)) if self.log else values

    def _matrix(self, medians: Mapping[str, float], rows: pl.DataFrame) -> NDArray[np.float64]:
        """The numbers as they are measured, shape (rows, columns), with medians for what is missing."""
        values = self._measured(rows.select(pl.col(name).fill_null(np.nan) for name in medians).to_numpy())
        return np.where(np.isnan(values), np.array(list(medians.values())), values)

    def _is_outside(self, state: dict[str, Any]) -> Mapping[str, pl.Expr]:
        return {name: _outside(name, *state["limits"][name]).fill_null(False) for name in self._names}

    def _score(self, state: dict[str, Any]) -> pl.Expr:
        score = partial(self._scored, state["learned"], state["medians"])
        numbers = pl.struct(number_of(name) for name in self._names)
        return numbers.map_batches(score, return_dtype=pl.Float64, is_elementwise=True)

    def _scored(self, learned: dict[str, Any] | None, medians: Mapping[str, float], rows: pl.Series) -> pl.Series:
        if learned is None or not rows.len():
            return pl.Series([0.0]).new_from_index(0, rows.len()).alias(rows.name)
        values = self._matrix(medians, rows.struct.unnest())
        return pl.Series(rows.name, (scores if self.method == "isolation_forest" else distances)(learned, values))


def _outside(name: str, low: float | None, high: float | None) -> pl.Expr:
    value = number_of(name)
    if low is None or high is None:
        return pl.when(value.is_not_null()).then(False)
    return (value < low) | (value > high)
