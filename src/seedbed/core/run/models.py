"""A model, and how it did: scores, curves, mistakes, slices."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seedbed.core.record import Record
from seedbed.core.score import Score


class ClassScore(Record):
    """Precision, recall and F1 of one label."""

    precision: Score
    recall: Score
    f1: Score
    support: int


class Neighbour(Record):
    """A training row near to another row."""

    row: str
    text: str = Field(description="Excerpt, personal data masked.")
    label: str
    similarity: float = Field(description="Jaccard similarity of the shingles that the split compared, 0 to 1.")


class Mistake(Record):
    """A row that a model got wrong, and was sure about, or far off."""

    row: str
    text: str = Field(description="Excerpt, personal data masked.")
    truth: str
    predicted: str
    confidence: float | None = Field(None, description="Where the model says how sure it is.")
    neighbours: tuple[Neighbour, ...] = Field((), description="The training rows nearest to it, nearest first.")


class Curve(Record):
    """A curve of one label against the rest; at most 200 points, its first and last among them."""

    label: str
    x: tuple[float, ...] = Field(description="False-positive rate of a ROC curve, recall of a precision-recall curve.")
    y: tuple[float, ...] = Field(description="True-positive rate of a ROC curve, precision of the other.")
    area: float = Field(description="Area under the whole curve: ROC AUC, or average precision.")


class Curves(Record):
    """Curves of every label that has rows on both sides, the most frequent first, at most 20 labels."""

    roc: tuple[Curve, ...] = ()
    precision_recall: tuple[Curve, ...] = ()


class ReliabilityBin(Record):
    """Rows whose confidence lies in a range: how sure the model was, and how often it was right."""

    low: float = Field(description="Confidence from which on a row is in this bin.")
    high: float
    rows: int
    confidence: float = Field(description="Mean confidence of the bin's rows.")
    accuracy: Score = Field(description="Share of the bin's rows that were right.")


class SizePart(Record):
    """Rows whose right numbers are alike in size, and how far off a model was on them."""

    low: float = Field(description="The least of the right numbers.")
    high: float
    error: Score = Field(description="Mean distance between answer and right number.")
    bias: Score = Field(description="Mean of answer minus right number.")


class Distances(Record):
    """How far the numbers that a model answered are from the right ones."""

    points: tuple[tuple[float, float], ...] = Field(
        description="Right number and answer; of many rows 400, evenly from the smallest right number to the largest."
    )
    half: float = Field(description="Half of the answers are off by at most so much.")
    most: float = Field(description="90 % of the answers are off by at most so much.")
    bias: Score = Field(description="Mean of answer minus right number.")
    edges: tuple[float, ...] = Field(description="Where bars of answer minus right number begin; the last one's end.")
    rows: tuple[int, ...] = Field(description="Rows by bar; the outermost bars hold what lies beyond them, too.")
    parts: tuple[SizePart, ...] = Field(
        description="At most ten parts of the rows, from the smallest right numbers on."
    )


class Slice(Record):
    """Some of the rows, and how the model did on them against how it did on the others."""

    by: str = Field(description="What the rows were told apart by: `text length`, `source`, or a column.")
    value: str = Field(description="Which of them these are.")
    score: Score = Field(description="The deciding metric on these rows.")
    also: dict[str, Score] = Field(
        default_factory=dict, description="Of language models, the other metrics on these rows, such as perplexity."
    )
    difference: float | None = Field(None, description="Score here minus score on all other judged rows.")
    low: float | None = None
    high: float | None = None
    p: float | None = Field(
        None, description="Two-sided, by permutation of membership among rows of a label; Holm-corrected over all."
    )
    verdict: Literal["better", "worse", "not distinguishable", "too few rows"] = "too few rows"


class Calibration(Record):
    """How a model's probabilities were put right: p to the power 1/temperature, so that no decision changes."""

    method: Literal["temperature"] = "temperature"
    temperature: float = Field(description="Above 1 the model was too sure of itself, below 1 not sure enough.")
    split: str = Field(description="Rows that it was fitted on.")
    rows: int
    log_loss_before: float
    log_loss_after: float


class FoldScores(Record):
    """A metric over the folds of a cross-validation on training rows."""

    values: tuple[float, ...] = Field(description="One value a fold.")
    mean: float
    low: float = Field(description="Interval of the mean, corrected for overlapping training rows.")
    high: float


class NestedRecord(Record):
    """What choosing among the learners by cross-validation is worth, on folds that took no part in the choice."""

    chosen: tuple[str, ...] = Field(description="The learner that was chosen on the other folds, one a fold.")
    scores: dict[str, FoldScores] = Field(description="By metric: of the chosen one on each fold.")


class ModelRecord(Record):
    """A model and how it did."""

    name: str
    use: str
    options: dict[str, Any]
    scores: dict[str, dict[str, Score]] = Field(description="By split and metric.")
    classes: dict[str, dict[str, ClassScore]] = Field(description="By split and label.")
    confusion: dict[str, list[list[int]]] = Field(description="By split; rows are truth, columns predictions.")
    mistakes: tuple[Mistake, ...] = Field(description="Mistakes on the validation split: the surest, or the worst.")
    curves: dict[str, Curves] = Field(default_factory=dict, description="ROC and precision-recall curves by split.")
    reliability: dict[str, tuple[ReliabilityBin, ...]] = Field(
        default_factory=dict, description="By split: how often the model was right, by how sure it was."
    )
    distances: dict[str, Distances] = Field(
        default_factory=dict, description="By split, of tasks whose answers are numbers."
    )
    slices: dict[str, tuple[Slice, ...]] = Field(default_factory=dict, description="By split.")
    calibration: Calibration | None = Field(None, description="How its probabilities were put right, where they were.")
    folds: dict[str, FoldScores] = Field(default_factory=dict, description="Cross-validation by metric, if asked for.")
    told: tuple[str, ...] = Field((), description="What the model says of how it was learned, in sentences.")
    seconds: float
    bytes: int = Field(description="Size of the saved model.")
