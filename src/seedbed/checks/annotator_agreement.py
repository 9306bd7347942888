"""annotator_agreement: people who labelled the same rows agree."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.errors import DataError
from seedbed.core.metric import Score
from seedbed.core.numbers import things
from seedbed.core.part import Columns, Example
from seedbed.core.rows import ROW
from seedbed.core.statistics.agreement import (
    Level,
    Ratings,
    cohen_kappa,
    disagreement,
    fleiss_kappa,
    krippendorff_alpha,
)
from seedbed.core.values import Value, text_of

from .rows_shown import MOST

_NAMES = {"krippendorff": "Krippendorff's alpha", "fleiss": "Fleiss' kappa", "cohen": "Cohen's kappa"}


class AnnotatorAgreement(Check):
    """Do people who labelled the same rows agree?

    The value is Krippendorff's alpha, Fleiss' kappa, or the lowest Cohen's kappa of two annotators: 1 is agreement
    throughout, 0 what chance would give. The finding names the rows on which they are furthest apart.

    ## Why
    No model can be better than the labels are certain. Where people do not agree, the guideline is unclear or the text
    ambiguous: look at those rows before you train, and before you doubt the model. Krippendorff asks for 0.8, and calls
    0.667 the lowest from which conclusions may be drawn, with caution.

    ## Limits
    A common label makes chance agree often, so that kappa and alpha are low though nearly all labels are equal. Fleiss'
    kappa leaves out rows that somebody did not label; Krippendorff's alpha, rows that fewer than two did. The interval
    is a bootstrap over rows: rows that are copies count as often as they are there. All labels are held in memory.
    """

    use: Literal["annotator_agreement"] = "annotator_agreement"
    annotators: Columns = Field(
        description="Columns with the labels, one an annotator; or one column that holds a list of them in each row, "
        "also one that is written in JSON."
    )
    statistic: Literal["krippendorff", "fleiss", "cohen"] = Field("krippendorff", description="What is measured.")
    level: Level = Field(
        "nominal", description="What two labels that differ are: different, apart in an order, or numbers apart."
    )
    order: list[Value] | None = Field(
        None, min_length=2, description="Values from the least to the most, for `ordinal` labels that are text."
    )
    at_least: float = Field(0.667, ge=-1, le=1, description="Least agreement.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Three people",
            options={"annotators": ["ada", "ben", "cleo"]},
            before={
                "ada": ["spam", "ham", "ham", "spam", None],
                "ben": ["spam", "ham", "spam", "spam", "ham"],
                "cleo": ["spam", "ham", "ham", "spam", "ham"],
            },
            after={"passed": [True], "value": [0.734694], "limit": [0.667]},
        ),
        Example(
            title="Stars, as numbers, in a list",
            options={"annotators": ["stars"], "level": "interval", "at_least": 0.8},
            before={"stars": [[1, 2], [5, 5], [3, 1], [4, None]]},
            after={"passed": [False], "value": [0.752475], "limit": [0.8]},
        ),
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.order is not None and self.level != "ordinal":
            raise ValueError("`order` is for `level: ordinal`")
        if self.statistic == "fleiss" and self.level != "nominal":
            raise ValueError("Fleiss' kappa knows labels that are equal or not: level: nominal, or another statistic")
        return self

    def find(self, view: View) -> Finding:
        """Measure it."""
        rows, ratings = self._ratings(view)
        if ratings.shape[1] < 2:
            message = "There are not two annotators whose labels could be compared."
            return self.finding(False, limit=self.at_least, message=message)
        found, of = self._measured(ratings)
        if not found.n or np.isnan(found.value):
            return self.finding(False, limit=self.at_least, message="No row was labelled by two annotators.")
        apart = disagreement(ratings, level=self.level)
        order = np.lexsort((np.arange(len(apart)), -apart))[:MOST]
        told = numbers.typed(f"{numbers.scored(found)}")
        return self.finding(
            found.value >= self.at_least,
            value=round(found.value, 6),
            limit=self.at_least,
            message=f"{_NAMES[self.statistic]}{of} is {told} on {things(found.n, 'row')}; at least {self.at_least:g} "
            f"is expected. Annotators differ on {things(int((apart > 0).sum()), 'row')}.",
            rows=tuple(rows[int(place)] for place in order if apart[place] > 0),
        )

    def _measured(self, ratings: Ratings) -> tuple[Score, str]:
        if self.statistic == "krippendorff":
            return krippendorff_alpha(ratings, level=self.level), ""
        if self.statistic == "fleiss":
            return fleiss_kappa(ratings), ""
        pairs = combinations(range(ratings.shape[1]), 2)
        each = {(one, other): cohen_kappa(ratings[:, one], ratings[:, other], level=self.level) for one, other in pairs}
        shared = {pair: found for pair, found in each.items() if found.n} or each
        lowest = min(shared, key=lambda pair: shared[pair].value)
        names = self.annotators if len(self.annotators) > 1 else [f"number {n}" for n in range(1, ratings.shape[1] + 1)]
        return shared[lowest], f", least of {things(len(each), 'pair')} ({names[lowest[0]]} and {names[lowest[1]]}),"

    def _ratings(self, view: View) -> tuple[pl.Series, Ratings]:
        """Names of the rows, and labels as numbers, shape (rows, annotators)."""
        schema = view.rows.collect_schema()
        if len(self.annotators) == 1:
            column = self.annotators[0]
            listed = view.rows.select(ROW, column).collect(engine="streaming")
            if schema[column] == pl.String:
                listed = listed.with_columns(_lists(listed[column]))
            if not isinstance(listed.schema[column], pl.List):
                raise DataError(
                    f"one column, {column!r}, does not hold the labels of several people: it holds {schema[column]}",
                    at=self.use,
                    hint="name a column for each annotator, or one that holds lists",
                )
            most = int(listed[column].list.len().max() or 0)  # type: ignore[arg-type]
            each = [listed[column].list.get(place, null_on_oob=True) for place in range(most)]
            return listed[ROW], self._coded(each)
        table = view.rows.select(ROW, *dict.fromkeys(self.annotators)).collect(engine="streaming")
        return table[ROW], self._coded([table[name] for name in self.annotators])

    def _coded(self, columns: list[pl.Series]) -> Ratings:
        """Numbers as they are; other values by their place in `order`, or as they sort.

        Raises:
            DataError: Numbers are needed and there are none, or a value is not in the order.
        """
        if not columns:
            return np.zeros((0, 0))
        if all(column.dtype.is_numeric() or column.dtype == pl.Null for column in columns) and self.order is None:
            numeric = [column.cast(pl.Float64).fill_null(np.nan).to_numpy() for column in columns]
            return np.column_stack(numeric)
        if self.level == "interval":
            raise DataError(
                "labels that are no numbers have no distances", at=self.use, hint="level: nominal or ordinal"
            )
        texts = [pl.DataFrame({"x": column}).select(text_of("x"))["x"] for column in columns]
        found = pl.concat(texts).drop_nulls().unique().sort().to_list()
        known = found if self.order is None else list(self.order)
        if unknown := [value for value in found if value not in known]:
            raise DataError(f"`order` does not name the label {unknown[0][:60]!r}", at=self.use)
        if self.level == "ordinal" and self.order is None:
            raise DataError("labels that are text have no order of their own", at=self.use, hint="say it in `order`")
        codes = [text.replace_strict(known, list(range(len(known))), return_dtype=pl.Float64) for text in texts]
        return np.column_stack([code.fill_null(np.nan).to_numpy() for code in codes])


def _lists(texts: pl.Series) -> pl.Series:
    """Texts that all hold a list in JSON, of numbers or else of texts, as lists; as they are where one does not."""
    held = texts.str.strip_chars()
    if not (held.is_null() | (held.str.starts_with("[") & held.str.ends_with("]"))).all():
        return texts
    for kind in (pl.Float64, pl.String):
        try:
            return held.str.json_decode(pl.List(kind)).alias(texts.name)
        except pl.exceptions.PolarsError:
            continue
    return texts
