"""scale: put numbers on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seedbed.core.part import Column, Columns, Example
from seedbed.core.step import Fitted

from .learned.numbers import known_numbers, number_of, quantiles, refuse_others


class Scale(Fitted):
    """Puts the numbers of a column on the scale of its training rows.

    * `standard`: (value - mean) / standard deviation.
    * `robust`: (value - median) / interquartile range, which a few wild values do not move.
    * `min_max`: (value - least) / (greatest - least): 0 to 1 in training rows.
    * `none`: as it is, for `log` alone.

    `log: true` takes ln(1 + |value|) with the value's sign first, for what spans several powers of ten.

    ## Why
    A linear model, and whatever measures distances, takes the column with the largest numbers for the most important
    one. Mean and deviation are learned: taken from all rows, they would tell training what the test rows are like.

    ## Limits
    A column whose training values are all the same becomes 0 there, and what differs keeps its distance. `min_max`
    leaves values outside what training saw outside 0 to 1. Missing values, NaN and infinity are missing afterwards; a
    column with nothing but those stays so. Trees need no scaling. The training values of a column are held in memory.
    Learners of texts read the task's text alone.
    """

    by_name: ClassVar[bool] = True

    use: Literal["scale"] = "scale"
    column: Column | Columns = Field(description="Column to scale, or several.")
    method: Literal["standard", "robust", "min_max", "none"] = Field("standard", description="The scale.")
    log: bool = Field(False, description="Whether the sign times ln(1 + |value|) is taken first.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Mean 0, deviation 1",
            options={"column": "stars"},
            before={"stars": [1, 3, None, 3, 1]},
            after={"stars": [-1.0, 1.0, None, 1.0, -1.0]},
        ),
        Example(
            title="By quartiles: one wild value moves nothing",
            options={"column": "price", "method": "robust"},
            before={"price": [10.0, 20.0, 30.0, 40.0, 10030.0]},
            after={"price": [-1.0, -0.5, 0.0, 0.5, 500.0]},
        ),
        Example(
            title="0 to 1; a column that says nothing is 0",
            options={"column": ["age", "year"], "method": "min_max"},
            before={"age": [20, 30, 60], "year": [2024, 2024, 2024]},
            after={"age": [0.0, 0.25, 1.0], "year": [0.0, 0.0, 0.0]},
        ),
        Example(
            title="Logarithms",
            options={"column": "views", "method": "none", "log": True},
            before={"views": [0, None, 0]},
            after={"views": [0.0, None, 0.0]},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.method == "none" and not self.log:
            raise ValueError("scale has nothing to do: choose a method, or set log: true")
        if len(set(self._names)) < len(self._names):
            raise ValueError("a column is named twice")
        return self

    @property
    def _names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else list(self.column)

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """Middle and width by column."""
        refuse_others(train, self._names, at=self.use)
        return {"scales": {name: self._scale(known_numbers(train, name)) for name in self._names}}

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The numbers on their scale."""
        return [self._scaled(name, *state["scales"][name]) for name in self._names]

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """What is taken off, and what the rest is divided by."""
        return [f"{name}: (value - {middle:.6g}) / {width:.6g}" for name, (middle, width) in state["scales"].items()]

    def _scale(self, values: NDArray[np.float64]) -> list[float]:
        if not len(values) or self.method == "none":
            return [0.0, 1.0]
        if self.log:
            values = np.sign(values) * np.log1p(np.abs(values))
        if self.method == "standard":
            with np.errstate(over="ignore"):  # of numbers near 1e308 the sum is none; their mean is one all the same
                middle, width = float(values.mean()), float(values.std())
            if not np.isfinite(middle):
                middle = float((values / len(values)).sum())
        elif self.method == "robust":
            low, middle, high = quantiles(values, 0.25, 0.5, 0.75)
            width = high - low
        else:
            middle = float(values.min())
            width = float(values.max()) - middle
        # A constant column has a deviation of rounding errors; so little is none.
        none = width <= 10 * len(values) * np.finfo(float).eps * abs(middle) or not np.isfinite(width)
        return [middle, 1.0 if none else width]

    def _scaled(self, name: str, middle: float, width: float) -> pl.Expr:
        value = number_of(name)
        if self.log:
            value = value.sign() * value.abs().log1p()
        # Polars divides one row by a number and many by its inverse, which is not the same in the last digit.
        on_scale = partial(_on_scale, middle, width)
        return value.map_batches(on_scale, return_dtype=pl.Float64, is_elementwise=True).alias(name)


def _on_scale(middle: float, width: float, values: pl.Series) -> pl.Series:
    with np.errstate(over="ignore"):
        return pl.Series(values.name, (values.to_numpy() - middle) / width, dtype=pl.Float64, nan_to_null=True)
