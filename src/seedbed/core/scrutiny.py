"""What is found out about models beyond their scores, as `run.json` holds it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from .preference import ChosenByPeople, Judged
from .record import Record
from .score import Score
from .side_by_side import SideBySide

#: Files of a bundle that hold a `Conformal`, and `seedbed.train.thresholds.Thresholds`, where the recipe asks for them.
CONFORMAL, THRESHOLDS = "conformal.json", "thresholds.json"

Verdict = Literal["better", "worse", "not distinguishable", "too few rows"]


class Difference(Record):
    """Two values on the same rows, or on two parts of them: how far they are apart, and what chance makes of it."""

    value: float
    low: float
    high: float
    p: float = Field(description="Two-sided, before any correction.")
    p_holm: float = Field(description="Corrected by Holm's method over all that was asked at the same time.")


class Conformal(Record):
    """What turns answers into sets of labels, or numbers into intervals, that hold what is right so often.

    It is data that a bundle keeps: with it anybody can say a set or an interval for a new row.
    """

    kind: Literal["sets", "label_sets", "intervals"] = Field(
        description="Sets that hold the one right label, sets that hold all right labels of a row, or intervals."
    )
    coverage: float = Field(description="Share of rows whose set or interval is to hold what is right.")
    split: str = Field(description="Rows that it was fitted on.")
    rows: int = Field(description="So many of them that the guarantee goes by.")
    rank: int = Field(description="Of their scores, from the most fitting one, the one that is the limit.")
    at_least: float | None = Field(None, description="Sets of either kind: a label is in it from this probability on.")
    reach: float | None = Field(None, description="Intervals: half of the width, in units of the difficulty.")
    edges: tuple[float, ...] = Field((), description="Intervals: predicted numbers at which the difficulty changes.")
    difficulty: tuple[float, ...] = Field(
        (1.0,), description="Intervals: usual distance from the truth between the edges; 1 where all rows are alike."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.reach if self.kind == "intervals" else self.at_least) is None:
            raise ValueError(f"{self.kind} have no limit")
        if len(self.difficulty) != len(self.edges) + 1:
            raise ValueError("there must be one difficulty more than edges")
        return self


class Coverage(Record):
    """How often sets or intervals held what is right, on rows that had no part in them."""

    model: str
    fitted: Conformal
    split: str = Field(description="Rows that it was measured on.")
    score: Score = Field(description="Share of rows whose set or interval holds what is right; exact interval.")
    p: float = Field(
        description="Chance of so few or fewer, were the promise kept: it heeds both how many rows it was fitted on "
        "and how many it was measured on."
    )
    p_holm: float | None = Field(
        None, description="The same corrected by Holm's method over the models; none in runs of older versions."
    )
    kept: bool = Field(description="Whether that is no reason to doubt the promise.")
    size: float = Field(description="Labels in a set, or width of an interval, on average.")
    sizes: dict[str, int] = Field(default_factory=dict, description="Sets: rows by the number of labels.")
    by_label: dict[str, Score] = Field(
        default_factory=dict, description="Sets: the same for rows of each label, of which nothing was promised."
    )


class Growth(Record):
    """What more training rows would be worth: a power law through the points of a learning curve, gone on with."""

    factor: float = Field(description="So many times the training rows.")
    rows: int = Field(description="Training rows that there would be then.")
    refused: str = Field("", description="Why the points do not tell; then there are no numbers.")
    gain: float | None = Field(None, description="What the metric would change by; above 0 is a larger value.")
    low: float | None = None
    high: float | None = None
    value: float | None = Field(None, description="The metric there.")
    limit: float | None = Field(None, description="The metric with endless rows, as far as these points can tell.")
    exponent: float | None = Field(None, description="Of the power law: 0.5 halves the gap with four times the rows.")


class Disturbed(Record):
    """How a model did on rows whose text was disturbed, against the same rows as they were."""

    kind: str = Field(description="What was done to the text.")
    changed: float = Field(description="Share of the rows whose text it changed.")
    score: Score
    difference: Difference = Field(description="Score of the disturbed rows minus score of the rows as they were.")
    answers_changed: float | None = Field(None, description="Share of rows that get another answer.")
    verdict: Verdict


class Robustness(Record):
    """What disturbing texts does to the best model."""

    model: str
    metric: str
    split: str
    rows: int
    score: Score = Field(description="Of the same rows as they were.")
    kinds: tuple[Disturbed, ...]


class GroupRate(Record):
    """A share or a mean of one group, against all other rows."""

    measure: str = Field(
        description="`selection rate`, `true positive rate`, `false positive rate`, `mean error` or "
        "`mean absolute error`."
    )
    label: str | None = Field(None, description="The label that is given, where answers are labels.")
    score: Score = Field(description="In this group; `n` is the rows that count.")
    difference: Difference | None = Field(
        None, description="Here minus all other rows; none where either has too few rows."
    )
    differs: bool = Field(False, description="Whether that is more than chance explains.")


class Group(Record):
    """Rows with one value of a column."""

    value: str
    rows: int
    rates: tuple[GroupRate, ...]
    small: bool = Field(description="Too few rows to compare it with the others.")


class Gap(Record):
    """How far the groups are apart: the largest minus the smallest of a rate, among groups with enough rows."""

    measure: str = Field(
        description="`demographic parity difference`, `equal opportunity difference`, `equalized odds difference`, "
        "`mean error difference`, `mean absolute error difference`."
    )
    label: str | None = None
    value: float
    low: float
    high: float
    by_chance: float = Field(description="What it is on average where rows are in groups by chance alone.")
    p: float = Field(description="By permutation of who is in which group.")
    p_holm: float
    differs: bool


class Fairness(Record):
    """How a model treats groups of rows."""

    model: str
    split: str
    column: str
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    warnings: tuple[str, ...] = ()


class ErrorCluster(Record):
    """Rows that are about the same, and how many of them the model gets wrong."""

    name: tuple[str, ...] = Field(description="The terms that tell its mistakes from rows that are right, best first.")
    rows: int
    mistakes: int
    wrong: Score = Field(description="Share of its rows that are wrong.")
    difference: Difference = Field(description="That share minus the share among all other rows.")
    more: bool = Field(description="Whether it has more mistakes than the others, beyond chance.")
    labels: dict[str, int] = Field(
        default_factory=dict, description="What was right and what was answered, by mistakes; the most frequent five."
    )
    examples: tuple[tuple[str, str], ...] = Field((), description="Row ids and excerpts, personal data masked.")


class ErrorClusters(Record):
    """Where a model's mistakes lie."""

    model: str
    split: str
    rows: int
    mistakes: int
    wrong: str = Field(description="What counts as a mistake.")
    clusters: tuple[ErrorCluster, ...]


class PersonScore(Record):
    """How a person did on rows, and the model on the same rows."""

    who: str = Field(description="`annotator 1` is who answered most; `majority` is what most of them said.")
    rows: int
    scores: dict[str, Score] = Field(description="By metric, as the models' are.")
    model_scores: dict[str, Score] = Field(description="Of the best model, on the same rows.")
    difference: Difference | None = Field(
        None, description="The model's score minus the person's, by the deciding metric that people can be judged by."
    )
    verdict: Verdict = Field("too few rows", description="Of the model, against the person.")


class People(Record):
    """People against the best model, on the rows that people answered."""

    model: str
    split: str = Field(description="Rows that both answered.")
    metric: str = Field(description="What they are compared by.")
    rows: int
    agreement: Score | None = Field(
        None, description="Krippendorff's alpha of the people; none where no row was answered twice."
    )
    people: tuple[PersonScore, ...]
    notes: tuple[str, ...] = Field((), description="What was left out, a sentence each.")
    file: str = Field("", description="The file that the answers are from.")
    sha256: str = ""


class Decided(Record):
    """From which probability on a label is given, as chosen, and what that did on the rows that it was chosen on."""

    label: str
    at: float
    chosen: bool = Field(description="If not, too few rows have or lack the label, or none reached what was asked.")
    support: int = Field(description="Rows with the label that it was chosen on.")
    f1: float | None = Field(description="On those rows; of others it will be lower.")
    f1_before: float | None = Field(description="The same at 0.5.")


class Worth(Record):
    """What deciding at the thresholds is worth in a metric, on rows that did not choose them."""

    metric: str
    score: Score = Field(description="At the thresholds.")
    score_before: Score = Field(description="As models decide without: at 0.5, or the most probable label.")
    difference: Difference
    verdict: Verdict


class Deciding(Record):
    """Thresholds of a model, and what they are worth."""

    model: str
    aim: str = Field(description="What was made as large as can be: `f1`, or recall at a certain `precision`.")
    precision: float | None = None
    chosen_on: str
    rows: int = Field(description="Rows that they were chosen on.")
    labels: tuple[Decided, ...]
    split: str = Field(description="Rows that tell what they are worth.")
    worth: tuple[Worth, ...]


class Scrutiny(Record):
    """What was found out beyond scores, as far as the recipe asks for it."""

    conformal: tuple[Coverage, ...] = ()
    thresholds: Deciding | None = None
    robustness: Robustness | None = None
    fairness: tuple[Fairness, ...] = ()
    clusters: ErrorClusters | None = None
    people: tuple[People, ...] = ()
    side_by_side: SideBySide | None = None
    judged_by: Judged | None = Field(None, description="Whose answers a language model prefers.")
    preferences: ChosenByPeople | None = Field(None, description="Whose answers people prefer.")
    notes: tuple[str, ...] = Field((), description="What was asked for and could not be told, a sentence each.")
