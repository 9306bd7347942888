"""The recipe: what a run is to do, from sources to publishing. Its parts come from the families' catalogues."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WrapValidator,
    model_validator,
)

import seedbed.checks
import seedbed.publish
import seedbed.sources
import seedbed.splits
import seedbed.steps
import seedbed.track
import seedbed.train  # noqa: F401  (each import fills a catalogue)
from seedbed.core.check import Check
from seedbed.core.errors import SeedbedError
from seedbed.core.exporter import Exporter
from seedbed.core.learner import Learner
from seedbed.core.part import Part
from seedbed.core.plugins import load_plugins
from seedbed.core.source import Source
from seedbed.core.splitter import Splitter
from seedbed.core.step import Step
from seedbed.core.task import AnyTask as _AnyTask
from seedbed.core.task import Task
from seedbed.core.tracker import Tracker
from seedbed.evaluate import USUAL_METRICS
from seedbed.train import usual_learners

from .agreement import (
    faults_of_checks,
    faults_of_evaluate,
    faults_of_features,
    faults_of_folds,
    faults_of_gates,
    faults_of_learning,
    faults_of_looking,
    faults_of_made_names,
    faults_of_metrics,
    faults_of_places,
    faults_of_publish,
    faults_of_sources,
    faults_of_steps,
    faults_of_task,
    faults_of_trust,
    faults_of_twins,
    faults_of_waivers,
)
from .faults import fault, several, unnamed
from .one_or_several import one_or_several, told_as_one_or_several
from .scrutiny import faults_of_scrutiny
from .sections import Evaluate, Gate, Ledger, Section, Waiver

VERSION = 1

#: What `split` is where a recipe leaves it out.
DEFAULT_SPLIT: Any = {"use": "stratified"}


def _any(head: type[Part]) -> Any:
    """The type of any part of a family; it must be named, and what it refuses itself gets its place in the recipe."""

    def placed(value: Any, handler: Callable[[Any], Part]) -> Part:
        if isinstance(value, Mapping) and "use" not in value:
            raise fault(*unnamed(head.family, value))
        try:
            return handler(value)
        except SeedbedError as error:
            raise fault(error.problem, error.hint) from None

    return Annotated[head.any(), WrapValidator(placed)]


if TYPE_CHECKING:
    AnySource = Source
    AnyStep = Step
    AnyCheck = Check
    AnySplitter = Splitter
    AnyLearner = Learner
    AnyExporter = Exporter
    AnyTracker = Tracker
    AnyTask = Task
else:
    load_plugins()
    AnySource = _any(Source)
    AnyStep = _any(Step)
    AnyCheck = _any(Check)
    AnySplitter = _any(Splitter)
    AnyLearner = _any(Learner)
    AnyExporter = _any(Exporter)
    AnyTracker = _any(Tracker)
    AnyTask = _AnyTask


def _a_version_we_read(value: Any) -> Any:
    if value == VERSION and not isinstance(value, bool):
        return VERSION
    raise fault(f"this Seedbed reads version {VERSION} of recipes, not {value!r}", f"write `seedbed: {VERSION}`")


def _a_slug(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name):
        return name
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:80] or "my-dataset"
    raise fault(
        f"{name[:40]!r} cannot name a folder: letters, digits, '-', '_' and '.' only, at most 80",
        f"for instance {slug!r}",
    )


class Recipe(Section):
    """From raw sources to a dataset and its models. Paths are relative to the recipe's folder."""

    seedbed: Annotated[Literal[1], BeforeValidator(_a_version_we_read)] = Field(
        description="Version of the recipe format, 1."
    )
    name: Annotated[str, AfterValidator(_a_slug)] = Field(description="Name of the dataset, fit for a folder.")
    task: AnyTask = Field(description="What the models are to do.")
    sources: tuple[AnySource, ...] = Field(min_length=1, description="Where rows come from.")
    steps: tuple[AnyStep, ...] = Field((), description="What is done to the rows before the split, in order.")
    checks: tuple[AnyCheck, ...] = Field((), description="What must hold of the rows, the split and the models.")
    split: AnySplitter = Field(DEFAULT_SPLIT, description="How rows are dealt to train, validation and test.")
    prepare: tuple[AnyStep, ...] = Field((), description="Steps after the split that learn from training rows.")
    train: tuple[AnyLearner, ...] = Field(
        (),
        description="Models to train, from the simplest; each is compared with the one before. The usual ones of the "
        "task when left out: see its page.",
    )
    evaluate: Evaluate = Field(Evaluate.model_construct(), description="How models are judged.")
    gates: tuple[Gate, ...] = Field((), description="Scores that must be reached before anything is published.")
    publish: tuple[AnyExporter, ...] = Field((), description="Where dataset and models go.")
    track: Annotated[tuple[AnyTracker, ...], BeforeValidator(one_or_several)] = Field(
        (),
        json_schema_extra=told_as_one_or_several,
        description="Tools that are told about the run when it is over: one, or a list.",
    )
    waive: tuple[Waiver, ...] = Field((), description="What may pass although it would stop publishing, and why.")
    ledger: Ledger = Field(Ledger(), description="What the ledger keeps.")

    def _take_what_is_usual(self) -> None:
        """Learners and metrics of the task, where the recipe names none."""
        # A dataset without test rows, of a task that need not be learned, is just made and split.
        if "train" not in self.model_fields_set and ("test" in self.split.splits or self.task.says == "label"):
            object.__setattr__(self, "train", usual_learners(self.task.kind))
        if not self.evaluate.metrics:
            measured = self.evaluate.model_copy(update={"metrics": USUAL_METRICS[self.task.says]})
            object.__setattr__(self, "evaluate", measured)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """The sections fit together; options that the task knows are filled in."""
        self._take_what_is_usual()
        found = [
            *faults_of_task(self.task),
            *faults_of_learning(self.task, self.train, self.checks),
            *faults_of_sources(self.sources),
            *faults_of_steps(self.steps, self.prepare),
            *faults_of_features(self.prepare, self.task),
            *faults_of_made_names(self.sources, self.prepare),
            *faults_of_trust(self.steps, self.sources),
            *faults_of_twins("train", self.train, "training it twice tells nothing"),
            *faults_of_twins("publish", self.publish, "one would overwrite the other"),
            *faults_of_twins("track", self.track, "it would be told twice"),
            *faults_of_places(self.publish),
            *faults_of_publish(self.publish, self.task, self.split),
            *faults_of_evaluate(self.evaluate, self.task, self.train),
            *faults_of_scrutiny(self.evaluate, self.task, self.train),
            *faults_of_folds(self.split, self.prepare, self.train, self.evaluate),
            *faults_of_checks(self.checks, self.train),
            *faults_of_looking(self.checks, self.task),
            *faults_of_gates(self.gates, self.evaluate.metrics, self.train, self.split),
            *faults_of_metrics(self.evaluate, self.task),
            *faults_of_waivers(self.waive, self.checks, self.gates),
        ]
        if found:
            raise several(type(self).__name__, found)
        roles = self.task.roles | ({"answer": self.task.answer} if self.task.answer else {})
        for name in ("sources", "steps", "checks", "prepare", "train", "publish"):
            # A validator may not return another instance, so the frozen one is completed in place.
            object.__setattr__(self, name, tuple(part.for_task(roles) for part in getattr(self, name)))
        object.__setattr__(self, "split", self.split.for_task(roles))
        return self
