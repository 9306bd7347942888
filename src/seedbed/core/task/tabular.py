"""A row of values in, a label or a number out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example

from .regression import Measured
from .task import WHAT, Task, first_of
from .text_classification import Labelled


class Tabular(Task):
    """A task whose rows are values in columns."""

    alike_if_equal: ClassVar[bool] = True

    features: tuple[str, ...] | None = Field(
        None, min_length=1, description="Columns that a model may read; all but the target when left out."
    )

    @property
    def shown(self) -> str | None:
        """Rows of a table have no text."""
        return None

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The features; all columns but the target where none are named."""
        return self.features or tuple(name for name in columns if name != self.answer)

    def reads(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The features; all columns but the answer where none are named."""
        return self.compared(columns)

    def _read_columns(self) -> dict[str, str]:
        return {f"features.{place}": name for place, name in enumerate(self.features or ())}

    def _nothing_known(self) -> tuple[tuple[str, pl.Expr], ...]:
        """Rows of which every feature is missing, where features are named."""
        if not self.features:
            return ()
        return (("no_features", pl.all_horizontal(pl.col(name).is_null() for name in self.features)),)


class TabularClassification(Labelled, Tabular):
    """A row of values in, one of several labels out: churn, diagnosis, default.

    ## Why
    Most tables that a company owns are of this kind. Equal rows never straddle splits, whether or not the recipe
    removes them.

    ## Limits
    A row without a label (`unlabelled`), with one that `labels` does not list (`unknown_label`), or of which every
    feature that is named is missing (`no_features`) is rejected. Only equal rows are alike; where rows belong together
    (visits of a patient), name the column in `split.group`.
    """

    kind: Literal["tabular_classification"] = Field("tabular_classification", description=WHAT)

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"label": "kind", "features": ["width"]},
            before={"width": [1.0, None, 2.0], "kind": ["a", "b", None]},
            after={"refused": [None, "no_features", "unlabelled"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """The label, and the features that are named."""
        return {"label": self.label, **self._read_columns()}

    def work(self) -> pl.Expr:
        """Only a reason; the columns stay as they are."""
        return pl.struct(reason=first_of(*self.without_label(), *self._nothing_known()))


class TabularRegression(Measured, Tabular):
    """A row of values in, a number out: a price, a demand, a duration.

    ## Why
    The same rows as for `tabular_classification`, and a number instead of a label. A split keeps the shares of low,
    middle and high numbers alike.

    ## Limits
    A row without a number (`no_target`), with a text that is none (`not_a_number`), with an infinite one
    (`not_finite`), or of which every feature that is named is missing (`no_features`) is rejected. Only equal rows are
    alike.
    """

    kind: Literal["tabular_regression"] = Field("tabular_regression", description=WHAT)

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"target": "price", "features": ["carat"]},
            before={"carat": [0.2, 0.3, None], "price": [326, None, 327]},
            after={"price": [326.0, None, 327.0], "refused": [None, "no_target", "no_features"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """The number, and the features that are named."""
        return {"target": self.target, **self._read_columns()}

    def work(self) -> pl.Expr:
        """The number as one."""
        reason = first_of(*self.without_number(), *self._nothing_known())
        return pl.struct(reason=reason, columns=pl.struct(self.number().alias(self.target)))
