"""One text in, a number out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.values import is_missing

from .task import WHAT, Says, Task, first_of, no_text


class Measured(Task):
    """A task whose answer is a number."""

    says: ClassVar[Says] = "number"

    target: str = Field(min_length=1, description="Column that holds the number.")

    @property
    def written(self) -> tuple[str, ...]:
        """The number."""
        return (self.target,)

    def without_number(self) -> tuple[tuple[str, pl.Expr], ...]:
        """Why a row's number is none, in order."""
        number = self.number()
        return (
            ("no_target", is_missing(self.target) | number.is_nan().fill_null(False)),  # also where a text says "NaN"
            ("not_a_number", number.is_null()),
            ("not_finite", number.is_infinite()),
        )

    def number(self) -> pl.Expr:
        """The target as a floating-point number; null where it is none."""
        return pl.col(self.target).cast(pl.Float64, strict=False)

    def measures(self) -> Mapping[str, pl.Expr]:
        """The number itself."""
        return {"target": pl.col(self.target)}


class Regression(Measured):
    """One text in, a number out: a price for a description, a rating for a review.

    ## Why
    A model of any kind is trained on such rows, also a language model that continues "Price is $": the exporter
    `prompt_completion` writes them as prompts and completions.

    ## Limits
    A row without a number (`no_target`), with a text that is none (`not_a_number`; `convert_units` and `cast` read
    more), with an infinite one (`not_finite`) or without a text (`no_text`) is rejected.
    """

    kind: Literal["regression"] = Field("regression", description=WHAT)
    text: str = Field(min_length=1, description="Column that holds the text.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"text": "text", "target": "price"},
            before={"text": ["a lamp", "a chair", "a sofa", ""], "price": ["12.50", "cheap", None, "3"]},
            after={"price": [12.5, None, None, 3.0], "refused": [None, "not_a_number", "no_target", "no_text"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """Text and number."""
        return {"text": self.text, "target": self.target}

    def work(self) -> pl.Expr:
        """The number as one."""
        reason = first_of(*self.without_number(), ("no_text", no_text(self.text)))
        return pl.struct(reason=reason, columns=pl.struct(self.number().alias(self.target)))
