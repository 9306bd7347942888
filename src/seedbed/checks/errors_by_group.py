"""errors_by_group: a detector errs no more on one group's texts than on another's."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.part import Column, Example
from seedbed.core.statistics.shares import difference, wilson
from seedbed.core.values import Value, text_of

from .rows_shown import first_rows

#: Most groups that the sentence names.
_NAMED = 6


class ErrorsByGroup(Check):
    """Does a detector flag one group's harmless texts more often than another's?

    A step has written a score (`toxicity` with `reject: false` and `write`); a row is flagged where it is at least
    `flagged_from`. Of the rows that people say are harmless (`truth` is one of `harmless`), the flagged ones are false
    positives; their share is told for each group, with an interval (Wilson). Without `truth`, the share of all rows is
    told: then a group whose texts are in fact worse shows too. The value is the largest difference between two groups;
    the check fails if it is over `at_most` and not by chance (its interval, Newcombe, lies above zero).

    ## Why
    Detectors of toxicity call the speech of some groups offensive more often than the same from others (Sap et al.,
    2019, ACL). Who rejects by such a score takes these people's texts out of the data, and nobody sees it in the sum.

    ## Limits
    Groups with under `least_rows` such rows are left out. With many groups, some pair differs by chance: the interval
    is that of one pair. A column for the group must be there, and is itself personal data, perhaps.
    """

    use: Literal["errors_by_group"] = "errors_by_group"
    column: Column = Field(description="Column of the score, or of true and false.")
    flagged_from: float = Field(0.8, description="Score from which on a row counts as flagged.")
    group: Column = Field(description="Column that says which group a row is of.")
    truth: Column | None = Field(None, description="Column in which people say whether the text is harmless.")
    harmless: list[Value] = Field(default_factory=list, description="Values of `truth` that mean harmless.")
    least_rows: int = Field(30, ge=2, description="Fewest rows of a group that is compared.")
    at_most: float = Field(0.05, ge=0, le=1, description="Largest difference between two groups' shares that may be.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Harmless chats are flagged, mails are not",
            options={
                "column": "toxicity",
                "group": "channel",
                "truth": "label",
                "harmless": ["fine"],
                "least_rows": 10,
            },
            before={
                "toxicity": [0.9] * 6 + [0.1] * 6 + [0.1] * 12 + [0.9, 0.9],
                "channel": ["chat"] * 12 + ["mail"] * 14,
                "label": ["fine"] * 24 + ["insult"] * 2,
            },
            after={"passed": [False], "value": [0.5], "limit": [0.05]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Compare the groups."""
        score = pl.col(self.column).cast(pl.Float64)
        judged = score.is_not_null() & pl.col(self.group).is_not_null()
        if self.truth is not None:
            judged &= text_of(self.truth).is_in(self.harmless)
        flagged = score >= self.flagged_from
        counts = (
            view.rows.filter(judged)
            .group_by(text_of(self.group).alias("group"))
            .agg(flagged.sum().alias("found"), pl.len().alias("of"))
            .filter(pl.col("of") >= self.least_rows)
            .sort("group")
            .collect(engine="streaming")
        )
        groups = sorted(
            ((name, (found, of)) for name, found, of in counts.iter_rows()), key=lambda one: -_share(one[1])
        )
        if len(groups) < 2:
            return self.finding(True, limit=self.at_most, message="Fewer than two groups have rows enough to compare.")
        value, low, high = difference(groups[0][1], groups[-1][1])
        what = "harmless texts" if self.truth is not None else "texts"
        told = "; ".join(_told(name, counted) for name, counted in _shown(groups))
        bad = judged & flagged & (text_of(self.group) == groups[0][0])
        passed = value <= self.at_most or low <= 0
        return self.finding(
            passed,
            value=round(value, 6),
            limit=self.at_most,
            message=f"Of {what}, {self.column} flags {told}. The largest difference is {_points(value)} "
            f"({_points(low)} to {_points(high)}).",
            rows=() if passed else first_rows(view, bad),
        )


def _share(counted: tuple[int, int]) -> float:
    return counted[0] / counted[1]


def _shown(groups: list[tuple[str, tuple[int, int]]]) -> list[tuple[str, tuple[int, int]]]:
    return groups if len(groups) <= _NAMED else [*groups[: _NAMED // 2], *groups[-_NAMED // 2 :]]


def _told(name: str, counted: tuple[int, int]) -> str:
    low, high = wilson(*counted)
    ends = f"{numbers.typed(numbers.percent(low))} to {numbers.typed(numbers.percent(high))}"
    return f"{numbers.typed(numbers.percent(*counted))} of {mask(name)[:40]} ({ends}, n = {counted[1]:,})"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
