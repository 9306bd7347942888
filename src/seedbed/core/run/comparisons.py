"""What was set against something else: models, training rows, splits, and what each step is worth."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seedbed.core.record import Record
from seedbed.core.score import Score
from seedbed.core.scrutiny import Growth


class Comparison(Record):
    """A model against the one before it, on the same rows."""

    a: str
    b: str
    split: str
    metric: str
    difference: float = Field(description="Score of `b` minus score of `a`.")
    low: float
    high: float
    p: float = Field(description="Two-sided, by paired permutation.")
    p_holm: float | None = Field(
        None, description="`p` with Holm's correction over all comparisons of this metric; the verdict goes by it."
    )
    mcnemar: float | None = Field(
        None, description="Exact McNemar p of the two models' errors, where answers are right or wrong."
    )
    n: int
    groups: int | None = Field(
        None, description="Groups of rows that were resampled and exchanged whole; none where it was single rows."
    )
    verdict: Literal["better", "worse", "not distinguishable"]


class Effect(Record):
    """What a model gained from what `prepare` did, or from rows that were made, on validation rows."""

    model: str
    without: Literal["made rows", "prepare"] = Field(description="What the other model was trained without.")
    split: str
    rows: int = Field(description="Training rows with it.")
    rows_without: int
    comparisons: tuple[Comparison, ...] = Field(
        description="By metric: `a` was trained without it, `b` with it; differences are `b` minus `a`. Empty where "
        "the model learned from the same rows either way."
    )


class LearningPoint(Record):
    """A part of the training rows, and how a model that learned from it did."""

    share: float = Field(description="Of the training rows that were read.")
    rows: int = Field(description="Training rows that were read and stayed.")
    made: int = Field(0, description="Rows made of these, besides.")
    real: Score
    with_made: Score | None = Field(None, description="Where the made rows were learned from, too.")
    comparison: Comparison | None = Field(None, description="`a` without made rows, `b` with them.")


class LearningCurve(Record):
    """How a model's score grows with its training rows; each part holds the smaller ones."""

    model: str
    metric: str
    split: str
    points: tuple[LearningPoint, ...]
    growth: Growth | None = Field(None, description="What twice the rows would be worth, by scores of real rows.")


class LeakageClaim(Record):
    """What leakage would have claimed: the same model under a naive random split, duplicates left in."""

    model: str
    metric: str
    honest: Score
    naive: Score
    naive_rows: int = Field(description="Rows before duplicates were removed.")
    straddling: int = Field(
        description="Naive test rows with an equal or near-equal text among the naive training rows."
    )
    naive_test_rows: int = Field(description="Naive test rows that were compared with them.")


class Ablated(Record):
    """The recipe with a part against the recipe without it, on the rows that both have."""

    where: str = Field(description="`steps` or `prepare`.")
    part: str
    use: str
    note: str = Field("", description="Why there is no comparison, where there is none.")
    rows_with: int = Field(
        0, description="Rows that a model learns from with it, made ones among them, on average over the folds."
    )
    rows_without: int = 0
    judged: int = Field(0, description="Rows that judge: those that both have.")
    relabelled: int = Field(0, description="Judged rows whose label is another without it; the recipe's label counts.")
    score: Score | None = Field(None, description="With it.")
    score_without: Score | None = None
    difference: float | None = Field(None, description="Score with it minus score without it.")
    low: float | None = None
    high: float | None = None
    p: float | None = Field(None, description="Two-sided, by paired permutation.")
    p_holm: float | None = Field(None, description="`p` with Holm's correction over all parts; the verdict goes by it.")
    verdict: Literal["helps", "hurts", "not distinguishable"] | None = None


class AblationRecord(Record):
    """What each step is worth: the cheap learner with and without it, cross-validated on rows that may be chosen by."""

    learner: str
    metric: str
    folds: int
    level: float = Field(description="Of the intervals.")
    parts: tuple[Ablated, ...]

    @property
    def idle(self) -> tuple[str, ...]:
        """Parts that do not help this learner, as far as these rows can tell."""
        return tuple(one.part for one in self.parts if one.verdict in ("hurts", "not distinguishable"))
