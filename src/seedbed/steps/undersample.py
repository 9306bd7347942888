"""undersample: fewer training rows of frequent labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example, LabelColumn
from seedbed.core.rows import ROW
from seedbed.core.step import Fitted

from .balancing.chance import chance_of
from .balancing.wanted import Share, most_rows
from .comparing.copies import column_of


class Undersample(Fitted):
    """Leaves out training rows of frequent labels, so that rare ones weigh more.

    Which rows stay is drawn from the seed and the row's name: the order of the rows, workers and batches do not matter,
    and rows that are added move few of those that were chosen. Validation and test rows stay as they are: they must
    show the labels as they come.

    ## Why
    Where one label has many more rows than another, a model that never answers the rare one is right most of the time.
    Leaving rows out is the cheapest remedy, and makes training faster.

    ## Limits
    It throws away rows that somebody labelled: `class_weights` and `oversample` keep them. A model that learned from
    balanced rows finds rare labels likelier than they are; calibration on validation rows (which are not balanced)
    mends the confidence, not the decisions. The report shows what it did to the scores on validation rows.
    """

    draws: ClassVar[bool] = True
    by_name: ClassVar[bool] = True

    use: Literal["undersample"] = "undersample"
    column: LabelColumn = Field(None, description="Column to balance; the task's label when left out.")
    to: Literal["balanced"] | Share | dict[str, int] = Field(
        "balanced",
        description="`balanced`: as many rows of each label as the rarest has; a share: the rarest has at least this "
        "share of the rows of any other; or the most rows of some labels, as LABEL: ROWS.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="As many of each",
            before={
                "text": ["hi", "see you", "win now", "on my way", "call me", "cash!"],
                "label": ["ham", "ham", "spam", "ham", "ham", "spam"],
            },
            after={"label": ["ham", "spam", "ham", "spam"]},
        ),
        Example(
            title="At most three of one",
            options={"to": {"fault": 3}},
            before={
                "text": ["it leaks", "thank you", "no answer", "it broke", "so slow"],
                "label": ["fault", "praise", "fault", "fault", "fault"],
            },
            after={"label": ["fault", "praise", "fault", "fault"]},
        ),
    )

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """For each label that is to lose rows, the chance above which its rows go."""
        rows = train.select(ROW, label=pl.col(self._column).cast(pl.String)).collect()
        counts = dict(rows.drop_nulls("label").group_by("label").len().iter_rows())
        wanted = most_rows(counts, self.to, at=self.use)
        above = {}
        for label, most in sorted(wanted.items()):
            if most < counts.get(label, 0):
                drawn = chance_of(rows.filter(label=label)[ROW], seed).sort()
                above[label] = drawn[most - 1] if most else -1
        return {"seed": seed, "above": above, "rows": {label: counts[label] for label in above}}

    def keep(self, state: dict[str, Any]) -> pl.Expr | None:
        """Rows whose chance is not above their label's."""
        if not state["above"]:
            return None
        labels, cuts = list(state["above"]), list(state["above"].values())
        cut = pl.col(self._column).cast(pl.String).replace_strict(labels, cuts, default=None, return_dtype=pl.Int64)
        drawn = pl.col(ROW).map_batches(lambda names: chance_of(names, state["seed"]), return_dtype=pl.Int64)
        return cut.is_null() | (drawn <= cut)

    def reason(self, state: dict[str, Any]) -> pl.Expr:
        """Why a row goes."""
        return pl.lit("too_many_of_label")

    def evidence(self, state: dict[str, Any]) -> Mapping[str, pl.Expr]:
        """The row's label, and the training rows that had it."""
        label = pl.col(self._column).cast(pl.String)
        rows = label.replace_strict(list(state["rows"]), list(state["rows"].values()), default=None)
        return {"label": label, "rows_of_label": rows}

    @property
    def _column(self) -> str:
        return column_of(self, "column")
