"""A run, machine readable: what `run.json` holds. The report and the card are made from this and nothing else."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .check import Finding
from .ledger import Books
from .metric import Score
from .splitter import Certificate


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceRecord(_Record):
    """A source as it was read."""

    name: str
    use: str
    path: str
    license: str | None
    files: int
    bytes: int
    rows: int = Field(description="Records read, malformed ones included.")
    malformed: int
    settings: dict[str, Any] = Field(description="What was found out about the format.")
    notes: tuple[str, ...]


class StepRecord(_Record):
    """One part that saw every row, in order; what went in is what came out and what was rejected."""

    part: str = Field(description="Name in the ledger.")
    use: str
    rows_in: int
    rows_out: int
    changed: int
    rejected: dict[str, int]


class ColumnRecord(_Record):
    """A column of the dataset, in numbers."""

    name: str
    type: str
    missing: int
    unique: int | None = Field(None, description="Different values (approximate above 100,000).")


class LengthsRecord(_Record):
    """Lengths of the task's text in characters."""

    edges: tuple[int, ...] = Field(description="Bin edges; the last bin is open.")
    before: tuple[int, ...] = Field(description="Rows as read, by bin.")
    after: tuple[int, ...] = Field(description="Rows of the dataset, by bin.")


class DatasetRecord(_Record):
    """The dataset that came out."""

    digest: str
    splits: dict[str, int]
    columns: tuple[ColumnRecord, ...]
    labels: dict[str, dict[str, int]] = Field(description="Rows by split and label.")
    labels_before: dict[str, int] = Field(description="Rows by label as read, before any step; at most 50.")
    lengths: LengthsRecord | None
    near_duplicates: dict[str, Any] = Field(
        default_factory=dict, description="Pairs and clusters of near copies that the split kept together."
    )


class ClassScore(_Record):
    """Precision, recall and F1 of one label."""

    precision: Score
    recall: Score
    f1: Score
    support: int


class Mistake(_Record):
    """A row that a model was sure about, and wrong."""

    row: str
    text: str = Field(description="Excerpt, personal data masked.")
    truth: str
    predicted: str
    confidence: float


class ModelRecord(_Record):
    """A model and how it did."""

    name: str
    use: str
    options: dict[str, Any]
    scores: dict[str, dict[str, Score]] = Field(description="By split and metric.")
    classes: dict[str, dict[str, ClassScore]] = Field(description="By split and label.")
    confusion: dict[str, list[list[int]]] = Field(description="By split; rows are truth, columns predictions.")
    mistakes: tuple[Mistake, ...] = Field(description="Most confident mistakes on the validation split.")
    seconds: float
    bytes: int = Field(description="Size of the saved model.")


class Comparison(_Record):
    """A model against the one before it, on the same rows."""

    a: str
    b: str
    split: str
    metric: str
    difference: float = Field(description="Score of `b` minus score of `a`.")
    low: float
    high: float
    p: float = Field(description="Two-sided, by paired permutation.")
    mcnemar: float = Field(description="Exact McNemar p of the two models' errors.")
    n: int
    verdict: Literal["better", "worse", "not distinguishable"]


class GateRecord(_Record):
    """A gate and whether it was passed."""

    metric: str
    split: str
    model: str | None
    passed: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float
    direction: Literal["at_least", "at_most"]
    waived: str | None = Field(None, description="The reason, where a person waived the gate.")


class LeakageClaim(_Record):
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


class Run(_Record):
    """A whole run."""

    seedbed: str = Field(description="Version of Seedbed.")
    name: str
    id: str
    state: Literal["passed", "failed"]
    stopped_by: tuple[str, ...] = Field((), description="Checks and gates that failed and stop publishing.")
    started: str = Field(description="ISO 8601, UTC.")
    seconds: float
    task: dict[str, Any]
    seed: int
    sources: tuple[SourceRecord, ...]
    rows: Books
    steps: tuple[StepRecord, ...] = Field(
        description="Where every row went, in order; the task and the splitter included."
    )
    dataset: DatasetRecord
    certificate: Certificate | None
    findings: tuple[Finding, ...]
    models: tuple[ModelRecord, ...]
    best: str | None = Field(None, description="The model that is best on validation rows.")
    comparisons: tuple[Comparison, ...]
    leakage: LeakageClaim | None
    gates: tuple[GateRecord, ...]
    blanks: tuple[str, ...] = Field(
        (), description="Questions of the card that only a person can answer and nobody did."
    )
    published: tuple[str, ...] = ()
    intervals: dict[str, Any] = Field(default_factory=dict, description="Level, resamples and method of the intervals.")
    timings: dict[str, float] = Field(default_factory=dict, description="Seconds by stage.")
    recipe_text: str = Field("", description="The recipe as resolved, in YAML.")
    command: str = Field("", description="How to make this run again.")
    versions: dict[str, str] = Field(default_factory=dict, description="Versions of what ran.")
