"""A whole run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seedbed.core.check import Finding
from seedbed.core.held_out import ReadOfTest, told
from seedbed.core.ledger import Books
from seedbed.core.record import Record
from seedbed.core.scrutiny import Scrutiny
from seedbed.core.sending import Sent
from seedbed.core.splitter import Certificate

from .comparisons import AblationRecord, Comparison, Effect, LeakageClaim, LearningCurve
from .dataset import DatasetRecord, StepRecord
from .models import ModelRecord, NestedRecord
from .publishing import GateRecord, StaleAnswer, Waived
from .sources import LicencesRecord, SourceRecord


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
    sent: tuple[Sent, ...] = Field((), description="Rows whose texts went to services on other machines.")
    intervals: dict[str, Any] = Field(
        default_factory=dict,
        description="Level, resamples and method of the intervals; by split, `groups` of rows that belong together, "
        "where those are what is resampled.",
    )
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

    def groups_in(self, split: str) -> int | None:
        """Groups of the rows of a split, where they are no independent draws and groups are resampled."""
        found = self.intervals.get("groups", {}).get(split)
        return found if isinstance(found, int) and found > 1 else None

    @property
    def test_reads_told(self) -> str:
        """How often test rows were read and why; empty where nobody did."""
        return told(self.test_reads, self.test_reads_before)

    def reason_to_waive(self, what: str) -> str | None:
        """Why something was waived; nothing where it was not, or need not have been."""
        return next((waived.reason for waived in self.waivers if waived.what == what), None)
