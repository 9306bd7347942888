"""A run, machine readable: what `run.json` holds. The report and the card are made from this and nothing else."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .check import Finding
from .held_out import ReadOfTest, told
from .ledger import Books
from .metric import Score
from .profile import Kind
from .record import Record
from .scrutiny import Growth, Scrutiny
from .splitter import Certificate


class FetchedRecord(Record):
    """What a source that fetches asked for and got; `lineage.json` has every address."""

    began: str = Field("", description="When the oldest of it was asked for (ISO 8601, UTC).")
    ended: str = Field("", description="When the newest of it had come.")
    requests: int | None = Field(None, description="Requests that it took, repeated ones included, where counted.")
    responses: int = Field(description="Responses that rows are read from.")
    bytes: int
    hosts: dict[str, int] = Field(default_factory=dict, description="Responses by host; the 20 with most.")
    statuses: dict[str, int] = Field(default_factory=dict, description="Responses by HTTP status.")
    robots: dict[str, int] = Field(
        default_factory=dict, description="Responses by what robots.txt decided; the 20 with most."
    )
    refused: int = Field(0, description="Addresses that were not fetched, by robots.txt or the source's own limits.")
    refused_urls: tuple[str, ...] = Field((), description="At most 20 of them.")


class SourceRecord(Record):
    """A source as it was read."""

    name: str
    use: str
    path: str
    license: str | None
    terms: str | None = None
    collected_by: str | None = None
    consent: str | None = None
    files: int
    bytes: int
    rows: int = Field(description="Records read, malformed ones included.")
    malformed: int
    settings: dict[str, Any] = Field(description="What was found out about the format.")
    notes: tuple[str, ...]
    fetched: FetchedRecord | None = Field(None, description="Of a source that came over a network.")


class Credit(Record):
    """A source that the dataset's papers must name."""

    source: str
    license: str = Field(description="SPDX id.")
    url: str = Field(description="Address of the licence.")


class LicencesRecord(Record):
    """What the licences of the sources that rows or columns come from ask of the dataset. No legal advice."""

    under: str | None = Field(None, description="The licence that it must bear; null where it may be chosen.")
    commercial: bool = Field(True, description="Whether no source whose licence is known forbids commercial use.")
    credits: tuple[Credit, ...] = Field((), description="Sources that must be named, or their notices kept.")
    problems: tuple[str, ...] = Field((), description="Why it may not be published as it is.")


class StepRecord(Record):
    """One part that saw every row, in order; what went in is what came out and what was rejected."""

    part: str = Field(description="Name in the ledger.")
    use: str
    rows_in: int
    rows_out: int
    changed: int
    rejected: dict[str, int]
    told: tuple[str, ...] = Field((), description="What it learned from training rows, in sentences.")


class ColumnRecord(Record):
    """A column of the dataset, in numbers."""

    name: str
    type: str
    missing: int
    unique: int | None = Field(None, description="Different values (approximate above 100,000).")
    kind: Kind | Literal[""] = Field("", description="What its values are; empty where nobody looked.")
    told: str = Field("", description="What its values are like, in a line; `profile.json` has the numbers.")


class LengthsRecord(Record):
    """Lengths of the task's text in characters."""

    column: str = Field("", description="The column that is measured.")
    edges: tuple[int, ...] = Field(description="Bin edges; the last bin is open.")
    before: tuple[int, ...] = Field(description="Rows as read, by bin; all 0 where what was read is no text yet.")
    after: tuple[int, ...] = Field(description="Rows of the dataset, by bin.")
    made: tuple[int, ...] = Field((), description="Rows among them that were made, by bin; empty where none was.")


class NumbersRecord(Record):
    """Rows by the size of the number that is to be told of them."""

    column: str
    edges: tuple[float, ...] = Field(description="Where bars begin, and where the last ends.")
    rows: dict[str, list[int]] = Field(description="Rows by split and bar.")
    medians: dict[str, float] = Field(description="The median of each split that has rows.")


class DatasetRecord(Record):
    """The dataset that came out."""

    digest: str
    splits: dict[str, int]
    columns: tuple[ColumnRecord, ...]
    labels: dict[str, dict[str, int]] = Field(description="Rows by split and label.")
    labels_made: dict[str, int] = Field(
        default_factory=dict,
        description="Rows of `train` by label that were made, by a part or a model; of those above.",
    )
    labels_before: dict[str, int] = Field(
        description="Rows by label as read, before any step; at most 50. Without a label: under an empty name."
    )
    labels_together: dict[str, int] = Field(
        default_factory=dict, description="Rows that carry both labels of a pair, by `A + B`; at most 10 pairs."
    )
    numbers: NumbersRecord | None = Field(None, description="Of tasks whose rows are to be told a number.")
    other_labels_before: int = Field(0, description="Rows as read whose labels are not counted there.")
    lengths: LengthsRecord | None
    near_duplicates: dict[str, Any] = Field(
        default_factory=dict, description="Pairs and clusters of near copies that the split kept together."
    )
    remarks: tuple[str, ...] = Field((), description="What the profile found, a sentence each; some may be meant.")
    measures: dict[str, str] = Field(
        default_factory=dict, description="What the task asks of each row (turns, answers, lengths), in a line each."
    )


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


class GateRecord(Record):
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
    waived: str | None = Field(None, description="The reason, where the gate failed and a person waived it.")


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


class Waived(Record):
    """Something that would have stopped publishing, and that a person let pass."""

    what: str = Field(description="`check NAME`, `gate METRIC on SPLIT`, `question KEY` or `licences`.")
    reason: str


class StaleAnswer(Record):
    """An answer of the card that was given about other data."""

    question: str = Field(description="Its key in `card.yaml`.")
    run: str = Field(description="The run that it was given about.")
    when: str = Field(description="When (ISO 8601, UTC).")
    changes: tuple[str, ...] = Field(description="What moved since, a sentence each.")


class Run(Record):
    """A whole run."""

    seedbed: str = Field(description="Version of Seedbed.")
    name: str
    id: str
    state: Literal["passed", "failed"]
    stopped_by: tuple[str, ...] = Field(
        (), description="Checks, gates and learners (`learner NAME: WHY`) that failed; nothing is published then."
    )
    started: str = Field(description="ISO 8601, UTC.")
    seconds: float
    task: dict[str, Any]
    seed: int
    limit: int | None = Field(
        None, description="At most so many records of each source were read (`--limit`): a quick look, not the dataset."
    )
    offline: bool = Field(False, description="Nothing was fetched (`--offline`): what was kept was read.")
    refreshed: bool = Field(False, description="What had been fetched before was fetched again (`--refresh`).")
    sources: tuple[SourceRecord, ...]
    licences: LicencesRecord | None = Field(None, description="What the sources' licences ask of the dataset.")
    rows: Books
    steps: tuple[StepRecord, ...] = Field(
        description="Where every row went, in order; the task and the splitter included."
    )
    dataset: DatasetRecord
    certificate: Certificate | None
    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = Field((), description="What a careful reader would point out, a sentence each.")
    models: tuple[ModelRecord, ...]
    metric: str = Field(description="The metric that decides: the first of the recipe's `evaluate.metrics`.")
    best: str | None = Field(None, description="The model that is best on validation rows.")
    nested: NestedRecord | None = Field(
        None, description="Where folds are nested: what the choice of a model is worth."
    )
    comparisons: tuple[Comparison, ...]
    effects: tuple[Effect, ...] = Field((), description="What made rows, and `prepare`, were worth.")
    learning_curve: LearningCurve | None = Field(None, description="Real rows against real and made ones.")
    scrutiny: Scrutiny | None = Field(None, description="What `evaluate` asked for besides scores.")
    leakage: LeakageClaim | None
    ablation: AblationRecord | None = Field(None, description="What each step is worth, where that was asked for.")
    gates: tuple[GateRecord, ...]
    blanks: tuple[str, ...] = Field(
        (), description="Questions of the card that only a person can answer and nobody did."
    )
    stale: tuple[StaleAnswer, ...] = Field((), description="Answers of the card that were given about other data.")
    waivers: tuple[Waived, ...] = Field(
        (), description="What would have stopped publishing and was waived; not what was waived and passed anyway."
    )
    published: tuple[str, ...] = Field(
        (), description="Where the run was published to; in a published copy, where it was about to be."
    )
    unpublished: tuple[str, ...] = Field((), description="Where it was to be published to, had that not failed.")
    test_reads: tuple[ReadOfTest, ...] = Field((), description="Each time that test rows were read.")
    test_reads_before: int = Field(
        0, description="How often earlier runs of the same store had read the test rows of the same dataset."
    )
    intervals: dict[str, Any] = Field(default_factory=dict, description="Level, resamples and method of the intervals.")
    timings: dict[str, float] = Field(default_factory=dict, description="Seconds by stage.")
    recipe_text: str = Field("", description="The recipe as resolved, in YAML.")
    command: str = Field("", description="How to make this run again.")
    versions: dict[str, str] = Field(default_factory=dict, description="Versions of what ran.")

    @property
    def best_model(self) -> ModelRecord | None:
        """The model that is best on validation rows; none where none was judged."""
        return next((model for model in self.models if model.name == self.best), None)

    @property
    def judging_split(self) -> str:
        """The split that judges the models: test where there is one, else the last that any model was scored on."""
        judged = [split for model in self.models for split, scores in model.scores.items() if scores]
        return "test" if "test" in judged or not judged else judged[-1]

    @property
    def test_reads_told(self) -> str:
        """How often test rows were read and why; empty where nobody did."""
        return told(self.test_reads, self.test_reads_before)

    def reason_to_waive(self, what: str) -> str | None:
        """Why something was waived; nothing where it was not, or need not have been."""
        return next((waived.reason for waived in self.waivers if waived.what == what), None)
