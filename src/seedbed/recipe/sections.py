"""The sections of a recipe that are no parts: how models are judged, gates, waivers, the ledger."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

import seedbed.evaluate  # noqa: F401  (fills the catalogue of metrics)
from seedbed.core.errors import did_you_mean
from seedbed.core.metric import Metric, metric_named

from .faults import fault
from .judged_by import JudgedBy


def _a_metric(name: str) -> str:
    if name not in Metric.catalogue:
        raise fault(f"there is no metric {name[:40]!r}", did_you_mean(name, Metric.catalogue))
    return name


def _list_metrics(schema: dict[str, Any]) -> None:
    schema["enum"] = sorted(Metric.catalogue)


MetricName = Annotated[str, AfterValidator(_a_metric), Field(json_schema_extra=_list_metrics)]


#: Why something is waived; blanks are no reason.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Section(BaseModel):
    """A mapping of a recipe with fixed keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Intervals(Section):
    """Intervals of scores and differences."""

    level: float = Field(0.95, gt=0.5, lt=1, description="Confidence level.")
    resamples: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="Bootstrap resamples and permutations; metrics of probabilities get fewer on large splits, at "
        "least 1,000, and run.json says how many.",
    )


class LearningCurve(Section):
    """Parts of the training rows to learn from."""

    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.125, 0.25, 0.5, 1.0), min_length=1, max_length=12, description="Of the training rows, ascending."
    )
    model: str | None = Field(
        None,
        description="Model of `train` to learn with; a quick one (logistic regression on words) when left out.",
    )

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if any(one >= other for one, other in pairwise(self.shares)):
            raise fault("the shares do not ascend", "write them as [0.25, 0.5, 1]")
        return self


class Thresholds(Section):
    """Where labels are decided, chosen on validation rows."""

    precision: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="The least share of right ones among rows that are given a label, of which then as many as can be "
        "are found; F1 is made as large as can be when left out.",
    )
    positive: str | None = Field(
        None, description="Of two labels that exclude each other the one that is looked for; the rarer when left out."
    )


class Evaluate(Section):
    """Metrics, and the intervals around them."""

    metrics: tuple[MetricName, ...] = Field(
        (),
        json_schema_extra={"uniqueItems": True},
        description="Metrics to report; the first one decides which model is best on validation rows. The usual ones "
        "of the task when left out: see its page.",
    )
    intervals: Intervals = Field(Intervals(), description="Intervals around scores and differences.")
    leakage: bool = Field(
        True, description="Train the best model once more under a naive split, to show what leakage would have claimed."
    )

    calibrate: bool = Field(
        True, description="Fit each model's probabilities to the validation rows (temperature; no decision changes)."
    )
    folds: int | None = Field(
        None,
        ge=2,
        le=20,
        description="Also cross-validate each learner on the training and validation rows, in so many folds; the best "
        "model is then chosen by that.",
    )
    slices: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="Columns to judge by, value by value, besides text length and source."
    )
    effect: bool = Field(
        True,
        description="Where rows were made, or `prepare` holds parts: train the best model without them once more, and "
        "compare on validation rows.",
    )
    curve: LearningCurve | bool | None = Field(
        None,
        description="Scores on validation rows by the number of training rows, with and without made rows; when left "
        "out, only where `prepare` makes rows.",
    )

    conformal: float | None = Field(
        None,
        ge=0.5,
        lt=1,
        description="Sets of labels, or intervals of numbers, that hold all that is right for so many rows (0.9); "
        "fitted on validation rows, measured on test rows.",
    )
    thresholds: Literal["f1"] | Thresholds | None = Field(
        None,
        description="Choose on validation rows from which probability on a label is given, and tell on test rows what "
        "that is worth: `f1` for the best F1, or `{precision: 0.9}`. For two labels, or any number of labels a row.",
    )
    robustness: bool = Field(
        False,
        description="Ask the best model again about validation rows with typing errors, other case, other white space "
        "and half of the text.",
    )
    fairness: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (),
        description="Columns whose values are groups of people, or of what concerns them: who is given which label how "
        "often, and who is wronged, on test rows.",
    )
    clusters: bool = Field(
        False, description="Group validation rows by what they say, and tell where the best model's mistakes lie."
    )
    people: str | None = Field(
        None,
        min_length=1,
        description="File (CSV, JSON lines, or decisions of `seedbed review`) of what people answered to rows of this "
        "dataset: how far they agree, and how the best model compares.",
    )
    samples: int | None = Field(
        None,
        ge=0,
        le=100,
        description="Validation rows, drawn by the seed, that are shown with what is right and what each model says; 8 "
        "of answers in words when left out. Language models go on after the beginnings of texts, which takes time: "
        "only where a number stands here.",
    )

    judged_by: JudgedBy | None = Field(
        None,
        description="A language model behind an endpoint, of any provider, that says whose answers to test rows are "
        "better: each pair of models twice, with their places swapped. For answers in words.",
    )
    preferences: str | None = Field(
        None,
        min_length=1,
        description="File of decisions (`review.jsonl`) in which people say whose answers to test rows are better: "
        "they choose with `seedbed review RUN --queue pairs`. Language models go on after the beginnings of test rows "
        "for it, which takes time.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = [name for place, name in enumerate(self.metrics) if name in self.metrics[:place]]
        if twice:
            raise fault(f"the metric {twice[0]!r} stands there twice", "name each metric once")
        return self


def _one_limit(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["at_least"]}, {"required": ["at_most"]}]


class Gate(Section):
    """A score that a model must reach, else nothing is published."""

    model_config = ConfigDict(json_schema_extra=_one_limit)

    metric: MetricName = Field(description="Metric to look at.")
    split: Literal["test", "validation"] = Field("test", description="Rows that it is measured on.")
    at_least: float | None = Field(
        None, allow_inf_nan=False, description="Lowest value that passes; give this or `at_most`."
    )
    at_most: float | None = Field(
        None, allow_inf_nan=False, description="Highest value that passes; give this or `at_least`."
    )
    model: str | None = Field(None, description="Model to look at; the one that is best on validation when left out.")
    waive: Reason | None = Field(
        None, description="Reason to publish although this gate fails: a waiver of this gate alone."
    )

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            said = "has no limit" if self.at_least is None else "has two limits"
            raise fault(f"the gate {said}", "give either `at_least` or `at_most`")
        metric = metric_named(self.metric)
        if self.at_least is not None and metric.lower_is_better:
            raise fault(f"{self.metric} is better when it is lower", "write `at_most`")
        highest = metric.highest
        if self.at_least is not None and self.at_least > highest:
            raise fault(
                f"{self.metric} is at most {highest:g}, and never {self.at_least:g}", "shares are written as 0.6"
            )
        return self


class Waiver(Section):
    """Something that would stop publishing, and why a person lets it pass."""

    what: str = Field(
        min_length=1,
        description="A check (its `use`), a gate (its metric) or a question of the card (its key); `license` also lets "
        "pass what the licences of the sources would stop.",
    )
    reason: Reason = Field(description="Why; it is printed on the card.")


class Ledger(Section):
    """How much the ledger keeps."""

    changes: Literal["sample", "all"] = Field(
        "sample", description="Whether changed rows are sampled (they are counted in full) or all listed."
    )
